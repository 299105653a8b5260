/** Builds small zip archives for the tests, also the odd and the broken ones that no zip tool writes. */

import { crc32, deflateRawSync } from "node:zlib";

export interface Part {
  readonly name: string;
  readonly data?: string | Uint8Array;
  readonly deflate?: boolean;
  /** Overrides for what the headers claim. */
  readonly size?: number;
  readonly compressedSize?: number;
  readonly method?: number;
  readonly flags?: number;
  readonly offset?: number;
  /** Sizes in the local header are zero and follow the data instead (flag 8), as PyTorch writes it. */
  readonly descriptor?: boolean;
  /** Bytes of padding in the local extra field, as PyTorch aligns its tensors. */
  readonly padding?: number;
  readonly zip64?: boolean;
}

export interface Archive {
  readonly prefix?: string;
  readonly comment?: string;
  readonly zip64?: boolean;
  /** Written to the end record instead of the truth. */
  readonly entryCount?: number;
  readonly directorySize?: number;
  readonly directoryOffset?: number;
}

const bytesOf = (data: string | Uint8Array): Buffer => Buffer.from(data as string);

export function buildZip(parts: readonly Part[], archive: Archive = {}): Buffer {
  const prefix = bytesOf(archive.prefix ?? "");
  const chunks: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const part of parts) {
    const local = writeEntry(part);
    directory.push(writeDirectoryEntry(part, at));
    chunks.push(local);
    at += local.length;
  }
  const central = Buffer.concat(directory);
  const end = writeEnd(parts.length, central.length, at, archive);
  return Buffer.concat([prefix, ...chunks, central, end]);
}

function facts(part: Part) {
  const raw = bytesOf(part.data ?? "");
  const stored = part.deflate ? deflateRawSync(raw) : raw;
  return {
    stored,
    crc: crc32(raw),
    size: part.size ?? raw.length,
    compressedSize: part.compressedSize ?? stored.length,
    method: part.method ?? (part.deflate ? 8 : 0),
    flags: (part.flags ?? 0) | (part.descriptor ? 8 : 0) | 0x800,
    name: bytesOf(part.name),
  };
}

function writeEntry(part: Part): Buffer {
  const { stored, crc, size, compressedSize, method, flags, name } = facts(part);
  const header = Buffer.alloc(30);
  header.writeUInt32LE(0x04034b50, 0);
  header.writeUInt16LE(20, 4);
  header.writeUInt16LE(flags, 6);
  header.writeUInt16LE(method, 8);
  if (!part.descriptor) {
    header.writeUInt32LE(crc, 14);
    header.writeUInt32LE(Math.min(compressedSize, 0xffffffff), 18);
    header.writeUInt32LE(Math.min(size, 0xffffffff), 22);
  }
  header.writeUInt16LE(name.length, 26);
  const extra = Buffer.alloc(part.padding === undefined ? 0 : part.padding + 4, "Z");
  if (extra.length > 0) {
    extra.writeUInt16LE(0x4246, 0);
    extra.writeUInt16LE(part.padding ?? 0, 2);
  }
  header.writeUInt16LE(extra.length, 28);
  const descriptor = Buffer.alloc(part.descriptor ? 16 : 0);
  if (part.descriptor) {
    descriptor.writeUInt32LE(0x08074b50, 0);
    descriptor.writeUInt32LE(crc, 4);
    descriptor.writeUInt32LE(compressedSize, 8);
    descriptor.writeUInt32LE(size, 12);
  }
  return Buffer.concat([header, name, extra, stored, descriptor]);
}

function writeDirectoryEntry(part: Part, offset: number): Buffer {
  const { crc, size, compressedSize, method, flags, name } = facts(part);
  const header = Buffer.alloc(46);
  header.writeUInt32LE(0x02014b50, 0);
  header.writeUInt16LE(20, 4);
  header.writeUInt16LE(20, 6);
  header.writeUInt16LE(flags, 8);
  header.writeUInt16LE(method, 10);
  header.writeUInt32LE(crc, 16);
  header.writeUInt16LE(name.length, 28);
  const at = part.offset ?? offset;
  const extra = Buffer.alloc(part.zip64 ? 28 : 0);
  if (part.zip64) {
    extra.writeUInt16LE(1, 0);
    extra.writeUInt16LE(24, 2);
    extra.writeBigUInt64LE(BigInt(size), 4);
    extra.writeBigUInt64LE(BigInt(compressedSize), 12);
    extra.writeBigUInt64LE(BigInt(at), 20);
  }
  header.writeUInt32LE(part.zip64 ? 0xffffffff : compressedSize, 20);
  header.writeUInt32LE(part.zip64 ? 0xffffffff : size, 24);
  header.writeUInt32LE(part.zip64 ? 0xffffffff : at, 42);
  header.writeUInt16LE(extra.length, 30);
  return Buffer.concat([header, name, extra]);
}

function writeEnd(count: number, size: number, offset: number, archive: Archive): Buffer {
  const comment = bytesOf(archive.comment ?? "");
  const claimed = {
    count: archive.entryCount ?? count,
    size: archive.directorySize ?? size,
    offset: archive.directoryOffset ?? offset,
  };
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(archive.zip64 ? 0xffff : claimed.count, 8);
  end.writeUInt16LE(archive.zip64 ? 0xffff : claimed.count, 10);
  end.writeUInt32LE(archive.zip64 ? 0xffffffff : claimed.size, 12);
  end.writeUInt32LE(archive.zip64 ? 0xffffffff : claimed.offset, 16);
  end.writeUInt16LE(comment.length, 20);
  if (!archive.zip64) return Buffer.concat([end, comment]);
  const record = Buffer.alloc(56);
  record.writeUInt32LE(0x06064b50, 0);
  record.writeBigUInt64LE(44n, 4);
  record.writeUInt16LE(45, 12);
  record.writeUInt16LE(45, 14);
  record.writeBigUInt64LE(BigInt(claimed.count), 24);
  record.writeBigUInt64LE(BigInt(claimed.count), 32);
  record.writeBigUInt64LE(BigInt(claimed.size), 40);
  record.writeBigUInt64LE(BigInt(claimed.offset), 48);
  const locator = Buffer.alloc(20);
  locator.writeUInt32LE(0x07064b50, 0);
  locator.writeBigUInt64LE(BigInt(offset + size), 8);
  locator.writeUInt32LE(1, 16);
  return Buffer.concat([record, locator, end, comment]);
}
