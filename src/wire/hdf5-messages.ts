/** Datatype and dataspace messages of HDF5's first format, as far as they are plain; see `Hdf5Direct`. */

import { type RawMetadata, typeClass } from "./hdf5-values.ts";

/** What a dataspace says: sizes, the sizes it may grow to, and how many elements that is now. */
export interface Extent {
  readonly dims: readonly number[];
  readonly maximum: readonly number[];
  readonly elements: number;
}

/** An element type in the words of h5wasm; a variable-length string counts the bytes of its reference. */
export type ElementType = Omit<RawMetadata, "shape" | "maxshape" | "total_size" | "chunks">;

const variableReference = 16;

/** An unsigned 64-bit number; NaN when it is beyond 2^53, so that it passes no comparison. */
export function toNumber(view: DataView, at: number): number {
  const value = view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true);
  return Number.isSafeInteger(value) ? value : Number.NaN;
}

/** A dataspace of version 1; `undefined` when it is another or contradicts itself. */
export function readSpace(view: DataView, at: number, size: number): Extent | undefined {
  if (size < 8 || view.getUint8(at) !== 1) return undefined;
  const rank = view.getUint8(at + 1);
  const flags = view.getUint8(at + 2);
  const lists = flags & 1 ? 2 : 1;
  if (rank > 32 || flags > 1 || size < 8 + rank * 8 * lists) return undefined;
  const sizes = (from: number): number[] =>
    Array.from({ length: rank }, (_, i) => toNumber(view, from + i * 8));
  const dims = sizes(at + 8);
  const maximum = lists === 2 ? sizes(at + 8 + rank * 8) : dims;
  if (!dims.every((dim, i) => dim <= (maximum[i] as number))) return undefined;
  const elements = dims.reduce((product, dim) => product * dim, 1);
  return Number.isSafeInteger(elements) ? { dims, maximum, elements } : undefined;
}

/** A datatype of version 1: whole numbers, IEEE floats, strings and opaque bytes; `undefined` for all others. */
export function readType(view: DataView, at: number, size: number): ElementType | undefined {
  if (size < 8 || view.getUint8(at) >> 4 !== 1) return undefined;
  const bits = view.getUint8(at + 1);
  const facts = {
    type: view.getUint8(at) & 15,
    size: view.getUint32(at + 4, true),
    signed: false,
    littleEndian: false,
    vlen: false,
  };
  if (facts.size === 0) return undefined;
  switch (facts.type) {
    case typeClass.integer:
      if (size < 12 || !isWhole(view, at, facts.size)) return undefined;
      return { ...facts, signed: (bits & 8) !== 0, littleEndian: (bits & 1) === 0 };
    case typeClass.float:
      if (size < 20 || !isIeee(view, at, facts.size)) return undefined;
      return { ...facts, littleEndian: (bits & 1) === 0 };
    case typeClass.string:
      return { ...facts, strpad: bits & 15, cset: bits >> 4 };
    case typeClass.opaque:
      return facts;
    case typeClass.vlen:
      if ((bits & 15) !== 1 || facts.size !== variableReference) return undefined;
      return {
        ...facts,
        type: typeClass.string,
        vlen: true,
        littleEndian: true,
        strpad: bits >> 4,
        cset: view.getUint8(at + 2) & 15,
      };
    default:
      return undefined;
  }
}

/** All bits of 1, 2, 4 or 8 bytes are the number. */
function isWhole(view: DataView, at: number, bytes: number): boolean {
  const isUsual = bytes === 1 || bytes === 2 || bytes === 4 || bytes === 8;
  return isUsual && view.getUint16(at + 8, true) === 0 && view.getUint16(at + 10, true) === bytes * 8;
}

/** Bits of the exponent and of the mantissa, and the bias of the exponent, of the IEEE types by their bytes. */
const ieee: Readonly<Record<number, readonly [number, number, number]>> = {
  2: [5, 10, 15],
  4: [8, 23, 127],
  8: [11, 52, 1023],
};

function isIeee(view: DataView, at: number, bytes: number): boolean {
  const parts = ieee[bytes];
  if (parts === undefined) return false;
  const [exponent, mantissa, bias] = parts;
  return (
    // Order of bytes aside: no padding, a mantissa with an implied one, and the sign in the highest bit.
    (view.getUint8(at + 1) & 0xfe) === 0x20 &&
    view.getUint8(at + 2) === bytes * 8 - 1 &&
    view.getUint16(at + 8, true) === 0 &&
    view.getUint16(at + 10, true) === bytes * 8 &&
    view.getUint8(at + 12) === mantissa &&
    view.getUint8(at + 13) === exponent &&
    view.getUint8(at + 14) === 0 &&
    view.getUint8(at + 15) === mantissa &&
    view.getUint32(at + 16, true) === bias
  );
}
