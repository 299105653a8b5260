/** Where an archive of an exported program keeps its tensors: tables from PyTorch 2.9 on, pickles before. */

import type { Diagnostic } from "../../src/diagnostics.ts";
import { getKey, readJson } from "../../src/wire/json.ts";
import type { PickleImport } from "../../src/wire/pickle-value.ts";
import type { ZipArchive, ZipEntry } from "../../src/wire/zip.ts";
import { objectOf, textOf } from "./export-schema.ts";
import { type Listed, storedBytes } from "./export-tensors.ts";
import type { TorchTensor } from "./tensor.ts";

export interface Payloads {
  /** By name of the tensor. */
  readonly records: ReadonlyMap<string, Listed>;
  readonly missing: readonly { readonly name: string; readonly stored: string; readonly expected: string }[];
  /** What unpickling would import. */
  readonly imports: readonly { readonly at: string; readonly imports: readonly PickleImport[] }[];
  readonly diagnostics: readonly Diagnostic[];
}

export const noPayloads: Payloads = {
  records: new Map(),
  missing: [],
  imports: [],
  diagnostics: [],
};

/** Whether elements of any tensor are stored. */
export function holdsElements({ records }: Payloads): boolean {
  return [...records.values()].some((listed) => storedBytes(listed) > 0);
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer U)[] ? U[] : T[K] };

/** Pickles of PyTorch 2.1 to 2.7; those of 2.1 and 2.2 are archives whatever their name says. */
const pickles = {
  weights: ["serialized_state_dict.pt", "serialized_state_dict.json"],
  constants: ["serialized_constants.pt", "serialized_constants.json"],
};

/** Reads the tables or pickles of model `name` under `folder` ("net/"). @throws what `readJson` throws. */
export async function readPayloads(
  zip: ZipArchive,
  folder: string,
  name: string,
  file: string,
): Promise<Payloads> {
  const records = new Map<string, Listed>();
  const found: Mutable<Payloads> = { records, missing: [], imports: [], diagnostics: [] };
  for (const kind of ["constants", "weights"] as const) {
    const table = tableOf(zip, folder, name, kind);
    if (table) await readTable(zip, table, `${folder}data/${kind}/`, file, records, found);
    else
      await readPickles(zip, pickleOf(zip, folder, name, kind), found, (tensor, one) =>
        records.set(tensor, fromPickle(one, one.parameter)),
      );
  }
  // Loading the file unpickles the inputs of an example too.
  for (const path of [`data/sample_inputs/${name}.pt`, "serialized_example_inputs.pt"])
    await readPickles(zip, zip.find(`${folder}${path}`), found, () => {});
  return found;
}

async function readTable(
  zip: ZipArchive,
  entry: ZipEntry,
  folder: string,
  file: string,
  records: Map<string, Listed>,
  found: Mutable<Payloads>,
): Promise<void> {
  const table = await readJson(await zip.openEntry(entry), { file, at: entry.name });
  for (const [tensor, line] of Object.entries(objectOf(getKey(table, "config")) ?? {})) {
    const path = textOf(getKey(line, "path_name"));
    const meta = getKey(line, "tensor_meta") ?? null;
    if (path === null) continue;
    const key = `${folder}${path}`;
    const stored = zip.find(key);
    if (!stored) found.missing.push({ name: key, stored: "nothing", expected: "a record" });
    const parameter = getKey(line, "is_param") === true;
    // A tensor of a class of its own.
    if (stored && stored.size > 0 && getKey(line, "use_pickle") === true) {
      await readPickles(zip, stored, found, (_, one) => records.set(tensor, fromPickle(one, parameter)));
      if (records.has(tensor)) continue;
    }
    // Of tensors without elements (on "meta", or fake ones) all are in one empty record, and none is another.
    const record = stored?.size === 0 ? null : { key, bytes: stored?.size ?? 0 };
    records.set(tensor, { record, parameter, meta, tensor: null });
  }
}

/** What cannot be read of a pickle is told; the graph states types and sizes too. */
async function readPickles(
  zip: ZipArchive,
  entry: ZipEntry | undefined,
  found: Mutable<Payloads>,
  take: (name: string, tensor: TorchTensor) => void,
): Promise<void> {
  if (!entry || entry.size === 0) return;
  // Newer archives have none, and bare programs no elements at all.
  const { tryPickledTensors } = await import("./pickled-tensors.ts");
  const read = await tryPickledTensors(await zip.openEntry(entry), entry.name);
  if ("reason" in read) {
    found.diagnostics.push({ code: "weights-not-read", args: { reason: read.reason }, at: entry.name });
    return;
  }
  found.imports.push({ at: entry.name, imports: read.imports });
  for (const diagnostic of read.diagnostics) found.diagnostics.push(diagnostic);
  for (const one of read.missing) found.missing.push(one);
  for (const [name, tensor] of read.tensors) take(name, tensor);
}

function fromPickle(tensor: TorchTensor, parameter: boolean): Listed {
  return { parameter, record: null, meta: null, tensor };
}

function tableOf(
  zip: ZipArchive,
  folder: string,
  name: string,
  kind: "weights" | "constants",
): ZipEntry | undefined {
  const names =
    kind === "weights"
      ? [`${name}_weights_config.json`, `${name}_model_param_config.json`]
      : [`${name}_constants_config.json`, `${name}_model_constants_config.json`];
  for (const table of names) {
    const entry = zip.find(`${folder}data/${kind}/${table}`);
    if (entry) return entry;
  }
  return undefined;
}

function pickleOf(
  zip: ZipArchive,
  folder: string,
  name: string,
  kind: "weights" | "constants",
): ZipEntry | undefined {
  for (const path of [`data/${kind}/${name}.pt`, ...pickles[kind]]) {
    const entry = zip.find(`${folder}${path}`);
    if (entry) return entry;
  }
  return undefined;
}
