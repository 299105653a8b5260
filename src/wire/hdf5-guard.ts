/**
 * Damage that makes the C library of HDF5 2.0.0 loop for ever without reading, found by fuzzing. A loop inside
 * WebAssembly cannot be stopped from the thread it runs in, so such blocks are refused before the library sees them.
 */

import { maxHdf5SingleReadBytes } from "../limits.ts";

const globalHeap = 0x47434f4c; // "GCOL"
const collectionHeaderSize = 16;
const objectHeaderSize = 16;

/**
 * Why a block of metadata that starts with these bytes must not be handed over, or `null`. `readMore` gives a longer
 * block from the same place, or `null` where the file ends before.
 */
export function refuseMetadata(
  bytes: Uint8Array,
  readMore: (length: number) => DataView | null = () => null,
): string | null {
  if (bytes.length < collectionHeaderSize) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0, false) !== globalHeap) return null;
  const total = Number(view.getBigUint64(8, true));
  const whole = total > bytes.length && total <= maxHdf5SingleReadBytes ? readMore(total) : null;
  return refuseGlobalHeap(whole ?? view);
}

/**
 * A collection of variable-length data: objects one after another, object 0 being the free space. The library steps by
 * the size it finds, in 32 bits, so a size of zero (or of 2^32) makes it stand still.
 * The library reads the first 4 kB of a collection and then the rest, which nothing marks as such: so all of it is
 * looked at when the first piece is asked for.
 */
function refuseGlobalHeap(view: DataView): string | null {
  const total = view.getBigUint64(8, true);
  let at = collectionHeaderSize;
  while (at + objectHeaderSize <= view.byteLength && at < Number(total)) {
    const index = view.getUint16(at, true);
    const size = view.getBigUint64(at + 8, true);
    const step = index === 0 ? size : BigInt(objectHeaderSize) + ((size + 7n) / 8n) * 8n;
    if (step === 0n || BigInt(at) + step > total) {
      return `object ${index} of a global heap has an impossible size (${size})`;
    }
    at += Number(step);
  }
  return null;
}
