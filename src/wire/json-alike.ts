/** Objects of a list that are alike but for some of their texts: what is alike is parsed once for all of them. */

import type { JsonValue } from "./json.ts";
import { Expected } from "./json-expected.ts";
import {
  closeBrace,
  closeBracket,
  colon,
  endOfPlainText,
  endOfText,
  openBrace,
  openBracket,
  quote,
  skipSpace,
  textOfQuoted,
} from "./json-text.ts";

/** Keys in the objects of a list, each with a text. */
export interface AlikeKeys {
  /** The texts differ from object to object, wherever the key is. */
  readonly texts: readonly string[];
  /** The same where the key is the last one of its object; elsewhere it is a part of what is alike. */
  readonly lastTexts: readonly string[];
  /** They differ, and nobody asks for them. */
  readonly unread: readonly string[];
}

/** An object of a list. */
export interface Element {
  /** One for all that are alike. A number at one of the keys is a place in `texts`. */
  readonly pattern: JsonValue;
  readonly texts: readonly string[];
}

/**
 * Objects of a list. Of their texts there are only places, in the text of the file or among those that come again and again: a
 * hundred thousand texts that are kept until somebody asks cost more than to take them out then.
 */
export class Elements {
  private readonly text: string;
  private readonly again: readonly string[];
  private readonly patterns: JsonValue[] = [];
  /** By object, where its places end in `places`. */
  private ends: Int32Array = new Int32Array(8);
  /** Where a text starts and ends; below zero, -1 less its place in `again`, and nothing. */
  private places: Int32Array = new Int32Array(64);
  private filled = 0;

  constructor(text: string, again: readonly string[]) {
    this.text = text;
    this.again = again;
  }

  get length(): number {
    return this.patterns.length;
  }

  /** `places`: two numbers for each of as many texts as the pattern asks for; what is behind them is not looked at. */
  push(pattern: JsonValue, places: readonly number[], texts: number): void {
    const from = this.filled;
    const index = this.patterns.push(pattern) - 1;
    this.filled = from + 2 * texts;
    if (index === this.ends.length) this.ends = doubled(this.ends, index + 1);
    if (this.filled > this.places.length) this.places = doubled(this.places, this.filled);
    this.ends[index] = this.filled;
    for (let i = from; i < this.filled; i++) this.places[i] = places[i - from] as number;
  }

  /** Object number `index`; an empty one where there is none. */
  at(index: number): Element {
    const { again, places, text } = this;
    const start = index > 0 ? (this.ends[index - 1] as number) : 0;
    const count = index < this.patterns.length ? ((this.ends[index] as number) - start) / 2 : 0;
    const texts = new Array<string>(count);
    for (let i = 0; i < count; i++) {
      const place = places[start + 2 * i] as number;
      texts[i] = place < 0 ? (again[-1 - place] as string) : text.slice(place, places[start + 2 * i + 1]);
    }
    return { pattern: this.patterns[index] ?? null, texts };
  }
}

/** The same numbers, with room for `length` and more. */
function doubled(numbers: Int32Array, length: number): Int32Array {
  const larger = new Int32Array(Math.max(length, 2 * numbers.length));
  larger.set(numbers);
  return larger;
}

/** What else is put in the place of a list or a table. */
export interface Placed {
  readonly place: number;
  /** Index in the text behind what it stands for. */
  readonly end: number;
}

/** What an AlikeReader asks of the one who reads the whole. */
export interface Surroundings {
  /** Reads the list or table at `key` that starts at `start`; null for what is neither; undefined for another key. */
  placed(key: string, start: number): Placed | null | undefined;
  /** Number of values in a text that is to be parsed. @throws LimitExceededError for one that is nested too deep. */
  count(text: string): number;
  /** Is told how many values there are. @throws LimitExceededError when all together are too many. */
  add(values: number): void;
}

/** A text as it is in the file. */
interface Written {
  /** With the quote that ends it. */
  readonly closed: string;
  /** Of what it says, as `Elements` has it; null: nobody asks for it. */
  readonly place: number | null;
  /** Written by `Expected`. */
  came: number;
}

