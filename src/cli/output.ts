import { fstatSync, writeSync } from "node:fs";

export interface Output {
  write(text: string): void;
  /** True when a person looks at it. */
  readonly isTTY: boolean;
  /** Width of the terminal; undefined when it is none. */
  readonly columns: number | undefined;
}

export interface ProcessOutput extends Output {
  /** All that was given is written. */
  readonly isDone: boolean;
}

/**
 * Standard output or error, by its number. To files, pipes and sockets is written directly: Node's stream for a pipe takes ten
 * milliseconds to load, a tenth of a run on a small model. `failed` is told once when nothing can be written any more.
 */
export function processOutput(
  fd: number,
  stream: () => NodeJS.WriteStream,
  failed: (error: NodeJS.ErrnoException) => void,
  write: typeof writeSync = writeSync,
): ProcessOutput {
  return isPlain(fd) ? new PlainOutput(fd, stream, failed, write) : new StreamOutput(stream(), failed);
}

/** Neither a terminal nor any other device. Windows writes to pipes in ways of its own. */
function isPlain(fd: number): boolean {
  if (process.platform === "win32") return false;
  try {
    const stat = fstatSync(fd);
    return stat.isFile() || stat.isFIFO() || stat.isSocket();
  } catch {
    return false;
  }
}

class StreamOutput implements ProcessOutput {
  private readonly stream: NodeJS.WriteStream;
  /** Standard streams forget their errors as soon as they have told them. */
  private hasFailed = false;

  constructor(stream: NodeJS.WriteStream, failed: (error: NodeJS.ErrnoException) => void) {
    this.stream = stream;
    stream.on("error", (error) => {
      this.hasFailed = true;
      failed(error);
    });
  }

  write(text: string | Uint8Array): void {
    this.stream.write(text);
  }

  get isTTY(): boolean {
    return this.stream.isTTY === true;
  }

  get columns(): number | undefined {
    return this.isTTY ? this.stream.columns : undefined;
  }

  get isDone(): boolean {
    return !this.hasFailed && this.stream.writableLength === 0 && !this.stream.errored;
  }
}

class PlainOutput implements ProcessOutput {
  readonly isTTY = false;
  readonly columns: undefined;
  private readonly fd: number;
  private readonly openStream: () => NodeJS.WriteStream;
  private readonly failed: (error: NodeJS.ErrnoException) => void;
  private readonly writeTo: typeof writeSync;
  /** For a pipe that is full and does not wait. */
  private stream: StreamOutput | null = null;
  private hasFailed = false;

  constructor(
    fd: number,
    stream: () => NodeJS.WriteStream,
    failed: (error: NodeJS.ErrnoException) => void,
    write: typeof writeSync,
  ) {
    this.fd = fd;
    this.openStream = stream;
    this.failed = failed;
    this.writeTo = write;
  }

  write(text: string): void {
    if (this.hasFailed) return;
    if (this.stream) this.stream.write(text);
    else this.writeNow(Buffer.from(text));
  }

  get isDone(): boolean {
    return !this.hasFailed && this.stream?.isDone !== false;
  }

  private writeNow(bytes: Uint8Array): void {
    let at = 0;
    try {
      while (at < bytes.length) at += this.writeTo(this.fd, bytes, at);
    } catch (cause) {
      const error = cause as NodeJS.ErrnoException;
      if (error.code === "EAGAIN") {
        this.stream = new StreamOutput(this.openStream(), this.failed);
        this.stream.write(bytes.subarray(at));
        return;
      }
      this.hasFailed = true;
      this.failed(error);
    }
  }
}
