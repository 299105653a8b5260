import { counted } from "../counted.ts";
import { SourceReadError } from "../errors.ts";

/** Throws unless `offset` and `length` name a range inside a source of `size` bytes. */
export function checkRange(name: string, size: number, offset: number, length: number): void {
  if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(length) || offset < 0 || length < 0) {
    throw new SourceReadError(
      `${name}: cannot read ${counted(length, "byte")} at ${offset}: not a byte range`,
      {
        file: name,
        offset,
        length,
      },
    );
  }
  if (offset + length > size) {
    throw new SourceReadError(
      `${name}: bytes ${offset} to ${offset + length} were asked for but there are ${size}; it is probably truncated`,
      { file: name, offset, length },
    );
  }
}
