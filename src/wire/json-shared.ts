/**
 * JSON in which long values come again and again, each read once. Two thirds of an exported program's 20 MB are types of values
 * and what nodes were traced from, of which few differ: parsed as they stand they take more time and memory than all the rest.
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
import { endOfText } from "./json-text.ts";

/** Keys, wherever they are in the text. */
export interface SharedKeys {
  /** Their values are texts. */
  readonly texts: readonly string[];
  /** Their values are objects of objects. */
  readonly tables: readonly string[];
}

export interface SharedJson {
  /** As `parseJson` gives it, but for the values at the keys: ask for those. */
  readonly json: JsonValue;
  /** The value at a key of texts in `object`. */
  textAt(object: JsonValue | undefined, key: string): JsonValue | undefined;
  /** Member `name` of the table at `key` in `object`; alike ones are the same object. */
  memberAt(object: JsonValue | undefined, key: string, name: string): JsonValue | undefined;
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
    const shared = new Condenser(text, keys).condense();
    if (shared) return parseCondensed(shared, options);
  } catch {
    // Said of the whole text, where places and limits are right.
  }
  return {
    json: parseText(text, options),
    textAt: getKey,
    memberAt: (object, key, name) => getKey(getKey(object, key), name),
  };
}

interface Condensed {
  /** The text with numbers at the keys. */
  readonly text: string;
  /** Every value once; numbers of texts are places in it. */
  readonly values: readonly string[];
  /** Numbers of tables are places in it. By name, places in `values`. */
  readonly tables: readonly ReadonlyMap<string, number>[];
}

function parseCondensed({ text, values: texts, tables }: Condensed, options: JsonOptions): SharedJson {
  const list = `[${texts.join()}]`;
  checkValues(countValues(text, options) + countValues(list, options), options);
  const values = JSON.parse(list) as readonly JsonValue[];
  const placed = (place: JsonValue | undefined): JsonValue | undefined =>
    typeof place === "number" ? values[place] : undefined;
  return {
    json: JSON.parse(text) as JsonValue,
    textAt: (object, key) => placed(getKey(object, key)),
    memberAt: (object, key, name) => {
      const table = getKey(object, key);
      return typeof table === "number" ? placed(tables[table]?.get(name)) : undefined;
    },
  };
}

/** A value as it is written. */
interface Written {
  readonly text: string;
  readonly place: number;
  /** What came after it: most often that comes again. */
  next: Written | null;
}

/** A program has one for each graph, some tens with all branches; each takes as long as a hundred values. */
const mostTables = 4096;

class Condenser {
  private readonly text: string;
  private readonly keys: readonly { readonly quoted: string; readonly isTable: boolean }[];
  /** The last value at each key. */
  private readonly last: (Written | null)[];
  private readonly known = new Map<string, Written>();
  private readonly values: string[] = [];
  private readonly tables: ReadonlyMap<string, number>[] = [];

  constructor(text: string, { texts, tables }: SharedKeys) {
    this.text = text;
    const keyed = (isTable: boolean) => (key: string) => ({ quoted: `"${key}"`, isTable });
    this.keys = [...texts.map(keyed(false)), ...tables.map(keyed(true))];
    this.last = this.keys.map(() => null);
  }

  /** Null for a text in which a value at one of the keys is something else, or is not whole. */
  condense(): Condensed | null {
    const { text, keys } = this;
    const parts: string[] = [];
    const nexts = keys.map(({ quoted }) => text.indexOf(quoted));
    let copied = 0;
    for (;;) {
      const found = this.firstOf(nexts);
      if (found < 0) break;
      const key = nexts[found] as number;
      const { quoted, isTable } = keys[found] as { readonly quoted: string; readonly isTable: boolean };
      let at = key + quoted.length;
      const value = this.valueOf(key, at);
      if (value >= 0) {
        at = isTable ? this.table(value, found) : this.textual(value, found);
        if (at < 0) return null;
        const place = isTable ? this.tables.length - 1 : (this.last[found] as Written).place;
        parts.push(text.slice(copied, value), String(place));
        copied = at;
      }
      for (let i = 0; i < nexts.length; i++) {
        const next = nexts[i] as number;
        if (next >= 0 && next < at) nexts[i] = text.indexOf(keys[i]?.quoted ?? "", at);
      }
    }
    parts.push(text.slice(copied));
    const condensed = parts.join("");
    // A key may be written with escapes, and the number behind it then is its own.
    return condensed.includes("\\u") ? null : { text: condensed, values: this.values, tables: this.tables };
  }

