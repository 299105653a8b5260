/**
 * Names come from files, and files are hostile: a control character or an escape sequence in a layer name could
 * rewrite the terminal, a line break could fake a row of totals, a bidirectional override could reverse what is read.
 * Every text reporter passes names through here before it measures or prints them.
 */

import { maxCellLines } from "../limits.ts";

/** C0 and C1 controls, line separators, bidirectional marks and overrides, and surrogates without their other half. */
const unsafe = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Surrogate}]/gu;

/** Nearly every name, and quicker to see than that nothing in it is unsafe. */
const printable = /^[ -~]*$/;

const short: Readonly<Record<string, string>> = { "\t": "\\t", "\n": "\\n", "\r": "\\r" };

/**
 * Shows unsafe characters as Python writes them in a string (`\x1b`, `\u202e`). Other Unicode text stays.
 *
 * `cell`: tabs and line breaks stay, for a layout that turns them into blanks and lines inside a cell itself, as the
 * Keras 3 table does; the breaks of a name that has very many stay none.
 */
export function escapeName(text: string, place: "line" | "cell" = "line"): string {
  if (printable.test(text)) return text;
  const keepsLines = place === "cell" && text.split("\n", maxCellLines + 1).length <= maxCellLines;
  return text.replace(unsafe, (character) =>
    (character === "\n" && keepsLines) || (character === "\t" && place === "cell")
      ? character
      : escapeCharacter(character),
  );
}

/** `\t`, `\x1b`, `\u202e` or `\U000e0001`: the escape Python's repr() uses for a character. */
export function escapeCharacter(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const known = short[character];
  if (known !== undefined) return known;
  if (code < 0x100) return `\\x${hex(code, 2)}`;
  return code < 0x10000 ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`;
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, "0");
}
