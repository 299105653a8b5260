/** Where an archive of an exported program keeps its tensors: tables from PyTorch 2.9 on, pickles before. */

import { getKey, type JsonValue, readJson } from "../../src/wire/json.ts";
import type { ZipArchive, ZipEntry } from "../../src/wire/zip.ts";
import { objectOf, textOf } from "./export-schema.ts";
import type { Record } from "./export-tensors.ts";

/** A line of a table. */
export interface Listed {
  readonly record: Record;
  readonly parameter: boolean;
  readonly meta: JsonValue;
}

export interface Payloads {
  /** By name of the tensor; empty where there is no table. */
  readonly records: ReadonlyMap<string, Listed>;
  /** Bytes stored of a tensor; null: none. A pickle has one figure for all. */
  readonly sizeOf: (name: string, constant: boolean) => number | null;
  /** Whether any elements are stored. */
  readonly found: boolean;
  readonly missing: readonly { readonly name: string; readonly stored: string; readonly expected: string }[];
}

/** Pickles of PyTorch 2.1 to 2.8; those of 2.2 are archives whatever their name says. */
const pickles = {
  weights: ["serialized_state_dict.pt", "serialized_state_dict.json"],
  constants: ["serialized_constants.pt", "serialized_constants.json"],
};

/** Reads the tables of model `name` under `folder` ("net/"). @throws what `readJson` throws. */
export async function readPayloads(
  zip: ZipArchive,
  folder: string,
  name: string,
  file: string,
): Promise<Payloads> {
  const records = new Map<string, Listed>();
  const missing: { name: string; stored: string; expected: string }[] = [];
  for (const kind of ["constants", "weights"] as const) {
    const entry = tableOf(zip, folder, name, kind);
    if (!entry) continue;
    const table = await readJson(await zip.openEntry(entry), { file, at: entry.name });
    for (const [tensor, line] of Object.entries(objectOf(getKey(table, "config")) ?? {})) {
      const path = textOf(getKey(line, "path_name"));
      const meta = getKey(line, "tensor_meta") ?? null;
      if (path === null) continue;
      const key = `${folder}data/${kind}/${path}`;
      const stored = zip.find(key);
      if (!stored) missing.push({ name: key, stored: "nothing", expected: "a record" });
      const parameter = getKey(line, "is_param") === true;
      records.set(tensor, { record: { key, bytes: stored?.size ?? 0 }, parameter, meta });
    }
  }
  const pickled = {
    weights: pickleOf(zip, folder, name, "weights"),
    constants: pickleOf(zip, folder, name, "constants"),
  };
  const sizeOf = (tensor: string, constant: boolean): number | null => {
    const listed = records.get(tensor);
    if (listed) return listed.record.bytes > 0 ? listed.record.bytes : null;
    return (constant ? pickled.constants : pickled.weights) ?? null;
  };
  const found =
    [...records.values()].some(({ record }) => record.bytes > 0) ||
    pickled.weights !== null ||
    pickled.constants !== null;
  return { records, sizeOf, found, missing };
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

/** Bytes of a pickle that holds more than nothing. */
function pickleOf(
  zip: ZipArchive,
  folder: string,
  name: string,
  kind: "weights" | "constants",
): number | null {
  for (const path of [`data/${kind}/${name}.pt`, ...pickles[kind]]) {
    const entry = zip.find(`${folder}${path}`);
    if (entry && entry.size > 0) return entry.size;
  }
  return null;
}
