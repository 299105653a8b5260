/**
 * What a pickle says, as plain data. Nothing in here was looked up or called: a name is a record of its name, and an object
 * is a record of what the pickle would have called and with what. Containers may hold themselves, and may be shared without
 * end, so whoever walks them keeps account of where it has been.
 */
export type PickleValue = null | boolean | number | bigint | string | PickleRecord;

export type PickleRecord =
  | PickleList
  | PickleDict
  | PickleBytes
  | PickleGlobal
  | PickleObject
  | PicklePersistent
  | PickleExtension
  | PickleBuffer;

export interface PickleList {
  readonly kind: "list" | "tuple" | "set" | "frozenset";
  readonly items: PickleValue[];
}

/** In the order of the file, repeated keys included; of those the last one counts. */
export interface PickleDict {
  readonly kind: "dict";
  readonly keys: PickleValue[];
  readonly values: PickleValue[];
}

/** A byte string; or a text that is too long to be kept. */
export interface PickleBytes {
  readonly kind: "bytes" | "bytearray" | "long-text";
  /** Byte of the source at which it starts. */
  readonly at: number;
  readonly length: number;
  /** Absent when it is too long to be kept. */
  readonly bytes?: Uint8Array;
}

/** A name that Python would import. */
export interface PickleGlobal {
  readonly kind: "global";
  readonly module: string;
  readonly name: string;
}

/** What Python would build by a call. */
export interface PickleObject {
  readonly kind: "object";
  readonly callable: PickleValue;
  readonly args: PickleValue;
  readonly kwargs?: PickleValue;
  /** Every state handed to it, first to last. */
  states: readonly PickleValue[];
  /** Appended to it, as to a list or a set. */
  items: readonly PickleValue[];
  /** Set in it, as in a dictionary. */
  keys: readonly PickleValue[];
  values: readonly PickleValue[];
}

/** What whoever wrote the pickle keeps elsewhere. */
export interface PicklePersistent {
  readonly kind: "persistent";
  readonly id: PickleValue;
}

/** A number from a registry that each program fills for itself. */
export interface PickleExtension {
  readonly kind: "extension";
  readonly code: number;
}

/** Bytes that were handed over beside the pickle. */
export interface PickleBuffer {
  readonly kind: "buffer";
}

/** A name that Python would import: how often the pickle asks for it, and the byte where it first does. */
export interface PickleImport {
  /** `os.system`; `extension 7` for a number in a registry. */
  readonly name: string;
  /** `os`; "" for a number. */
  readonly module: string;
  readonly count: number;
  readonly at: number;
  /** Set for `getattr` when all it is asked for is what is inside of a class, each of which is listed by its name. */
  readonly nested?: true;
}

/** The full name of what Python would call, `torch._utils._rebuild_tensor_v2`; `null` when it is no name. */
export function globalName(value: PickleValue | undefined): string | null {
  return isRecord(value) && value.kind === "global" ? `${value.module}.${value.name}` : null;
}

export function isRecord(value: PickleValue | undefined): value is PickleRecord {
  return typeof value === "object" && value !== null;
}

/** Items of a list or tuple; `null` for anything else. */
export function itemsOf(value: PickleValue | undefined): readonly PickleValue[] | null {
  return isRecord(value) && (value.kind === "list" || value.kind === "tuple") ? value.items : null;
}

/** Entries of a dictionary, or of an object that was filled like one; the last of equal keys counts, at the place of the first. */
export function entriesOf(value: {
  readonly keys: readonly PickleValue[];
  readonly values: readonly PickleValue[];
}): Map<PickleValue, PickleValue> {
  const entries = new Map<PickleValue, PickleValue>();
  for (const [i, key] of value.keys.entries()) entries.set(key, value.values[i] ?? null);
  return entries;
}
