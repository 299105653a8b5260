import { narrowToWide, wideRanges, zeroWidthRanges } from "./rich-widths.ts";

/** How many cells of a terminal text takes, by the rules of rich 15 (Unicode 17). */
export function cellLength(text: string): number {
  if (simple.test(text)) return text.length;
  let total = 0;
  for (const grapheme of graphemesOf(text)) total += grapheme.cells;
  return total;
}

/** Exactly `total` cells: cut, or filled up with blanks. Half a wide character becomes a blank. */
export function setCellSize(text: string, total: number): string {
  if (total <= 0) return "";
  if (text.length >= total && simple.test(text)) return text.slice(0, total);
  let cells = 0;
  for (const grapheme of graphemesOf(text)) {
    if (cells === total && grapheme.start > 0) return text.slice(0, grapheme.start);
    cells += grapheme.cells;
    if (cells > total) return `${text.slice(0, grapheme.start)} `;
  }
  return text + " ".repeat(total - cells);
}

/** Nearly all text: a cell for each character. The lines of tables and the ellipsis are among them. */
const simple = /^[ -~\u2026\u2500-\u257f]*$/;

/** Whether each character takes one cell; false also where it would take a longer look to tell. */
export function isNarrow(text: string): boolean {
  return simple.test(text);
}

/** Pieces of at most `width` cells. */
export function chopCells(text: string, width: number): string[] {
  const lines: string[] = [];
  let cells = 0;
  let start = 0;
  for (const grapheme of graphemesOf(text)) {
    if (cells + grapheme.cells > width) {
      lines.push(text.slice(start, grapheme.start));
      start = grapheme.start;
      cells = 0;
    }
    cells += grapheme.cells;
  }
  if (cells > 0) lines.push(text.slice(start));
  return lines;
}

interface Grapheme {
  /** Index in the string. */
  readonly start: number;
  cells: number;
}

const zeroWidthJoiner = "\u200d";
const emojiVariation = "\ufe0f";

/** What rich measures as one character: joined emoji, and characters with the marks that follow them. */
function graphemesOf(text: string): Grapheme[] {
  const result: Grapheme[] = [];
  let lastMeasured: string | null = null;
  let joined = false;
  let end = 0;
  for (const character of text) {
    const start = end;
    end += character.length;
    const previous = result.at(-1);
    if (joined) {
      joined = false; // What is joined takes no cells of its own.
    } else if (character === zeroWidthJoiner && previous) {
      joined = true;
    } else if (character === emojiVariation && previous) {
      if (lastMeasured !== null && narrowToWide().has(lastMeasured)) {
        previous.cells++;
        lastMeasured = null;
      }
    } else if (character === zeroWidthJoiner || character === emojiVariation) {
      result.push({ start, cells: 0 });
    } else {
      const cells = characterCells(character);
      if (cells > 0) lastMeasured = character;
      if (cells > 0 || !previous) result.push({ start, cells });
    }
  }
  return result;
}

function characterCells(character: string): 0 | 1 | 2 {
  const code = character.codePointAt(0) ?? 0;
  if (code >= 0x20 && code < 0x7f) return 1;
  if (code < 0xa0) return 0;
  if (code < 0x300) return 1;
  if (inRanges(zeroWidthRanges(), code)) return 0;
  return inRanges(wideRanges(), code) ? 2 : 1;
}

/** Ranges in order, `[first, last, first, last, ...]`. */
function inRanges(ranges: readonly number[], code: number): boolean {
  let low = 0;
  let high = ranges.length / 2 - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    if (code < (ranges[middle * 2] as number)) high = middle - 1;
    else if (code > (ranges[middle * 2 + 1] as number)) low = middle + 1;
    else return true;
  }
  return false;
}
