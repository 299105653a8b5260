/** Bytes of a pickle by and by: a window on a source, so that what follows the pickle is never read. */

import { counted } from "../counted.ts";
import { LimitExceededError, MalformedFileError } from "../errors.ts";
import type { ByteSource } from "../io/byte-source.ts";
import { maxPickleBytes, maxPickleLineBytes } from "../limits/pickle.ts";

const firstWindow = 16 * 1024;
const largestWindow = 1024 * 1024;

/** Thrown when the window has too few bytes: the step is taken again once there are more. */
const short: unique symbol = Symbol("short");

export class PickleReader {
  readonly #source: ByteSource;
  readonly #label: string;
  #window: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(new ArrayBuffer(0));
  /** Where in the source the window starts. */
  #base: number;
  /** Index in the window of the next byte, and of the first byte of this step. */
  #next = 0;
  #step = 0;
  /** Bytes the window must have from the start of this step, when it was short. */
  #needed = 0;
  #windowSize = firstWindow;
  /** Set when a step asked for more bytes than the source has. */
  ended = false;
  #read = 0;

  /** `label` is what messages call the pickle. */
  constructor(source: ByteSource, at: number, label: string) {
    this.#source = source;
    this.#label = label;
    this.#base = at;
  }

  /** Where in the source the next byte is. */
  get at(): number {
    return this.#base + this.#next;
  }

  /** Where in the source the step that is being taken starts. */
  get start(): number {
    return this.#base + this.#step;
  }

  /** Takes steps until one says that it was the last. A step reads all it needs before it changes anything. */
  async run(step: () => boolean): Promise<void> {
    for (;;) {
      try {
        this.#runWindow(step);
        return;
      } catch (error) {
        if (error !== short) throw error;
      }
      await this.#fill();
    }
  }

  /** The hot loop: nothing is awaited while the window lasts. */
  #runWindow(step: () => boolean): void {
    do this.#step = this.#next;
    while (!step());
  }

  async #fill(): Promise<void> {
    const from = this.#base + this.#step;
    const left = this.#source.size - from;
    if (this.#needed > left) {
      this.ended = true;
      throw this.fault(
        `it ends in the middle, the file has ${counted(this.#source.size, "byte")}; it is probably truncated`,
      );
    }
    const count = Math.min(left, Math.max(this.#needed, this.#windowSize));
    this.#windowSize = Math.min(largestWindow, this.#windowSize * 2);
    this.#read += count;
    if (this.#read > maxPickleBytes + largestWindow) {
      throw this.limit("maxPickleBytes", this.#read, maxPickleBytes, "bytes");
    }
    this.#window = await this.#source.read(from, count);
    this.#view = new DataView(this.#window.buffer, this.#window.byteOffset, this.#window.byteLength);
    this.#base = from;
    this.#next = 0;
  }

  /** Makes sure of `count` bytes and passes over them; gives the index in the window where they start. */
  #take(count: number): number {
    const start = this.#next;
    const end = start + count;
    if (end > this.#window.length) {
      this.#needed = end - this.#step;
      throw short;
    }
    this.#next = end;
    return start;
  }

  byte(): number {
    return this.#view.getUint8(this.#take(1));
  }

  uint16(): number {
    return this.#view.getUint16(this.#take(2), true);
  }

  int32(): number {
    return this.#view.getInt32(this.#take(4), true);
  }

  uint32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  /** A size of 8 bytes. One that no file can have is a fault. */
  uint64(): number {
    const value = this.#view.getBigUint64(this.#take(8), true);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw this.fault(`a size of ${value} bytes`);
    return Number(value);
  }

  /** Big-endian, alone of all numbers here. */
  float64(): number {
    return this.#view.getFloat64(this.#take(8), false);
  }

  /** A view of the next bytes, good until the next step. */
  bytes(count: number): Uint8Array {
    const start = this.#take(count);
    return this.#window.subarray(start, start + count);
  }

  /** Passes over bytes without reading them; nothing else may be read in this step. */
  skip(count: number): void {
    const to = this.at + count;
    if (to > this.#source.size) {
      this.ended = true;
      throw this.fault(
        `${counted(count, "byte is", "bytes are")} promised up to byte ${to}, but the file has ${this.#source.size}; it is probably truncated`,
      );
    }
    if (this.#next + count <= this.#window.length) {
      this.#next += count;
      return;
    }
    this.#base = to;
    this.#next = 0;
    this.#step = 0;
    this.#window = new Uint8Array(0);
  }

  /** The bytes up to the next line end, which is passed over. */
  line(): Uint8Array {
    const start = this.#next;
    const end = this.#window.indexOf(0x0a, start);
    if (end < 0) {
      const seen = this.#window.length - start;
      if (seen > maxPickleLineBytes)
        throw this.limit("maxPickleLineBytes", seen, maxPickleLineBytes, "bytes in a line");
      const room = Math.max(4096, 2 * seen);
      const left = this.#source.size - this.#base - this.#step;
      // All that is left, before it is said that there is no line end.
      const known = this.#window.length - this.#step;
      this.#needed = Math.max(known + 1, Math.min(left, start - this.#step + room));
      throw short;
    }
    this.#next = end + 1;
    return this.#window.subarray(start, end);
  }

  /** The bytes contradict the format, at the step that is being taken. */
  fault(what: string): MalformedFileError {
    const at = this.start;
    return new MalformedFileError(`${this.#label}: not a valid pickle at byte ${at}: ${what}`, {
      file: this.#source.name,
      at: `byte ${at}`,
    });
  }

  limit(name: string, actual: number, maximum: number, what: string): LimitExceededError {
    const at = this.start;
    return new LimitExceededError(
      `${this.#label}: the pickle has ${actual} ${what} at byte ${at}, the limit is ${maximum} (${name})`,
      { limit: name, actual, maximum, file: this.#source.name },
    );
  }
}
