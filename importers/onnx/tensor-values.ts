/** The elements of a small tensor, out of whichever field of TensorProto they are in. */

import type { DType } from "../../src/ir/dtype.ts";
import { maxOnnxFloatValues, maxOnnxIntegerValues } from "../../src/limits/onnx.ts";

type Read = (view: DataView, at: number) => number;

function safe(value: bigint): number {
  const number = Number(value);
  return Math.max(Number.MIN_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, number));
}

/** 5 bits of exponent with bias 15, 10 of fraction. */
function float16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
}

const scratch = new DataView(new ArrayBuffer(4));

/** The upper half of a float32. */
function bfloat16(bits: number): number {
  scratch.setUint32(0, (bits & 0xffff) << 16);
  return scratch.getFloat32(0);
}

interface Codec {
  /** Bits of an element in raw_data. */
  readonly bits: number;
  readonly whole: boolean;
  /** From raw_data, little-endian; absent for elements smaller than a byte. */
  readonly raw?: Read;
  /** From the lowest bits of a number: an entry of int32_data and the like, or the bits of a smaller element. */
  readonly bitsOf: (value: number) => number;
}

const asIs = (value: number): number => value;
const sign = (bits: number) => (value: number) => (value << (32 - bits)) >> (32 - bits);
const low = (bits: number) => (value: number) => value & (2 ** bits - 1);

/** Types without a codec (complex, 8 bits and less of floating point, strings) have no values. */
const codecs: Readonly<Partial<Record<DType, Codec>>> = {
  float64: { bits: 64, whole: false, raw: (view, at) => view.getFloat64(at, true), bitsOf: asIs },
  float32: { bits: 32, whole: false, raw: (view, at) => view.getFloat32(at, true), bitsOf: asIs },
  float16: { bits: 16, whole: false, raw: (view, at) => float16(view.getUint16(at, true)), bitsOf: float16 },
  bfloat16: {
    bits: 16,
    whole: false,
    raw: (view, at) => bfloat16(view.getUint16(at, true)),
    bitsOf: bfloat16,
  },
  int64: { bits: 64, whole: true, raw: (view, at) => safe(view.getBigInt64(at, true)), bitsOf: asIs },
  uint64: { bits: 64, whole: true, raw: (view, at) => safe(view.getBigUint64(at, true)), bitsOf: asIs },
  int32: { bits: 32, whole: true, raw: (view, at) => view.getInt32(at, true), bitsOf: sign(32) },
  uint32: {
    bits: 32,
    whole: true,
    raw: (view, at) => view.getUint32(at, true),
    bitsOf: (value) => value >>> 0,
  },
  int16: { bits: 16, whole: true, raw: (view, at) => view.getInt16(at, true), bitsOf: sign(16) },
  uint16: { bits: 16, whole: true, raw: (view, at) => view.getUint16(at, true), bitsOf: low(16) },
  int8: { bits: 8, whole: true, raw: (view, at) => view.getInt8(at), bitsOf: sign(8) },
  uint8: { bits: 8, whole: true, raw: (view, at) => view.getUint8(at), bitsOf: low(8) },
  bool: {
    bits: 8,
    whole: true,
    raw: (view, at) => Number(view.getUint8(at) !== 0),
    bitsOf: (value) => Number(value !== 0),
  },
  int4: { bits: 4, whole: true, bitsOf: sign(4) },
  uint4: { bits: 4, whole: true, bitsOf: low(4) },
  int2: { bits: 2, whole: true, bitsOf: sign(2) },
  uint2: { bits: 2, whole: true, bitsOf: low(2) },
};

/** The largest number of elements whose values are read; 0 for types that have none. */
export function valueCap(dtype: DType): number {
  const codec = codecs[dtype];
  if (!codec) return 0;
  return codec.whole ? maxOnnxIntegerValues : maxOnnxFloatValues;
}

/** From raw_data that has the right length for `count` elements. */
export function decodeRaw(bytes: Uint8Array, dtype: DType, count: number): readonly number[] | null {
  const codec = codecs[dtype];
  if (!codec || count > valueCap(dtype)) return null;
  const { raw, bits } = codec;
  if (!raw) return unpack(bytes, codec, count);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: count }, (_, i) => raw(view, (i * bits) / 8));
}

/** From the entries of float_data, int32_data, int64_data, uint64_data or double_data. */
export function decodeEntries(
  entries: readonly number[],
  dtype: DType,
  count: number,
): readonly number[] | null {
  const codec = codecs[dtype];
  if (!codec || count > valueCap(dtype)) return null;
  return codec.bits < 8 ? unpack(entries, codec, count) : entries.map(codec.bitsOf);
}

/** 4-bit elements two to a byte, 2-bit elements four to a byte, the first one in the lowest bits. */
function unpack(bytes: ArrayLike<number>, { bits, bitsOf }: Codec, count: number): number[] {
  const perByte = 8 / bits;
  return Array.from({ length: count }, (_, i) =>
    bitsOf((bytes[Math.floor(i / perByte)] ?? 0) >> ((i % perByte) * bits)),
  );
}
