/**
 * Groups, datasets and attributes in the one form that Keras writes them in, read from their bytes: object headers of
 * version 1, groups of symbol tables, contiguous data of plain types. h5wasm walks the path of each object from the root
 * several times, which takes 100 to 200 microseconds an object; this takes some five.
 *
 * Whatever is not exactly as expected is `undefined`, and then the library is asked, so that the odd and the
 * damaged are read, or refused, by it alone.
 */

import {
  maxHdf5LinksPerGroup,
  maxHdf5NameBytes,
  maxHdf5PathLength,
  maxHdf5TreeLevel,
} from "../limits/hdf5.ts";
import { refuseLocalHeap } from "./hdf5-guard.ts";
import { type Message, readMessages } from "./hdf5-header.ts";
import type { StoredAttribute } from "./hdf5-library.ts";
import { describeData, readSpace, toNumber } from "./hdf5-messages.ts";
import type { Hdf5Session } from "./hdf5-session.ts";
import { decodeValues, type RawMetadata, typeClass } from "./hdf5-values.ts";

export interface DirectLink {
  readonly name: string;
  readonly address: number;
  readonly isSoft: boolean;
}

type Attributes = ReadonlyMap<string, StoredAttribute | undefined>;

const messageType = {
  space: 1,
  type: 3,
  externalFiles: 7,
  layout: 8,
  attribute: 12,
  symbolTable: 17,
} as const;
const signatures = { tree: 0x54524545, heap: 0x48454150, node: 0x534e4f44, collection: 0x47434f4c } as const;

/** What is read at once: most structures are shorter, and a longer one is read again as a whole. */
const usualHeader = 512;
const usualTree = 544;
const usualNode = 328;

export class Hdf5Direct {
  readonly #session: Hdf5Session;
  /** Where the tree and the names are of each group whose header was seen. */
  readonly #tables = new Map<number, readonly [number, number]>();
  readonly #described = new Map<number, RawMetadata>();
  /** The collection of variable-length values read last: the values of neighbours are in the same. */
  #collection: { readonly address: number; readonly objects: ReadonlyMap<number, Uint8Array> } | undefined;

  /** Those of the object asked for last: lists of names are in chunks of 64 kB, each an attribute of its own. */
  #attributes: { readonly address: number; readonly all: Attributes | undefined } | undefined;

  constructor(session: Hdf5Session) {
    this.#session = session;
  }

  /** What is at an address. A description made on the way is kept until it is asked for. */
  kind(address: number): "group" | "dataset" | undefined {
    const messages = this.#messages(address);
    if (messages === undefined) return undefined;
    const has = (wanted: number): boolean => messages.some(({ type }) => type === wanted);
    const isDataset = has(messageType.space) && has(messageType.type) && has(messageType.layout);
    const table = one(messages, messageType.symbolTable);
    if (table !== undefined && table.size >= 16 && !isDataset) {
      this.#tables.set(address, [toNumber(table.view, table.at), toNumber(table.view, table.at + 8)]);
      return "group";
    }
    if (!isDataset || has(messageType.symbolTable)) return undefined;
    const metadata = this.#describeDataset(messages);
    if (metadata !== undefined) this.#described.set(address, metadata);
    return "dataset";
  }

  /** The links of a group by name. The last is one too many, or too long, when there is such a one: it is refused later. */
  links(address: number): readonly DirectLink[] | undefined {
    if (!this.#tables.has(address) && this.kind(address) !== "group") return undefined;
    const [tree, table] = this.#tables.get(address) as readonly [number, number];
    this.#tables.delete(address);
    const heap = this.#session.look(table, 32);
    if (heap === null || heap.getUint32(0) !== signatures.heap || heap.getUint8(4) !== 0) return undefined;
    const size = toNumber(heap, 8);
    if (!(size <= maxHdf5NameBytes)) return undefined;
    const start = toNumber(heap, 24);
    const names = this.#session.look(start, size);
    if (names === null) return undefined;
    const inNames = (at: number, length: number): DataView =>
      new DataView(names.buffer, names.byteOffset + at - start, length);
    if (refuseLocalHeap(heap, inNames) !== null) return undefined;
    const found = new LinkList(new Uint8Array(names.buffer, names.byteOffset, names.byteLength));
    return this.#readTree(tree, undefined, found) ? found.links : undefined;
  }

  dataset(address: number): RawMetadata | undefined {
    if (!this.#described.has(address)) this.kind(address);
    const metadata = this.#described.get(address);
    this.#described.delete(address);
    return metadata;
  }

  #describeDataset(messages: readonly Message[]): RawMetadata | undefined {
    const type = one(messages, messageType.type);
    const space = one(messages, messageType.space);
    const layout = one(messages, messageType.layout);
    if (type === undefined || space === undefined || layout === undefined) return undefined;
    if (messages.some((message) => message.type === messageType.externalFiles)) return undefined;
    const extent = readSpace(space.view, space.at, space.size);
    const raw = extent && describeData(type.view, type.at, type.size, extent);
    if (raw === undefined || raw.vlen) return undefined;
    return this.#isContiguous(layout, raw.total_size * raw.size) ? raw : undefined;
  }

  /** All attributes by name, those of types that are not read here as undefined. */
  attributes(address: number): Attributes | undefined {
    if (this.#attributes?.address !== address) {
      this.#attributes = { address, all: this.#readAttributes(address) };
    }
    return this.#attributes.all;
  }

  #readAttributes(address: number): Attributes | undefined {
    const messages = this.#messages(address)?.filter(({ type }) => type === messageType.attribute);
    if (messages === undefined) return undefined;
    const named: [string, StoredAttribute | undefined][] = [];
    for (const message of messages) {
      const attribute = this.#readAttribute(message);
      if (attribute === undefined) return undefined;
      named.push(attribute);
    }
    named.sort(([a], [b]) => (a < b ? -1 : 1));
    const all = new Map(named);
    return all.size === named.length ? all : undefined;
  }

