/**
 * Walks the protobuf wire format by position, with the varints, numbers and texts read by protobufjs. What a field means
 * is told by a `MessageShape`; payloads are stepped over unread, however long. The stack is our own, so that the walk
 * can stop wherever bytes are missing: it waits once a block, not once a field.
 */

import type { Reader } from "protobufjs/minimal.js";
import { counted } from "../counted.ts";
import type { MalformedFileError } from "../errors.ts";
import type { ByteSource } from "../io/byte-source.ts";
import {
  maxProtobufDepth,
  maxProtobufMessages,
  maxProtobufPieces,
  maxProtobufTextBytes,
  maxProtobufTexts,
} from "../limits.ts";
import { isShort, toSafeInteger } from "./protobuf-number.ts";
import { type Counts, countMessage, limit, malformed, overrun, pathOf, type Step } from "./protobuf-path.ts";
import type {
  FieldRule,
  MessagePlace,
  MessageRule,
  MessageShape,
  NumberRule,
  PayloadRule,
  TextRule,
} from "./protobuf-shape.ts";
import { decodeText, type Window, wholeCharacters, windowOn } from "./protobuf-text.ts";

/** After a jump the next stretch may be one header of 100 bytes between two payloads, so reading starts small again. */
const firstBlock = 1024;
const largestBlock = 256 * 1024;
/** A tag and a length, or a tag and a number, in their longest form. */
const longestHead = 20;

interface Frame extends Step, Counts {
  readonly shape: MessageShape<unknown, unknown>;
  readonly state: unknown;
  /** How the value is handed to the message around; `null` for the outermost. */
  readonly rule: MessageRule<unknown> | null;
  readonly field: number;
  /** The messages inside that come at most once, in case one goes on. */
  singles: Frame[] | null;
}

interface Walk {
  readonly file: string;
  readonly size: number;
  readonly frames: Frame[];
  /** The window on the source, and where it starts; `reader.pos` goes past its end when a payload is skipped. */
  reader: Reader;
  base: number;
  window: Window;
  /** Of the message on top. */
  readonly place: MessagePlace;
  /** A packed run of numbers in the message on top. */
  packed: { readonly rule: NumberRule<unknown>; readonly end: number } | null;
  result: unknown;
  messages: number;
  texts: number;
  textBytes: number;
}

/**
 * Reads the message that the whole source is.
 * @throws MalformedFileError with the path of the message and the offset; also when the file ends too early.
 * @throws LimitExceededError for depth, messages and texts.
 */
