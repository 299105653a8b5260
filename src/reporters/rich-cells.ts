import { narrowToWide, wideRanges, zeroWidthRanges } from "./rich-widths.ts";

/**
 * How many cells of a terminal text takes, by the rules of rich 15 (Unicode 17). Where it takes more than `most`, any figure above
 * it: a name of a million characters is not gone through to the end to learn that it is too long for a cell.
 */
export function cellLength(text: string, most: number = Number.POSITIVE_INFINITY): number {
  if (simple.test(text)) return text.length;
  const graphemes = new Graphemes(text);
  let total = 0;
  while (total <= most && graphemes.next()) total += graphemes.cells;
  return total;
}

/** Exactly `total` cells: cut, or filled up with blanks. Half a wide character becomes a blank. */
export function setCellSize(text: string, total: number): string {
  if (total <= 0) return "";
  if (text.length >= total && simple.test(text)) return text.slice(0, total);
  const graphemes = new Graphemes(text);
  let cells = 0;
  while (graphemes.next()) {
    if (cells === total && graphemes.start > 0) return text.slice(0, graphemes.start);
    cells += graphemes.cells;
    if (cells > total) return `${text.slice(0, graphemes.start)} `;
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
  const graphemes = new Graphemes(text);
  let cells = 0;
  let start = 0;
  while (graphemes.next()) {
    if (cells + graphemes.cells > width) {
      lines.push(text.slice(start, graphemes.start));
      start = graphemes.start;
      cells = 0;
    }
    cells += graphemes.cells;
  }
  if (cells > 0) lines.push(text.slice(start));
  return lines;
}

const zeroWidthJoiner = 0x200d;
const emojiVariation = 0xfe0f;

/**
 * What rich measures as one character, one after another: joined emoji, and characters with the marks that follow them. They are not
 * listed: those of a long name would take ten times its memory.
 */
class Graphemes {
  /** Index of the present one in the text. */
  start = 0;
  cells = 0;
  private readonly text: string;
  private end = 0;
  /** The last character with cells of its own, unless it has been made wide since. */
  private lastMeasured: number | null = null;

  constructor(text: string) {
    this.text = text;
  }

  /** Goes on to the next one. False: there is none. */
  next(): boolean {
    const { text } = this;
    if (this.end >= text.length) return false;
    this.start = this.end;
    const first = this.take();
    // Nothing stands before one of the two only where the text begins.
    this.cells = first === zeroWidthJoiner || first === emojiVariation ? 0 : this.measure(first);
    while (this.end < text.length) {
      const code = text.codePointAt(this.end) as number;
      if (code === zeroWidthJoiner) {
        this.take();
        // What is joined takes no cells of its own.
        if (this.end < text.length) this.take();
      } else if (code === emojiVariation) {
        this.take();
        if (this.lastMeasured !== null && narrowToWide().has(String.fromCodePoint(this.lastMeasured))) {
          this.cells++;
          this.lastMeasured = null;
        }
      } else if (characterCells(code) === 0) {
        this.take();
      } else {
        break;
      }
    }
    return true;
  }

  private take(): number {
    const code = this.text.codePointAt(this.end) as number;
    this.end += code > 0xffff ? 2 : 1;
    return code;
  }

  private measure(code: number): number {
    const cells = characterCells(code);
    if (cells > 0) this.lastMeasured = code;
    return cells;
  }
}

function characterCells(code: number): 0 | 1 | 2 {
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
