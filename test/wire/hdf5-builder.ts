/** HDF5 in its first format, byte by byte, for files that h5py would take minutes to write or refuse to. */

import type { ByteSource } from "../../src/io/byte-source.ts";
import { memorySource } from "../../src/io/memory.ts";

export interface Message {
  readonly type: number;
  readonly flags?: number;
  readonly data: Buffer;
}

const undefinedAddress = 2n ** 64n - 1n;
/** Symbols of a leaf, and children of a node of the tree above, as the superblock says. */
const [leafSize, nodeSize] = [8, 32];

export class Hdf5Builder {
  readonly #parts: Buffer[] = [];
  #end = 96;

  get end(): number {
    return this.#end;
  }

  /** The address of these bytes. */
  put(bytes: Buffer): number {
    const padded = Buffer.alloc(Math.ceil(bytes.length / 8) * 8);
    bytes.copy(padded);
    this.#parts.push(padded);
    const at = this.#end;
    this.#end += padded.length;
    return at;
  }

  header(messages: readonly Message[], count: number = messages.length): number {
    const body = Buffer.concat(messages.map(encode));
    const head = Buffer.alloc(16);
    head.writeUInt8(1, 0);
    head.writeUInt16LE(count, 2);
    head.writeUInt32LE(1, 4);
    head.writeUInt32LE(body.length, 8);
    return this.put(Buffer.concat([head, body]));
  }

  /** float32 that is not allocated. */
  dataset(dims: readonly number[], flags = 0): number {
    return this.header(datasetMessages(dims, flags));
  }

  group(links: readonly (readonly [name: string, address: number])[]): number {
    const sorted = [...links].sort(([a], [b]) => (a < b ? -1 : 1));
    const names = Buffer.from(`${"\0".repeat(8)}${sorted.map(([name]) => padName(name)).join("")}`);
    let offset = 8;
    const entries = sorted.map(([name, address]) => {
      const entry = Buffer.alloc(40);
      entry.writeBigUInt64LE(BigInt(offset), 0);
      entry.writeBigUInt64LE(BigInt(address), 8);
      offset += padName(name).length;
      return { entry, offset: entry.readBigUInt64LE(0) };
    });
    const leaves = chunks(entries, leafSize).map((some) => {
      const node = Buffer.alloc(8 + leafSize * 40);
      node.write("SNOD\x01");
      node.writeUInt16LE(some.length, 6);
      for (const [i, { entry }] of some.entries()) entry.copy(node, 8 + i * 40);
      return { address: this.put(node), last: some.at(-1)?.offset as bigint };
    });
    return this.header([symbolTable(this.tree(leaves), this.heap(names))]);
  }

  /** A local heap without free space. `size` is what it says of itself. */
  heap(names: Buffer, size: number = names.length, address: number = this.put(names)): number {
    const head = Buffer.alloc(32);
    head.write("HEAP");
    head.writeBigUInt64LE(BigInt(size), 8);
    head.writeBigUInt64LE(1n, 16);
    head.writeBigUInt64LE(BigInt(address), 24);
    return this.put(head);
  }

  /** A B-tree over leaves, each with the offset of its last name. */
  tree(children: readonly { readonly address: number; readonly last: bigint }[], level = 0): number {
    const above = chunks(children, nodeSize).map((some) => ({
      address: this.put(treeNode(some, level)),
      last: some.at(-1)?.last as bigint,
    }));
    if (above.length > 1) return this.tree(above, level + 1);
    return above[0]?.address ?? this.put(treeNode([], 0));
  }

  finish(root: number): Uint8Array {
    const block = Buffer.alloc(96);
    block.write("\x89HDF\r\n\x1a\n", "latin1");
    block.writeUInt8(8, 13);
    block.writeUInt8(8, 14);
    block.writeUInt16LE(leafSize / 2, 16);
    block.writeUInt16LE(nodeSize / 2, 18);
    block.writeBigUInt64LE(undefinedAddress, 32);
    block.writeBigUInt64LE(BigInt(this.#end), 40);
    block.writeBigUInt64LE(undefinedAddress, 48);
    block.writeBigUInt64LE(BigInt(root), 64);
    return Buffer.concat([block, ...this.#parts]);
  }

  source(root: number): ByteSource {
    return memorySource(this.finish(root), "built.h5");
  }
}

export function symbolTable(tree: number, heap: number): Message {
  const data = Buffer.alloc(16);
  data.writeBigUInt64LE(BigInt(tree), 0);
  data.writeBigUInt64LE(BigInt(heap), 8);
  return { type: 17, data };
}

export function continuation(address: number, length: number): Message {
  return { ...symbolTable(address, length), type: 16 };
}

export function encode({ type, flags = 0, data }: Message): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt16LE(type, 0);
  head.writeUInt16LE(data.length, 2);
  head.writeUInt8(flags, 4);
  return Buffer.concat([head, data]);
}

function datasetMessages(dims: readonly number[], flags: number): Message[] {
  const space = Buffer.alloc(8 + dims.length * 8);
  space.writeUInt8(1, 0);
  space.writeUInt8(dims.length, 1);
  for (const [i, dim] of dims.entries()) space.writeBigUInt64LE(BigInt(dim), 8 + i * 8);
  const type = Buffer.from("11201f00040000000000200017080017 7f000000 00000000".replaceAll(" ", ""), "hex");
  const layout = Buffer.alloc(24);
  layout.writeUInt8(3, 0);
  layout.writeUInt8(1, 1);
  layout.writeBigUInt64LE(undefinedAddress, 2);
  layout.writeBigUInt64LE(BigInt(dims.reduce((a, b) => a * b, 4)), 10);
  return [
    { type: 1, data: space },
    { type: 3, flags: 1 | flags, data: type },
    { type: 8, data: layout },
  ];
}

function treeNode(
  children: readonly { readonly address: number; readonly last: bigint }[],
  level: number,
): Buffer {
  const node = Buffer.alloc(24 + nodeSize * 16 + 8);
  node.write("TREE");
  node.writeUInt8(level, 5);
  node.writeUInt16LE(children.length, 6);
  node.writeBigUInt64LE(undefinedAddress, 8);
  node.writeBigUInt64LE(undefinedAddress, 16);
  for (const [i, { address, last }] of children.entries()) {
    node.writeBigUInt64LE(BigInt(address), 32 + i * 16);
    node.writeBigUInt64LE(last, 40 + i * 16);
  }
  return node;
}

function padName(name: string): string {
  return name.padEnd(Math.ceil((name.length + 1) / 8) * 8, "\0");
}

function chunks<T>(all: readonly T[], size: number): (readonly T[])[] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size));
}
