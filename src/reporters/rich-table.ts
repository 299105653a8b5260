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

interface PrintedRow {
  /** The cells that it was printed from. */
  readonly markups: readonly string[];
  /** Its lines, under the rule that parts it from the row above. */
  readonly text: string;
}

/**
 * A table of `width` characters, in rich's default box (heavy head) with a rule between all rows; with styles, if `styled`.
 * Its lines are handed to `print` row after row, as `draw` makes them into text: those of a large model would fill the memory.
 */
export class Table {
  private readonly draw: (line: Line) => string;
  private readonly print: (lines: string) => void;
  private readonly widths: readonly number[];
  private readonly cells: readonly ((markup: string) => readonly Line[])[];
  /** The rule between rows, as text. */
  private readonly between: string;
  /** By the first cell: models repeat their parts, and so whole rows. */
  private readonly rows = new Remembered<PrintedRow>();
  private isEmpty = true;

  constructor(
    columns: readonly RichColumn[],
    width: number,
    styled: boolean,
    draw: (line: Line) => string,
    print: (lines: string) => void,
  ) {
    const widths = columnWidths(columns, width);
    this.draw = draw;
    this.print = print;
    this.widths = widths;
    const headStyle: TextStyle = styled ? { bold: true } : plainStyle;
    const head = columns.map((column, index) =>
      renderCell(column.header, column, widths[index] ?? 0, styled, headStyle),
    );
    const above = this.rule("┏", "━", "┳", "┓");
    print(above + joinCells(head, widths, headStyle, true, draw) + this.rule("┡", "━", "╇", "┩"));
    this.between = this.rule("├", "─", "┼", "┤");
    this.cells = columns.map((column, index) => cellRenderer(column, widths[index] ?? 0, styled));
  }

  /** A cell for each column, as markup. */
  row(markups: readonly string[]): void {
    const first = markups[0] ?? "";
    let row = this.rows.get(first);
    if (row === undefined || !areEqual(row.markups, markups)) {
      row = { markups, text: this.between + this.rowText(markups) };
      this.rows.set(first, row);
    }
    this.print(this.isEmpty ? row.text.slice(this.between.length) : row.text);
    this.isEmpty = false;
  }

  end(): void {
    this.print(this.rule("└", "─", "┴", "┘"));
  }

  private rowText(markups: readonly string[]): string {
    const blocks = this.cells.map((render, index) => render(markups[index] ?? ""));
    return joinCells(blocks, this.widths, plainStyle, false, this.draw);
  }

  private rule(left: string, fill: string, cross: string, right: string): string {
    return this.draw([plain(left + this.widths.map((cells) => fill.repeat(cells)).join(cross) + right)]);
  }
}

function areEqual(some: readonly string[], others: readonly string[]): boolean {
  for (let i = 0; i < others.length; i++) if (some[i] !== others[i]) return false;
  return true;
}

/** Lines of a text that is printed by itself: broken at the edge of the console. */
export function renderText(markup: string, columns: number, styled: boolean): Line[] {
  return wrapText(parseMarkup(markup, styled), columns, "default", "fold").map((line) =>
    segmentsOf(line, {}),
  );
}

function lineLength(line: Line): number {
  let length = 0;
  for (let i = 0; i < line.length; i++) length += cellLength((line[i] as Segment).text);
  return length;
}

/** Cuts what stands beyond the edge of the console. */
export function cropLine(line: Line, columns: number): Line {
  if (lineLength(line) <= columns) return line;
  let room = columns;
  const result: Segment[] = [];
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
  if (!styled && line.length === 1) return (line[0] as Segment).text;
  let text = "";
  for (const segment of line) text += styled ? paint(segment.text, codesOf(segment.style)) : segment.text;
  return text;
}

function paint(text: string, codes: string): string {
  return text === "" || codes === "" ? text : `\x1b[${codes}m${text}\x1b[0m`;
}

function codesOf(style: TextStyle): string {
  if (style === plainStyle) return "";
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

/** Lines of a row from those of its cells; what is missing of a cell has the style `base`. */
function joinCells(
  blocks: readonly (readonly Line[])[],
  widths: readonly number[],
  base: TextStyle,
  isHeader: boolean,
  draw: (line: Line) => string,
): string {
  const border = isHeader ? "┃" : "│";
  let text = "";
  let height = 1;
  for (let i = 0; i < blocks.length; i++) height = Math.max(height, (blocks[i] as readonly Line[]).length);
  for (let row = 0; row < height; row++) {
    const line = new OpenLine();
    line.add(border, plainStyle);
    for (let index = 0; index < blocks.length; index++) {
      const block = blocks[index] as readonly Line[];
      // The header stands at the bottom of its row, all others at the top.
      const segments = block[isHeader ? row - (height - block.length) : row];
      if (segments) line.addAll(segments);
      else line.add(" ".repeat(widths[index] ?? 0), base);
      line.add(border, plainStyle);
    }
    text += draw(line.end());
  }
  return text;
}

/** So many texts are remembered at a time. */
const rememberedTexts = 1000;

/** What was made of texts. Where hardly any of them comes again, as of names, remembering costs more than it saves, and is left. */
class Remembered<Value> {
  private readonly made = new Map<string, Value>();
  private met = 0;
  private pays = true;

  get(text: string): Value | undefined {
    if (!this.pays) return undefined;
    const value = this.made.get(text);
    if (value !== undefined) this.met += 1;
    return value;
  }

  set(text: string, value: Value): void {
    if (this.made.size === rememberedTexts) {
      this.pays = this.met > rememberedTexts;
      this.met = 0;
      this.made.clear();
    }
    if (this.pays) this.made.set(text, value);
  }
}

/** Renders the cells of one column. Most are like one before: the same shape, no parameters. */
function cellRenderer(
  column: RichColumn,
  width: number,
  styled: boolean,
): (markup: string) => readonly Line[] {
  const remembered = new Remembered<readonly Line[]>();
  return (markup) => {
    let lines = remembered.get(markup);
    if (lines === undefined) {
      lines = renderCell(markup, column, width, styled, plainStyle);
      remembered.set(markup, lines);
    }
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
  return wrapText(parseMarkup(markup, styled), room, column.justify, "ellipsis").map((text) => {
    if (text.spans.length === 0 && style === plainStyle) return [plain(` ${text.text} `)];
    const line = new OpenLine();
    line.add(" ", style);
    for (const segment of segmentsOf(text, style)) line.add(segment.text, segment.style);
    line.add(" ", style);
    return line.end();
  });
}

const plainStyle: TextStyle = {};

function plain(text: string): Segment {
  return { text, style: plainStyle };
}

/** A line in the making: plain text after plain text is one segment, so that a line without styles is one as a whole. */
class OpenLine {
  private segments: Segment[] | null = null;
  private plain = "";

  add(text: string, style: TextStyle): void {
    if (style === plainStyle) {
      this.plain += text;
      return;
    }
    this.endPlain().push({ text, style });
  }

  addAll(segments: Line): void {
    for (let i = 0; i < segments.length; i++) {
      const { text, style } = segments[i] as Segment;
      this.add(text, style);
    }
  }

  end(): Line {
    return this.segments ? this.endPlain() : [plain(this.plain)];
  }

  private endPlain(): Segment[] {
    this.segments ??= [];
    if (this.plain !== "") this.segments.push(plain(this.plain));
    this.plain = "";
    return this.segments;
  }
}
