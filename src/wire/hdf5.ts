/**
 * HDF5 through h5wasm, the HDF Group's C library compiled to WebAssembly, reading at random positions of any
 * `ByteSource`: the file is a node of the library's in-memory file system whose `read` is ours. This file loads h5wasm,
 * from its image or through hdf5-published.ts.
 */

import type { Diagnostic } from "../diagnostics.ts";
import {
  isModelError,
  LimitExceededError,
  MalformedFileError,
  type ModelError,
  SourceReadError,
} from "../errors.ts";
import { bufferedSource } from "../io/buffered.ts";
import type { ByteSource } from "../io/byte-source.ts";
import { memorySource } from "../io/memory.ts";
import {
  maxHdf5Faults,
  maxHdf5HeaderBytes,
  maxHdf5HeapBytes,
  maxHdf5PathWork,
  maxHdf5ReadBytes,
  maxHdf5Reads,
  maxHdf5SingleReadBytes,
} from "../limits/hdf5.ts";
import { maxWholeFileBytes } from "../limits.ts";
import { Hdf5File } from "./hdf5-file.ts";
import { refuseMetadata } from "./hdf5-guard.ts";
import { importImage } from "./hdf5-image.ts";
import type { Hdf5Session, RawModule } from "./hdf5-session.ts";

export { Hdf5File } from "./hdf5-file.ts";

/**
 * Opens an HDF5 file. Only headers are read, in blocks of 4 kB.
 * @throws MalformedFileError when the library cannot open it; SourceReadError; LimitExceededError.
 */
export async function openHdf5(
  source: ByteSource,
  onDiagnostic: (diagnostic: Diagnostic) => void = () => {},
): Promise<Hdf5File> {
  const library = await loadLibrary();
  const session = new Session(library, await withSyncReads(source));
  return new Hdf5File(session, onDiagnostic);
}

/**
 * HDF5 writers lay headers down in runs of 2 kB or more between the data. Blocks of 4 kB read all headers of VGG-16
 * (99 objects and attributes) in 37 reads of 149 kB together; blocks of 16 kB take 22 reads of 358 kB.
 * The cache holds the headers of some 10 000 layers, which are visited twice: when listed and when described.
 */
const blockSize = 4 * 1024;
const cacheBytes = 32 * 1024 * 1024;

type SyncSource = ByteSource & { readSync: NonNullable<ByteSource["readSync"]> };

async function withSyncReads(source: ByteSource): Promise<SyncSource> {
  if (source.readSync !== undefined) {
    return bufferedSource(source, { blockSize, blocks: cacheBytes / blockSize }) as SyncSource;
  }
  if (source.size > maxWholeFileBytes) {
    throw new LimitExceededError(
      `${source.name}: ${source.size} bytes would have to be read into memory, because this source has no synchronous reads; the limit is ${maxWholeFileBytes}`,
      { limit: "maxWholeFileBytes", actual: source.size, maximum: maxWholeFileBytes, file: source.name },
    );
  }
  return memorySource(await source.read(0, source.size), source.name) as SyncSource;
}

// The library ---------------------------------------------------------------------------------------------------

interface FsNode {
  stream_ops: Record<string, unknown>;
  usedBytes: number;
}

interface Library extends RawModule {
  readonly FS: {
    readonly ErrnoError: new (errno: number) => Error;
    writeFile(path: string, data: Uint8Array): void;
    unlink(path: string): void;
    lookupPath(path: string): { readonly node: FsNode };
    getStream(fd: number): { stream_ops: Record<string, unknown> } | undefined;
  };
  /** Set when the library trapped: its memory can no longer be trusted, and the next file gets a new instance. */
  tainted?: boolean;
  /** What the library printed since the last call: its error stack. */
  printed: string[];
}

let loading: Promise<Library> | undefined;

async function loadLibrary(): Promise<Library> {
  if (loading !== undefined && !(await loading).tainted) return loading;
  const again = loading !== undefined;
  loading = instantiate(again);
  return loading;
}

async function instantiate(again: boolean): Promise<Library> {
  const library = ((await instantiateImage()) ?? (await instantiatePublished(again))) as Library;
  captureErrors(library);
  library.tainted = false;
  return library;
}

async function instantiatePublished(again: boolean): Promise<unknown> {
  const published = await import("./hdf5-published.ts");
  return again ? published.anotherInstance() : published.firstInstance();
}

/**
 * The quick-start image that scripts/hdf5-image.js leaves in dist/ (it tells how and why), or `null` where there is
 * none: in a browser, and when running from source. Whatever goes wrong with it, the library as published still works.
 */
async function instantiateImage(): Promise<unknown> {
  if (!import.meta.url.startsWith("file:")) return null;
  try {
    const { instantiate } = await importImage();
    const base = new URL("../../hdf5/", import.meta.url);
    return await instantiate({ base, maxHeap: maxHdf5HeapBytes, print: () => {} });
  } catch {
    return null;
  }
}

