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
 * A table of `width` characters, in rich's default box (heavy head) with a rule between all rows; with styles, if `styled`.
 * Its lines are handed to `print` one after the other: those of a large model would fill the memory.
 */
export class Table {
  private readonly print: (line: Line) => void;
  private readonly widths: readonly number[];
  private readonly cells: readonly ((markup: string) => readonly Line[])[];
  /** The rule between rows. */
  private readonly between: Line;
  private isEmpty = true;

  constructor(columns: readonly RichColumn[], width: number, styled: boolean, print: (line: Line) => void) {
    const widths = columnWidths(columns, width);
    this.print = print;
    this.widths = widths;
    const headStyle: TextStyle = styled ? { bold: true } : plainStyle;
    const head = columns.map((column, index) =>
      renderCell(column.header, column, widths[index] ?? 0, styled, headStyle),
    );
    print(this.rule("┏", "━", "┳", "┓"));
    joinCells(head, widths, headStyle, true, print);
    print(this.rule("┡", "━", "╇", "┩"));
    this.between = this.rule("├", "─", "┼", "┤");
    this.cells = columns.map((column, index) => cellRenderer(column, widths[index] ?? 0, styled));
  }

  /** A cell for each column, as markup. */
  row(markups: readonly string[]): void {
    if (!this.isEmpty) this.print(this.between);
    this.isEmpty = false;
    const blocks = this.cells.map((render, index) => render(markups[index] ?? ""));
    joinCells(blocks, this.widths, plainStyle, false, this.print);
  }

  end(): void {
    this.print(this.rule("└", "─", "┴", "┘"));
  }

  private rule(left: string, fill: string, cross: string, right: string): Line {
    return [plain(left + this.widths.map((cells) => fill.repeat(cells)).join(cross) + right)];
  }
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
  print: (line: Line) => void,
): void {
  const border = isHeader ? "┃" : "│";
  let height = 1;
  for (const block of blocks) height = Math.max(height, block.length);
  for (let row = 0; row < height; row++) {
    const line = new OpenLine();
    line.add(border, plainStyle);
    for (let index = 0; index < blocks.length; index++) {
      const block = blocks[index] as readonly Line[];
      // The header stands at the bottom of its row, all others at the top.
      const segments = block[isHeader ? row - (height - block.length) : row];
      if (segments) for (const { text, style } of segments) line.add(text, style);
      else line.add(" ".repeat(widths[index] ?? 0), base);
      line.add(border, plainStyle);
    }
    print(line.end());
  }
}

/** So many different cells of a column are remembered at a time. */
const rememberedCells = 1000;

/**
 * Renders the cells of one column. Most are like one before: the same shape, no parameters. Where that is not so, as of names,
 * remembering costs more than it saves.
 */
function cellRenderer(
  column: RichColumn,
  width: number,
  styled: boolean,
): (markup: string) => readonly Line[] {
  const remembered = new Map<string, readonly Line[]>();
  let met = 0;
  let remembers = true;
  return (markup) => {
    const known = remembers ? remembered.get(markup) : undefined;
    if (known) {
      met += 1;
      return known;
    }
    const lines = renderCell(markup, column, width, styled, plainStyle);
    if (remembered.size === rememberedCells) {
      remembers = met > rememberedCells;
      met = 0;
      remembered.clear();
    }
    if (remembers) remembered.set(markup, lines);
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
