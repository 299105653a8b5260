import { roundHalfEven } from "./memory-size.ts";
import { cellLength, setCellSize } from "./rich-cells.ts";
import { parseMarkup, type Segment, segmentsOf, type TextStyle } from "./rich-text.ts";
import { type Justify, wrapText } from "./rich-wrap.ts";

export interface RichColumn {
  readonly header: string;
  readonly justify: Justify;
  /** Nominal width; the table takes from it what its borders need. */
  readonly width: number;
}

export type Line = readonly Segment[];

/**
 * Lines of a table of `width` characters, in rich's default box (heavy head) with a rule between all rows; with styles, if
 * `styled`. One after the other: those of a large model would fill the memory.
 */
export function* renderTable(
  columns: readonly RichColumn[],
  rows: Iterable<readonly string[]>,
  width: number,
  styled: boolean,
): Generator<Line> {
  const widths = columnWidths(columns, width);
  const rule = (left: string, fill: string, cross: string, right: string): Line => [
    plain(left + widths.map((cells) => fill.repeat(cells)).join(cross) + right),
  ];
  const head = columns.map((column, index) =>
    renderCell(column.header, column, widths[index] ?? 0, styled, { bold: true }),
  );
  yield rule("┏", "━", "┳", "┓");
  yield* joinCells(head, widths, true);
  yield rule("┡", "━", "╇", "┩");
  const between = rule("├", "─", "┼", "┤");
  const cellsOf = columns.map((column, index) => cellRenderer(column, widths[index] ?? 0, styled));
  let first = true;
  for (const row of rows) {
    if (!first) yield between;
    first = false;
    const cells = cellsOf.map((render, index) => render(row[index] ?? ""));
    yield* joinCells(cells, widths, false);
  }
  yield rule("└", "─", "┴", "┘");
}

/** Lines of a text that is printed by itself: broken at the edge of the console. */
export function renderText(markup: string, columns: number, styled: boolean): Line[] {
  return wrapText(parseMarkup(markup, styled), columns, "default", "fold").map((line) =>
    segmentsOf(line, {}),
  );
}

/** Cuts what stands beyond the edge of the console. */
export function cropLine(line: Line, columns: number): Line {
  let room = columns;
  const result: Segment[] = [];
  if (line.reduce((sum, segment) => sum + cellLength(segment.text), 0) <= columns) return line;
  for (const segment of line) {
    const length = cellLength(segment.text);
    if (length >= room) {
      result.push({ text: setCellSize(segment.text, room), style: segment.style });
      break;
    }
    result.push(segment);
    room -= length;
  }
  return result;
}

/** A line as text; if `styled`, in the escape sequences that rich sends to a terminal of 256 colours. */
export function lineText(line: Line, styled: boolean): string {
  let text = "";
  for (const segment of line) text += styled ? paint(segment.text, codesOf(segment.style)) : segment.text;
  return text;
}

function paint(text: string, codes: string): string {
  return text === "" || codes === "" ? text : `\x1b[${codes}m${text}\x1b[0m`;
}

function codesOf(style: TextStyle): string {
  const codes: string[] = style.bold ? ["1"] : [];
  if (style.color !== undefined) {
    if (style.color < 8) codes.push(String(30 + style.color));
    else if (style.color < 16) codes.push(String(82 + style.color));
    else codes.push(`38;5;${style.color}`);
  }
  return codes.join(";");
}

/** Widths between the borders, with a blank either side (rich's Table._calculate_column_widths for fixed widths). */
export function columnWidths(columns: readonly RichColumn[], width: number): number[] {
  const available = width - (columns.length + 1);
  const outer = columns.map((column) => Math.min(column.width + 2, available));
  const sum = outer.reduce((a, b) => a + b, 0);
  return sum >= available ? shrink(outer, sum - available) : grow(outer, available - sum);
}

function shrink(widths: readonly number[], excess: number): number[] {
  let left = widths.length;
  let remaining = excess;
  return widths.map((width) => {
    const cut = Math.min(width, roundHalfEven(remaining / left));
    remaining -= cut;
    left--;
    return width - cut;
  });
}

function grow(widths: readonly number[], missing: number): number[] {
  let weight = widths.reduce((a, b) => a + b, 0);
  let remaining = missing;
  return widths.map((width) => {
    const added = weight > 0 ? Math.max(0, Math.ceil((width * remaining) / weight)) : remaining;
    weight -= width;
    remaining -= added;
    return width + added;
  });
}

/** Lines of a row from those of its cells. */
function joinCells(
  blocks: readonly (readonly Line[])[],
  widths: readonly number[],
  isHeader: boolean,
): Line[] {
  const style: TextStyle = isHeader ? { bold: true } : plainStyle;
  const border = plain(isHeader ? "┃" : "│");
  const height = Math.max(1, ...blocks.map((block) => block.length));
  return Array.from({ length: height }, (_, row) => {
    const line: Segment[] = [border];
    for (const [index, block] of blocks.entries()) {
      const blank: Segment = { text: " ".repeat(widths[index] ?? 0), style };
      // The header stands at the bottom of its row, all others at the top.
      const segments = block[isHeader ? row - (height - block.length) : row] ?? [blank];
      for (const segment of segments) append(line, segment);
      append(line, border);
    }
    return line;
  });
}

/** So many different cells of a column are remembered at a time. */
const rememberedCells = 1000;

/** Renders the cells of one column. Most are like one before: the same shape, no parameters. */
function cellRenderer(
  column: RichColumn,
  width: number,
  styled: boolean,
): (markup: string) => readonly Line[] {
  const remembered = new Map<string, readonly Line[]>();
  return (markup) => {
    const known = remembered.get(markup);
    if (known) return known;
    if (remembered.size === rememberedCells) remembered.clear();
    const lines = renderCell(markup, column, width, styled, plainStyle);
    remembered.set(markup, lines);
    return lines;
  };
}

function renderCell(
  markup: string,
  column: RichColumn,
  width: number,
  styled: boolean,
  style: TextStyle,
): Line[] {
  const room = width - 2;
  if (room < 1) return [];
  const blank: Segment = { text: " ", style };
  return wrapText(parseMarkup(markup, styled), room, column.justify, "ellipsis").map((text) => {
    const line: Segment[] = [blank];
    for (const segment of segmentsOf(text, style)) append(line, segment);
    append(line, blank);
    return line;
  });
}

const plainStyle: TextStyle = {};

function plain(text: string): Segment {
  return { text, style: plainStyle };
}

/** Plain text after plain text is one segment, so that a line without styles is one as a whole. */
function append(line: Segment[], segment: Segment): void {
  const last = line.at(-1);
  if (last?.style === plainStyle && segment.style === plainStyle)
    line[line.length - 1] = plain(last.text + segment.text);
  else line.push(segment);
}