/** HDF5 prints its error stack on standard error, which is ours to keep clean. It makes good messages, so keep it. */
function captureErrors(library: Library): void {
  library.printed = [];
  const decoder = new TextDecoder();
  const write = (_stream: unknown, heap: Int8Array, offset: number, length: number): number => {
    const text = decoder.decode(new Uint8Array(heap.buffer, heap.byteOffset + offset, length).slice());
    if (library.printed.length < 400) library.printed.push(text);
    return length;
  };
  for (const fd of [1, 2]) {
    const stream = library.FS.getStream(fd);
    if (stream !== undefined) stream.stream_ops = { ...stream.stream_ops, write };
  }
}

/** The innermost line of HDF5's error stack that says something: "#004: H5Fsuper.c line 9 in f(): truncated file". */
function explain(printed: readonly string[]): string {
  const lines = printed.join("").split("\n");
  const reasons = lines.flatMap((line) => /^\s*#\d+: .*\(\): (.*)$/.exec(line)?.[1] ?? []);
  const reason = reasons.at(-1) ?? "";
  const cut = /^truncated file: eof = (\d+), sblock->base_addr = \d+, stored_eof = (\d+)/.exec(reason);
  return cut
    ? `it has ${cut[1]} bytes of the ${cut[2]} that it says it has; it is probably truncated, get it again`
    : reason;
}

// One file ------------------------------------------------------------------------------------------------------

const readOnly = 0;
/** The C library's EIO. */
const ioError = 29;
let opened = 0;

const deceives = "than any model file needs; the file is damaged or made to deceive";
/** What a call takes beside walking, in steps. */
const stepsOfCall = 15;
/** The least that one look at the file takes, in bytes. */
const bytesOfLook = 512;

class Session implements Hdf5Session {
  readonly file: string;
  readonly module: Library;
  readonly id: bigint;
  readonly size: number;
  readonly base: number;
  readonly #source: SyncSource;
  readonly #path: string;
  #reads = 0;
  #bytes = 0;
  #faults = 0;
  #steps = 0;
  #looked = 0;
  #pastEnd = false;
  /** What the source or a limit said; the file is given up. */
  #failure: ModelError | undefined;
  /** A block that was kept from the library during the current call. */
  #refused: MalformedFileError | undefined;
  #closed = false;

  constructor(library: Library, source: SyncSource) {
    this.file = source.name;
    this.module = library;
    this.#source = source;
    this.size = source.size;
    this.base = findSignature(source);
    // A name nobody can guess, so that no external link inside a file can name another file that is open.
    this.#path = `/${opened++}-${Math.random().toString(36).slice(2)}.h5`;
    this.#mount();
    try {
      this.id = this.call("the file", "/", () => library.open(this.#path, readOnly, false, -1, -1));
      if (this.id < 0n) throw this.#malformed("the file", "/", explain(library.printed));
    } catch (error) {
      this.#unmount();
      throw error;
    }
  }

  readonly readAt = (position: number, length: number): DataView | null => {
    if (!Number.isSafeInteger(position + length) || position + length > this.size) return null;
    const bytes = this.#source.readSync(position, length);
    return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  };

  look(address: number, length: number, atMost = false): DataView | null {
    const position = this.base + address;
    const left = this.size - position;
    if (!Number.isSafeInteger(position + length) || left <= 0 || (left < length && !atMost)) return null;
    const count = Math.min(length, left);
    this.countBytes(Math.max(count, bytesOfLook));
    const bytes = this.#source.readSync(position, count);
    return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  countBytes(length: number): void {
    this.#looked += length;
    this.#check(
      "maxHdf5HeaderBytes",
      this.#looked,
      maxHdf5HeaderBytes,
      `has more headers and names ${deceives}`,
    );
  }

  call<T>(what: string, at: string, run: () => T): T {
    // The library walks every path from the root, so a call costs what its path has steps.
    this.countSteps(stepsOfCall + at.split("/").length);
    if (this.#failure !== undefined) throw this.#failure;
    this.module.printed.length = 0;
    this.#refused = undefined;
    let result: T;
    try {
      result = run();
    } catch (error) {
      this.#throwStopped();
      if (isModelError(error)) throw error;
      this.#noteFault(error);
      throw this.#malformed(what, at, explain(this.module.printed) || reasonOf(error), error);
    }
    this.#throwStopped();
    return result;
  }

  /** Throws what made `#read` fail during the call, whatever the library made of it. */
  #throwStopped(): void {
    const stopped = this.#failure ?? this.#refused;
    if (stopped !== undefined) throw stopped;
  }

  countSteps(steps: number): void {
    this.#steps += steps;
    const what =
      "has too many objects that are not as Keras writes them; if it was rewritten in a newer format, save it with Keras again";
    this.#check("maxHdf5PathWork", this.#steps, maxHdf5PathWork, what);
  }

  #check(limit: string, actual: number, maximum: number, what: string): void {
    if (actual <= maximum) return;
    throw new LimitExceededError(
      `${this.file}: the HDF5 structure ${what} (${limit}: ${actual}, the limit is ${maximum})`,
      { limit, actual, maximum, file: this.file },
    );
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    try {
      if (!this.module.tainted) this.module.close_file(this.id);
    } catch {
      this.module.tainted = true;
    }
    this.#unmount();
  }

  #mount(): void {
    const { FS } = this.module;
    FS.writeFile(this.#path, new Uint8Array(0));
    const { node } = FS.lookupPath(this.#path);
    node.usedBytes = this.#source.size;
    node.stream_ops = { ...node.stream_ops, read: this.#read };
  }

  #unmount(): void {
    try {
      this.module.FS.unlink(this.#path);
    } catch {
      // Only memory is lost, and the name is never used again.
    }
  }

  readonly #read = (
    _stream: unknown,
    heap: Int8Array,
    offset: number,
    length: number,
    position: number,
  ): number => {
    const available = Math.max(0, Math.min(length, this.#source.size - position));
    if (available < length) this.#pastEnd = true;
    if (available === 0) return 0;
    try {
      this.#account(available);
      const bytes = this.#source.readSync(position, available);
      const refused = refuseMetadata(bytes, position - this.base, (address, count) =>
        this.readAt(this.base + address, count),
      );
      if (refused !== null) throw this.#malformed("the file", `byte ${position}`, refused);
      heap.set(new Int8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset);
    } catch (error) {
      if (error instanceof MalformedFileError) this.#refused ??= error;
      else this.#failure ??= isModelError(error) ? error : this.#unread(position, available, error);
      // An ordinary I/O error lets the library unwind; when it goes on reading all the same, only a throw ends it.
      if (this.#reads > maxHdf5Reads + 1000) throw error;
      throw new this.module.FS.ErrnoError(ioError);
    }
    return available;
  };

  #unread(offset: number, length: number, cause: unknown): SourceReadError {
    return new SourceReadError(`${this.file}: reading ${length} bytes at ${offset} failed`, {
      file: this.file,
      offset,
      length,
      cause,
    });
  }

  #account(length: number): void {
    this.#reads += 1;
    this.#bytes += length;
    const what = `makes the library read more ${deceives}`;
    this.#check("maxHdf5Reads", this.#reads, maxHdf5Reads, what);
    this.#check("maxHdf5ReadBytes", this.#bytes, maxHdf5ReadBytes, what);
    this.#check("maxHdf5SingleReadBytes", length, maxHdf5SingleReadBytes, what);
  }

  /**
   * The library's own errors leave it as it was. A C++ exception (thrown as a number) loses some memory, so the next
   * file gets a new instance; a trap leaves memory in an unknown state, so this file is given up too.
   */
  #noteFault(error: unknown): void {
    const isTrap = error instanceof Error && (error.name === "RuntimeError" || error.name === "RangeError");
    if (typeof error !== "number" && !isTrap) return;
    this.module.tainted = true;
    this.#faults += 1;
    if (!isTrap && this.#faults <= maxHdf5Faults) return;
    this.#failure = new MalformedFileError(
      `${this.file}: the HDF5 structure is so damaged that the library gave up`,
      { file: this.file, cause: error },
    );
  }

  #malformed(what: string, at: string, reason: string, cause?: unknown): MalformedFileError {
    const cut = this.#pastEnd ? `; the file ends at byte ${this.#source.size}, it is probably truncated` : "";
    const where = at === "/" ? "" : ` at ${at}`;
    return new MalformedFileError(
      `${this.file}: HDF5 cannot read ${what}${where}${reason && `: ${reason}`}${cut}`,
      { file: this.file, at, cause },
    );
  }
}

const signature = "\x89HDF\r\n\x1a\n";

/** HDF5 starts at 0, or behind a user block of 512, 1024, 2048 ... bytes. */
function findSignature(source: SyncSource): number {
  for (let at = 0; at + signature.length <= source.size; at = at === 0 ? 512 : at * 2) {
    const bytes = source.readSync(at, signature.length);
    if (String.fromCharCode(...bytes) === signature) return at;
  }
  throw new MalformedFileError(`${source.name}: not an HDF5 file, its signature is missing`, {
    file: source.name,
  });
}

function reasonOf(error: unknown): string {
  if (typeof error === "number") return "the library gave up (C++ exception)";
  if (!(error instanceof Error)) return String(error);
  return error.message.replace("error - name not defined!", "it cannot be opened");
}
