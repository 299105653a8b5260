import type { Structure } from "../ir/graph.ts";
import type { ReportShape } from "../report/report.ts";
import { escapeCharacter, escapeName } from "./escape.ts";
import { roundHalfEven } from "./memory-size.ts";

/** What Python's repr() escapes in a string: all that is not printable, blanks other than the space included. */
const notPrintable = /(?! )[\p{C}\p{Z}]/gu;

/** Python's repr() of a string. */
export function reprString(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const body = text
    .replaceAll("\\", "\\\\")
    .replaceAll(quote, `\\${quote}`)
    .replace(notPrintable, escapeCharacter);
  return quote + body + quote;
}

/** A shape as a Python tuple: `(None, 3)`, `(None,)`, `()`; `?` when nothing is known of it. */
export function tupleText(shape: ReportShape): string {
  if (shape === null) return "?";
  const parts = shape.map((dim) => (dim === null ? "None" : escapeName(String(dim))));
  return parts.length === 1 ? `(${parts[0]},)` : `(${parts.join(", ")})`;
}

/** A container of outputs as Python prints it, its leaves written by `leaf`. */
export function structureText(structure: Structure, leaf: (index: number) => string): string {
  if (typeof structure === "number") return leaf(structure);
  if ("list" in structure) return `[${structure.list.map((item) => structureText(item, leaf)).join(", ")}]`;
  if ("tuple" in structure) {
    const items = structure.tuple.map((item) => structureText(item, leaf));
    return items.length === 1 ? `(${items[0]},)` : `(${items.join(", ")})`;
  }
  const entries = structure.dict.map(([key, item]) => `${reprString(key)}: ${structureText(item, leaf)}`);
  return `{${entries.join(", ")}}`;
}

/** Indices of the outputs in a container, in the order in which Keras flattens it: dictionaries by key. */
export function leavesOf(structure: Structure): readonly number[] {
  if (typeof structure === "number") return [structure];
  if ("list" in structure) return structure.list.flatMap(leavesOf);
  if ("tuple" in structure) return structure.tuple.flatMap(leavesOf);
  return structure.dict.toSorted(([a], [b]) => byCodePoint(a, b)).flatMap(([, item]) => leavesOf(item));
}

/** Python's order of strings; JavaScript's would be by halves of surrogate pairs. */
function byCodePoint(a: string, b: string): number {
  const [left, right] = [[...a], [...b]];
  const at = left.findIndex((character, index) => character !== right[index]);
  if (at < 0) return left.length - right.length;
  return (left[at]?.codePointAt(0) ?? 0) - (right[at]?.codePointAt(0) ?? -1);
}

/** A number that is not negative as Python's `.2f` writes it: of two that are as near, the even one. */
export function fixed(value: number): string {
  // Halves of a hundredth that a float can hold are odd eighths.
  if (Number.isInteger(value * 8) && !Number.isInteger(value * 4))
    return (roundHalfEven(value * 100) / 100).toFixed(2);
  return value < 1e21 ? value.toFixed(2) : `${BigInt(value)}.00`;
}
