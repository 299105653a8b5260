/** For the command line, and apart from the entries of the library: it is wanted before those are loaded. */

import type { ByteSource } from "../io/byte-source.ts";
import { type FileSource, openFile } from "../io/node-file.ts";
import { maxJsonBytes } from "../limits.ts";

/** Less is read sooner than a thread is asked to. */
const leastBytes = 1024 * 1024;
const headBytes = 16;

/**
 * Opens a file of JSON, all of which is read in every run: a thread beside this one begins with it, while what is to be done with it
 * is loaded. Null for any other file, and for what cannot be opened.
 */
export function readAhead(path: string): (ByteSource & { close(): void }) | null {
  const source = open(path);
  if (!source) return null;
  const { size } = source;
  if (size < leastBytes || size > maxJsonBytes || !isJson(source)) {
    source.close();
    return null;
  }
  let whole: Promise<Uint8Array> | null = source.readAside(0, size);
  // What went wrong is told to whoever asks for it.
  whole.catch(() => {});
  return {
    ...source,
    read: (offset, length) => {
      if (whole === null || offset !== 0 || length !== size) return source.read(offset, length);
      const read = whole;
      // It is large, and nobody reads it twice.
      whole = null;
      return read.then(movedToYoung);
    },
  };
}

/**
 * The same bytes as a new object. What has been there while the program was loaded V8 counts among what stays, and would keep these
 * megabytes for the rest of the run.
 */
function movedToYoung({ buffer }: Uint8Array): Uint8Array {
  return new Uint8Array(structuredClone(buffer, { transfer: [buffer as ArrayBuffer] }) as ArrayBuffer);
}

/** Folders and all that has a fault are for the one who says so. */
function open(path: string): FileSource | null {
  try {
    return openFile(path);
  } catch {
    return null;
  }
}

/** An object, and not a length that begins with the byte of a brace. */
function isJson(source: FileSource): boolean {
  try {
    const head = source.readSync(0, headBytes);
    return head[0] === 0x7b && head.every((byte) => byte >= 0x09);
  } catch {
    return false;
  }
}
