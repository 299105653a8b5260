/**
 * The stream of PyTorch before 1.6, which `_use_new_zipfile_serialization=False` still writes: five pickles, then for each storage a
 * number of elements and the elements themselves. The pickles say how large the storages are, so those are never read.
 */

import { counted } from "../../src/counted.ts";
import type { Diagnostic } from "../../src/diagnostics.ts";
import { MalformedFileError, UnsupportedFeatureError } from "../../src/errors.ts";
import type { ByteSource } from "../../src/io/byte-source.ts";
import { sliceSource } from "../../src/io/slice.ts";
import { type Pickle, readPickle } from "../../src/wire/pickle.ts";
import { entriesOf, isRecord, itemsOf, type PickleValue } from "../../src/wire/pickle-value.ts";
import { type Checkpoint, type PickledTree, treeOf } from "./checkpoint.ts";
import { sortSections } from "./sections.ts";
import type { TorchStorage } from "./tensor.ts";

export const legacyMagic = 0x1950a86a20f9469cfc6cn;
const legacyProtocol = 1001;
/** Before the elements of each storage. */
const countBytes = 8;

/** Reads a file that starts with the pickle of `legacyMagic`. */
export async function readLegacy(source: ByteSource): Promise<Checkpoint> {
  let at = 0;
  const imports: Pickle["imports"][number][] = [];
  const next = async (label: string): Promise<PickleValue> => {
    const pickle = await readPickle(source, { at, label: `${source.name}: ${label}` });
    at = pickle.end;
    for (const one of pickle.imports) imports.push(one);
    return pickle.value;
  };
  const magic = await next("magic number");
  if (magic !== legacyMagic)
    throw new MalformedFileError(`${source.name}: no stream of torch.save`, { file: source.name });
  const protocol = await next("protocol");
  if (protocol !== legacyProtocol) {
    throw new UnsupportedFeatureError(
      `${source.name}: version ${String(protocol)} of the stream of torch.save; only ${legacyProtocol} was ever released`,
      { file: source.name },
    );
  }
  checkSystem(await next("system"), source);
  const value = await next("object");
  const keys = await next("storage keys");
  const found = treeOf(value, imports);
  const { diagnostics, storages, starts } = checkStorages(source, at, found, keys);
  return {
    variant: "checkpoint-legacy",
    found: { ...found, storages },
    sections: sortSections(found.tree),
    at: "",
    openStorage: async (key) => {
      const start = starts.get(key);
      const storage = found.storages.get(key);
      return start === undefined || !storage ? null : sliceSource(source, start, storage.bytes);
    },
    diagnostics,
  };
}

/** Sizes do not depend on the order of bytes, so a stream of any machine is read. Only what says nothing is refused. */
function checkSystem(value: PickleValue, source: ByteSource): void {
  if (isRecord(value) && value.kind === "dict" && entriesOf(value).has("little_endian")) return;
  throw new MalformedFileError(
    `${source.name}: the stream of torch.save says nothing of the machine that wrote it`,
    {
      file: source.name,
    },
  );
}

interface StoragesFound {
  readonly diagnostics: readonly Diagnostic[];
  readonly storages: ReadonlyMap<string, TorchStorage>;
  /** Where the elements of each start. */
  readonly starts: ReadonlyMap<string, number>;
}

/**
 * The storages follow the pickles, each with its count before it: so it is known where the file has to end. What follows
 * is nobody's, but in the file, and so in the ledger.
 */
function checkStorages(source: ByteSource, at: number, found: PickledTree, keys: PickleValue): StoragesFound {
  const listed = new Set((itemsOf(keys) ?? []).map(String));
  let end = at;
  const starts = new Map<string, number>();
  for (const key of listed) {
    starts.set(key, end + countBytes);
    end += countBytes + (found.storages.get(key)?.bytes ?? 0);
  }
  if (end > source.size) {
    throw new MalformedFileError(
      `${source.name}: its ${counted(listed.size, "storage ends", "storages end")} at byte ${end} but the file has ${source.size}; it is probably truncated`,
      { file: source.name, at: `byte ${source.size}` },
    );
  }
  const missing = [...found.storages.keys()].filter((key) => !listed.has(key)).length;
  const lacking = `${missing} of ${counted(found.storages.size, "storage")} ${missing === 1 ? "is" : "are"} not in the stream`;
  const reason = `${lacking}; their tensors are counted as the pickle has them`;
  const storages = new Map(found.storages);
  if (source.size > end) {
    const key = "after the storages";
    storages.set(key, { key, bytes: source.size - end, type: { dtype: "uint8", bytes: 1 } });
  }
  return {
    diagnostics: missing > 0 ? [{ code: "weights-not-read", args: { reason }, at: "" }] : [],
    storages,
    starts,
  };
}