  private firstOf(nexts: readonly number[]): number {
    let first = -1;
    for (let i = 0; i < nexts.length; i++) {
      const next = nexts[i] as number;
      if (next >= 0 && (first < 0 || next < (nexts[first] as number))) first = i;
    }
    return first;
  }

  /** Where the value of a key starts; -1 for a text that is no key. After a backslash it is in a text. */
  private valueOf(key: number, end: number): number {
    if (this.text.charCodeAt(key - 1) === backslash) return -1;
    const at = this.skipSpace(end);
    return this.text.charCodeAt(at) === colon ? this.skipSpace(at + 1) : -1;
  }

  /** The end of a text; -1 for something else. */
  private textual(at: number, key: number): number {
    return this.text.charCodeAt(at) === quote ? this.take(at, key) : -1;
  }

  /** The end of an object of objects; -1 for something else. */
  private table(start: number, key: number): number {
    const { text } = this;
    if (text.charCodeAt(start) !== openBrace || this.tables.length === mostTables) return -1;
    const names: string[] = [];
    const places: number[] = [];
    let at = this.skipSpace(start + 1);
    for (let more = text.charCodeAt(at) !== closeBrace; more; ) {
      const end = text.charCodeAt(at) === quote ? endOfText(text, at) + 1 : 0;
      if (end === 0) return -1;
      names.push(text.slice(at, end));
      at = this.skipSpace(end);
      if (text.charCodeAt(at) !== colon) return -1;
      at = this.skipSpace(at + 1);
      if (text.charCodeAt(at) !== openBrace) return -1;
      at = this.take(at, key);
      if (at < 0) return -1;
      places.push((this.last[key] as Written).place);
      at = this.skipSpace(at);
      more = text.charCodeAt(at) === comma;
      if (more) at = this.skipSpace(at + 1);
    }
    if (text.charCodeAt(at) !== closeBrace) return -1;
    const members = new Map<string, number>();
    for (const [i, name] of (JSON.parse(`[${names.join()}]`) as readonly string[]).entries())
      members.set(name, places[i] as number);
    this.tables.push(members);
    return at + 1;
  }

  /** Puts the value that starts at `at` down as the last one of its key. Its end; -1 for one that has none. */
  private take(at: number, key: number): number {
    const last = this.last[key] as Written | null;
    // A value ends where it ends, so the same characters are the same value.
    if (last && this.stands(last, at)) return at + last.text.length;
    const expected = last?.next;
    if (expected && this.stands(expected, at)) {
      this.last[key] = expected;
      return at + expected.text.length;
    }
    const { text } = this;
    const end = (text.charCodeAt(at) === quote ? endOfText(text, at) : endOfObject(text, at)) + 1;
    if (end === 0) return -1;
    const value = text.slice(at, end);
    let written = this.known.get(value);
    if (!written) {
      written = { text: value, place: this.values.length, next: null };
      this.known.set(value, written);
      this.values.push(value);
    }
    if (last) last.next = written;
    this.last[key] = written;
    return end;
  }

  private stands({ text }: Written, at: number): boolean {
    // Comparing slices takes a tenth of what startsWith does.
    return this.text.slice(at, at + text.length) === text;
  }

  private skipSpace(start: number): number {
    let at = start;
    for (;;) {
      const c = this.text.charCodeAt(at);
      if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) return at;
      at += 1;
    }
  }
}

const quote = 0x22;
const comma = 0x2c;
const colon = 0x3a;
const backslash = 0x5c;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/** Index of the bracket that ends the object that starts at `start`, if it is one; -1 for one without an end. */
function endOfObject(text: string, start: number): number {
  let depth = 0;
  for (let i = start; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === quote) {
      i = endOfText(text, i);
      if (i < 0) return -1;
    } else if (c === openBrace || c === 0x5b) {
      depth += 1;
    } else if (c === closeBrace || c === 0x5d) {
      depth -= 1;
      if (depth === 0) return i;
    }
  }
  return -1;
}
