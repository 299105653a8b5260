/**
 * Zip archives: what is in them, and the bytes of one entry. The central directory is read by zip-direct.ts where it is as
 * usual, else by @zip.js/zip.js in its smallest build. Entry data never goes through the library:
 * a stored entry is a window on the outer source, a deflated one goes through the host's own DecompressionStream
 * with caps that hold while it inflates.
 */

import { counted } from "../counted.ts";
import type { Diagnostic } from "../diagnostics.ts";
import { isModelError, LimitExceededError, MalformedFileError, UnsupportedFeatureError } from "../errors.ts";
import type { ByteSource } from "../io/byte-source.ts";
import { memorySource } from "../io/memory.ts";
import { sliceSource } from "../io/slice.ts";
import {
  inflateRatioFreeBytes,
  maxInflatedBytes,
  maxInflateRatio,
  maxZipDirectoryBytes,
  maxZipEntries,
} from "../limits.ts";
import { type DirectoryEntry, readPlainDirectory } from "./zip-direct.ts";

export interface ZipEntry {
  /** As stored. Data, never a path to open. */
  readonly name: string;
  readonly method: "stored" | "deflate" | "other";
  /** The number behind `method`, for messages. */
  readonly methodCode: number;
  readonly compressedSize: number;
  /** As the directory claims; what inflating yields may differ, and then it is an error. */
  readonly size: number;
  readonly encrypted: boolean;
  /** A later entry has the same name, and `find` prefers that one. */
  readonly duplicate: boolean;
  /** Where the entry's local header starts, from the start of the source. */
  readonly headerOffset: number;
}

export interface ZipArchive {
  /** In the order of the directory; folders (names that end in "/") included. */
  readonly entries: readonly ZipEntry[];
  /** The entry of that name; of several the last one listed, as every unzipper does it. */
  find(name: string): ZipEntry | undefined;
  openEntry(entry: ZipEntry): Promise<ByteSource>;
}

const methods: Readonly<Record<number, ZipEntry["method"]>> = { 0: "stored", 8: "deflate" };

/**
 * Reads the directory. Costs two or three reads near the end of the source, whatever its size.
 * Duplicate names are reported as diagnostics, once a name.
 */
export async function openZip(
  source: ByteSource,
  onDiagnostic: (diagnostic: Diagnostic) => void = () => {},
): Promise<ZipArchive> {
  const entries = (await readPlainDirectory(source)) ?? (await readAnyDirectory(source));
  const last = new Map(entries.map((entry, index) => [entry.filename, index]));
  const reported = new Set<string>();
  const listed = entries.map((entry, index): ZipEntry => {
    const duplicate = last.get(entry.filename) !== index;
    if (duplicate && !reported.has(entry.filename)) {
      reported.add(entry.filename);
      onDiagnostic({
        code: "duplicate-entry",
        args: { entry: entry.filename },
        at: entry.filename,
      });
    }
    return {
      name: entry.filename,
      method: methods[entry.compressionMethod] ?? "other",
      methodCode: entry.compressionMethod,
      compressedSize: entry.compressedSize,
      size: entry.uncompressedSize,
      encrypted: entry.encrypted,
      duplicate,
      headerOffset: entry.offset,
    };
  });
  checkLayout(source, listed);
  return {
    entries: listed,
    find: (name) => {
      const index = last.get(name);
      return index === undefined ? undefined : listed[index];
    },
    openEntry: (entry) => openEntry(source, entry),
  };
}

const endSize = 22;
const endSignature = 0x06054b50;
const locatorSize = 20;
const locatorSignature = 0x07064b50;

/**
 * Place of the end record's field for the start of the directory, when a zip64 end stands before that record; else null.
 * PyTorch writes both although one would do, and the library, which asks for zip64 only where it must, then takes the directory to have been moved by
 * the 76 bytes of zip64 if an entry happens to start there: one whose name has 30 bytes.
 */
