/**
 * The one thing about an object header that h5wasm does not tell: whether a dataset keeps its data in other files
 * ("external storage"). A walk over message types and sizes; nothing else of the header is looked at.
 */

/** Bytes at a position of the file, or `null` when there are not so many. */
export type ReadAt = (position: number, length: number) => DataView | null;

const externalFilesMessage = 0x07;
const continuationMessage = 0x10;
/** Real headers have a handful of messages in one to three blocks; a damaged one may point at itself. */
const maxBlocks = 64;

interface Block {
  readonly position: number;
  readonly length: number;
}

/** True when the header at `address` lists external files. `base` is where the HDF5 part of the file starts. */
export function hasExternalFiles(read: ReadAt, address: number, base: number): boolean {
  const start = read(base + address, 16);
  if (start === null) return false;
  const isNew = start.getUint32(0, false) === 0x4f484452; // "OHDR"
  const first = isNew ? locateNewMessages(read, base + address) : locateOldMessages(start, base + address);
  if (first === null) return false;
  const blocks: Block[] = [first.block];
  for (let i = 0; i < blocks.length && i < maxBlocks; i++) {
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
