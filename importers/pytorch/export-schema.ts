/** The JSON of an exported program as plain accessors: unions of every schema version, types of tensors, arguments. */

import { counted } from "../../src/counted.ts";
import { MalformedFileError } from "../../src/errors.ts";
import type { Dim } from "../../src/ir/dim.ts";
import type { DType } from "../../src/ir/dtype.ts";
import type { Json } from "../../src/ir/graph.ts";
import type { TensorType } from "../../src/ir/tensor.ts";
import { maxRank } from "../../src/limits.ts";
import { getKey, type JsonValue } from "../../src/wire/json.ts";
import { parseSymInt } from "../sym-int.ts";
import { remembering } from "./bounded-cache.ts";
import { dtypeOf } from "./dtypes.ts";

/** A member of a union: which one, and what it holds. */
export interface Tagged {
  readonly tag: string;
  readonly value: JsonValue;
}

/** Newer writers have the one key; the first ones had every key, null but for one. All null: `as_none`. */
export function unionOf(value: JsonValue | undefined): Tagged {
  const members = objectOf(value);
  // What JSON gives has no keys but its own.
  for (const tag in members) {
    const held = members[tag];
    if (held !== undefined && held !== null && !tag.startsWith("$")) return { tag, value: held };
  }
  return none;
}

const none: Tagged = { tag: "as_none", value: null };

export function objectOf(value: JsonValue | undefined): { readonly [key: string]: JsonValue } | null {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as { readonly [key: string]: JsonValue })
    : null;
}

export function listOf(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? (value as readonly JsonValue[]) : [];
}

export function textOf(value: JsonValue | undefined): string | null {
  return typeof value === "string" ? value : null;
}

/** Numbering of the schema, which is not that of C++. */
const scalarTypes: Readonly<Record<number, DType>> = {
  1: "uint8",
  2: "int8",
  3: "int16",
  4: "int32",
  5: "int64",
  6: "float16",
  7: "float32",
  8: "float64",
  9: "complex32",
  10: "complex64",
  11: "complex128",
  12: "bool",
  13: "bfloat16",
  28: "uint16",
  29: "float8_e4m3fn",
  30: "float8_e5m2",
  31: "float8_e4m3fnuz",
  32: "float8_e5m2fnuz",
  33: "float8_e8m0fnu",
  34: "uint32",
  35: "uint64",
};

const scalarNames: Readonly<Record<string, DType>> = {
  BYTE: "uint8",
  CHAR: "int8",
  COMPLEXHALF: "complex32",
  COMPLEXFLOAT: "complex64",
  COMPLEXDOUBLE: "complex128",
};

function scalarType(value: JsonValue | undefined): DType | null {
  if (typeof value === "number")
    return Object.hasOwn(scalarTypes, value) ? (scalarTypes[value] ?? null) : null;
  const name = textOf(value)?.replace(/^(ScalarType|torch)\./, "") ?? "";
  if (Object.hasOwn(scalarNames, name)) return scalarNames[name] ?? null;
  return dtypeOf(`torch.${name.toLowerCase()}`)?.dtype ?? null;
}

/** A tensor as its `TensorMeta` says. */
export interface Meta extends TensorType {
  readonly shape: readonly Dim[];
  readonly strides: readonly Dim[];
  readonly offset: Dim;
  /** Sparse ones keep indices and values. */
  readonly strided: boolean;
  /** Of a parameter, whether training changes it. */
  readonly requiresGrad: boolean | null;
}

type Shaped = TensorType & { readonly shape: readonly Dim[] };

/** Everyone who reads a value asks for its type, and alike ones are one object. */
const types = new WeakMap<object, Shaped>();
const metas = new WeakMap<object, Meta>();

/** Type and shape of a `TensorMeta`. @throws MalformedFileError for sizes that no tensor has. */
export function readType(value: JsonValue | undefined, at: string): TensorType | null {
  const meta = metaOf(value);
  return meta && typeOfMeta(meta, at);
}

/** The first schema puts one more object around it. */
function metaOf(value: JsonValue | undefined): { readonly [key: string]: JsonValue } | null {
  const meta = objectOf(getKey(value, "meta")) ?? objectOf(value);
  return meta && Array.isArray(meta.sizes) ? meta : null;
}

function typeOfMeta(meta: { readonly [key: string]: JsonValue }, at: string): Shaped {
  const known = types.get(meta);
  if (known) return known;
  const sizes = listOf(meta.sizes);
  if (sizes.length > maxRank)
    throw new MalformedFileError(`${at}: a tensor of ${counted(sizes.length, "dimension")}`);
  const type = { dtype: scalarType(meta.dtype), shape: sizes.map((size) => readSize(size, at)) };
  types.set(meta, type);
  return type;
}

