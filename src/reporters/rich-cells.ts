import { narrowToWide, wideRanges, zeroWidthRanges } from "./rich-widths.ts";

/** How many cells of a terminal text takes, by the rules of rich 15 (Unicode 17). Text is an array of code points. */
export function cellLength(text: readonly string[]): number {
  if (isSimple(text)) return text.length;
  let total = 0;
  for (const grapheme of graphemesOf(text)) total += grapheme.cells;
  return total;
}

/** The same for a string. */
export function stringCells(text: string): number {
  return simple.test(text) ? text.length : cellLength([...text]);
}

/** Exactly `total` cells: cut, or filled up with blanks. Half a wide character becomes a blank. */
export function setCellSize(text: readonly string[], total: number): readonly string[] {
  if (total <= 0) return [];
  if (isSimple(text) && text.length >= total) return text.slice(0, total);
  let cells = 0;
  for (const grapheme of graphemesOf(text)) {
    if (cells === total && grapheme.start > 0) return text.slice(0, grapheme.start);
    cells += grapheme.cells;
    if (cells > total) return [...text.slice(0, grapheme.start), " "];
  }
  return [...text, ...new Array<string>(total - cells).fill(" ")];
}

/** Nearly all text: a cell for each character (in strings, with the lines of tables). */
const simple = /^[ -~\u2500-\u257f]*$/;

function isSimple(text: readonly string[]): boolean {
  return text.every((character) => character >= " " && character <= "~");
}

/** Pieces of at most `width` cells. */
export function chopCells(text: readonly string[], width: number): (readonly string[])[] {
  const lines: (readonly string[])[] = [];
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
  readonly start: number;
  cells: number;
}

const zeroWidthJoiner = "\u200d";
const emojiVariation = "\ufe0f";

/** What rich measures as one character: joined emoji, and characters with the marks that follow them. */
function graphemesOf(text: readonly string[]): Grapheme[] {
  const result: Grapheme[] = [];
  let lastMeasured: string | null = null;
  for (let index = 0; index < text.length; index++) {
    const character = text[index] as string;
    const previous = result.at(-1);
    if (character === zeroWidthJoiner && previous) {
      index++; // What is joined takes no cells of its own.
    } else if (character === emojiVariation && previous) {
      if (lastMeasured !== null && narrowToWide().has(lastMeasured)) {
        previous.cells++;
        lastMeasured = null;
      }
    } else if (character === zeroWidthJoiner || character === emojiVariation) {
      result.push({ start: index, cells: 0 });
    } else {
      const cells = characterCells(character);
      if (cells > 0) lastMeasured = character;
      if (cells > 0 || !previous) result.push({ start: index, cells });
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
