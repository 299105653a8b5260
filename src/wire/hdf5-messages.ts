/** Datatype and dataspace messages of HDF5's first format, as far as they are plain; see `Hdf5Direct`. */

import { type RawMetadata, typeClass } from "./hdf5-values.ts";

/** What a dataspace says: sizes, the sizes it may grow to, and how many elements that is now. */
export interface Extent {
  readonly dims: readonly number[];
  readonly maximum: readonly number[];
  readonly elements: number;
}

/** Bytes of a variable-length value in the file: a count, and where the bytes are. */
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
  const dims: number[] = [];
  const maximum: number[] = [];
  let elements = 1;
  for (let i = 0; i < rank; i++) {
    const dim = toNumber(view, at + 8 + i * 8);
    const most = lists === 2 ? toNumber(view, at + 8 + (rank + i) * 8) : dim;
    if (!(dim <= most)) return undefined;
    dims.push(dim);
    maximum.push(most);
    elements *= dim;
  }
  return Number.isSafeInteger(elements) ? { dims, maximum, elements } : undefined;
}

/**
 * What h5wasm says of data of a datatype of version 1: whole numbers, IEEE floats, strings and opaque bytes; `undefined`
 * for all others. A variable-length string has the size of its reference.
 */
export function describeData(
  view: DataView,
  at: number,
  bytes: number,
  { dims, maximum, elements }: Extent,
): RawMetadata | undefined {
  if (bytes < 8 || view.getUint8(at) >> 4 !== 1) return undefined;
  const type = view.getUint8(at) & 15;
  const bits = view.getUint8(at + 1);
  const size = view.getUint32(at + 4, true);
  const facts = (signed: boolean, littleEndian: boolean): RawMetadata => ({
    signed,
    type,
    vlen: false,
    littleEndian,
    size,
    total_size: elements,
    shape: dims,
    maxshape: maximum,
    chunks: null,
  });
  if (size === 0) return undefined;
  switch (type) {
    case typeClass.integer:
      if (bytes < 12 || !isWhole(view, at, size)) return undefined;
      return facts((bits & 8) !== 0, (bits & 1) === 0);
    case typeClass.float:
      return bytes < 20 || !isIeee(view, at, size) ? undefined : facts(false, (bits & 1) === 0);
    case typeClass.string:
      return { ...facts(false, false), strpad: bits & 15, cset: bits >> 4 };
    case typeClass.opaque:
      return facts(false, false);
    case typeClass.vlen: {
      if ((bits & 15) !== 1 || size !== variableReference) return undefined;
      const cset = view.getUint8(at + 2) & 15;
      return { ...facts(false, true), type: typeClass.string, vlen: true, strpad: bits >> 4, cset };
    }
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
