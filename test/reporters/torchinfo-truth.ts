/** What torchinfo printed of networks, their exported programs, and where our text cannot be the same. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { memorySource } from "../../src/io/memory.ts";
import type { InspectOptions } from "../../src/public/index.ts";
import { openZip } from "../../src/wire/zip.ts";
import { buildZip } from "../wire/zip-builder.ts";

const fixtures = join(import.meta.dirname, "../../fixtures/pytorch");

/** A line of torchinfo.jsonl.gz, which fixtures/build/pytorch/torchinfo_text.py wrote. */
export interface Truth {
  readonly name: string;
  readonly depth: number;
  /** With all columns, and the names of modules. */
  readonly wide?: boolean;
  readonly text: string;
}

/** What its text is told by in the list of those that differ. */
export function labelOf({ name, depth, wide }: Truth): string {
  return `${name}${depth === 3 ? "" : `:${depth}`}${wide ? ":wide" : ""}`;
}

export const truths: readonly Truth[] = gunzipSync(
  readFileSync(join(fixtures, "torchinfo/torchinfo.jsonl.gz")),
)
  .toString("utf8")
  .trimEnd()
  .split("\n")
  .slice(1)
  .map((line) => JSON.parse(line));

const programs = await openZip(memorySource(readFileSync(join(fixtures, "programs/programs.zip"))));

/** An entry of an archive as text, by its name without the folder that all are in. */
export async function zipText(data: Uint8Array, name: string): Promise<string> {
  const zip = await openZip(memorySource(data));
  const found = zip.entries.find((one) => one.name.replace(/^[^/]+\//, "") === name);
  if (!found) throw new Error(`there is no ${name}`);
  const source = await zip.openEntry(found);
  return new TextDecoder().decode(await source.read(0, source.size));
}

async function entry(name: string): Promise<Uint8Array> {
  const found = programs.find(name);
  if (!found) throw new Error(`there is no ${name}`);
  const source = await programs.openEntry(found);
  return source.read(0, source.size);
}

/** Files of small networks, the sizes that torchinfo's inputs had where they are open, and what makes rows of their modules. */
const small: Readonly<Record<string, readonly [string, InspectOptions]>> = {
  "small/again": ["archives/2.14.1/again.pt2", { batch: 3 }],
  "small/tied": ["program-tied/model.pt2", { batch: 6, dims: { s53: 8 } }],
  "small/half": ["program-half/model.pt2", { batch: 2, dims: { s27: 4 } }],
  "small/recurrent": ["program-recurrent/model.pt2", {}],
  "small/frozen": ["program-frozen/model.pt2", {}],
  "small/plain": ["program-plain/model.pt2", {}],
  "weights/Small": ["module/zip.pt", { group: "module" }],
  "weights/Language": ["module-language/zip.pt", { group: "module" }],
  "weights/Shared": ["module-shared/zip.pt", { group: "module" }],
  "weights/Scripted": ["script-language/model.pt", { group: "module" }],
  "weights/Traced": ["script-traced/model.pt", { group: "module" }],
};

/** The file of a network, and how it is inspected. */
export async function programOf(name: string): Promise<readonly [Uint8Array, InspectOptions]> {
  const file = small[name];
  if (file) return [readFileSync(join(fixtures, file[0])), file[1]];
  const { dynamic, batch } = JSON.parse(new TextDecoder().decode(await entry(`${name}/expected.json`)));
  const files = ["models/model.json", "data/weights/model_weights_config.json"];
  const parts = files.map(async (part) => ({ name: `net/${part}`, data: await entry(`${name}/${part}`) }));
  return [buildZip(await Promise.all(parts)), dynamic ? { batch } : {}];
}

/** Why a text differs. */
export type Reason =
  /** What left no trace has no row: Identity, layers that drop paths only when training. */
  | "silent"
  /** The class of what is never called is not in the program: ours has a mark. */
  | "class"
  /** Of several values that a module gives, the program has no order: ours has a question mark. */
  | "several"
  /** All else. */
  | "other";

/** Classes of rows that may be missing: those that do nothing, and what is never called and holds nothing else. */
const silent = /^(Identity|StochasticDepth|\w*DropPath|QuantStub|DeQuantStub|FloatFunctional|SelectSeq)$/;

interface Line {
  readonly indent: string;
  readonly type: string;
  readonly number: string;
  readonly cells: readonly string[];
}

function linesOf(text: string): readonly (Line | string)[] {
  return text.split("\n").map((line) => {
    const row = /^((?:│ {4})*(?:├─|└─))(~?\w+(?: \(\w+\))?): ([\d-]+) +(.*)$/.exec(line);
    if (!row) return line.replace(/=+/, "=").replace(/ {2,}/, "  ");
    const [, indent = "", type = "", number = "", cells = ""] = row;
    return { indent, type, number, cells: cells.split(/ {2,}/) };
  });
}

/** The reasons that a text differs from torchinfo's for; none when it is the same. */
export function reasonsOf(ours: string, theirs: string): readonly Reason[] {
  if (ours === theirs) return [];
  const reasons = new Set<Reason>();
  const left = [...linesOf(ours)];
  for (const line of linesOf(theirs)) {
    const other = left[0];
    if (typeof line === "string" || typeof other === "string" || !other) {
      if (typeof line !== "string" && silent.test(line.type)) reasons.add("silent");
      else if (typeof line === "string" && typeof other === "string") {
        left.shift();
        if (line === other) continue;
        reasons.add(/\?$/.test(other) || / \? /.test(other) ? "several" : "other");
      } else reasons.add("other");
      continue;
    }
    const marked = other.type.startsWith("~");
    const same =
      other.indent === line.indent && (marked ? !silent.test(line.type) : other.type === line.type);
    if (!same && silent.test(line.type)) {
      reasons.add("silent");
      continue;
    }
    left.shift();
    if (!same) reasons.add("other");
    if (marked) reasons.add("class");
    const [shape, ...params] = other.cells;
    if (params.join() !== line.cells.slice(1).join()) reasons.add("other");
    if (shape === "?") reasons.add("several");
    else if (shape !== line.cells[0]) reasons.add("other");
    if (other.number !== line.number && !reasons.has("silent")) reasons.add("other");
  }
  if (left.length > 0) reasons.add("other");
  return [...reasons].sort();
}
