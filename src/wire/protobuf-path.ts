/** Where in a protobuf message something is, and what is said of one that breaks the format or a cap. */

import { counted } from "../counted.ts";
import { LimitExceededError, MalformedFileError } from "../errors.ts";

/** One message of those that the walk is in. */
export interface Step {
  /** `null` for the outermost. */
  readonly rule: { readonly name: string; readonly repeated: boolean } | null;
  readonly index: number;
  /** Of its last byte, plus one. */
  readonly end: number;
}

/** Where the walk is. */
export interface Position {
  readonly file: string;
  readonly size: number;
  readonly frames: readonly Step[];
  /** The window, and the place in it. */
  readonly base: number;
  readonly reader: { readonly pos: number };
}

/** A field that leaves the message around it: the file is cut off, or a length in it is wrong. */
export function overrun(
  walk: Position,
  what: string,
  cause?: unknown,
  end: number = walk.base + walk.reader.pos,
): MalformedFileError {
  const at = pathOf(walk.frames, what);
  const around = pathOf(walk.frames) || "the message";
  const text =
    end > walk.size
      ? `${at} ends at byte ${end} but the file has ${counted(walk.size, "byte")}; it is probably truncated`
      : `${at} ends at byte ${end}, after the end of ${around} at byte ${walk.frames.at(-1)?.end}`;
  return new MalformedFileError(`${walk.file}: ${text}`, { file: walk.file, at, cause });
}

export function malformed(walk: Position, what: string, cause?: unknown): MalformedFileError {
  const at = pathOf(walk.frames);
  const offset = walk.base + walk.reader.pos;
  return new MalformedFileError(`${walk.file}: ${at ? `${at}: ` : ""}${what}, near byte ${offset}`, {
    file: walk.file,
    at,
    cause,
  });
}

export function limit(
  walk: Position,
  name: string,
  maximum: number,
  actual: number,
  what: string,
): LimitExceededError {
  return new LimitExceededError(`${walk.file}: ${actual} ${what}, the limit is ${maximum} (${name})`, {
    limit: name,
    actual,
    maximum,
    file: walk.file,
  });
}

/** `graph.node[3].attribute[1].t`, and below it `field`. */
export function pathOf(frames: readonly Step[], field?: string): string {
  const parts = frames.flatMap(({ rule, index }) =>
    rule ? [rule.repeated ? `${rule.name}[${index}]` : rule.name] : [],
  );
  return (field === undefined ? parts : [...parts, field]).join(".");
}

/** The messages inside a message, counted for their paths. */
export interface Counts {
  /** The field that the last message inside was in, and how many of it there were. */
  last: number;
  count: number;
  /** Of the fields before that, as pairs of number and count. */
  earlier: number[] | null;
}

/** How many messages came before this one in the same field. */
export function countMessage(counts: Counts, number: number): number {
  if (counts.last !== number) {
    if (counts.last !== 0) keepCount(counts);
    const at = placeOf(counts.earlier, number);
    counts.count = at < 0 ? 0 : (counts.earlier?.[at + 1] ?? 0);
    counts.last = number;
  }
  counts.count += 1;
  return counts.count - 1;
}

function keepCount(counts: Counts): void {
  counts.earlier ??= [];
  const at = placeOf(counts.earlier, counts.last);
  if (at < 0) counts.earlier.push(counts.last, counts.count);
  else counts.earlier[at + 1] = counts.count;
}

/** Of the pair of this field, of which there are as many as the message has rules. */
function placeOf(pairs: readonly number[] | null, number: number): number {
  for (let i = 0; i < (pairs?.length ?? 0); i += 2) if (pairs?.[i] === number) return i;
  return -1;
}
