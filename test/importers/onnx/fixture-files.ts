/** The ONNX fixtures and what their frameworks say of them (fixtures/README.md), read once. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ByteSource } from "../../../src/io/byte-source.ts";
import { memorySource } from "../../../src/io/memory.ts";
import { type Imported, type Report, readModel, reportOf } from "../../../src/public/index.ts";
import type { ReportLayer, ReportWeight } from "../../../src/report/report.ts";
import { openZip } from "../../../src/wire/zip.ts";

/** `npm run truth` has a folder of its own, with some of the sets. */
export const onnxFixtures: string =
  process.env.ONNX_FIXTURES ?? join(import.meta.dirname, "../../../fixtures/onnx");

export interface Weighed {
  readonly name: string;
  readonly imported: Imported;
  readonly report: Report;
}

/** `expected.json` of a set; the caller knows what it holds. */
export function expectedOf(set: string): Readonly<Record<string, never>> {
  return JSON.parse(readFileSync(join(onnxFixtures, set, "expected.json"), "utf8"));
}

export async function weighFile(set: string, file: string): Promise<Weighed> {
  const bytes = readFileSync(join(onnxFixtures, set, file));
  return weigh(file, new Uint8Array(bytes));
}

export async function weighZipped(set: string, names: readonly string[]): Promise<readonly Weighed[]> {
  const open = await openZipped(set);
  const weighed: Weighed[] = [];
  for (const name of names) weighed.push(await weigh(name, await open(name)));
  return weighed;
}

type Open = (name: string) => Promise<ByteSource>;

const archives = new Map<string, Promise<Open>>();

/** Opens models of a set's archive by their names. */
export async function openZipped(set: string): Promise<Open> {
  const open = archives.get(set) ?? openArchive(set);
  archives.set(set, open);
  return open;
}

async function openArchive(set: string): Promise<Open> {
  const zip = await openZip(memorySource(readFileSync(join(onnxFixtures, set, "models.zip")), "models.zip"));
  return async (name) => {
    const entry = zip.find(`${name}.onnx`);
    if (!entry) throw new Error(`${name} is not in the archive`);
    return zip.openEntry(entry);
  };
}

async function weigh(name: string, bytes: Parameters<typeof readModel>[0]): Promise<Weighed> {
  const imported = await readModel(bytes);
  return { name, imported, report: reportOf(imported) };
}

/** Elements of a class in the file. */
export function elementsOf({ report }: Weighed, name: keyof Report["ledger"]["classes"]): number {
  return report.ledger.classes[name].elements;
}

/** Differences of a ledger from its own sums and from the tensors of the file; none when all is well. */
export function imbalance({ name, imported, report }: Weighed): readonly string[] {
  const classes = Object.values(report.ledger.classes);
  const sum = (key: "elements" | "bytes" | "tensors"): number => classes.reduce((all, c) => all + c[key], 0);
  const stored = imported.model.tensors.reduce((all, { shape }) => all + shape.reduce((a, b) => a * b, 1), 0);
  const held = { elements: sum("elements"), bytes: sum("bytes"), tensors: sum("tensors") };
  const { elements, bytes } = report.ledger;
  const expected = { elements: stored, bytes, tensors: imported.model.tensors.length };
  const agree = JSON.stringify(held) === JSON.stringify(expected) && elements === stored;
  return agree ? [] : [`${name}: ${JSON.stringify(held)}, the file has ${JSON.stringify(expected)}`];
}

/** Elements in the row of each module, what is inside it included: of parameters, and of statistics where asked for. */
export function moduleSums(
  { imported }: Weighed,
  classes: readonly string[] = ["parameter"],
): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  const counted = new Set<string>();
  const visit = (layer: ReportLayer, around: string): number => {
    let sum = 0;
    for (const { class: kind, stored, name, elements } of layer.weights) {
      if (!classes.includes(kind) || counted.has(stored ?? name)) continue;
      counted.add(stored ?? name);
      sum += elements ?? 0;
    }
    for (const inner of layer.layers ?? []) sum += visit(inner, layer.name);
    // A module's own operation bears the name of the module.
    if (layer.name !== around) found.set(layer.name, (found.get(layer.name) ?? 0) + sum);
    return sum;
  };
  for (const layer of reportOf(imported, { group: "module" }).layers) visit(layer, "");
  return found;
}

/** Weights of a model by their names in the file. */
export function weightsOf({ report }: Weighed): ReadonlyMap<string, ReportWeight> {
  const all = (layer: ReportLayer): readonly ReportWeight[] => [
    ...layer.weights,
    ...(layer.layers ?? []).flatMap(all),
  ];
  return new Map(report.layers.flatMap(all).map((weight) => [weight.stored ?? weight.name, weight]));
}