  #messages(address: number): readonly Message[] | undefined {
    return readMessages(this.#look, address, usualHeader);
  }

  readonly #look = (address: number, length: number, atMost = false): DataView | null =>
    this.#session.look(address, length, atMost);

  /** A node of the B-tree and all below it; each leaf has to bring names beyond the last, so no circle goes on. */
  #readTree(address: number, level: number | undefined, into: LinkList): boolean {
    const node = this.#whole(address, usualTree, 24, (view) => 32 + view.getUint16(6, true) * 16);
    if (node === null || node.getUint32(0) !== signatures.tree || node.getUint8(4) !== 0) return false;
    const height = node.getUint8(5);
    const used = node.getUint16(6, true);
    if (level === undefined ? height > maxHdf5TreeLevel : height !== level || used === 0) return false;
    for (let i = 0; i < used && !into.isBeyondLimits; i++) {
      const child = toNumber(node, 32 + i * 16);
      if (!(height > 0 ? this.#readTree(child, height - 1, into) : this.#readNode(child, into))) return false;
    }
    return true;
  }

  #readNode(address: number, into: LinkList): boolean {
    const node = this.#whole(address, usualNode, 8, (view) => 8 + view.getUint16(6, true) * 40);
    if (node === null || node.getUint32(0) !== signatures.node || node.getUint8(4) !== 1) return false;
    const count = node.getUint16(6, true);
    for (let at = 8; at < 8 + count * 40 && !into.isBeyondLimits; at += 40) {
      const length = into.add(toNumber(node, at), toNumber(node, at + 8), node.getUint32(at + 16, true));
      if (length === undefined) return false;
      this.#session.countBytes(length);
    }
    return count > 0;
  }

  /** A structure whose head of `head` bytes says how long it is. */
  #whole(address: number, usual: number, head: number, length: (view: DataView) => number): DataView | null {
    const view = this.#look(address, usual, true);
    if (view === null || view.byteLength < head) return null;
    const wanted = length(view);
    return wanted <= view.byteLength ? view : this.#look(address, wanted);
  }

  /** The layout of version 3 that says where in the file the data are, all of them, or that there are none yet. */
  #isContiguous({ view, at, size }: Message, bytes: number): boolean {
    if (size < 18 || view.getUint8(at) !== 3 || view.getUint8(at + 1) !== 1) return false;
    if (toNumber(view, at + 10) !== bytes) return false;
    const isNowhere = view.getBigUint64(at + 2, true) === 2n ** 64n - 1n;
    return isNowhere || toNumber(view, at + 2) + bytes <= this.#session.size - this.#session.base;
  }

  /** Name and value; the message of version 1 pads each part to eight bytes, that of version 3 does not. */
  #readAttribute({ view, at, size }: Message): [string, StoredAttribute | undefined] | undefined {
    const version = size < 9 ? 0 : view.getUint8(at);
    if ((version !== 1 && version !== 3) || (version === 3 && view.getUint8(at + 1) !== 0)) return undefined;
    const pad = (length: number): number => (version === 1 ? Math.ceil(length / 8) * 8 : length);
    const [nameSize, typeSize, spaceSize] = [2, 4, 6].map((i) => view.getUint16(at + i, true)) as [
      number,
      number,
      number,
    ];
    const name = at + (version === 1 ? 8 : 9);
    const type = name + pad(nameSize);
    const space = type + pad(typeSize);
    const data = space + pad(spaceSize);
    if (data > at + size) return undefined;
    const text = asciiName(view, name, nameSize);
    if (text === undefined) return undefined;
    const extent = readSpace(view, space, spaceSize);
    const raw = extent && describeData(view, type, typeSize, extent);
    if (raw === undefined) return [text, undefined];
    const bytes = raw.total_size * raw.size;
    const isOfHost = raw.littleEndian || raw.type === typeClass.string || raw.size === 1;
    if (!isOfHost || !(data + bytes <= at + size)) return [text, undefined];
    const stored = new Uint8Array(view.buffer, view.byteOffset + data, bytes);
    const values = () => (raw.vlen ? this.#variableStrings(stored) : decodeValues(raw, stored));
    return [text, { raw, values }];
  }

  #variableStrings(stored: Uint8Array): readonly string[] | undefined {
    const view = new DataView(stored.buffer, stored.byteOffset, stored.byteLength);
    const out: string[] = [];
    for (let at = 0; at < view.byteLength; at += 16) {
      const bytes = this.#collectionAt(toNumber(view, at + 4))?.get(view.getUint32(at + 12, true));
      if (bytes === undefined || bytes.length !== view.getUint32(at, true)) return undefined;
      this.#session.countBytes(bytes.length);
      const end = bytes.indexOf(0);
      out.push(utf8.decode(end < 0 ? bytes : bytes.subarray(0, end)));
    }
    return out;
  }

  #collectionAt(address: number): ReadonlyMap<number, Uint8Array> | undefined {
    if (this.#collection?.address === address) return this.#collection.objects;
    const head = this.#look(address, 16);
    if (head === null || head.getUint32(0) !== signatures.collection || head.getUint8(4) !== 1)
      return undefined;
    const whole = this.#look(address, toNumber(head, 8));
    const objects = whole === null ? undefined : readCollection(whole);
    if (objects !== undefined) this.#collection = { address, objects };
    return objects;
  }
}

