/** Texts and numbers as pickles write them. */

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const latin1 = new TextDecoder("latin1");

/**
 * UTF-8 as Python writes it, where a half of a surrogate pair may stand alone: names that differ only in one stay two names.
 * `null` when it is not UTF-8.
 */
export function decodeText(bytes: Uint8Array): string | null {
  try {
    return utf8.decode(bytes);
  } catch {
    return decodeWithSurrogates(bytes);
  }
}

function decodeWithSurrogates(bytes: Uint8Array): string | null {
  let text = "";
  let from = 0;
  try {
    for (let i = 0; i + 2 < bytes.length; i++) {
      if (bytes[i] !== 0xed || (bytes[i + 1] ?? 0) < 0xa0) continue;
      const half = 0xd000 | (((bytes[i + 1] ?? 0) & 0x3f) << 6) | ((bytes[i + 2] ?? 0) & 0x3f);
      text += utf8.decode(bytes.subarray(from, i)) + String.fromCharCode(half);
      from = i + 3;
      i += 2;
    }
    return text + utf8.decode(bytes.subarray(from));
  } catch {
    return null;
  }
}

/** A string of Python 2, which says no encoding: UTF-8 where it is that. */
export function decodeOldText(bytes: Uint8Array): string {
  return decodeText(bytes) ?? decodeBytes(bytes);
}

/** One character a byte. (The label `latin1` means windows-1252 to a TextDecoder, which differs in 27 of them.) */
function decodeBytes(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

/** `\uXXXX` and `\UXXXXXXXX` in a text of one character a byte. `null` for a code that is none. */
export function decodeRawUnicode(line: Uint8Array): string | null {
  let valid = true;
  const text = decodeBytes(line).replace(/\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))/g, (_, short, long) => {
    const code = Number.parseInt(short ?? long, 16);
    if (code > 0x10ffff) valid = false;
    return valid ? String.fromCodePoint(code) : "";
  });
  return valid ? text : null;
}

const escapes: Readonly<Record<string, string>> = {
  "\\": "\\",
  "'": "'",
  '"': '"',
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\n": "",
};

/** The string that `'it\'s \x00'` stands for, quotes included; `null` when it is not one. */
export function decodeQuoted(line: Uint8Array): string | null {
  const text = decodeBytes(line).trim();
  const quote = text[0];
  if (text.length < 2 || (quote !== "'" && quote !== '"') || text.at(-1) !== quote) return null;
  const plain = text
    .slice(1, -1)
    .replace(/\\(?:x([0-9a-fA-F]{2})|([0-7]{1,3})|([\s\S]))/g, (whole, hex, octal, letter) => {
      if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
      if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8) & 0xff);
      return escapes[letter] ?? whole;
    });
  return decodeOldText(Uint8Array.from(plain, (character) => character.charCodeAt(0)));
}

/** A number where it is exact, else a bigint. */
export function toInteger(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** Digits as Python's `int` reads them; `null` when they are none. */
export function parseInteger(digits: string): number | bigint | null {
  const text = digits.trim();
  if (!/^[+-]?\d+$/.test(text)) return null;
  return toInteger(text.startsWith("+") ? BigInt(text.slice(1)) : BigInt(text));
}

/** A float as Python writes it; `null` when it is none. */
export function parseFloat64(digits: string): number | null {
  const text = digits.trim().toLowerCase();
  const special = /^([+-]?)(inf|infinity|nan)$/.exec(text);
  if (special) {
    if (special[2] === "nan") return Number.NaN;
    return special[1] === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  }
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/.test(text) ? Number(text) : null;
}

/** Two's complement, the low byte first. */
export function decodeLong(bytes: Uint8Array): number | bigint {
  if (bytes.length === 0) return 0;
  let hex = "";
  for (let i = bytes.length - 1; i >= 0; i--) hex += (bytes[i] ?? 0).toString(16).padStart(2, "0");
  return toInteger(BigInt.asIntN(8 * bytes.length, BigInt(`0x${hex}`)));
}

export function asciiOf(line: Uint8Array): string {
  return latin1.decode(line);
}
