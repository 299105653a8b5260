import type { ByteSource } from "./byte-source.ts";
import { checkRange } from "./range.ts";

/** A window on another source, without copying; synchronous where the outer one is. It has no companions. */
export function sliceSource(
  outer: ByteSource,
  start: number,
  size: number,
  name: string = outer.name,
): ByteSource {
  checkRange(name, outer.size, start, size);
  const read = (offset: number, length: number): Promise<Uint8Array> => {
    checkRange(name, size, offset, length);
    return outer.read(start + offset, length);
  };
  const slice = { name, size, read: async (offset: number, length: number) => read(offset, length) };
  if (outer.readSync === undefined) return slice;
  const outerReadSync = outer.readSync.bind(outer);
  return {
    ...slice,
    readSync: (offset, length) => {
      checkRange(name, size, offset, length);
      return outerReadSync(start + offset, length);
    },
  };
}
