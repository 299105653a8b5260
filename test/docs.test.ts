/**
 * README.md and docs/ show what the program really prints and knows. What stands between `<!-- begin:NAME -->` and `<!-- end:NAME -->` is
 * made here; `npm run docs` writes it anew, and the test fails when it differs.
 */

import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { expect, test } from "vitest";
import { summaryStyles } from "../src/public/index.ts";
import { fixture, runCli } from "./cli/run-cli.ts";
import { operatorDocument } from "./importers/onnx/operator-document.ts";

const root = resolve(import.meta.dirname, "..");
/** Documents with generated parts. */
const generated = ["README.md", "docs/command-line.md", "docs/report.md"];
const schema: Schema = JSON.parse(readFileSync(join(root, "schema/report.v1.schema.json"), "utf8"));

/** Real files behind the names that the samples use. */
const files: Readonly<Record<string, string>> = {
  "mnist.keras": fixture("k3-mnist-cnn/model.keras"),
  "nested.h5": fixture("k2-nested-sequential/model.h5"),
  "trained.keras": fixture("k2-trained-adam/model.keras"),
  "custom.keras": fixture("k3-custom-layers/model.keras"),
  "program.pt2": join(root, "fixtures/pytorch/program-tied/model.pt2"),
  "frozen.pt2": join(root, "fixtures/pytorch/program-frozen/model.pt2"),
  "resnet18.onnx": join(root, "fixtures/onnx/torch/resnet18-dynamo/model.onnx"),
  "lstm.onnx": join(root, "fixtures/onnx/structure/lstm.onnx"),
  "checkpoint.pt": join(root, "fixtures/pytorch/trained-adam/zip.pt"),
  "quantized-gptq-4": join(root, "fixtures/safetensors/quantized-gptq-4"),
  "stranger.pt": join(root, "fixtures/pytorch/suspicious/zip.pt"),
};

const parts: Readonly<Record<string, () => Promise<string> | string>> = {
  "sample:summary": () => sample("weighbridge mnist.keras"),
  "sample:keras2": () => sample("weighbridge --style keras2 --expand-nested nested.h5"),
  "sample:notes": () => sample("weighbridge custom.keras"),
  "sample:ledger": () => sample("weighbridge --json trained.keras", "ledger"),
  "sample:program": () => sample("weighbridge program.pt2"),
  "sample:torchinfo": () => sample("weighbridge --style torchinfo frozen.pt2"),
  "sample:onnx": () => sample("weighbridge lstm.onnx"),
  "sample:onnx-modules": () => sample("weighbridge --group module --depth 1 --batch 1 resnet18.onnx"),
  "sample:checkpoint": () => sample("weighbridge checkpoint.pt"),
  "sample:classes": () => sample("weighbridge --json checkpoint.pt", "ledger.classes"),
  "sample:globals": () => sample("weighbridge --json stranger.pt", "globals"),
  "sample:totals": () => sample("weighbridge --json trained.keras", "totals"),
  "sample:safetensors": () => sample("weighbridge quantized-gptq-4"),
  "sample:formats": () => sample("weighbridge formats"),
  "help:summary": () => sample("weighbridge --help"),
  "help:convert": () => sample("weighbridge convert --help"),
  styles: () =>
    table(
      ["`--style`", "looks like"],
      summaryStyles.map(({ name, description }) => [`\`${name}\``, description]),
    ),
  classes: () =>
    table(
      ["class", "elements"],
      Object.entries(definition("ledger").properties?.classes?.properties ?? {}).map(([name, entry]) => [
        `\`${name}\``,
        entry.description ?? "",
      ]),
    ),
  fields: () => table(["field", "meaning"], [...fieldsOf(schema), ...definedFields()]),
  library: () => fence("ts", readFileSync(join(root, "docs/library.ts"), "utf8")),
};

test.each(generated)("%s shows what is really printed", async (name) => {
  const path = join(root, name);
  await expect(await regenerate(readFileSync(path, "utf8"))).toMatchFileSnapshot(path);
});

