import { roundHalfEven } from "./memory-size.ts";
import { setCellSize, stringCells } from "./rich-cells.ts";
import { parseMarkup, type Segment, segmentsOf, type TextStyle } from "./rich-text.ts";
import { type Justify, wrapText } from "./rich-wrap.ts";

export interface RichColumn {
  readonly header: string;
  readonly justify: Justify;
  /** Nominal width; the table takes from it what its borders need. */
  readonly width: number;
}

type Line = readonly Segment[];

/** Lines of a table of `width` characters, in rich's default box (heavy head) with a rule between all rows. */
export function renderTable(
  columns: readonly RichColumn[],
  rows: readonly (readonly string[])[],
  width: number,
): Line[] {
  const widths = columnWidths(columns, width);
  const rule = (left: string, fill: string, cross: string, right: string): Line => [
    plain(left + widths.map((cells) => fill.repeat(cells)).join(cross) + right),
  ];
  const header = columns.map((column) => column.header);
  const lines: Line[] = [
    rule("┏", "━", "┳", "┓"),
    ...renderRow(columns, header, widths, true),
    rule("┡", "━", "╇", "┩"),
  ];
  const between = rule("├", "─", "┼", "┤");
  for (const [index, row] of rows.entries()) {
    if (index > 0) lines.push(between);
    for (const line of renderRow(columns, row, widths, false)) lines.push(line);
  }
  lines.push(rule("└", "─", "┴", "┘"));
  return lines;
}

/** Lines of a text that is printed by itself: broken at the edge of the console. */
export function renderText(markup: string, columns: number): Line[] {
  return wrapText(parseMarkup(markup), columns, "default", "fold").map((line) => segmentsOf(line, {}));
}

/** Cuts what stands beyond the edge of the console. */
export function cropLine(line: Line, columns: number): Line {
  let room = columns;
  const result: Segment[] = [];
  if (line.reduce((sum, segment) => sum + stringCells(segment.text), 0) <= columns) return line;
  for (const segment of line) {
    const length = stringCells(segment.text);
    if (length >= room) {
      result.push({ text: setCellSize([...segment.text], room).join(""), style: segment.style });
      break;
    }
    result.push(segment);
    room -= length;
  }
  return result;
}

/** A line as text; with `color`, in the escape sequences that rich sends to a terminal of 256 colours. */
export function lineText(line: Line, color: boolean): string {
  return line.map((segment) => paint(segment.text, color ? codesOf(segment.style) : "")).join("");
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

function renderRow(
  columns: readonly RichColumn[],
  cells: readonly string[],
  widths: readonly number[],
  isHeader: boolean,
): Line[] {
  const style: TextStyle = isHeader ? { bold: true } : {};
  const border = plain(isHeader ? "┃" : "│");
  const blocks = columns.map((column, index) =>
    renderCell(cells[index] ?? "", column, widths[index] ?? 0, style),
  );
  const height = Math.max(1, ...blocks.map((block) => block.length));
  return Array.from({ length: height }, (_, row) => {
    const line: Segment[] = [border];
    for (const [index, block] of blocks.entries()) {
      const blank: Segment = { text: " ".repeat(widths[index] ?? 0), style };
      // The header stands at the bottom of its row, all others at the top.
      line.push(...(block[isHeader ? row - (height - block.length) : row] ?? [blank]), border);
    }
    return line;
  });
}

function renderCell(markup: string, column: RichColumn, width: number, style: TextStyle): Line[] {
  const room = width - 2;
  if (room < 1) return [];
  const blank: Segment = { text: " ", style };
  return wrapText(parseMarkup(markup), room, column.justify, "ellipsis").map((line) => [
    blank,
    ...segmentsOf(line, style),
    blank,
  ]);
}

function plain(text: string): Segment {
  return { text, style: {} };
}