/** A key whose texts differ. */
interface Hole {
  readonly kind: keyof AlikeKeys;
  /** Null where what is not expected is new, nine times out of ten: to look it up would take longer than to read it again. */
  readonly known: Map<string, Written> | null;
  readonly expected: Expected<Written>;
  /** Its texts come but once, most of them: one that is plain is passed over and not looked up. */
  isPassed: boolean;
}

/** What alike objects have in common. */
interface Pattern {
  /** What stands before each hole, with the quote that starts its text, and what stands behind the last one. */
  readonly pieces: readonly string[];
  readonly holes: readonly Hole[];
  /** Of how many holes the texts are asked for. */
  readonly asked: number;
  readonly value: JsonValue;
  readonly values: number;
  /** Written by `Expected`. */
  came: number;
}

/** Patterns that are tried on an object that is not the one expected: networks repeat some tens of steps. */
const patternsTried = 16;
/** Texts that come but once are soon too many to keep. */
const unreadKept = 1024;

export class AlikeReader {
  private readonly text: string;
  private readonly around: Surroundings;
  private readonly holes = new Map<string, Hole>();
  private readonly known = new Map<string, Pattern>();
  private readonly recent: Pattern[] = [];
  private readonly again: string[] = [];
  private readonly expected = new Expected<Pattern>();
  /** Of the texts of the object that matched last. */
  private readonly places: number[] = [];

  constructor(text: string, keys: AlikeKeys, around: Surroundings) {
    this.text = text;
    this.around = around;
    for (const kind of ["texts", "lastTexts", "unread"] as const)
      for (const key of keys[kind])
        this.holes.set(key, {
          kind,
          known: kind === "texts" ? null : new Map(),
          expected: new Expected(),
          isPassed: kind === "lastTexts",
        });
  }

  /** For the objects of a list. */
  newElements(): Elements {
    return new Elements(this.text, this.again);
  }

  /** Reads the object that starts at `start` into `elements`. Where it ends; -1 for what is none, or is not whole. */
  read(start: number, elements: Elements): number {
    const { next } = this.expected;
    if (next) {
      const end = this.match(next, start);
      if (end >= 0) return this.take(next, end, elements);
    }
    for (const pattern of this.recent) {
      const end = pattern === next ? -1 : this.match(pattern, start);
      if (end >= 0) return this.take(pattern, end, elements);
    }
    return this.study(start, elements);
  }

  private take(pattern: Pattern, end: number, elements: Elements): number {
    this.expected.add(pattern);
    this.around.add(pattern.values);
    elements.push(pattern.value, this.places, pattern.asked);
    return end;
  }

  /**
   * Where an object of the pattern ends; -1 for one of another. Every object of a file goes through here, before any of this is
   * optimised: it calls little. (Comparing slices takes a tenth of what startsWith does.)
   */
  private match({ pieces, holes }: Pattern, start: number): number {
    const { text, places } = this;
    let filled = 0;
    let at = start;
    for (let i = 0; ; i++) {
      const piece = pieces[i] as string;
      const from = at + piece.length;
      if (text.slice(at, from) !== piece) return -1;
      const hole = holes[i];
      if (hole === undefined) return from;
      if (hole.isPassed) {
        at = endOfPlainText(text, from);
        if (at >= 0) {
          if (hole.kind !== "unread") {
            places[filled++] = from;
            // Without its quote.
            places[filled++] = at - 1;
          }
          continue;
        }
      }
      const written = this.written(hole, from);
      if (written === null) return -1;
      if (written.place !== null) {
        places[filled] = written.place;
        filled += 2;
      }
      at = from + written.closed.length;
    }
  }

  /** The text that starts at `from`, behind its quote; null for one that does not end. */
  private written(hole: Hole, from: number): Written | null {
    const { text } = this;
    let written = hole.expected.next;
    // A text ends where it ends, so the same characters are the same text.
    if (written === undefined || text.slice(from, from + written.closed.length) !== written.closed) {
      const end = endOfText(text, from - 1) + 1;
      if (end === 0) return null;
      const closed = text.slice(from, end);
      written = hole.known?.get(closed);
      if (written === undefined) {
        const value = textOfQuoted(text.slice(from - 1, end));
        const isUnread = hole.kind === "unread";
        written = { closed, place: isUnread ? null : -this.again.push(value), came: -1 };
        hole.isPassed ||= isUnread && (hole.known?.size ?? 0) >= unreadKept;
        if (hole.isPassed) return written;
        hole.known?.set(closed, written);
      }
    }
    hole.expected.add(written);
    return written;
  }

