/**
 * What `pickle.dump` wrote: dictionaries of NumPy arrays, and tensors, whose storages are then streams of `torch.save` inside the
 * pickle. Those are read like any other, up to their elements.
 */

import { counted } from "../../src/counted.ts";
import type { Diagnostic } from "../../src/diagnostics.ts";
import { UnsupportedFeatureError } from "../../src/errors.ts";
import type { ByteSource } from "../../src/io/byte-source.ts";
import { memorySource } from "../../src/io/memory.ts";
import { sliceSource } from "../../src/io/slice.ts";
import { type Pickle, readPickle } from "../../src/wire/pickle.ts";
import {
  globalName,
  isRecord,
  itemsOf,
  type PickleImport,
  type PickleObject,
  type PicklePersistent,
  type PickleRecord,
  type PickleValue,
} from "../../src/wire/pickle-value.ts";
import { type Checkpoint, treeOf } from "./checkpoint.ts";
import { isDistributed, readDistributed } from "./distributed-checkpoint.ts";
import { isPlainGlobal, isSuspicious } from "./globals.ts";
import { legacyMagic } from "./legacy.ts";
import { sortSections } from "./sections.ts";
import { classOf } from "./tree.ts";

/** Bytes of an inner stream in which its first pickles end: they take some 300. */
const headBytes = 16 * 1024;

/** Unpickles what it is handed. */
const loader = "torch.storage._load_from_bytes";

/** Reads a file that is one pickle. */
export async function readPlainPickle(source: ByteSource): Promise<Checkpoint> {
  const pickle = await readPickle(source, { onFault: (names) => refuseJoblib(names, source) });
  if (isDistributed(pickle.value)) return readDistributed(source, pickle);
  refuseEstimator(pickle, source);
  const imports: PickleImport[] = [];
  const storages = new Map<PickleObject, PicklePersistent>();
  const calls = storageCalls(pickle.value);
  // Many calls may be handed the same bytes.
  const known = new Map<PickleValue, PicklePersistent | null>();
  for (const call of calls) {
    const held = handed(call);
    const inner = known.get(held) ?? (known.has(held) ? null : await readInner(held, source, imports));
    known.set(held, inner);
    if (inner !== null) storages.set(call, numbered(inner, storages.size));
  }
  // It is no stranger only where all that it would unpickle has been read.
  const whole = storages.size === calls.length;
  imports.unshift(...pickle.imports.filter(({ name }) => name !== loader || !whole));
  const found = treeOf(pickle.value, imports, { storages });
  const sections = sortSections(found.tree);
  const { models, optimizer, training } = sections;
  const none = models.length + optimizer.length + training.length === 0;
  const diagnostics = none ? reportUnknown(pickle) : [];
  return { variant: "pickle", found, sections, at: "", diagnostics };
}

/** Bytes from which on what holds them may be weights: the least array that is worth a file. */
const leastWeightBytes = 1024;

/** Classes that are not known may hold what would be weights: that there are none is then no more than a guess. */
function reportUnknown({ value, imports }: Pickle): Diagnostic[] {
  let bytes = 0;
  walk(value, (one) => {
    if (one.kind === "bytes" || one.kind === "bytearray") bytes += one.length;
  });
  if (bytes < leastWeightBytes) return [];
  const [first] = imports.filter(({ name }) => !isPlainGlobal(name));
  const whose = first ? ` (the first class is ${first.name})` : "";
  const reason = `nothing in it is an array or a tensor of a kind known here, and ${counted(bytes, "byte")} are in what may be some of another kind${whose}`;
  return [{ code: "weights-left-out", args: { reason }, at: "" }];
}

/** `joblib.dump` puts the elements of each array into the middle of the pickle, where only it can tell where they end. */
function refuseJoblib(names: readonly PickleImport[], source: ByteSource): void {
  if (!names.some(({ name }) => /^joblib\.numpy_pickle\.\w*ArrayWrapper$/.test(name))) return;
  throw new UnsupportedFeatureError(
    `${source.name}: a file of joblib.dump, which this version does not read; load it with joblib and write it with pickle.dump`,
    { file: source.name },
  );
}

