/** HDF5's type descriptions and raw attribute bytes, as h5wasm hands them over, turned into plain values. */

/** Element types, by the names Keras and NumPy use. Types without such a name are "opaque"; see `storedType`. */
export type Hdf5DType =
  | "float64"
  | "float32"
  | "float16"
  | "bfloat16"
  | "float8_e4m3fn"
  | "float8_e5m2"
  | "int64"
  | "int32"
  | "int16"
  | "int8"
  | "uint64"
  | "uint32"
  | "uint16"
  | "uint8"
  | "bool"
  | "complex64"
  | "complex128"
  | "string"
  | "opaque";

/** What h5wasm says about a datatype and a dataspace. Numbers are the C library's own constants. */
export interface RawMetadata {
  readonly type: number;
  readonly size: number;
  readonly signed: boolean;
  readonly littleEndian: boolean;
  readonly vlen: boolean;
  readonly cset?: number;
  readonly strpad?: number;
  readonly shape: readonly number[] | null;
  readonly maxshape?: readonly number[] | null;
  readonly total_size: number;
  readonly chunks?: readonly number[] | null;
  readonly virtual_sources?: readonly { readonly file_name: string; readonly dset_name: string }[];
  readonly enum_type?: { readonly type: number; readonly members: Readonly<Record<string, number>> };
  readonly compound_type?: { readonly members: readonly (RawMetadata & { readonly name: string })[] };
  readonly array_type?: RawMetadata;
  readonly vlen_type?: RawMetadata;
}

/** `H5T_class_t` of the C library. */
export const typeClass = {
  integer: 0,
  float: 1,
  time: 2,
  string: 3,
  bitfield: 4,
  opaque: 5,
  compound: 6,
  reference: 7,
  enumeration: 8,
  vlen: 9,
  array: 10,
  complex: 11,
} as const;

const classNames = new Map<number, string>(Object.entries(typeClass).map(([name, value]) => [value, name]));

/** The element type and the dimensions that the type itself adds (an HDF5 array type has some). */
export function describeType(raw: RawMetadata): {
  readonly dtype: Hdf5DType;
  readonly storedType: string;
  readonly dims: readonly number[];
} {
  if (raw.type === typeClass.array && raw.array_type !== undefined) {
    const inner = describeType(raw.array_type);
    return { ...inner, dims: [...(raw.array_type.shape ?? []), ...inner.dims] };
  }
  return { dtype: nameType(raw), storedType: storedType(raw), dims: [] };
}

function nameType(raw: RawMetadata): Hdf5DType {
  switch (raw.type) {
    case typeClass.integer:
      return integerName(raw);
    case typeClass.float:
      return ({ 2: "float16", 4: "float32", 8: "float64" } as const)[raw.size] ?? "opaque";
    case typeClass.string:
      return "string";
    case typeClass.enumeration:
      return isBooleanEnum(raw) ? "bool" : integerName(raw);
    case typeClass.compound:
      return complexName(raw) ?? "opaque";
    case typeClass.complex:
      return ({ 8: "complex64", 16: "complex128" } as const)[raw.size] ?? "opaque";
    default:
      return raw.vlen ? "string" : "opaque";
  }
}

function integerName(raw: RawMetadata): Hdf5DType {
  const prefix = raw.signed ? "int" : "uint";
  return raw.size === 1 || raw.size === 2 || raw.size === 4 || raw.size === 8
    ? (`${prefix}${(raw.size * 8) as 8 | 16 | 32 | 64}` as const)
    : "opaque";
}

/** h5py writes NumPy's bool as an enumeration of FALSE and TRUE. */
function isBooleanEnum(raw: RawMetadata): boolean {
  const members = raw.enum_type?.members ?? {};
  return raw.size === 1 && Object.keys(members).length === 2 && members.FALSE === 0 && members.TRUE === 1;
}

/** h5py writes NumPy's complex numbers as a compound of `r` and `i`. */
function complexName(raw: RawMetadata): Hdf5DType | null {
  const [re, im, ...more] = raw.compound_type?.members ?? [];
  if (re?.name !== "r" || im?.name !== "i" || more.length > 0) return null;
  if (re.type !== typeClass.float || im.type !== typeClass.float || re.size !== im.size) return null;
  return re.size === 4 ? "complex64" : re.size === 8 ? "complex128" : null;
}

