/** Safetensors files written here: what the real package refuses to write, or what would be too large to keep. */

import type { ByteSource } from "../../../src/io/byte-source.ts";
import { memorySource } from "../../../src/io/memory.ts";

export interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly number[];
}

/** The bytes of a file: the length of the header, the header, `data` bytes of zeros. */
export function safetensors(header: string | object, data = 0, length?: number | bigint): Uint8Array {
  const text = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + data);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length ?? text.length), true);
  bytes.set(text, 8);
  return bytes;
}

/** A file that ends in `data` bytes which are nowhere. Reading them gives zeros. */
export function sparse(name: string, header: object, data: number): ByteSource {
  const head = safetensors(header);
  const size = head.length + data;
  return {
    name,
    size,
    read: async (offset, length) => {
      const bytes = new Uint8Array(length);
      if (offset < head.length) bytes.set(head.subarray(offset, Math.min(head.length, offset + length)));
      return bytes;
    },
  };
}

const widths: Readonly<Record<string, number>> = { F32: 4, F16: 2, BF16: 2, I64: 8, I32: 4, U8: 1 };

/** A header of tensors one after the other, and how many bytes they take. */
export function layOut(tensors: readonly (readonly [string, string, readonly number[]])[]): {
  header: Record<string, Entry>;
  bytes: number;
} {
  let bytes = 0;
  const header: Record<string, Entry> = {};
  for (const [name, dtype, shape] of tensors) {
    const start = bytes;
    bytes += shape.reduce((product, dim) => product * dim, widths[dtype] ?? 0);
    header[name] = { dtype, shape, data_offsets: [start, bytes] };
  }
  return { header, bytes };
}

/** Files that stand beside one another; the first is the one that is opened. */
export function beside(
  files: Readonly<Record<string, ByteSource | Uint8Array | string | object>>,
): ByteSource {
  const sources = new Map(
    Object.entries(files).map(([name, content]) => [name, sourceOf(name, content)] as const),
  );
  const [first] = sources.values();
  if (!first) throw new Error("no files");
  return { ...first, companion: async (name) => sources.get(name) ?? null };
}

function sourceOf(name: string, content: ByteSource | Uint8Array | string | object): ByteSource {
  if (content instanceof Uint8Array) return memorySource(content, name);
  if (typeof content === "object" && "read" in content) return content as ByteSource;
  const text = typeof content === "string" ? content : JSON.stringify(content);
  return memorySource(new TextEncoder().encode(text), name);
}