/** What these make has arrays in it, some of a kind of their own, that are no weights of any network. */
const estimators =
  /^(sklearn|imblearn|xgboost|lightgbm|catboost|statsmodels|pandas|scipy|spacy|nltk|gensim)\./;

function refuseEstimator({ value, imports }: Pickle, source: ByteSource): void {
  const type = isRecord(value) && value.kind === "object" ? classOf(value) : null;
  // What would do harm is told all the same.
  if (type === null || !estimators.test(type) || imports.some(isSuspicious)) return;
  throw new UnsupportedFeatureError(
    `${source.name}: a pickled ${type}: it is no network of tensors, and this version does not read it`,
    { file: source.name },
  );
}

/** Every call of `torch.storage._load_from_bytes` in a value, wherever it is. */
function storageCalls(root: PickleValue): PickleObject[] {
  const calls: PickleObject[] = [];
  walk(root, (value) => {
    if (value.kind === "object" && globalName(value.callable) === loader) calls.push(value);
  });
  return calls;
}

/** Sees each record of a value once. */
function walk(root: PickleValue, see: (value: PickleRecord) => void): void {
  const seen = new Set<PickleRecord>();
  const open: PickleValue[] = [root];
  while (open.length > 0) {
    const value = open.pop();
    if (!isRecord(value) || seen.has(value)) continue;
    seen.add(value);
    see(value);
    if (value.kind === "object") {
      open.push(value.callable, value.args, value.kwargs ?? null);
      for (const list of [value.states, value.items, value.keys, value.values])
        for (const item of list) open.push(item);
    } else if (value.kind === "dict") {
      for (const list of [value.keys, value.values]) for (const item of list) open.push(item);
    } else if ("items" in value) for (const item of value.items) open.push(item);
  }
}

/**
 * The storage that a call would load; `null` when what it is handed is no stream of one. All five pickles of the stream are
 * read, since Python would unpickle them all.
 */
async function readInner(
  held: PickleValue,
  source: ByteSource,
  imports: PickleImport[],
): Promise<PicklePersistent | null> {
  const head = await headOf(held, source);
  if (head === null) return null;
  const values: PickleValue[] = [];
  for (let at = 0; values.length < 5; ) {
    const pickle = await readPickle(head, { at, label: `${source.name}: a storage` });
    if (values.length === 0 && pickle.value !== legacyMagic) return null;
    values.push(pickle.value);
    for (const one of pickle.imports) imports.push(one);
    at = pickle.end;
  }
  const storage = values[3];
  return isRecord(storage) && storage.kind === "persistent" ? storage : null;
}

/** The byte string that a call is handed, or the text that protocols 0 to 2 make one of. */
function handed(call: PickleObject): PickleValue {
  const held = itemsOf(call.args)?.[0] ?? null;
  return isRecord(held) && held.kind === "object" ? (itemsOf(held.args)?.[0] ?? null) : held;
}

/** The first bytes of a byte string, or of a text of one character a byte. */
async function headOf(inner: PickleValue, source: ByteSource): Promise<ByteSource | null> {
  if (typeof inner === "string") return memorySource(latin1(inner.slice(0, headBytes)), source.name);
  if (!isRecord(inner)) return null;
  if (inner.kind === "bytes" && inner.bytes) return memorySource(inner.bytes, source.name);
  if (inner.kind === "bytes") return sliceSource(source, inner.at, inner.length);
  if (inner.kind !== "long-text") return null;
  const text = new TextDecoder().decode(await source.read(inner.at, Math.min(inner.length, headBytes)));
  return memorySource(latin1(text), source.name);
}

function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** The same storage under a key of its own: inner streams number theirs by addresses, which may be used again. */
function numbered(storage: PicklePersistent, index: number): PicklePersistent {
  const id = (itemsOf(storage.id) ?? []).map((item, i) => (i === 2 ? `storage ${index}` : item));
  return { kind: "persistent", id: { kind: "tuple", items: id } };
}
