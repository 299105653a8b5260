import type { ByteSource } from "./byte-source.ts";
import { checkRange } from "./range.ts";

/** Bytes that are in memory already. Reads are views, not copies: the caller must not change the bytes meanwhile. */
export function memorySource(bytes: Uint8Array | ArrayBuffer, name = "memory"): ByteSource {
  // A plain view also of a Node Buffer, whose `slice` does not copy as that of a Uint8Array does.
  const all =
    bytes instanceof Uint8Array
      ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      : new Uint8Array(bytes);
  const readSync = (offset: number, length: number): Uint8Array => {
    checkRange(name, all.length, offset, length);
    return all.subarray(offset, offset + length);
  };
  return {
    name,
    size: all.length,
    readSync,
    read: async (offset, length) => readSync(offset, length),
  };
}
