import { LimitExceededError, MalformedFileError } from "../errors.ts";
import { maxJsonBytes, maxJsonDepth } from "../limits.ts";
import { parseLenientJson } from "./json-lenient.ts";

export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

export interface JsonOptions {
  /** Name of the file, for messages. */
  readonly file?: string;
  /** Where in the file the text is: an attribute, an archive entry. */
  readonly at?: string;
  readonly maxBytes?: number;
  readonly maxDepth?: number;
}

/**
 * Parses JSON as trained-model files hold it: also with a byte order mark and with the `NaN` and `Infinity` that
 * Python's `json.dumps` writes. Of duplicate keys the last one counts; `__proto__` is a key like any other.
 *
 * `JSON.parse` goes first, because it is 5 to 20 times faster than any parser written here; only text it refuses
 * is read again by the lenient parser, which also knows where the fault is.
 */
export function parseJson(input: string | Uint8Array, options: JsonOptions = {}): JsonValue {
  const maxBytes = options.maxBytes ?? maxJsonBytes;
  if (input.length > maxBytes) {
    throw new LimitExceededError(
      `${label(options)}: ${input.length} bytes of JSON, the limit is ${maxBytes}`,
      { limit: "maxJsonBytes", actual: input.length, maximum: maxBytes, file: options.file },
    );
  }
  const decoded = typeof input === "string" ? input : decodeUtf8(input, options);
  const text = decoded.charCodeAt(0) === 0xfeff ? decoded.slice(1) : decoded;
  // Before any parser: V8's own would take 100 million brackets and leave a value that no recursive code survives.
  checkDepth(text, options);
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return parseLenientJson(text, (what, path, offset) => fault(what, path, offset, options));
  }
}

/** The value at `key` when `value` is an object that has it as its own; never reaches `Object.prototype`. */
export function getKey(value: JsonValue | undefined, key: string): JsonValue | undefined {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return undefined;
  return Object.hasOwn(value, key) ? (value as { readonly [key: string]: JsonValue })[key] : undefined;
}

function label(options: JsonOptions): string {
  const file = options.file ?? "JSON";
  return options.at === undefined ? file : `${file}: ${options.at}`;
}

function fault(what: string, path: string, offset: number, options: JsonOptions): MalformedFileError {
  return new MalformedFileError(
    `${label(options)}: not valid JSON at character ${offset} (${path}): ${what}`,
    { file: options.file, at: options.at ?? path },
  );
}

function decodeUtf8(bytes: Uint8Array, options: JsonOptions): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    const start = [...bytes.subarray(0, 2)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const looksUtf16 = start === "ff fe" || start === "fe ff";
    throw new MalformedFileError(
      `${label(options)}: the JSON text is not UTF-8${looksUtf16 ? " but UTF-16; save it as UTF-8" : ""}`,
      { file: options.file, at: options.at, cause },
    );
  }
}

/** One pass over the characters, without recursion. Brackets inside strings do not count. */
function checkDepth(text: string, options: JsonOptions): void {
  const maxDepth = options.maxDepth ?? maxJsonDepth;
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 0x22) {
      i = skipString(text, i);
    } else if (c === 0x7b || c === 0x5b) {
      if (++depth > maxDepth) {
        throw new LimitExceededError(
          `${label(options)}: JSON nested deeper than ${maxDepth} levels at character ${i}`,
          { limit: "maxJsonDepth", actual: depth, maximum: maxDepth, file: options.file },
        );
      }
    } else if (c === 0x7d || c === 0x5d) {
      depth -= 1;
    }
  }
}

/** Index of the quote that ends the string that starts at `start`, or the end of the text. */
function skipString(text: string, start: number): number {
  let end = start;
  for (;;) {
    end = text.indexOf('"', end + 1);
    if (end < 0) return text.length;
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === 0x5c) backslashes += 1;
    if (backslashes % 2 === 0) return end;
  }
}