  /** Reads an object that is like none of the last ones. */
  private study(start: number, elements: Elements): number {
    if (this.text.charCodeAt(start) !== openBrace) return -1;
    const pieces: string[] = [];
    const holes: Hole[] = [];
    // One with lists or tables in it is like no other: it has their places.
    const whole: string[] = [];
    let copied = start;
    let copiedWhole = start;
    const end = walkKeys(this.text, start, (key, value) => {
      const placed = this.around.placed(key, value);
      if (placed === null) return -1;
      if (placed) {
        whole.push(this.text.slice(copiedWhole, value), String(placed.place));
        copiedWhole = placed.end;
        return placed.end;
      }
      const hole = this.holes.get(key);
      if (!hole) return value;
      const behind = this.behind(hole, value);
      if (behind > value) {
        pieces.push(this.text.slice(copied, value + 1));
        holes.push(hole);
        copied = behind;
      }
      return behind;
    });
    if (end < 0) return -1;
    if (whole.length > 0) {
      whole.push(this.text.slice(copiedWhole, end));
      const literal = whole.join("");
      this.around.add(this.around.count(literal));
      elements.push(JSON.parse(literal) as JsonValue, [], 0);
      return end;
    }
    pieces.push(this.text.slice(copied, end));
    const pattern = this.patternOf(pieces, holes);
    return this.match(pattern, start) === end ? this.take(pattern, end, elements) : -1;
  }

  /** Where the text at a key ends; where the value starts if it is no hole; -1 for a number, which could be taken for one. */
  private behind({ kind }: Hole, start: number): number {
    const c = this.text.charCodeAt(start);
    if (c !== quote) return c === minus || (c >= zero && c <= nine) ? -1 : start;
    const end = endOfText(this.text, start) + 1;
    if (end === 0) return -1;
    const isHole = kind !== "lastTexts" || this.text.charCodeAt(skipSpace(this.text, end)) === closeBrace;
    return isHole ? end : start;
  }

  private patternOf(pieces: readonly string[], holes: readonly Hole[]): Pattern {
    let asked = 0;
    const literal = pieces
      .map((piece, i) => {
        const hole = holes[i];
        if (!hole) return piece;
        return hole.kind === "unread" ? `${piece}"` : `${piece.slice(0, -1)}${asked++}`;
      })
      .join("");
    let pattern = this.known.get(literal);
    if (!pattern) {
      const values = this.around.count(literal);
      pattern = { pieces, holes, asked, value: JSON.parse(literal) as JsonValue, values, came: -1 };
      this.known.set(literal, pattern);
    }
    this.recent.unshift(pattern);
    if (this.recent.length > patternsTried) this.recent.pop();
    return pattern;
  }
}

/**
 * Walks over the object that starts at `start` and the objects in it. `visit` gets each key with where its value starts, and gives
 * where to go on, or -1 to give up. The end of the object; -1 for one without an end, or where `visit` gave up.
 */
function walkKeys(text: string, start: number, visit: (key: string, value: number) => number): number {
  let depth = 0;
  let at = start;
  while (at < text.length) {
    const c = text.charCodeAt(at);
    if (c !== quote) {
      if (c === openBrace || c === openBracket) depth += 1;
      else if (c === closeBrace || c === closeBracket) depth -= 1;
      at += 1;
      if (depth === 0) return at;
      continue;
    }
    const end = endOfText(text, at);
    if (end < 0) return -1;
    const behind = skipSpace(text, end + 1);
    if (text.charCodeAt(behind) !== colon) {
      at = end + 1;
      continue;
    }
    const key = text.slice(at + 1, end);
    // One of the keys may be written with escapes, and a number behind it then is its own.
    if (key.includes("\\u")) return -1;
    at = visit(key, skipSpace(text, behind + 1));
    if (at < 0) return -1;
  }
  return -1;
}

const minus = 0x2d;
const zero = 0x30;
const nine = 0x39;
