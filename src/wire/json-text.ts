/** Characters that JSON is made of. */
export const quote = 0x22;
export const comma = 0x2c;
export const colon = 0x3a;
export const backslash = 0x5c;
export const openBracket = 0x5b;
export const closeBracket = 0x5d;
export const openBrace = 0x7b;
export const closeBrace = 0x7d;

/** Index of the quote that ends the text that starts at `start`; -1 for a text without an end. */
export function endOfText(text: string, start: number): number {
  let end = start;
  for (;;) {
    end = text.indexOf('"', end + 1);
    if (end < 0) return -1;
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === backslash) backslashes += 1;
    if (backslashes % 2 === 0) return end;
  }
}

/**
 * Index behind the quote that ends the text whose first character is at `start`, if it means itself: nothing in it is escaped, or
 * would have to be. Else -1.
 */
export function endOfPlainText(text: string, start: number): number {
  plain.lastIndex = start;
  return plain.test(text) ? plain.lastIndex : -1;
}

/** What a text says that is given with its quotes. @throws SyntaxError for what JSON has no such text for. */
export function textOfQuoted(quoted: string): string {
  return endOfPlainText(quoted, 1) === quoted.length ? quoted.slice(1, -1) : (JSON.parse(quoted) as string);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: those are what JSON has none of in its texts.
const plain = /[^"\\\u0000-\u001f]*"/y;

/** Index of the first character from `start` on that is no space. */
export function skipSpace(text: string, start: number): number {
  let at = start;
  for (;;) {
    const c = text.charCodeAt(at);
    if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) return at;
    at += 1;
  }
}

/** Index of the bracket that ends the object that starts at `start`, if it is one; -1 for one without an end. */
export function endOfObject(text: string, start: number): number {
  let depth = 0;
  for (let i = start; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === quote) {
      i = endOfText(text, i);
      if (i < 0) return -1;
    } else if (c === openBrace || c === openBracket) {
      depth += 1;
    } else if (c === closeBrace || c === closeBracket) {
      depth -= 1;
      if (depth === 0) return i;
    }
  }
  return -1;
}
