import type { ByteSource } from "./byte-source.ts";

export interface ReadCount {
  /** Calls, synchronous ones included. */
  reads: number;
  /** Bytes handed out, repeats included. */
  bytes: number;
}

/** Counts what is read, for tests and benchmarks: "only metadata is read" is a figure, not a hope. */
export function countedSource(outer: ByteSource): ByteSource & { readonly count: ReadCount } {
  const count: ReadCount = { reads: 0, bytes: 0 };
  const note = (length: number): void => {
    count.reads += 1;
    count.bytes += length;
  };
  return {
    name: outer.name,
    size: outer.size,
    count,
    read: (offset, length) => {
      note(length);
      return outer.read(offset, length);
    },
    ...(outer.readSync && {
      readSync: (offset: number, length: number) => {
        note(length);
        return (outer.readSync as NonNullable<ByteSource["readSync"]>)(offset, length);
      },
    }),
    ...(outer.companion && { companion: outer.companion.bind(outer) }),
  };
}
