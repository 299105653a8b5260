/**
 * The directory of a zip archive in the form that Python, PyTorch and Keras write it, read from its bytes: loading the library and the
 * streams it is built on takes 35 to 40 ms of CPU, as long as Node itself. What differs from that form in anything (a comment,
 * bytes in front, several disks, names that are no plain text, encryption, sizes that disagree) is left to the library.
 */

import type { ByteSource } from "../io/byte-source.ts";
import { maxZipDirectoryBytes, maxZipEntries } from "../limits.ts";

/** One entry as the directory has it. */
export interface DirectoryEntry {
  readonly filename: string;
  readonly compressionMethod: number;
  readonly compressedSize: number;
  readonly uncompressedSize: number;
  readonly encrypted: boolean;
  /** Of the local header. */
  readonly offset: number;
}

interface Directory {
  readonly entries: number;
  readonly size: number;
  readonly offset: number;
}

const endSize = 22;
const end64Size = 56;
const locatorSize = 20;
const headerSize = 46;
const ones16 = 0xffff;
const ones32 = 0xffffffff;
/** How hard deflate tried, a data descriptor after the entry, names in UTF-8. */
const knownFlags = 0x080e;

/** The entries in their order, or `null` for what the library has to look at. */
export async function readPlainDirectory(source: ByteSource): Promise<readonly DirectoryEntry[] | null> {
  const count = Math.min(source.size, end64Size + locatorSize + endSize);
  if (count < endSize) return null;
  const directory = findDirectory(viewOf(await source.read(source.size - count, count)), source.size);
  if (directory === null || directory.size > maxZipDirectoryBytes) return null;
  if (directory.entries > maxZipEntries || directory.entries * headerSize > directory.size) return null;
  return readEntries(viewOf(await source.read(directory.offset, directory.size)), directory.entries);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** From the last bytes of the file, which end with the end record. */
function findDirectory(tail: DataView, fileSize: number): Directory | null {
  const at = tail.byteLength - endSize;
  if (tail.getUint32(at, true) !== 0x06054b50 || tail.getUint16(at + 20, true) !== 0) return null;
  if (tail.getUint32(at + 4, true) !== 0) return null;
  const short: Directory = {
    entries: tail.getUint16(at + 10, true),
    size: tail.getUint32(at + 12, true),
    offset: tail.getUint32(at + 16, true),
  };
  if (tail.getUint16(at + 8, true) !== short.entries) return null;
  const wide = at >= locatorSize && tail.getUint32(at - locatorSize, true) === 0x07064b50;
  const directory = wide ? readEnd64(tail, at - locatorSize, short, fileSize) : short;
  const end = fileSize - endSize - (wide ? locatorSize + end64Size : 0);
  return directory !== null && directory.offset + directory.size === end ? directory : null;
}

/** The zip64 end record before its locator at `at`. What the short record says as well has to be the same. */
function readEnd64(tail: DataView, at: number, short: Directory, fileSize: number): Directory | null {
  const start = at - end64Size;
  if (start < 0 || tail.getUint32(at + 4, true) !== 0 || tail.getUint32(at + 16, true) !== 1) return null;
  if (numberAt(tail, at + 8) !== fileSize - tail.byteLength + start) return null;
  if (tail.getUint32(start, true) !== 0x06064b50 || numberAt(tail, start + 4) !== end64Size - 12) return null;
  if (tail.getUint32(start + 16, true) !== 0 || tail.getUint32(start + 20, true) !== 0) return null;
  const entries = numberAt(tail, start + 32);
  const size = numberAt(tail, start + 40);
  const offset = numberAt(tail, start + 48);
  if (numberAt(tail, start + 24) !== entries) return null;
  const agree =
    (short.entries === ones16 || short.entries === entries) &&
    (short.size === ones32 || short.size === size) &&
    (short.offset === ones32 || short.offset === offset);
  return agree ? { entries, size, offset } : null;
}

/** A number of 8 bytes; NaN for one that no file can have. */
function numberAt(view: DataView, at: number): number {
  const value = view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32;
  return Number.isSafeInteger(value) ? value : Number.NaN;
}

function readEntries(view: DataView, count: number): readonly DirectoryEntry[] | null {
  const entries: DirectoryEntry[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + headerSize > view.byteLength || view.getUint32(at, true) !== 0x02014b50) return null;
    const nameLength = view.getUint16(at + 28, true);
    const extraLength = view.getUint16(at + 30, true);
    const next = at + headerSize + nameLength + extraLength + view.getUint16(at + 32, true);
    if (next > view.byteLength) return null;
    const entry = readEntry(view, at, nameLength, extraLength);
    if (entry === null) return null;
    entries.push(entry);
    at = next;
  }
  return at === view.byteLength ? entries : null;
}

function readEntry(
  view: DataView,
  at: number,
  nameLength: number,
  extraLength: number,
): DirectoryEntry | null {
  const flags = view.getUint16(at + 8, true);
  const filename = plainText(view, at + headerSize, nameLength);
  if (filename === null || (flags & ~knownFlags) !== 0 || view.getUint16(at + 34, true) !== 0) return null;
  const stated = [
    view.getUint32(at + 24, true),
    view.getUint32(at + 20, true),
    view.getUint32(at + 42, true),
  ] as const;
  const sizes = readExtra(view, at + headerSize + nameLength, extraLength, stated);
  if (sizes === null) return null;
  const [uncompressedSize, compressedSize, offset] = sizes;
  return {
    filename,
    compressionMethod: view.getUint16(at + 10, true),
    compressedSize,
    uncompressedSize,
    encrypted: false,
    offset,
  };
}

/** Printable ASCII; `null` for anything else, and for what may be a separator. */
function plainText(view: DataView, at: number, length: number): string | null {
  let text = "";
  for (let i = at; i < at + length; i++) {
    const code = view.getUint8(i);
    if (code < 0x20 || code > 0x7e || code === 0x5c) return null;
    text += String.fromCharCode(code);
  }
  return text === "" ? null : text;
}

type Sizes = readonly [uncompressed: number, compressed: number, offset: number];

/** The sizes, from the zip64 field where the record has ones: that holds what is missing, in this order. */
function readExtra(view: DataView, start: number, length: number, stated: Sizes): Sizes | null {
  const wide: number[] = [];
  const end = start + length;
  let at = start;
  for (; at + 4 <= end; at += 4 + view.getUint16(at + 2, true)) {
    const size = view.getUint16(at + 2, true);
    if (at + 4 + size > end || view.getUint16(at, true) !== 1 || wide.length > 0) return null;
    for (let i = 0; i + 8 <= size; i += 8) wide.push(numberAt(view, at + 4 + i));
    if (wide.length * 8 !== size) return null;
  }
  if (at !== end) return null;
  let used = 0;
  const [a = Number.NaN, b = Number.NaN, c = Number.NaN] = stated.map((value) =>
    value === ones32 ? (wide[used++] ?? Number.NaN) : value,
  );
  // Every number that is there has its place.
  return used === wide.length && !Number.isNaN(a + b + c) ? [a, b, c] : null;
}
