/** What `torch.save` writes: the tree of what was pickled, and the zip archive of PyTorch 1.6 and later. */

import { counted } from "../../src/counted.ts";
import type { Diagnostic } from "../../src/diagnostics.ts";
import { MalformedFileError, UnsupportedFeatureError } from "../../src/errors.ts";
import type { ByteSource } from "../../src/io/byte-source.ts";
import { readPickle } from "../../src/wire/pickle.ts";
import type {
  PickleImport,
  PickleObject,
  PicklePersistent,
  PickleValue,
} from "../../src/wire/pickle-value.ts";
import type { ZipArchive } from "../../src/wire/zip.ts";
import { TensorReader } from "./rebuild.ts";
import type { ScriptClass } from "./script-code.ts";
import { type Sections, sortSections } from "./sections.ts";
import type { TorchStorage } from "./tensor.ts";
import { readTree, type TreeNode, type TreeReport } from "./tree.ts";

/** A pickled object with its tensors, however the file keeps them. */
export interface PickledTree {
  readonly tree: TreeNode;
  readonly storages: ReadonlyMap<string, TorchStorage>;
  readonly imports: readonly PickleImport[];
  readonly diagnostics: readonly Diagnostic[];
}

export interface TreeFacts {
  /** Put before the keys of storages. */
  readonly folder?: string;
  /** Classes of TorchScript. */
  readonly classes?: ReadonlyMap<string, ScriptClass>;
  /** Storages that stand for calls. */
  readonly storages?: ReadonlyMap<PickleObject, PicklePersistent>;
}

/** Reads the tree of a pickled value. */
export function treeOf(
  value: PickleValue,
  imports: readonly PickleImport[],
  facts: TreeFacts = {},
): PickledTree {
  const reader = new TensorReader(facts.folder, facts.storages);
  const diagnostics: Diagnostic[] = [];
  let faults = 0;
  const report: TreeReport = {
    fault: (at, reason) => {
      faults += 1;
      diagnostics.push({ code: "object-unreadable", args: { reason }, at });
    },
    sharedModule: (weight, same) =>
      void diagnostics.push({ code: "weight-tied", args: { weight, same }, at: "" }),
  };
  const tree = readTree(value, reader, report, facts.classes);
  if (faults > 0) {
    const reason = `${counted(faults, "object")} that should be or hold tensors could not be read`;
    diagnostics.push({ code: "weights-left-out", args: { reason }, at: "" });
  }
  return { tree, storages: reader.storages, imports, diagnostics };
}

/** What a file holds, before its tensors have names. */
export interface Checkpoint {
  /** Which form of checkpoint it is. */
  readonly variant: string;
  readonly found: PickledTree;
  readonly sections: Sections;
  /** Entry of the archive that the pickle is in; "" for the file itself. */
  readonly at: string;
  /** The bytes of a storage; `null` where the file has none of it. Absent: they are nowhere by themselves. */
  readonly openStorage?: (key: string) => Promise<ByteSource | null>;
  readonly diagnostics: readonly Diagnostic[];
}

/** Reads a zip archive whose `data.pkl` is in `folder` ("archive/"). */
export async function readArchive(source: ByteSource, zip: ZipArchive, folder: string): Promise<Checkpoint> {
  const label = `${folder}data.pkl`;
  const entry = zip.find(label);
  if (!entry) throw new MalformedFileError(`${source.name}: there is no ${label}`, { file: source.name });
  refuseSeveral(source, zip);
  const pickle = await readPickle(await zip.openEntry(entry), { label: `${source.name}: ${label}` });
  const found = treeOf(pickle.value, pickle.imports, { folder: `${folder}data/` });
  const diagnostics = checkRecords(source, zip, found.storages);
  const storages = withUnnamed(zip, `${folder}data/`, found.storages);
  return {
    variant: "checkpoint-zip",
    found: { ...found, storages },
    sections: sortSections(found.tree),
    at: label,
    openStorage: (key) => openRecord(zip, key),
    diagnostics,
  };
}

/** The record that a storage is. */
export async function openRecord(zip: ZipArchive, key: string): Promise<ByteSource | null> {
  const record = zip.find(key);
  return record?.method === "stored" ? zip.openEntry(record) : null;
}

/** The directory at the end of a file is that of its last archive. */
function refuseSeveral(source: ByteSource, zip: ZipArchive): void {
  if (zip.entries.some(({ headerOffset }) => headerOffset === 0)) return;
  throw new UnsupportedFeatureError(
    `${source.name}: several archives of torch.save one after the other, as the files of torch.distributed.checkpoint (.distcp) are; give the folder they are in, or its .metadata`,
    { file: source.name },
  );
}

/** Adds the records that no pickle speaks of: they are in the file, so they are in the ledger. */
export function withUnnamed(
  zip: ZipArchive,
  folder: string,
  storages: ReadonlyMap<string, TorchStorage>,
): Map<string, TorchStorage> {
  const all = new Map(storages);
  for (const { name, size, duplicate } of zip.entries) {
    if (name.startsWith(folder) && !name.endsWith("/") && !duplicate && !all.has(name))
      all.set(name, { key: name, bytes: size, type: { dtype: "uint8", bytes: 1 } });
  }
  return all;
}

/** Each storage has a record of its size. Records that are left out altogether are told, not refused: shapes stand. */
export function checkRecords(
  source: ByteSource,
  zip: ZipArchive,
  storages: ReadonlyMap<string, TorchStorage>,
): Diagnostic[] {
  let missing = 0;
  for (const { key, bytes } of storages.values()) {
    const record = zip.find(key);
    if (!record) missing += 1;
    else if (record.size !== bytes) {
      throw new MalformedFileError(
        `${source.name}: ${key} has ${counted(record.size, "byte")}, but the storage it is the record of has ${bytes}; the archive is damaged`,
        { file: source.name, at: key },
      );
    }
  }
  if (missing === 0) return [];
  const lacking = `${missing} of ${counted(storages.size, "storage")} ${missing === 1 ? "has" : "have"} no record in the archive`;
  const reason = `${lacking}; their tensors are counted as the pickle has them`;
  return [{ code: "weights-not-read", args: { reason }, at: "" }];
}