test("docs/onnx-operators.md is what the rules and the backend tests give", async () => {
  await expect(await operatorDocument()).toMatchFileSnapshot(join(root, "docs/onnx-operators.md"));
});

test("every part that can be made is shown, and ends", () => {
  const text = generated.map((name) => readFileSync(join(root, name), "utf8")).join("\n");
  for (const name of Object.keys(parts)) {
    expect(text.split(`<!-- begin:${name} -->`)).toHaveLength(2);
    expect(text.split(`<!-- end:${name} -->`)).toHaveLength(2);
  }
});

test("links inside the documents lead somewhere", () => {
  const written = [
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "docs/conventions.md",
    "docs/onnx-operators.md",
  ];
  for (const name of [...generated, ...written]) {
    const text = readFileSync(join(root, name), "utf8");
    for (const [, target = ""] of text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)) {
      expect(() => readFileSync(join(root, dirname(name), target)), `${name}: ${target}`).not.toThrow();
    }
    const headings = [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) => anchorOf(heading));
    for (const [, anchor = ""] of text.matchAll(/\]\(#([^)]+)/g)) expect(headings).toContain(anchor);
  }
});

async function regenerate(text: string): Promise<string> {
  let made = text;
  for (const [, name = ""] of text.matchAll(/<!-- begin:(\S+) -->/g)) {
    const make = parts[name];
    // A part that nobody makes is written by hand, between markers only to be found again.
    if (!make) continue;
    const part = await make();
    made = made.replace(
      new RegExp(`(<!-- begin:${name} -->\n)[\\s\\S]*?(<!-- end:${name} -->)`),
      (_, begin: string, end: string) => `${begin}${part}\n${end}`,
    );
  }
  return made;
}

/** A command as typed and what it prints; `key` takes one member of its JSON, as `jq .key` does. */
async function sample(command: string, key?: string): Promise<string> {
  const argv = command
    .split(" ")
    .slice(1)
    .map((word) => files[word] ?? word);
  const { code, stdout, stderr } = await runCli(argv);
  if (code !== 0) throw new Error(`${command} ended with ${code}: ${stderr}`);
  const text = key === undefined ? stdout : JSON.stringify(memberOf(JSON.parse(stdout), key), undefined, 2);
  const typed = key === undefined ? command : `${command} | jq .${key}`;
  return fence("console", `$ ${typed}\n${text.trimEnd()}\n${stderr}`);
}

function memberOf(report: unknown, path: string): unknown {
  return path.split(".").reduce((value, key) => (value as Readonly<Record<string, unknown>>)[key], report);
}

function fence(language: string, text: string): string {
  return `\`\`\`${language}\n${text.trimEnd()}\n\`\`\``;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), `|${head.map(() => "---").join("|")}|`, ...rows.map(line)].join("\n");
}

function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");
}

interface Schema {
  readonly description?: string;
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
}

function definition(name: string): Schema {
  const found = schema.$defs?.[name];
  if (!found) throw new Error(`no definition of ${name}`);
  return found;
}

/** Rows for the fields of an object; objects that stand inside it follow with their path. */
function fieldsOf(part: Schema, path = ""): string[][] {
  return Object.entries(part.properties ?? {}).flatMap(([name, field]) => {
    const at = `${path}${name}`;
    const target = field.$ref ? definition(field.$ref.replace("#/$defs/", "")) : field;
    const inner = [target, ...(target.anyOf ?? [])].find(({ properties }) => properties);
    const deeper = inner && !field.$ref ? fieldsOf(inner, `${at}.`) : [];
    return [[`\`${at}\``, field.description ?? target.description ?? ""], ...deeper];
  });
}

/** The objects that the report is made of, each under its own name. */
function definedFields(): string[][] {
  return [
    "model",
    "network",
    "value",
    "layer",
    "call",
    "weight",
    "ledger",
    "ledgerEntry",
    "pickledGlobal",
    "diagnostic",
  ].flatMap((name) => [
    [`**${name}**`, definition(name).description ?? ""],
    ...fieldsOf(definition(name), `${name}.`).filter(([at]) => !at?.includes(".classes.")),
  ]);
}