/** The one message of a type, if there is exactly one. */
function one(messages: readonly Message[], type: number): Message | undefined {
  let found: Message | undefined;
  for (const message of messages) {
    if (message.type !== type) continue;
    if (found !== undefined) return undefined;
    found = message;
  }
  return found;
}

/** The objects of a global heap: index, reference count, size and data padded to eight bytes; object 0 is free space. */
function readCollection(view: DataView): ReadonlyMap<number, Uint8Array> | undefined {
  const objects = new Map<number, Uint8Array>();
  for (let at = 16; at + 16 <= view.byteLength; ) {
    const index = view.getUint16(at, true);
    if (index === 0) break;
    const size = toNumber(view, at + 8);
    if (!(at + 16 + size <= view.byteLength) || objects.has(index)) return undefined;
    objects.set(index, new Uint8Array(view.buffer, view.byteOffset + at + 16, size));
    at += 16 + Math.ceil(size / 8) * 8;
  }
  return objects;
}

/** Links in the order of their names' bytes, which is how the library finds them: an order of another kind is damage. */
class LinkList {
  readonly links: DirectLink[] = [];
  readonly #names: Uint8Array;
  #last: Uint8Array = new Uint8Array(0);
  isBeyondLimits = false;

  constructor(names: Uint8Array) {
    this.#names = names;
  }

  /** Bytes of the name, or undefined when the link is not one to be read here. */
  add(offset: number, address: number, cacheType: number): number | undefined {
    if (!(offset < this.#names.length)) return undefined;
    const end = this.#names.indexOf(0, offset);
    if (end < 0) return undefined;
    const bytes = this.#names.subarray(offset, end);
    const name = plainName(bytes);
    const isSoft = cacheType === softLink;
    if (name === undefined || cacheType > softLink || !isAfter(bytes, this.#last)) return undefined;
    if (!isSoft && !Number.isSafeInteger(address)) return undefined;
    this.#last = bytes;
    this.links.push({ name, address, isSoft });
    this.isBeyondLimits = this.links.length > maxHdf5LinksPerGroup || name.length > maxHdf5PathLength;
    return bytes.length;
  }
}

/** In a symbol table: nothing is cached about the object (0), it is a group (1), it is a soft link (2). */
const softLink = 2;

function isAfter(bytes: Uint8Array, last: Uint8Array): boolean {
  const common = Math.min(bytes.length, last.length);
  for (let i = 0; i < common; i++) {
    const [a, b] = [bytes[i] as number, last[i] as number];
    if (a !== b) return a > b;
  }
  return bytes.length > last.length;
}

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
const strictUtf8 = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });

/** A name that is one step of a path. */
function plainName(bytes: Uint8Array): string | undefined {
  if (bytes.includes(0x2f) || (bytes.length === 1 && bytes[0] === 0x2e)) return undefined;
  if (isAscii(bytes)) return String.fromCharCode.apply(null, bytes as unknown as number[]);
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Short enough to be spread, and nothing but ASCII. */
function isAscii(bytes: Uint8Array): boolean {
  if (bytes.length > 1000) return false;
  for (let i = 0; i < bytes.length; i++) if ((bytes[i] as number) >= 0x80) return false;
  return true;
}

/** A name of `size` bytes with the NUL that ends it. */
function asciiName(view: DataView, at: number, size: number): string | undefined {
  const bytes = new Uint8Array(view.buffer, view.byteOffset + at, Math.max(0, size - 1));
  if (size < 2 || view.getUint8(at + size - 1) !== 0) return undefined;
  return isAscii(bytes) && !bytes.includes(0) ? String.fromCharCode(...bytes) : undefined;
}
