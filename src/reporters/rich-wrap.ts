import { cellLength, chopCells, isNarrow, setCellSize } from "./rich-cells.ts";
import { divideText, noSpans, padText, type RichText, sliceText } from "./rich-text.ts";

type Aligned = "left" | "center" | "right";
export type Justify = "default" | Aligned;
/** What happens to a word that is longer than a line: it goes on in the next one, or ends in an ellipsis. */
export type Overflow = "fold" | "ellipsis";

/** Breaks text into lines of at most `width` cells, at blanks where it can, as rich's Text.wrap does. */
export function wrapText(text: RichText, width: number, justify: Justify, overflow: Overflow): RichText[] {
  // Most cells are that simple, and a large model has many.
  if (overflow === "ellipsis" && justify !== "default" && text.spans.length === 0 && isNarrow(text.text))
    return wrapPlain(text.text, width, justify);
  if (fitsAsItIs(text.text, width)) return [justified(text, width, justify, overflow)];
  if (!text.text.includes("\n")) return wrapLine(text, width, justify, overflow);
  return splitLines(text).flatMap((line) => wrapLine(line, width, justify, overflow));
}

function wrapLine(line: RichText, width: number, justify: Justify, overflow: Overflow): RichText[] {
  const spread = expandTabs(line);
  return divideText(spread, lineBreaks(spread.text, width, overflow === "fold")).map((piece) =>
    truncate(justified(trimEnd(piece, width), width, justify, overflow), width, overflow),
  );
}

/** The same for text without styles of which each character takes one cell, in a third of the time. */
function wrapPlain(text: string, width: number, justify: Aligned): RichText[] {
  const lines: RichText[] = [];
  const breaks = text.length <= width ? [] : lineBreaks(text, width, false);
  let start = 0;
  for (let i = 0; i <= breaks.length; i++) {
    const end = breaks[i] ?? text.length;
    lines.push({ text: plainLine(text, start, end, width, justify), spans: noSpans });
    start = end;
  }
  return lines;
}

function plainLine(text: string, start: number, end: number, width: number, justify: Aligned): string {
  const core = coreEnd(text, start, end);
  const last = justify === "left" ? Math.min(end, Math.max(core, start + width)) : core;
  const shown =
    last - start > width ? `${text.slice(start, start + Math.max(0, width - 1))}…` : text.slice(start, last);
  if (justify === "left") return shown.padEnd(width);
  const before = justify === "right" ? width : shown.length + Math.floor((width - shown.length) / 2);
  return shown.padStart(before).padEnd(width);
}

function fitsAsItIs(text: string, width: number): boolean {
  return text.length <= width && !/[\n\t]/.test(text) && cellLength(text, width) <= width;
}

function splitLines(text: RichText): RichText[] {
  const ends = Array.from(text.text.matchAll(/\n/g), (end) => end.index + 1);
  const lines = divideText(text, ends);
  return lines.map((line, index) => (index < ends.length ? sliceText(line, 0, line.text.length - 1) : line));
}

/** Tabs as blanks up to the next multiple of 8 cells. A style that reaches a tab covers its blanks. */
function expandTabs(line: RichText): RichText {
  const parts = line.text.split("\t");
  if (parts.length === 1) return line;
  let text = "";
  let cells = 0;
  /** Where each place of the line is now, for its styles; the last one is its end. */
  const places = new Uint32Array(line.spans.length === 0 ? 0 : line.text.length + 1);
  let place = 0;
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i] as string;
    for (let k = 0; k <= part.length && place < places.length; k++) places[place++] = text.length + k;
    text += part;
    if (i === parts.length - 1) break;
    cells += cellLength(part) + 1;
    const added = (8 - (cells % 8)) % 8;
    cells += added;
    text += blanks[added];
  }
  const spans = line.spans.map((span) => ({
    ...span,
    start: places[span.start] ?? span.start,
    end: places[span.end] ?? span.end,
  }));
  return { text, spans };
}

/** What a tab becomes, by how many cells it still has before it is one. */
const blanks = Array.from({ length: 8 }, (_, added) => " ".repeat(added + 1));

/** Where to break a line that has no line ends in it (rich's divide_line). */
function lineBreaks(text: string, width: number, fold: boolean): number[] {
  const breaks: number[] = [];
  const narrow = isNarrow(text);
  // How much longer than a line something is changes nothing.
  const cellsOf = (start: number, end: number): number =>
    narrow ? end - start : cellLength(text.slice(start, end), width);
  let used = 0;
  for (let start = 0, end = wordEnd(text, 0); end > start; start = end, end = wordEnd(text, start)) {
    const length = cellsOf(start, coreEnd(text, start, end));
    if (width - used >= length) {
      used += cellsOf(start, end);
    } else if (length > width) {
      let at = start;
      const pieces = fold ? chopCells(text.slice(start, end), width) : [text.slice(start, end)];
      for (const [index, piece] of pieces.entries()) {
        if (at > 0) breaks.push(at);
        if (index === pieces.length - 1) used = cellLength(piece, width);
        else at += piece.length;
      }
    } else if (used > 0 && start > 0) {
      breaks.push(start);
      used = cellsOf(start, end);
    }
  }
  return breaks;
}

/** Where a word ends with the blanks after it; the first one also has the blanks before. `start` where there is none. */
function wordEnd(text: string, start: number): number {
  let index = start;
  while (index < text.length && isBlank(text, index)) index++;
  if (index === text.length) return start;
  while (index < text.length && !isBlank(text, index)) index++;
  while (index < text.length && isBlank(text, index)) index++;
  return index;
}

function isBlank(text: string, index: number): boolean {
  const code = text.charCodeAt(index);
  if (code === 0x20 || (code > 0x20 && code < 0x7f)) return code === 0x20;
  return code !== 0xfeff && /^\s$/u.test(text.charAt(index));
}

/** Where the part from `start` to `end` ends without the blanks behind it. */
function coreEnd(text: string, start: number, end: number): number {
  let index = end;
  while (index > start && isBlank(text, index - 1)) index--;
  return index;
}

/** Drops blanks that stand beyond `width` characters (not cells: so does rich). */
function trimEnd(line: RichText, width: number): RichText {
  const { text } = line;
  if (text.length <= width) return line;
  let excess = -width;
  for (let at = 0; at < text.length; at += (text.codePointAt(at) as number) > 0xffff ? 2 : 1) excess++;
  const blanks = text.length - coreEnd(text, 0, text.length);
  return excess <= 0 ? line : sliceText(line, 0, text.length - Math.min(blanks, excess));
}

function justified(line: RichText, width: number, justify: Justify, overflow: Overflow): RichText {
  if (justify === "default") return line;
  if (justify === "left") {
    const missing = width - cellLength(line.text, width);
    return missing >= 0 ? padText(line, 0, missing) : truncate(line, width, overflow);
  }
  const bare = truncate(sliceText(line, 0, coreEnd(line.text, 0, line.text.length)), width, overflow);
  const missing = width - cellLength(bare.text);
  if (justify === "right") return padText(bare, missing, 0);
  const left = Math.floor(missing / 2);
  return padText(bare, left, missing - left);
}

function truncate(line: RichText, width: number, overflow: Overflow): RichText {
  if (cellLength(line.text, width) <= width) return line;
  const text =
    overflow === "ellipsis" ? `${setCellSize(line.text, width - 1)}…` : setCellSize(line.text, width);
  const spans = line.spans
    .filter((span) => span.start < text.length)
    .map((span) => ({ ...span, end: Math.min(span.end, text.length) }));
  return { text, spans };
}