async function findOffsetField(source: ByteSource): Promise<number | null> {
  const size = endSize + locatorSize;
  if (source.size < size) return null;
  const tail = await source.read(source.size - size, size);
  const view = new DataView(tail.buffer, tail.byteOffset, tail.byteLength);
  const both =
    view.getUint32(0, true) === locatorSignature && view.getUint32(locatorSize, true) === endSignature;
  return both ? source.size - 6 : null;
}

/** Bytes of a read with those of the field at `field` replaced by ones, which stand for "see zip64". */
function maskOffset(bytes: Uint8Array, from: number, field: number | null): Uint8Array {
  if (field === null || from + bytes.length <= field || from >= field + 4) return bytes;
  return bytes.slice().fill(0xff, Math.max(0, field - from), Math.max(0, field + 4 - from));
}

/** By the library. */
export async function readAnyDirectory(source: ByteSource): Promise<DirectoryEntry[]> {
  const offsetField = await findOffsetField(source);
  const { Reader, ZipReader } = await import("@zip.js/zip.js/dist/zip-core-external.min.js");
  class SourceReader extends Reader<ByteSource> {
    constructor() {
      super(source);
      this.size = source.size;
    }
    override async init(): Promise<void> {
      await super.init?.();
      this.size = source.size;
    }
    override async readUint8Array(offset: number, length: number): Promise<Uint8Array> {
      // The library asks past the end when a header lies; it checks what comes back, so hand out what there is.
      const from = Math.min(Math.max(offset, 0), source.size);
      const count = Math.min(length, source.size - from);
      if (count > maxZipDirectoryBytes) {
        throw new LimitExceededError(
          `${source.name}: the zip directory is ${counted(count, "byte")}, the limit is ${maxZipDirectoryBytes}`,
          {
            limit: "maxZipDirectoryBytes",
            actual: count,
            maximum: maxZipDirectoryBytes,
            file: source.name,
          },
        );
      }
      return maskOffset(await source.read(from, count), from, offsetField);
    }
  }
  const entries: DirectoryEntry[] = [];
  try {
    const reader = new ZipReader(new SourceReader(), {
      // Names are data here, never paths, so an unsafe one is no reason to refuse the archive.
      filenameValidation: "tolerant",
    } as object);
    for await (const entry of reader.getEntriesGenerator()) {
      entries.push(entry);
      if (entries.length > maxZipEntries) {
        throw new LimitExceededError(
          `${source.name}: more than ${maxZipEntries} entries in the zip archive`,
          {
            limit: "maxZipEntries",
            actual: entries.length,
            maximum: maxZipEntries,
            file: source.name,
          },
        );
      }
    }
  } catch (cause) {
    if (isModelError(cause)) throw cause;
    throw describeFailure(source, cause);
  }
  return entries;
}

function describeFailure(source: ByteSource, cause: unknown): Error {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new MalformedFileError(
    `${source.name}: the directory at the end of the zip archive (of ${counted(source.size, "byte")}) cannot be read: ${reason}; the file is probably truncated, get it again`,
    { file: source.name, at: "central directory", cause },
  );
}

/** Refuses entries that reach beyond the file or share bytes: overlapping entries are how zip bombs multiply. */
function checkLayout(source: ByteSource, entries: readonly ZipEntry[]): void {
  const sorted = [...entries].sort((a, b) => a.headerOffset - b.headerOffset);
  let end = 0;
  let previous = "";
  for (const entry of sorted) {
    const least = entry.headerOffset + localHeaderSize + entry.compressedSize;
    if (least > source.size) {
      throw new MalformedFileError(
        `${source.name}: entry ${JSON.stringify(entry.name)} ends at byte ${least} or later but the file has ${source.size}; it is probably truncated`,
        { file: source.name, at: entry.name },
      );
    }
    if (entry.headerOffset < end) {
      throw new MalformedFileError(
        `${source.name}: entries ${JSON.stringify(previous)} and ${JSON.stringify(entry.name)} overlap; the archive is damaged or made to deceive`,
        { file: source.name, at: entry.name },
      );
    }
    end = least;
    previous = entry.name;
  }
}

const localHeaderSize = 30;
const localHeaderSignature = 0x04034b50;

