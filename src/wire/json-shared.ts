/**
 * JSON in which the same comes again and again, each read once. Nine tenths of an exported program's 20 MB are nodes that are alike but
 * for the names in them, types of values of which few differ, and what nodes were traced from: parsed as it stands, that takes more
 * time and memory than all the rest.
 */

import type { ByteSource } from "../io/byte-source.ts";
import {
  checkSize,
  checkValues,
  countValues,
  decodeJson,
  getKey,
  type JsonOptions,
  type JsonValue,
  parseText,
} from "./json.ts";
import { type AlikeKeys, AlikeReader, type Element, Elements, type Placed } from "./json-alike.ts";
import { Expected } from "./json-expected.ts";
import {
  backslash,
  closeBrace,
  closeBracket,
  colon,
  comma,
  endOfObject,
  endOfPlainText,
  endOfText,
  openBrace,
  openBracket,
  quote,
  skipSpace,
  textOfQuoted,
} from "./json-text.ts";

export type { Element, Elements } from "./json-alike.ts";

/** Keys, wherever they are in the text. */
export interface SharedKeys extends AlikeKeys {
  /** Their values are lists of objects, most of which are alike. */
  readonly lists: readonly string[];
  /** Their values are objects of objects, most of which are the same. */
  readonly tables: readonly string[];
}

export interface SharedJson {
  /** As `parseJson` gives it, but for the values at the keys of lists and tables: ask for those. */
  readonly json: JsonValue;
  /** The list at a key in `object`; null for what is none. */
  elementsAt(object: JsonValue | undefined, key: string): Elements | null;
  /** The table at a key in `object`, null for what is none; alike members are the same object. */
  tableAt(object: JsonValue | undefined, key: string): Table | null;
}

/** Values by name. */
export interface Table {
  get(name: string): JsonValue | undefined;
}

/** The text at a key of an element: `value` is what its pattern has there. Null for what is none. */
export function textIn({ texts }: Element, value: JsonValue | undefined): string | null {
  if (typeof value === "number") return texts[value] ?? null;
  return typeof value === "string" ? value : null;
}

/** Reads and parses a whole source as `readJson` does. @throws what that throws. */
export async function readSharedJson(
  source: ByteSource,
  keys: SharedKeys,
  options: JsonOptions = {},
): Promise<SharedJson> {
  return parseSharedJson(await readText(source, options), keys, options);
}

/** In a function of its own, so that nothing holds the bytes while their text is parsed. */
async function readText(source: ByteSource, options: JsonOptions): Promise<string> {
  checkSize(source.size, options);
  return decodeJson(await source.read(0, source.size), options);
}

/** Parses text as it comes from `decodeJson`. @throws what `parseText` throws. */
export function parseSharedJson(text: string, keys: SharedKeys, options: JsonOptions = {}): SharedJson {
  try {
    const shared = new SharedReader(text, keys, options).read();
    if (shared) return shared;
  } catch {
    // Said of the whole text, where places and limits are right.
  }
  return {
    json: parseText(text, options),
    elementsAt: (object, key) => plainElements(getKey(object, key)),
    tableAt: (object, key) => plainTable(getKey(object, key)),
  };
}

function plainElements(list: JsonValue | undefined): Elements | null {
  if (!Array.isArray(list)) return null;
  const elements = new Elements("", []);
  for (const pattern of list as readonly JsonValue[]) elements.push(pattern, [], 0);
  return elements;
}

function plainTable(value: JsonValue | undefined): Table | null {
  const isTable = typeof value === "object" && value !== null && !Array.isArray(value);
  return isTable ? { get: (name) => getKey(value, name) } : null;
}

/** A member of a table as it is written. */
interface Member {
  /** From behind its name on. */
  readonly text: string;
  readonly value: JsonValue;
  /** Written by `Expected`. */
  came: number;
}

/** A program has a list and a table for each graph, some tens with all branches; each takes as long as a hundred values. */
const mostPlaces = 4096;

class SharedReader {
  private readonly text: string;
  private readonly keys: SharedKeys;
  private readonly options: JsonOptions;
  private readonly alike: AlikeReader;
  private readonly lists: Elements[] = [];
  private readonly tables: ReadonlyMap<string, JsonValue>[] = [];
  private readonly members = new Map<string, Member>();
  private readonly expected = new Expected<Member>();
  private values = 0;

  constructor(text: string, keys: SharedKeys, options: JsonOptions) {
    this.text = text;
    this.keys = keys;
    this.options = options;
    this.alike = new AlikeReader(text, keys, this);
  }

  /** Null for a text in which a value at one of the keys is something else, or is not whole. */
  read(): SharedJson | null {
    const parts: string[] = [];
    let copied = 0;
    const finder = new KeyFinder(this.text, [...this.keys.lists, ...this.keys.tables]);
    for (let found = finder.next(0); found !== null; ) {
      const { key, start } = found;
      const behind = start + key.length + 2;
      const value = this.valueAt(start, behind);
      const placed = value < 0 ? null : this.placed(key, value);
      if (value >= 0 && !placed) return null;
      if (placed) {
        parts.push(this.text.slice(copied, value), String(placed.place));
        copied = placed.end;
      }
      found = finder.next(placed?.end ?? behind);
    }
    parts.push(this.text.slice(copied));
    const rest = parts.join("");
    // A key may be written with escapes, and the number behind it then is its own.
    if (rest.includes("\\u")) return null;
    this.add(this.count(rest));
    return this.parsed(JSON.parse(rest) as JsonValue);
  }

