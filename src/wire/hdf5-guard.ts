/**
 * Damage that makes the C library of HDF5 2.0.0 loop for ever without reading, found by fuzzing. A loop inside
 * WebAssembly cannot be stopped from the thread it runs in, so such blocks are refused before the library sees them.
 */

import { maxHdf5SingleReadBytes } from "../limits/hdf5.ts";

const globalHeap = 0x47434f4c; // "GCOL"
const localHeap = 0x48454150; // "HEAP"
const collectionHeaderSize = 16;
const objectHeaderSize = 16;
const localHeapHeaderSize = 32;

/** `length` bytes at an address of the HDF5 file, or `null` where the file ends before. */
export type ReadAddress = (address: number, length: number) => DataView | null;

/**
 * Why the block of metadata at `address`, which starts with these bytes, must not be handed over, or `null`. What a
 * block leads to is looked at too, since the library asks for that by itself later.
 */
export function refuseMetadata(
  bytes: Uint8Array,
  address = 0,
  read: ReadAddress = () => null,
): string | null {
  if (bytes.length < collectionHeaderSize) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (view.getUint32(0, false)) {
    case globalHeap: {
      const total = Number(view.getBigUint64(8, true));
      const whole = total > bytes.length && total <= maxHdf5SingleReadBytes ? read(address, total) : null;
      return refuseGlobalHeap(whole ?? view);
    }
    case localHeap:
      return bytes.length < localHeapHeaderSize ? null : refuseLocalHeap(view, read);
    default:
      return null;
  }
}

/**
 * A heap of names with a chain of free blocks in it, each of which says where the next one is (1: nowhere). The library
 * keeps all it meets; a chain that comes back to itself ends when memory does, after gigabytes and seconds.
 */
export function refuseLocalHeap(header: DataView, read: ReadAddress): string | null {
  const size = Number(header.getBigUint64(8, true));
  const data = Number(header.getBigUint64(24, true));
  let next = Number(header.getBigUint64(16, true));
  for (let blocks = 0; next !== noFreeBlock && next + 16 <= size; blocks++) {
    if (blocks > size / 16) return "the free blocks of a local heap go round in a circle";
    const block = read(data + next, 16);
    if (block === null) return null;
    next = Number(block.getBigUint64(0, true));
  }
  return null;
}

const noFreeBlock = 1;

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
