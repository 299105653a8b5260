/** A model in several files: an index, and the files it names beside it. */

import type { Diagnostic } from "../../src/diagnostics.ts";
import { LimitExceededError, MalformedFileError } from "../../src/errors.ts";
import type { ByteSource } from "../../src/io/byte-source.ts";
import { refuseCompanionName } from "../../src/io/companions.ts";
import { maxPickleGlobals } from "../../src/limits/pickle.ts";
import { maxShards } from "../../src/limits.ts";
import { getKey, type JsonValue, readJson } from "../../src/wire/json.ts";
import type { Imported, ImportOptions } from "../importer.ts";
import type { FileTensors, NamedTensor } from "../state-dict/state-dict.ts";
import { finish, isSafetensors, type OtherReader, readTensors } from "./single.ts";

type Report = (diagnostic: Diagnostic) => void;

/** What an index says. */
interface Index {
  /** File by name of tensor. */
  readonly files: ReadonlyMap<string, string>;
  /** Bytes of all tensors, as the writer counted them; absent in some. */
  readonly totalSize: number | null;
}

/** Imports an index and its shards. Shards that are missing, refused or of another format are told; the others are read. */
export async function importShards(
  source: ByteSource,
  variant: string,
  options: ImportOptions,
  other: OtherReader,
): Promise<Imported> {
  const index = await readIndex(source);
  const diagnostics: Diagnostic[] = [];
  const report: Report = (diagnostic) => void diagnostics.push(diagnostic);
  const expected = new Map<string, number>();
  for (const file of index.files.values()) expected.set(file, (expected.get(file) ?? 0) + 1);
  if (expected.size > maxShards) {
    throw new LimitExceededError(
      `${source.name}: names ${expected.size} shards, the limit is ${maxShards} (maxShards)`,
      { limit: "maxShards", actual: expected.size, maximum: maxShards, file: source.name },
    );
  }
  const shards: (FileTensors & { readonly file: string })[] = [];
  for (const [file, count] of [...expected].sort(([a], [b]) => (a < b ? -1 : 1))) {
    options.onProgress?.(`reading ${file}`);
    const shard = await readShard(source, file, count, other, report);
    if (!shard) continue;
    shards.push({ ...shard, file });
    for (const found of shard.diagnostics) report({ ...found, at: inShard(file, found.at) });
  }
  const copies: NamedTensor[] = [];
  const tensors = shards.flatMap((shard) =>
    shard.tensors.map((tensor) => placed(tensor, shard.file, index, copies)),
  );
  compare(index, tensors, copies, new Set(shards.map(({ file }) => file)), report);
  const globals = shards.flatMap(({ file, globals }) =>
    (globals ?? []).map((one) => ({ ...one, at: inShard(file, one.at) })),
  );
  return await finish(source, variant, {
    format: shards.find(({ format }) => format !== "safetensors")?.format ?? "safetensors",
    framework: shards.find(({ framework }) => framework !== null)?.framework ?? null,
    tensors,
    diagnostics,
    ...(globals.length > 0 && { globals: globals.slice(0, maxPickleGlobals) }),
  });
}

function inShard(file: string, at: string): string {
  return at === "" ? file : `${file}/${at}`;
}

/** A tensor that the index has in another file is a copy that no loader takes. */
function placed(tensor: NamedTensor, file: string, index: Index, copies: NamedTensor[]): NamedTensor {
  const owner = index.files.get(tensor.name);
  if (owner === undefined || owner === file || tensor.row === false) return tensor;
  copies.push(tensor);
  return { ...tensor, class: "unused", row: false };
}

async function readIndex(source: ByteSource): Promise<Index> {
  const value = await readJson(source, { file: source.name });
  const map = getKey(value, "weight_map");
  if (typeof map !== "object" || map === null || Array.isArray(map)) {
    throw new MalformedFileError(`${source.name}: an index of shards without weight_map`, {
      file: source.name,
    });
  }
  const files = new Map<string, string>();
  for (const [name, file] of Object.entries(map as Readonly<Record<string, JsonValue>>)) {
    if (typeof file !== "string") {
      throw new MalformedFileError(
        `${source.name}: weight_map has no file name for ${JSON.stringify(name)}`,
        {
          file: source.name,
          at: "weight_map",
        },
      );
    }
    files.set(name, file);
  }
  const size = getKey(getKey(value, "metadata"), "total_size");
  // Some writers have it as 14483464192.0.
  return { files, totalSize: typeof size === "number" && Number.isSafeInteger(size) ? size : null };
}

async function readShard(
  source: ByteSource,
  name: string,
  tensors: number,
  other: OtherReader,
  report: Report,
): Promise<FileTensors | null> {
  const refused = refuseCompanionName(name);
  if (refused !== null) {
    report({ code: "companion-refused", args: { name, reason: refused }, at: "weight_map" });
    report({ code: "shard-not-read", args: { name, tensors, reason: "refused" }, at: "weight_map" });
    return null;
  }
  const shard = await source.companion?.(name);
  if (!shard) {
    report({ code: "shard-not-read", args: { name, tensors, reason: "it is missing" }, at: "weight_map" });
    return null;
  }
  try {
    if (await isSafetensors(shard)) return await readTensors(shard, `${name}/`);
    const read = await other(shard, `${name}/`);
    if (typeof read !== "string") return read;
    report({ code: "shard-not-read", args: { name, tensors, reason: `it is ${read}` }, at: "weight_map" });
    return null;
  } finally {
    // An index may name thousands; a process may hold open about one thousand.
    shard.close?.();
  }
}

/** The index against the shards that were read. */
function compare(
  index: Index,
  tensors: readonly NamedTensor[],
  copies: readonly NamedTensor[],
  read: ReadonlySet<string>,
  report: Report,
): void {
  const found = new Set(tensors.filter(({ row }) => row !== false).map(({ name }) => name));
  const [lacking, ...others] = [...index.files].filter(([name, file]) => read.has(file) && !found.has(name));
  if (lacking) {
    const args = { tensors: 1 + others.length, first: lacking[0] };
    report({ code: "tensors-missing", args, at: "weight_map" });
  }
  const extra = [...found].filter((name) => !index.files.has(name));
  const tell = (one: string, more: string, names: readonly string[]): void => {
    if (names.length === 0) return;
    const what = names.length === 1 ? one : more;
    const args = { what, count: names.length, first: names[0] ?? "" };
    report({ code: "index-mismatch", args, at: "weight_map" });
  };
  tell(
    "tensor of the shards is not in it, and counted",
    "tensors of the shards are not in it, and counted",
    extra,
  );
  tell(
    "tensor is in a second shard too; that copy is not used",
    "tensors are in a second shard too; those copies are not used",
    copies.map(({ name }) => name),
  );
  const stored = new Map(tensors.map((tensor) => [tensor.identity ?? tensor.path, tensor.bytes]));
  const bytes = [...stored.values()].reduce((sum, one) => sum + one, 0);
  if (index.totalSize === null || bytes === index.totalSize) return;
  if (new Set(index.files.values()).size > read.size) return;
  const what = `bytes are in the shards, its total_size is ${index.totalSize}`;
  report({ code: "index-mismatch", args: { what, count: bytes, first: "total_size" }, at: "metadata" });
}