  private parsed(json: JsonValue): SharedJson {
    const at = <T>(places: readonly T[], object: JsonValue | undefined, key: string): T | undefined => {
      const place = getKey(object, key);
      return typeof place === "number" ? places[place] : undefined;
    };
    return {
      json,
      elementsAt: (object, key) => at(this.lists, object, key) ?? null,
      tableAt: (object, key) => at(this.tables, object, key) ?? null,
    };
  }

  /** Where the value of a key starts; -1 for a text that is no key. After a backslash it is in a text. */
  private valueAt(key: number, end: number): number {
    if (this.text.charCodeAt(key - 1) === backslash) return -1;
    const at = skipSpace(this.text, end);
    return this.text.charCodeAt(at) === colon ? skipSpace(this.text, at + 1) : -1;
  }

  placed(key: string, start: number): Placed | null | undefined {
    const isList = this.keys.lists.includes(key);
    if (!isList && !this.keys.tables.includes(key)) return undefined;
    if (this.lists.length + this.tables.length >= mostPlaces) return null;
    const end = isList ? this.list(start) : this.table(start);
    return end < 0 ? null : { place: (isList ? this.lists : this.tables).length - 1, end };
  }

  count(text: string): number {
    return countValues(text, this.options);
  }

  add(values: number): void {
    this.values += values;
    checkValues(this.values, this.options);
  }

  /** Puts a list of objects down. Its end; -1 for something else. */
  private list(start: number): number {
    if (this.text.charCodeAt(start) !== openBracket) return -1;
    const elements = this.alike.newElements();
    const end = this.items(start, closeBracket, (at) => this.alike.read(at, elements));
    if (end >= 0) this.lists.push(elements);
    return end;
  }

  /** Puts an object of objects down. Its end; -1 for something else. */
  private table(start: number): number {
    if (this.text.charCodeAt(start) !== openBrace) return -1;
    const members = new Map<string, JsonValue>();
    const end = this.items(start, closeBrace, (at) => {
      const { text } = this;
      if (text.charCodeAt(at) !== quote) return -1;
      const plainEnd = endOfPlainText(text, at + 1);
      const nameEnd = plainEnd >= 0 ? plainEnd : endOfText(text, at) + 1;
      const member = nameEnd > 0 ? this.member(nameEnd) : null;
      if (!member) return -1;
      const name = plainEnd >= 0 ? text.slice(at + 1, nameEnd - 1) : textOfQuoted(text.slice(at, nameEnd));
      members.set(name, member.value);
      return nameEnd + member.text.length;
    });
    if (end >= 0) this.tables.push(members);
    return end;
  }

  /** Reads items up to the bracket that ends them, each with `read`, which gives its end. Where all end; -1 where one does not. */
  private items(start: number, closing: number, read: (at: number) => number): number {
    const { text } = this;
    let at = skipSpace(text, start + 1);
    if (text.charCodeAt(at) === closing) return at + 1;
    for (;;) {
      const end = read(at);
      if (end < 0) return -1;
      at = skipSpace(text, end);
      if (text.charCodeAt(at) === closing) return at + 1;
      if (text.charCodeAt(at) !== comma) return -1;
      at = skipSpace(text, at + 1);
    }
  }

  /** What stands behind a name, up to the end of the object; null for something else. */
  private member(at: number): Member | null {
    const { text } = this;
    let member = this.expected.next;
    // An object ends where it ends, so the same characters are the same object.
    if (member === undefined || text.slice(at, at + member.text.length) !== member.text) {
      const colonAt = skipSpace(text, at);
      const start = text.charCodeAt(colonAt) === colon ? skipSpace(text, colonAt + 1) : -1;
      const end = start >= 0 && text.charCodeAt(start) === openBrace ? endOfObject(text, start) + 1 : 0;
      if (end === 0) return null;
      member = this.newMember(text.slice(at, end), start - at);
    }
    this.expected.add(member);
    return member;
  }

  private newMember(text: string, start: number): Member {
    let member = this.members.get(text);
    if (!member) {
      const object = text.slice(start);
      this.add(this.count(object));
      member = { text, value: JSON.parse(object) as JsonValue, came: -1 };
      this.members.set(text, member);
    }
    return member;
  }
}

/** Finds keys in a text, the first one first. */
class KeyFinder {
  private readonly text: string;
  private readonly sought: { readonly key: string; readonly quoted: string; start: number }[];

  constructor(text: string, keys: readonly string[]) {
    this.text = text;
    this.sought = keys.map((key) => ({ key, quoted: `"${key}"`, start: -1 }));
  }

  /** The next one that starts at `from` or later, with its quote. */
  next(from: number): { readonly key: string; readonly start: number } | null {
    const { sought, text } = this;
    let first: (typeof sought)[number] | null = null;
    for (const one of sought) {
      if (one.start < from) {
        // Behind the first of the others nobody looks yet.
        const start = (first ? text.slice(0, first.start) : text).indexOf(one.quoted, from);
        one.start = start < 0 && first === null ? Number.POSITIVE_INFINITY : start;
      }
      const { start } = one;
      if (start >= from && start < (first?.start ?? Number.POSITIVE_INFINITY)) first = one;
    }
    // The others come sooner, and then it is looked for no further than to them.
    if (first) sought.push(...sought.splice(sought.indexOf(first), 1));
    return first;
  }
}
