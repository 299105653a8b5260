/** Files on this machine. The only file below src/public that knows Node. */

import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdtempSync,
  openSync,
  read,
  readSync,
  realpathSync,
  rmSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { counted } from "../counted.ts";
import { LimitExceededError, SourceReadError } from "../errors.ts";
import { maxSpooledBytes } from "../limits.ts";
import type { ByteSource } from "./byte-source.ts";
import { refuseCompanionName } from "./companions.ts";
import { checkRange } from "./range.ts";

/** A source over an open file descriptor. */
export interface FileSource extends ByteSource {
  readSync(offset: number, length: number): Uint8Array;
  /** As `read`, on a thread beside this one: that pays for megabytes, while there is something else to do. */
  readAside(offset: number, length: number): Promise<Uint8Array>;
  /** Gives the descriptor back; later reads fail. */
  close(): void;
}

/** Opens a regular file for positioned reads; `companion` finds files beside it. */
export function openFile(path: string): FileSource {
  const name = basename(path);
  let fd: number;
  try {
    // O_NONBLOCK: opening a FIFO would otherwise wait for a writer for ever; it changes nothing for a file.
    fd = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (cause) {
    throw new SourceReadError(describeOpenFailure(path, cause), { file: name, cause });
  }
  try {
    const source = sourceFromDescriptor(fd, name, path);
    const companions: FileSource[] = [];
    return {
      ...source,
      companion: async (sibling) => {
        const found = openCompanion(path, sibling);
        if (found) companions.push(found);
        return found;
      },
      close: () => {
        for (const companion of companions) companion.close();
        source.close();
      },
    };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** A source over a descriptor that is open already, such as redirected standard input (`< model.h5`). */
export function openDescriptor(fd: number, name = "stdin"): FileSource {
  return sourceFromDescriptor(fd, name, name);
}

/** True when `fd` allows positioned reads: a file redirected to standard input does, a pipe or a terminal does not. */
export function isSeekable(fd: number): boolean {
  try {
    return fstatSync(fd).isFile();
  } catch {
    return false;
  }
}

export interface SpoolOptions {
  readonly maxBytes?: number;
  /**
   * Asked once, with the first bytes: false ends the copying there. What came until then is the source, and tells what
   * the stream was; `/dev/zero` would otherwise fill the disk first.
   */
  accepts?(head: Uint8Array): boolean;
}

/** Enough to decide: HDF5 may start after a megabyte of the user's own. */
const spoolHeadBytes = 1024 * 1024 + 8;

/**
 * Copies a stream to a temporary file, because the formats need random access. The file goes when the source is
 * closed, and at exit at the latest.
 */
export async function spoolStream(
  stream: AsyncIterable<Uint8Array>,
  name = "stdin",
  options: SpoolOptions = {},
): Promise<FileSource> {
  const maxBytes = options.maxBytes ?? maxSpooledBytes;
  const folder = mkdtempSync(join(tmpdir(), "weighbridge-"));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  process.once("exit", remove);
  const discard = (): void => {
    process.off("exit", remove);
    remove();
  };
  let fd: number | undefined;
  try {
    fd = openSync(join(folder, "input"), "wx+", 0o600);
    // The descriptor is enough, and then nothing stays behind of a process that is stopped. Windows keeps a file that is open.
    if (process.platform !== "win32") remove();
    let size = 0;
    for await (const chunk of stream) {
      size += chunk.length;
      if (size > maxBytes) {
        throw new LimitExceededError(
          `${name}: the stream is longer than ${maxBytes} bytes; save it to a file and pass the file`,
          { limit: "maxSpooledBytes", actual: size, maximum: maxBytes, file: name },
        );
      }
      for (let at = 0; at < chunk.length; ) at += writeSync(fd, chunk, at);
      if (options.accepts && size >= spoolHeadBytes && size - chunk.length < spoolHeadBytes) {
        const head = new Uint8Array(spoolHeadBytes);
        if (!options.accepts(head.subarray(0, readSync(fd, head, 0, head.length, 0)))) break;
      }
    }
    const source = sourceFromDescriptor(fd, name, name);
    return {
      ...source,
      close: () => {
        source.close();
        discard();
      },
    };
  } catch (error) {
    if (fd !== undefined) closeSync(fd);
    discard();
    if (error instanceof LimitExceededError || error instanceof SourceReadError) throw error;
    throw new SourceReadError(`${name}: the stream could not be read to its end or kept in ${folder}`, {
      file: name,
      cause: error,
    });
  }
}

function sourceFromDescriptor(fd: number, name: string, path: string): FileSource {
  let size: number;
  try {
    const stat = fstatSync(fd);
    if (stat.isDirectory()) {
      throw new SourceReadError(`${path} is a folder; pass the model file in it`, { file: name });
    }
    if (!stat.isFile()) {
      throw new SourceReadError(
        `${path} is ${stat.isFIFO() ? "a pipe" : stat.isSocket() ? "a socket" : "a device"}, not a regular file; pipe it to standard input instead`,
        { file: name },
      );
    }
    size = stat.size;
  } catch (cause) {
    if (cause instanceof SourceReadError) throw cause;
    throw new SourceReadError(`${path}: cannot be examined`, { file: name, cause });
  }
  let open = true;
  let asides = 0;
  const readAt = (offset: number, length: number): Uint8Array => {
    checkRange(name, size, offset, length);
    if (!open) throw new SourceReadError(`${name}: read after close`, { file: name, offset, length });
    const bytes = new Uint8Array(length);
    try {
      for (let done = 0; done < length; ) {
        const got = readSync(fd, bytes, done, length - done, offset + done);
        if (got === 0) {
          throw new SourceReadError(
            `${name}: ended at byte ${offset + done}, ${size} were there when it was opened; it is being written or was cut`,
            { file: name, offset, length },
          );
        }
        done += got;
      }
    } catch (cause) {
      if (cause instanceof SourceReadError) throw cause;
      throw new SourceReadError(`${name}: reading ${counted(length, "byte")} at ${offset} failed`, {
        file: name,
        offset,
        length,
        cause,
      });
    }
    return bytes;
  };
  return {
    name,
    size,
    readSync: readAt,
    read: async (offset, length) => readAt(offset, length),
    readAside: async (offset, length) => {
      checkRange(name, size, offset, length);
      if (!open) return readAt(offset, length);
      asides += 1;
      const bytes = await readBeside(fd, offset, length);
      asides -= 1;
      if (!open && asides === 0) closeSync(fd);
      // Once more, for the reason.
      return bytes ?? readAt(offset, length);
    },
    close: () => {
      // Nobody else may get the descriptor while a thread reads from it.
      if (open && asides === 0) closeSync(fd);
      open = false;
    },
  };
}

/** Null for what cannot be had at once. */
function readBeside(fd: number, offset: number, length: number): Promise<Uint8Array | null> {
  const bytes = new Uint8Array(length);
  return new Promise((resolve) =>
    read(fd, bytes, 0, length, offset, (error, got) => resolve(error || got !== length ? null : bytes)),
  );
}

function openCompanion(path: string, sibling: string): FileSource | null {
  const file = basename(path);
  const refuse = (reason: string): never => {
    throw new SourceReadError(`${file}: companion ${JSON.stringify(sibling)} refused: ${reason}`, { file });
  };
  const reason = refuseCompanionName(sibling);
  if (reason !== null) refuse(reason);
  const folder = dirname(path);
  const wanted = join(folder, sibling);
  try {
    lstatSync(wanted);
  } catch {
    return null;
  }
  try {
    // Hugging Face caches are made of links into another folder: the model's own real folder counts as "beside" too.
    const target = realpathSync(wanted);
    const allowed = new Set([realpathSync(folder), dirname(realpathSync(path))]);
    if (!allowed.has(dirname(target))) refuse("it is a symbolic link that leaves the folder");
  } catch (cause) {
    if (cause instanceof SourceReadError) throw cause;
    throw new SourceReadError(`${file}: companion ${sibling} cannot be examined`, { file, cause });
  }
  return openFile(wanted);
}

function describeOpenFailure(path: string, cause: unknown): string {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  switch (code) {
    case "ENOENT":
    case "ENOTDIR":
      if (/^https?:\/\//.test(path)) {
        return `${path}: an address, not a file, and nothing is fetched here; download it first or pipe it: curl -sL ADDRESS | weighbridge -`;
      }
      return `${path}: no such file; check the path`;
    case "EACCES":
    case "EPERM":
      return `${path}: permission denied; check who may read it`;
    case "EISDIR":
      return `${path} is a folder; pass the model file in it`;
    case "EMFILE":
    case "ENFILE":
      return `${path}: too many open files`;
    case "ENXIO":
      return `${path} is a socket or device, not a regular file; pipe it to standard input instead`;
    case "ELOOP":
      return `${path}: symbolic links go round in a circle`;
    default:
      return `${path}: cannot be opened${code && ` (${code})`}`;
  }
}