/** @throws MalformedFileError for sizes that no tensor has. */
export function readMeta(value: JsonValue | undefined, at: string): Meta | null {
  const meta = metaOf(value);
  if (!meta) return null;
  const known = metas.get(meta);
  if (known) return known;
  const read: Meta = {
    ...typeOfMeta(meta, at),
    strides: listOf(meta.strides).map((stride) => readInt(stride)),
    offset: readInt(meta.storage_offset),
    strided: meta.layout === undefined || meta.layout === 7 || meta.layout === "Strided",
    requiresGrad: typeof meta.requires_grad === "boolean" ? meta.requires_grad : null,
  };
  metas.set(meta, read);
  return read;
}

function readSize(value: JsonValue, at: string): Dim {
  const size = readInt(value);
  if (typeof size === "number" && size < 0)
    throw new MalformedFileError(`${at}: a tensor with ${counted(size, "element")} along an axis`);
  return size;
}

/** A SymInt, or a plain number. @throws MalformedFileError for one that is no whole number. */
export function readInt(value: JsonValue | undefined): Dim {
  if (typeof value === "number" && Number.isSafeInteger(value)) return value;
  const held = typeof value === "number" ? { tag: "as_int", value } : unionOf(value);
  if (held.tag === "as_int") {
    if (Number.isSafeInteger(held.value)) return held.value as number;
    throw new MalformedFileError(`a size of ${String(held.value).slice(0, 40)}`);
  }
  const text = held.tag === "as_expr" ? textOf(getKey(held.value, "expr_str")) : null;
  return text === null ? null : rememberedSize(text).size;
}

/** A graph has some hundred different sizes, each some hundred times. */
const sizesKept = 1024;

const rememberedSize = remembering(sizesKept, (text): { readonly size: Dim } => ({
  size: parseSymInt(text),
}));

/** A name in a node: itself, or its place among the texts of each node that has the same pattern. */
export type Name = string | { readonly place: number };

/** The name itself; null for a number that is none of the places in `texts`, those of the node. */
export function nameIn(name: Name, texts: readonly string[]): string | null {
  return typeof name === "string" ? name : (texts[name.place] ?? null);
}

/** Names of the values that an argument reads, in order; null for an absent one of a list. */
export function namesIn(argument: Tagged, texts: readonly string[] = noTexts): readonly (string | null)[] {
  return refsIn(argument).map((name) => (name === null ? null : nameIn(name, texts)));
}

const noTexts: readonly string[] = [];

/** The same as the pattern has them. */
export function refsIn({ tag, value }: Tagged): readonly (Name | null)[] {
  switch (tag) {
    case "as_tensor":
    case "as_custom_obj":
      return [nameOf(value)];
    case "as_tensors":
      return listOf(value).map(nameOf);
    case "as_nested_tensors":
      return listOf(value).flatMap((inner) => listOf(inner).map(nameOf));
    case "as_optional_tensor":
      return refsIn(unionOf(value));
    case "as_optional_tensors":
      return listOf(value).map((item) => {
        const held = unionOf(item);
        return held.tag === "as_tensor" ? nameOf(held.value) : null;
      });
    case "as_sym_int":
    case "as_sym_bool":
    case "as_sym_float":
      return [symbolOf(value)];
    case "as_sym_ints":
    case "as_sym_bools":
    case "as_sym_floats":
      return listOf(value).map(symbolOf);
    default:
      return noNames;
  }
}

const noNames: readonly null[] = [];

function nameOf(value: JsonValue): Name | null {
  return nameFrom(getKey(value, "name"));
}

function symbolOf(value: JsonValue): Name | null {
  return nameFrom(getKey(value, "as_name"));
}

function nameFrom(value: JsonValue | undefined): Name | null {
  return typeof value === "number" ? { place: value } : textOf(value);
}

const longest = 64;

/** A literal argument as an attribute; undefined for what is none, or long. */
export function literalOf({ tag, value }: Tagged): Json | undefined {
  if (/^as_(int|float|bool|string)$/.test(tag))
    return typeof value === "object" ? undefined : (value as Json);
  if (/^as_(int|float|bool|string)s$/.test(tag)) {
    const items = listOf(value);
    return items.length <= longest && items.every((item) => typeof item !== "object") ? items : undefined;
  }
  if (tag === "as_sym_ints") {
    const items = listOf(value).map((item) => getKey(item, "as_int") ?? null);
    return items.length <= longest && items.every((item) => typeof item === "number") ? items : undefined;
  }
  return dtypeArgument({ tag, value }) ?? undefined;
}

/** Element type that an argument names. */
export function dtypeArgument(argument: Tagged | undefined): DType | null {
  return argument?.tag === "as_scalar_type" ? scalarType(argument.value) : null;
}
