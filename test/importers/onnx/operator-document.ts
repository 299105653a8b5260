/** The text of docs/onnx-operators.md: which ONNX operators have a rule, and for how many of onnx's own tests it suffices. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { operatorNames } from "../../../importers/onnx/ops/index.ts";
import { type PeerCount, readPeerTable, runBackend } from "./backend-models.ts";

/** What fixtures/build/onnx/schemas.py reads of onnx and onnxruntime: opsets at which an operator changed. */
interface Schemas {
  readonly versions: Readonly<Record<string, string>>;
  readonly opset: number;
  readonly domains: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>>;
}

const fixtures = join(import.meta.dirname, "../../../fixtures/onnx");

export function readSchemas(): Schemas {
  return JSON.parse(readFileSync(join(fixtures, "schemas.json"), "utf8"));
}

/** Name of an operator as the importer's records have it. */
export function recordName(domain: string, operator: string): string {
  return domain === "ai.onnx" ? operator : `${domain}.${operator}`;
}

/** Markdown, made of the records, of the table that other engines were measured for, and of a run of our own. */
export async function operatorDocument(): Promise<string> {
  const schemas = readSchemas();
  const peers = readPeerTable();
  const solved = await solvedHere();
  const { versions } = peers;
  const engines = [`onnx ${versions.onnx}`, `onnxruntime ${versions.onnxruntime}`, "weighbridge"] as const;
  const counts = (row: PeerCount | undefined, ours: number): readonly string[] =>
    row ? [row.models, row.onnx, row.ort, ours].map(String) : ["", "", "", ""];
  const known = new Set(operatorNames());
  const standard = Object.keys(schemas.domains).filter((domain) => domain !== "com.microsoft");
  const sections = standard.flatMap((domain) => {
    const rows = Object.entries(schemas.domains[domain] ?? {}).map(([name, since]) => {
      const record = recordName(domain, name);
      const rule = known.has(record) ? "" : " (no rule)";
      return [
        `${name}${rule}`,
        since.join(", "),
        ...counts(peers.operators[record], solved.get(record) ?? 0),
      ];
    });
    return [`## ${domain}`, table(["operator", "opsets", "models", ...engines], rows)];
  });
  const several = peers.operators["(several operators)"];
  return [
    "# Operators of ONNX",
    `<!-- Written by \`npm run docs\`; a test fails when it is not what the code gives. -->`,
    `Operators that have a rule for types and shapes, against onnx ${schemas.versions.onnx} (opset ${schemas.opset}).
The figures are the backend tests of the onnx package: small models, of which every declared type but those of the inputs
was taken away. A model is solved when every output gets at least the type and the sizes that it declares. The others
are shape inference of onnx (data propagation on) and symbolic shape inference of onnxruntime. No values are fed, so that
a model whose sizes are inputs at run time (where to slice, how much to pad) is solved by nobody.`,
    table(
      ["", "models", ...engines],
      [
        [
          "all",
          ...counts(
            peers.all.all,
            [...solved.values()].reduce((a, b) => a + b, 0),
          ),
        ],
        ["of several operators", ...counts(several, solved.get("(several operators)") ?? 0)],
        [
          "a type or size that is not the declared one",
          "",
          ...[peers.contradicts.onnx.length, peers.contradicts.ort.length, solved.contradicted].map(String),
        ],
      ],
    ),
    "Below, `opsets` are the versions at which an operator came or changed. `models` are those that consist of this operator alone.",
    ...sections,
    ...others(schemas, known),
  ].join("\n\n");
}

/** Operators of domains that onnx itself does not define. */
function others(schemas: Schemas, known: ReadonlySet<string>): readonly string[] {
  const microsoft = Object.keys(schemas.domains["com.microsoft"] ?? {});
  const standard = new Set(
    Object.entries(schemas.domains).flatMap(([domain, operators]) =>
      Object.keys(operators).map((name) => recordName(domain, name)),
    ),
  );
  const has = (name: string): boolean => known.has(`com.microsoft.${name}`);
  const list = (names: readonly string[]): string => names.map((name) => `\`${name}\``).join(", ");
  const more = [...known].filter((name) => !standard.has(name)).sort();
  return [
    "## com.microsoft",
    `Of the ${microsoft.length} operators that onnxruntime ${schemas.versions.onnxruntime} adds, ${microsoft.filter(has).length} have a rule: ${list(microsoft.filter(has))}.`,
    `The others are read as operators that nobody knows: their weights count, shapes after them are those that the file states, and a note says so. They are ${list(microsoft.filter((name) => !has(name)))}.`,
    "## Others",
    `Under other names, or of other tools: ${list(more)}.\n`,
  ];
}

type Solved = ReadonlyMap<string, number> & { readonly contradicted: number };

/** Models that we solve, by their only operator. */
async function solvedHere(): Promise<Solved> {
  const solved = new Map<string, number>();
  let contradicted = 0;
  for (const { ops, outputs } of await runBackend()) {
    if (outputs.some(({ contradicts }) => contradicts)) contradicted += 1;
    if (!outputs.every(({ ours }) => ours)) continue;
    const [only = ""] = ops;
    const name = ops.length === 1 ? only : "(several operators)";
    solved.set(name, (solved.get(name) ?? 0) + 1);
  }
  return Object.assign(solved, { contradicted });
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), `|${head.map(() => "---").join("|")}|`, ...rows.map(line)].join("\n");
}