/** The type as HDF5 sees it, for messages: "big-endian float32", "compound of 3", "opaque of 2 bytes". */
function storedType(raw: RawMetadata): string {
  const name = classNames.get(raw.type) ?? `class ${raw.type}`;
  if (raw.type === typeClass.compound) return `compound of ${raw.compound_type?.members.length ?? 0}`;
  if (raw.type === typeClass.string)
    return raw.vlen ? "variable-length string" : `string of ${raw.size} bytes`;
  const endian = raw.littleEndian || raw.size < 2 ? "" : "big-endian ";
  if (raw.type === typeClass.integer) return `${endian}${raw.signed ? "int" : "uint"}${raw.size * 8}`;
  if (raw.type === typeClass.float) return `${endian}float${raw.size * 8}`;
  return `${name} of ${raw.size} bytes`;
}

/** Raw bytes of an attribute to values; `null` when the type has no plain value (compounds, references ...). */
export function decodeValues(
  raw: RawMetadata,
  bytes: Uint8Array,
): readonly string[] | readonly number[] | null {
  if (raw.type === typeClass.array && raw.array_type !== undefined) {
    return decodeValues(raw.array_type, bytes);
  }
  if (raw.type === typeClass.string) return raw.vlen ? null : decodeFixedStrings(raw, bytes);
  if (raw.type === typeClass.integer || raw.type === typeClass.enumeration) return decodeIntegers(raw, bytes);
  if (raw.type === typeClass.float) return decodeFloats(raw, bytes);
  return null;
}

/** Lenient: names written by old tools may be Latin-1, and a replaced character beats an unread file. */
const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

export function decodeUtf8(bytes: Uint8Array): string {
  return utf8.decode(bytes);
}

/** `H5T_STR_SPACEPAD` pads with spaces; the other two end at, or are filled with, NUL. */
const spacePadded = 2;

function decodeFixedStrings(raw: RawMetadata, bytes: Uint8Array): string[] {
  const out: string[] = [];
  if (raw.size === 0) return out;
  for (let at = 0; at + raw.size <= bytes.length; at += raw.size) {
    const element = bytes.subarray(at, at + raw.size);
    const nul = element.indexOf(0);
    let end = nul < 0 ? raw.size : nul;
    if (raw.strpad === spacePadded) while (end > 0 && element[end - 1] === 0x20) end -= 1;
    out.push(decodeUtf8(element.subarray(0, end)));
  }
  return out;
}

/** h5wasm converts to little-endian as it reads attributes. 64-bit values become the nearest number. */
function decodeIntegers(raw: RawMetadata, bytes: Uint8Array): number[] | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const key = `${raw.signed ? "i" : "u"}${raw.size}`;
  const readers: Readonly<Record<string, (at: number) => number>> = {
    i1: (at) => view.getInt8(at),
    u1: (at) => view.getUint8(at),
    i2: (at) => view.getInt16(at, true),
    u2: (at) => view.getUint16(at, true),
    i4: (at) => view.getInt32(at, true),
    u4: (at) => view.getUint32(at, true),
    i8: (at) => Number(view.getBigInt64(at, true)),
    u8: (at) => Number(view.getBigUint64(at, true)),
  };
  return decodeNumbers(bytes.length, raw.size, readers[key]);
}

function decodeFloats(raw: RawMetadata, bytes: Uint8Array): number[] | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const readers: Readonly<Record<number, (at: number) => number>> = {
    2: (at) => decodeHalf(view.getUint16(at, true)),
    4: (at) => view.getFloat32(at, true),
    8: (at) => view.getFloat64(at, true),
  };
  return decodeNumbers(bytes.length, raw.size, readers[raw.size]);
}

function decodeNumbers(
  length: number,
  size: number,
  read: ((at: number) => number) | undefined,
): number[] | null {
  if (read === undefined) return null;
  const out: number[] = [];
  for (let at = 0; at + size <= length; at += size) out.push(read(at));
  return out;
}

/** IEEE 754 binary16; `DataView.getFloat16` is not in Node 20. */
function decodeHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
