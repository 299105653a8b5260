/**
 * Object headers as lists of messages: those of version 1 in full, and of any the one thing that h5wasm does not tell:
 * whether a dataset keeps its data in other files ("external storage").
 */

import { maxHdf5BlockBytes, maxHdf5HeaderBlocks } from "../limits/hdf5.ts";
import { toNumber } from "./hdf5-messages.ts";

/** Bytes at a position of the file, or `null` when there are not so many. */
export type ReadAt = (position: number, length: number) => DataView | null;

const externalFilesMessage = 0x07;
const continuationMessage = 0x10;

interface Block {
  readonly position: number;
  readonly length: number;
}

/** A message of a header of version 1: its type, and where its data are in `view`. */
export interface Message {
  readonly type: number;
  readonly view: DataView;
  readonly at: number;
  readonly size: number;
}

/** Bytes at an address; with `atMost` as many as there are. */
export type Look = (address: number, length: number, atMost?: boolean) => DataView | null;

const messageHead = 8;
/** Constant (1) and "do not share" (4) change nothing for a reader; a shared message is elsewhere. */
const harmlessFlags = 0x05;
const highestMessage = 18;
/** Padding, fill values and times of change: half of the messages of a dataset. */
const silentMessages: ReadonlySet<number> = new Set([0x00, 0x04, 0x05, 0x0e, 0x12]);

/**
 * The messages of a header of version 1 that say what the object is, or `undefined` when the header is of another
 * version, or anything about it is not exactly as it should be: a message that is shared, of an unknown type, or one too
 * many. `usual` bytes are read at first.
 */
export function readMessages(look: Look, address: number, usual: number): readonly Message[] | undefined {
  const head = look(address, usual, true);
  if (head === null || head.byteLength < 16 || head.getUint8(0) !== 1) return undefined;
  const size = head.getUint32(8, true);
  const whole =
    16 + size <= head.byteLength ? head : size <= maxHdf5BlockBytes ? look(address, 16 + size) : null;
  const list: MessageList = { left: head.getUint16(2, true), found: [], more: [] };
  if (whole === null || !addMessages(whole, 16, 16 + size, list)) return undefined;
  for (let i = 0; i < list.more.length; i++) {
    const block = list.more[i] as Block;
    const isUsual = i < maxHdf5HeaderBlocks && block.length <= maxHdf5BlockBytes;
    const bytes = isUsual ? look(block.position, block.length) : null;
    if (bytes === null || !addMessages(bytes, 0, block.length, list)) return undefined;
  }
  return list.left === 0 ? list.found : undefined;
}

interface MessageList {
  /** How many there are still to be, as the header says. */
  left: number;
  readonly found: Message[];
  /** Where more of them are. */
  readonly more: Block[];
}

/** Adds the messages between `from` and `to`; false when something is odd. */
function addMessages(view: DataView, from: number, to: number, list: MessageList): boolean {
  let at = from;
  while (at + messageHead <= to) {
    const type = view.getUint16(at, true);
    const size = view.getUint16(at + 2, true);
    const isPlain = type <= highestMessage && (view.getUint8(at + 4) & ~harmlessFlags) === 0;
    at += messageHead;
    list.left -= 1;
    if (!isPlain || size % 8 !== 0 || at + size > to || list.left < 0) return false;
    if (type === continuationMessage) {
      if (size < 16) return false;
      list.more.push({ position: toNumber(view, at), length: toNumber(view, at + 8) });
    } else if (!silentMessages.has(type)) {
      list.found.push({ type, view, at, size });
    }
    at += size;
  }
  return at === to;
}

/** True when the header at `address` lists external files. `base` is where the HDF5 part of the file starts. */
export function hasExternalFiles(read: ReadAt, address: number, base: number): boolean {
  const start = read(base + address, 16);
  if (start === null) return false;
  const isNew = start.getUint32(0, false) === 0x4f484452; // "OHDR"
  const first = isNew ? locateNewMessages(read, base + address) : locateOldMessages(start, base + address);
  if (first === null) return false;
  const blocks: Block[] = [first.block];
  for (let i = 0; i < blocks.length && i < maxHdf5HeaderBlocks; i++) {
    const block = blocks[i] as Block;
    const bytes = block.length < 1 << 20 ? read(block.position, block.length) : null;
    if (bytes === null) continue;
    // A continuation of the new format has a signature before its messages and a checksum after them.
    const trim = isNew && i > 0 ? 4 : 0;
    for (const message of messagesOf(bytes, isNew, trim, first.headSize)) {
      if (message.type === externalFilesMessage) return true;
      if (message.type === continuationMessage && message.size >= 16) {
        blocks.push({
          position: base + Number(bytes.getBigUint64(message.at, true)),
          length: Number(bytes.getBigUint64(message.at + 8, true)),
        });
      }
    }
  }
  return false;
}

function locateOldMessages(start: DataView, position: number) {
  if (start.getUint8(0) !== 1) return null;
  return { block: { position: position + 16, length: start.getUint32(8, true) }, headSize: 8 };
}

function locateNewMessages(read: ReadAt, position: number) {
  const head = read(position, 34);
  if (head === null || head.getUint8(4) !== 2) return null;
  const flags = head.getUint8(5);
  let at = 6 + (flags & 0x20 ? 16 : 0) + (flags & 0x10 ? 4 : 0);
  const sizeBytes = 1 << (flags & 3);
  let length = 0;
  for (let i = sizeBytes - 1; i >= 0; i--) length = length * 256 + head.getUint8(at + i);
  at += sizeBytes;
  return { block: { position: position + at, length }, headSize: flags & 4 ? 6 : 4 };
}

function* messagesOf(bytes: DataView, isNew: boolean, trim: number, headSize: number) {
  const end = bytes.byteLength - trim;
  for (let at = trim; at + headSize <= end; ) {
    const type = isNew ? bytes.getUint8(at) : bytes.getUint16(at, true);
    const size = bytes.getUint16(at + (isNew ? 1 : 2), true);
    at += headSize;
    if (at + size > end) return;
    yield { type, size, at };
    at += size;
  }
}