async function openEntry(source: ByteSource, entry: ZipEntry): Promise<ByteSource> {
  const name = `${source.name}/${entry.name}`;
  if (entry.encrypted) {
    throw new UnsupportedFeatureError(
      `${name}: the entry is encrypted; unpack the archive with its password and zip it again without one`,
      { file: source.name },
    );
  }
  if (entry.method === "other") {
    throw new UnsupportedFeatureError(
      `${name}: compression method ${entry.methodCode} is not handled, only stored and deflate are; zip it again with one of them`,
      { file: source.name },
    );
  }
  const start = await findData(source, entry);
  if (start + entry.compressedSize > source.size) {
    throw new MalformedFileError(
      `${name}: ends at byte ${start + entry.compressedSize} but the file has ${source.size}; it is probably truncated`,
      { file: source.name, at: entry.name },
    );
  }
  const stored = sliceSource(source, start, entry.compressedSize, name);
  return entry.method === "stored" ? stored : memorySource(await inflate(stored, entry), name);
}

/** Where the data starts. Only the local header knows: its extra field is not the directory's (PyTorch pads it). */
async function findData(source: ByteSource, entry: ZipEntry): Promise<number> {
  const header = await source.read(entry.headerOffset, localHeaderSize);
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  if (view.getUint32(0, true) !== localHeaderSignature) {
    throw new MalformedFileError(
      `${source.name}: entry ${JSON.stringify(entry.name)} does not start with a local header at byte ${entry.headerOffset}; the archive is damaged`,
      { file: source.name, at: entry.name },
    );
  }
  return entry.headerOffset + localHeaderSize + view.getUint16(26, true) + view.getUint16(28, true);
}

/** Inflates into memory. The claimed size is a promise to hold, not a buffer size to trust. */
async function inflate(stored: ByteSource, entry: ZipEntry): Promise<Uint8Array> {
  const limits: readonly (readonly [string, number])[] = [
    ["maxInflatedBytes", maxInflatedBytes],
    ["maxInflateRatio", Math.max(inflateRatioFreeBytes, stored.size * maxInflateRatio)],
  ];
  const check = (total: number): void => {
    for (const [limit, maximum] of limits) {
      if (total <= maximum) continue;
      throw new LimitExceededError(
        `${stored.name}: inflates from ${counted(stored.size, "byte")} to more than ${maximum}, the limit (${limit})`,
        { limit, actual: total, maximum, file: stored.name },
      );
    }
  };
  check(entry.size);
  const chunks: Uint8Array[] = [];
  let total = 0;
  const reader = blocksOf(stored).pipeThrough(new DecompressionStream("deflate-raw")).getReader();
  try {
    for (let step = await reader.read(); !step.done; step = await reader.read()) {
      total += step.value.length;
      check(total);
      if (total > entry.size) break;
      chunks.push(step.value);
    }
  } catch (cause) {
    if (isModelError(cause)) throw cause;
    throw new MalformedFileError(
      `${stored.name}: the deflated data are damaged after ${total} of ${counted(entry.size, "byte")}; get the file again`,
      { file: stored.name, at: entry.name, cause },
    );
  } finally {
    reader.cancel().catch(() => {});
  }
  if (total !== entry.size) {
    throw new MalformedFileError(
      `${stored.name}: the directory promises ${counted(entry.size, "byte")}, inflating yields ${total > entry.size ? "more" : total}; the archive is damaged`,
      { file: stored.name, at: entry.name },
    );
  }
  return join(chunks, total);
}

function blocksOf(source: ByteSource): ReadableStream<Uint8Array<ArrayBuffer>> {
  let at = 0;
  return new ReadableStream({
    async pull(controller) {
      const count = Math.min(64 * 1024, source.size - at);
      if (count <= 0) {
        controller.close();
        return;
      }
      controller.enqueue((await source.read(at, count)) as Uint8Array<ArrayBuffer>);
      at += count;
    },
  });
}

function join(chunks: readonly Uint8Array[], total: number): Uint8Array {
  const out = new Uint8Array(total);
  let at = 0;
  for (const chunk of chunks) {
    out.set(chunk, at);
    at += chunk.length;
  }
  return out;
}