export async function readMessage<State, Value>(
  source: ByteSource,
  shape: MessageShape<State, Value>,
): Promise<Value> {
  const { Reader } = (await import("protobufjs/minimal.js")).default;
  const open = (bytes: Uint8Array): Reader =>
    // A plain reader also for a Buffer: the two must not differ in what they take.
    new Reader(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  const root: Frame = {
    shape: shape as unknown as MessageShape<unknown, unknown>,
    state: shape.start(),
    rule: null,
    index: 0,
    field: 0,
    end: source.size,
    singles: null,
    last: 0,
    count: 0,
    earlier: null,
  };
  const frames = [root];
  const walk: Walk = {
    file: source.name,
    size: source.size,
    frames,
    reader: open(new Uint8Array(0)),
    base: 0,
    window: windowOn(new Uint8Array(0)),
    place: { path: () => pathOf(frames) },
    packed: null,
    result: undefined,
    messages: 0,
    texts: 0,
    textBytes: 0,
  };
  let block = largestBlock / 4;
  for (;;) {
    const windowEnd = walk.base + walk.reader.len;
    const needed = advance(walk);
    if (needed === 0) return walk.result as Value;
    const offset = walk.base + walk.reader.pos;
    if (walk.base > 0 || walk.reader.len > 0)
      block = offset > windowEnd ? firstBlock : Math.min(block * 2, largestBlock);
    const length = Math.min(Math.max(needed, block), source.size - offset);
    const bytes = source.readSync ? source.readSync(offset, length) : await source.read(offset, length);
    walk.reader = open(bytes);
    walk.base = offset;
    walk.window = windowOn(walk.reader.buf, walk.window);
  }
}

/** Goes on until the outermost message ends (0), or until so many bytes are needed from the present position on. */
function advance(walk: Walk): number {
  while (walk.frames.length > 0) {
    const needed = walk.packed ? readPacked(walk, walk.packed) : readField(walk);
    if (needed > 0) return needed;
  }
  return 0;
}

/** Reads one field, or ends the message. What it returns: see `advance`; the position is then back at the field. */
function readField(walk: Walk): number {
  const { reader, frames } = walk;
  const frame = frames[frames.length - 1] as Frame;
  const start = reader.pos;
  const left = frame.end - walk.base - start;
  if (left <= 0) {
    closeMessage(walk, frame);
    return 0;
  }
  const head = left < longestHead ? left : longestHead;
  if (reader.len - start < head) return head;
  const tag = readTag(walk);
  const number = tag >>> 3;
  if (number === 0) throw malformed(walk, "a field has number 0");
  const rule = frame.shape.fields[number];
  const wire = tag & 7;
  if (wire === 2) {
    const length = readLength(walk, frame, rule, number);
    return rule ? readDelimited(walk, frame, rule, number, start, length) : skip(reader, length);
  }
  if (rule && wire !== wireOf(rule)) throw wrongWire(walk, rule, number, wire);
  if (rule) readNumber(walk, frame.state, rule as NumberRule<unknown>);
  else skipNumber(walk, number, wire);
  if (walk.base + reader.pos > frame.end) throw overrun(walk, rule?.name ?? `field ${number}`);
  return 0;
}

function readDelimited(
  walk: Walk,
  frame: Frame,
  rule: FieldRule<unknown>,
  number: number,
  start: number,
  length: number,
): number {
  switch (rule.kind) {
    case "message":
      openMessage(walk, frame, rule, number, length);
      return 0;
    case "text":
      return readText(walk, frame, rule, start, length);
    case "payload":
      return readPayload(walk, frame, rule, start, length);
    default:
      if (!rule.repeated) throw wrongWire(walk, rule, number, 2);
      openPacked(walk, frame, rule, length);
      return 0;
  }
}

function openMessage(
  walk: Walk,
  frame: Frame,
  rule: MessageRule<unknown>,
  number: number,
  length: number,
): void {
  const index = countMessage(frame, number);
  if (index >= maxProtobufPieces && !rule.repeated) {
    const what = `pieces of ${pathOf(walk.frames, rule.name)}`;
    throw limit(walk, "maxProtobufPieces", maxProtobufPieces, index + 1, what);
  }
  if (walk.frames.length >= maxProtobufDepth) {
    throw limit(walk, "maxProtobufDepth", maxProtobufDepth, walk.frames.length + 1, "messages deep");
  }
  walk.messages += 1;
  if (walk.messages > maxProtobufMessages) {
    throw limit(walk, "maxProtobufMessages", maxProtobufMessages, walk.messages, "messages");
  }
  const shape = rule.shape();
  const start = walk.base + walk.reader.pos;
  walk.frames.push({
    shape,
    state: index > 0 && !rule.repeated ? stateOf(frame, number) : shape.start(),
    rule,
    index,
    field: number,
    end: start + length,
    singles: null,
    last: 0,
    count: 0,
    earlier: null,
  });
}

function closeMessage(walk: Walk, frame: Frame): void {
  const { frames } = walk;
  const value = frame.shape.finish(frame.state, walk.place);
  frames.pop();
  const outer = frames[frames.length - 1];
  if (!outer || !frame.rule) {
    walk.result = value;
    return;
  }
  if (!frame.rule.repeated) {
    outer.singles ??= [];
    // The state is the same for every piece.
    if (frame.index === 0) outer.singles.push(frame);
  }
  frame.rule.set(outer.state, value);
}

/** Of a message that is written in pieces, which are one message: the next piece goes on where the last one ended. */
function stateOf(frame: Frame, number: number): unknown {
  return frame.singles?.find(({ field }) => field === number)?.state;
}

function readText(walk: Walk, frame: Frame, rule: TextRule<unknown>, start: number, length: number): number {
  const { reader } = walk;
  const maximum = rule.limit(frame.state);
  if (length > maximum && rule.exact) {
    const what = `bytes of ${pathOf(walk.frames, rule.name)}`;
    throw limit(walk, "maxNameLength", maximum, length, what);
  }
  const from = reader.pos;
  const taken = Math.min(length, maximum);
  if (from + taken > reader.len) return rewind(reader, start, from + taken);
  walk.texts += 1;
  walk.textBytes += taken;
  if (walk.texts > maxProtobufTexts)
    throw limit(walk, "maxProtobufTexts", maxProtobufTexts, walk.texts, "texts");
  if (walk.textBytes > maxProtobufTextBytes)
    throw limit(walk, "maxProtobufTextBytes", maxProtobufTextBytes, walk.textBytes, "bytes of text");
  const { text, valid } = decodeText(walk.window, from, wholeCharacters(reader.buf, from, taken, length));
  reader.pos = from + length;
  rule.set(frame.state, text, length, valid);
  return 0;
}

function readPayload(
  walk: Walk,
  frame: Frame,
  rule: PayloadRule<unknown>,
  start: number,
  length: number,
): number {
  const { reader } = walk;
  const from = reader.pos;
  const wanted = rule.wants(frame.state, length);
  if (wanted && from + length > reader.len) return rewind(reader, start, from + length);
  reader.pos = from + length;
  const bytes = wanted ? reader.buf.subarray(from, from + length) : null;
  rule.set(frame.state, { offset: walk.base + from, length, bytes });
  return 0;
}

function openPacked(walk: Walk, frame: Frame, rule: NumberRule<unknown>, length: number): void {
  const { reader } = walk;
  const offset = walk.base + reader.pos;
  const width = rule.kind === "float" ? 4 : rule.kind === "double" ? 8 : 1;
  if (length % width !== 0) {
    throw malformed(walk, `${rule.name} has ${counted(length, "byte")}, no whole number of ${rule.kind}s`);
  }
  if (rule.wants && !rule.wants(frame.state, length)) {
    rule.skipped?.(frame.state, { offset, length, bytes: null });
    reader.pos += length;
  } else {
    walk.packed = { rule, end: offset + length };
  }
}

/** Reads what there is of a packed run. What it returns: see `advance`. */
function readPacked(walk: Walk, { rule, end }: { rule: NumberRule<unknown>; end: number }): number {
  const { reader } = walk;
  const { state } = walk.frames[walk.frames.length - 1] as Frame;
  const stop = end - walk.base;
  while (reader.pos < stop) {
    const needed = Math.min(stop - reader.pos, 10);
    if (reader.len - reader.pos < needed) return needed;
    readNumber(walk, state, rule);
  }
  if (reader.pos > stop) throw malformed(walk, `a number of ${rule.name} runs past the end of the field`);
  walk.packed = null;
  return 0;
}

// Numbers ------------------------------------------------------------------------------------------------------

function readNumber(walk: Walk, state: unknown, rule: NumberRule<unknown>): void {
  const start = walk.reader.pos;
  const value = takeNumber(walk, rule);
  rule.set(state, value, walk.reader.pos - start);
}

function takeNumber(walk: Walk, rule: NumberRule<unknown>): number {
  const { reader } = walk;
  const width = rule.kind === "float" ? 4 : rule.kind === "double" ? 8 : 0;
  if (reader.len - reader.pos < width) {
    throw overrun(walk, rule.name, undefined, walk.base + reader.pos + width);
  }
  if (width > 0) return width === 4 ? reader.float() : reader.double();
  try {
    if (isShort(reader.buf, reader.pos)) return reader.uint32();
    return toSafeInteger(rule.kind === "int" ? reader.int64() : reader.uint64());
  } catch (cause) {
    throw brokenVarint(walk, rule.name, cause);
  }
}

function readTag(walk: Walk): number {
  const { reader } = walk;
  const first = reader.buf[reader.pos] as number;
  if (first < 128) {
    reader.pos += 1;
    return first;
  }
  try {
    return reader.tag();
  } catch (cause) {
    throw brokenVarint(walk, "a field", cause);
  }
}

/** The length of a field, which is inside the message around it. */
function readLength(walk: Walk, frame: Frame, rule: FieldRule<unknown> | undefined, number: number): number {
  const { reader } = walk;
  const what = rule?.name ?? `field ${number}`;
  let length: number;
  try {
    length = isShort(reader.buf, reader.pos) ? reader.uint32() : toSafeInteger(reader.uint64());
  } catch (cause) {
    throw brokenVarint(walk, what, cause);
  }
  const end = walk.base + reader.pos + length;
  if (end > frame.end) throw overrun(walk, what, undefined, end);
  return length;
}

function skip(reader: Reader, length: number): number {
  reader.pos += length;
  return 0;
}

function rewind(reader: Reader, start: number, end: number): number {
  reader.pos = start;
  return end - start;
}

function skipNumber(walk: Walk, number: number, wire: number): void {
  const { reader } = walk;
  if (wire === 1) reader.pos += 8;
  else if (wire === 5) reader.pos += 4;
  else if (wire === 0) {
    try {
      reader.uint64();
    } catch (cause) {
      throw brokenVarint(walk, `field ${number}`, cause);
    }
  } else {
    // Groups went out of use in 2008, before any format that is read here.
    const what = wire === 3 || wire === 4 ? "a group" : "no wire type";
    throw malformed(walk, `field ${number} is ${what} (wire type ${wire})`);
  }
}

function wireOf(rule: FieldRule<unknown>): number {
  if (rule.kind === "int" || rule.kind === "uint") return 0;
  return rule.kind === "float" ? 5 : rule.kind === "double" ? 1 : 2;
}

function brokenVarint(walk: Walk, what: string, cause: unknown): MalformedFileError {
  if (walk.base + walk.reader.pos >= walk.size) return overrun(walk, what, cause, walk.size + 1);
  return malformed(walk, `${what} begins with no valid varint`, cause);
}

function wrongWire(walk: Walk, rule: FieldRule<unknown>, number: number, wire: number): MalformedFileError {
  const what = `${rule.name} (field ${number}) has wire type ${wire}, expected ${wireOf(rule)}`;
  return malformed(walk, what);
}
