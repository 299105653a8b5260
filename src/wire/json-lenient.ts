/**
 * The second JSON parser, for text that `JSON.parse` refuses: it takes Python's `NaN`, `Infinity` and `-Infinity`,
 * and says where a fault is, as an offset and as a path. It keeps its own stack, so depth costs no recursion.
 */

import { endOfText } from "./json-text.ts";

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Makes the error to throw. */
export type Fault = (what: string, path: string, offset: number) => Error;

interface Frame {
  readonly container: Json[] | { [key: string]: Json };
  /** The key the next value goes to; `null` before the first one and in arrays. */
  key: string | null;
}

const literals: ReadonlyArray<readonly [string, Json]> = [
  ["true", true],
  ["false", false],
  ["null", null],
  ["NaN", Number.NaN],
  ["Infinity", Number.POSITIVE_INFINITY],
  ["-Infinity", Number.NEGATIVE_INFINITY],
];

const numberPattern = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const spacePattern = /[ \t\n\r]*/y;

export function parseLenientJson(text: string, fault: Fault): Json {
  const parser = new LenientParser(text, fault);
  return parser.parse();
}

class LenientParser {
  readonly #text: string;
  readonly #fault: Fault;
  readonly #stack: Frame[] = [];
  #at = 0;

  constructor(text: string, fault: Fault) {
    this.#text = text;
    this.#fault = fault;
  }

  parse(): Json {
    let value = this.#open();
    for (;;) {
      // `value` is complete, or an empty container just pushed (undefined): either way go on from the innermost frame.
      const frame = this.#stack.at(-1);
      if (frame === undefined) break;
      if (value !== undefined) this.#store(frame, value);
      value = this.#next(frame, value === undefined);
    }
    this.#skipSpace();
    if (this.#at < this.#text.length) throw this.#error("more text after the value");
    return value as Json;
  }

  /** Reads one value. A container is pushed and yields undefined: its members follow. */
  #open(): Json | undefined {
    this.#skipSpace();
    const c = this.#text[this.#at];
    if (c === "{" || c === "[") {
      this.#at += 1;
      this.#stack.push({ container: c === "{" ? {} : [], key: null });
      return undefined;
    }
    if (c === '"') return this.#string();
    return this.#scalar();
  }

  #scalar(): Json {
    for (const [word, value] of literals) {
      if (this.#text.startsWith(word, this.#at)) {
        this.#at += word.length;
        return value;
      }
    }
    numberPattern.lastIndex = this.#at;
    const match = numberPattern.exec(this.#text);
    if (match === null) throw this.#error("a value was expected");
    this.#at += match[0].length;
    return Number(match[0]);
  }

  /** After a member of `frame` (or at its start): its next member, or the finished container itself. */
  #next(frame: Frame, first: boolean): Json | undefined {
    const isArray = Array.isArray(frame.container);
    const end = isArray ? "]" : "}";
    this.#skipSpace();
    const c = this.#text[this.#at];
    if (c === end) {
      this.#at += 1;
      this.#stack.pop();
      return frame.container;
    }
    if (!first) {
      if (c !== ",") throw this.#error(`"," or "${end}" was expected`);
      this.#at += 1;
      this.#skipSpace();
    }
    if (!isArray) {
      if (this.#text[this.#at] !== '"') throw this.#error("a key in double quotes was expected");
      frame.key = this.#string();
      this.#skipSpace();
      if (this.#text[this.#at] !== ":") throw this.#error('":" was expected');
      this.#at += 1;
    }
    return this.#open();
  }

  #store(frame: Frame, value: Json): void {
    if (Array.isArray(frame.container)) {
      frame.container.push(value);
    } else if (frame.key !== null) {
      // defineProperty, because assigning to "__proto__" would set the prototype instead of a key.
      Object.defineProperty(frame.container, frame.key, {
        value,
        writable: true,
        enumerable: true,
        configurable: true,
      });
    }
  }

  #string(): string {
    const start = this.#at;
    const end = endOfText(this.#text, start);
    if (end < 0) throw this.#error("the string does not end");
    this.#at = end + 1;
    try {
      return JSON.parse(this.#text.slice(start, end + 1)) as string;
    } catch {
      this.#at = start;
      throw this.#error("the string has a control character or an unknown escape");
    }
  }

  #skipSpace(): void {
    spacePattern.lastIndex = this.#at;
    spacePattern.exec(this.#text);
    this.#at = spacePattern.lastIndex;
  }

  #error(what: string): Error {
    const path = this.#stack.map(({ container, key }) => {
      if (Array.isArray(container)) return `[${container.length}]`;
      return key === null ? "" : `.${key}`;
    });
    const found =
      this.#at >= this.#text.length
        ? "the text ends here"
        : `found ${JSON.stringify(this.#text.slice(this.#at, this.#at + 12))}`;
    return this.#fault(`${what}; ${found}`, `$${path.join("")}`, this.#at);
  }
}
