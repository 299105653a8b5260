import { InvalidOptionError } from "../errors.ts";
import type { Report, ReportLayer } from "../report/report.ts";
import { escapeName } from "./escape.ts";
import { connectionNames, layerTitle, outputShapeField, parameterField } from "./keras2-fields.ts";
import { keras2Totals } from "./keras2-totals.ts";
import { selectRange } from "./layer-range.ts";
import { reprString } from "./python-text.ts";
import { checkPositionCount, type SummaryOptions } from "./summary-options.ts";
import { hasConnections, loadedTrainableFlag, nestedRows, showsInside, topRows } from "./summary-rows.ts";
import { heading, trainableIsKnown } from "./weights-only.ts";

export type Keras2Style = "keras2" | "keras2.7";

/** The summary as Keras 2.7 to 2.15 and tf-keras print it (keras/utils/layer_utils.py of 2.10, 2.12, 2.15 and 2.21). */
export function formatKeras2(report: Report, options: SummaryOptions, style: Keras2Style): string {
  const printer = new Printer(report, options, style);
  const { lineLength } = printer;
  printer.line(heading(report, escapeName));
  printer.line("_".repeat(lineLength));
  printer.row(printer.header, 0);
  printer.line("=".repeat(lineLength));
  for (const layer of selectRange(topRows(report, style), options.layerRange))
    printer.layer(layer, undefined, 0, false);
  printer.line("=".repeat(lineLength));
  for (const line of keras2Totals(report, style)) printer.line(line);
  printer.line("_".repeat(lineLength));
  return printer.text();
}

/** After these a cell goes on in the next line, so that each shape or connection of a list gets its own. */
const breaksAfter = ["),", "},", "],", "',"];

class Printer {
  readonly header: readonly string[];
  readonly lineLength: number;
  private readonly positions: readonly number[];
  private readonly lines: string[] = [];
  private readonly report: Report;
  private readonly options: SummaryOptions;
  private readonly style: Keras2Style;

  constructor(report: Report, options: SummaryOptions, style: Keras2Style) {
    this.report = report;
    this.options = options;
    this.style = style;
    const header = ["Layer (type)", "Output Shape", "Param #"];
    const linear = !hasConnections(report);
    if (!linear) header.push("Connected to");
    let length = options.lineLength ?? (linear ? 65 : 98);
    const branched = style === "keras2" ? [0.3, 0.6, 0.7, 1] : [0.33, 0.55, 0.67, 1];
    const positions = absolutePositions(options.positions ?? (linear ? [0.45, 0.85, 1] : branched), length);
    if (options.showTrainable) {
      length += 11;
      positions.push(length);
      header.push("Trainable");
    }
    checkPositionCount(positions, header);
    this.header = header;
    this.lineLength = length;
    this.positions = positions;
  }

  text(): string {
    return this.lines.map((line) => `${line}\n`).join("");
  }

  line(text: string): void {
    this.lines.push(text);
  }

  layer(layer: ReportLayer, around: ReportLayer | undefined, level: number, last: boolean): void {
    this.row(this.fields(layer, around, level), level);
    const inside = showsInside(layer, this.options.expandNested);
    const children = inside ? nestedRows(layer, this.style) : [];
    // Keras forgets, after the rows of a nested model, whether that model itself was the last of its parent.
    let isLast = last;
    if (children.length > 0) {
      this.frame(level + 1, "¯");
      for (const [index, child] of children.entries()) {
        isLast = index === children.length - 1;
        this.layer(child, layer, level + 1, isLast);
      }
      this.frame(level, "¯");
    }
    if (!isLast) this.frame(level, " ");
  }

  private frame(level: number, fill: string): void {
    this.line("|".repeat(level) + fill.repeat(Math.max(0, this.lineLength - 2 * level)) + "|".repeat(level));
  }

  private fields(layer: ReportLayer, around: ReportLayer | undefined, level: number): string[] {
    const { report, style } = this;
    const unused = !layer.built && layer.kind !== "model";
    const fields = [
      layerTitle(layer, style, around),
      outputShapeField(layer, report, style),
      unused ? "0 (unused)" : parameterField(layer, report, style),
    ];
    if (hasConnections(report)) {
      const names = level === 0 ? connectionNames(layer, report, style) : [];
      fields.push(escapeName(`[${names.map(reprString).join(", ")}]`));
    }
    if (this.options.showTrainable) {
      const flag = loadedTrainableFlag(layer, style);
      fields.push(flag === null && !trainableIsKnown(report) ? "?" : flag === false ? "N" : "Y");
    }
    return fields;
  }

  /** Prints as many lines as the fields need. Widths are in code points: that is what Python counts. */
  row(fields: readonly string[], level: number): void {
    const cells = fields.map((field) => ({ text: [...field], from: 0 }));
    while (cells.some((cell) => cell.from < cell.text.length)) {
      let line = `${"|".repeat(level)} `;
      let length = level + 1;
      for (const [column, cell] of cells.entries()) {
        const isLast = column === this.positions.length - 1;
        const end = this.positions[column] ?? 0;
        const room =
          end - (column === 0 ? 0 : (this.positions[column - 1] ?? 0)) - this.reserved(column, level);
        if (cell.from < cell.text.length && room < 1) throw tooNarrow(this.header[column] ?? "", room);
        const fits = cell.text.slice(cell.from, cell.from + Math.max(0, room));
        const piece = fits.slice(0, cutAt(fits));
        cell.from += piece.length;
        const border = this.style === "keras2.7" || isLast ? level : 0;
        const gap = isLast ? 0 : 2;
        const padding = gap + Math.max(0, end - border - (length + piece.length + gap));
        line += piece.join("") + " ".repeat(padding);
        length += piece.length + padding;
      }
      this.line(line + "|".repeat(level));
    }
  }

  /** Characters of a column that its text must leave free. */
  private reserved(column: number, level: number): number {
    const isLast = column === this.positions.length - 1;
    if (this.style === "keras2.7") return isLast ? 0 : 2;
    return (isLast ? 0 : 3) + (column === 0 ? level : 0);
  }
}

function absolutePositions(positions: readonly number[], lineLength: number): number[] {
  const relative = (positions.at(-1) ?? 0) <= 1;
  return positions.map((position) => {
    if (relative) return Math.trunc(lineLength * position);
    if (Number.isInteger(position)) return position;
    throw new InvalidOptionError(
      `positions mix fractions and characters (${positions.join(", ")}): give fractions up to 1, or whole characters`,
    );
  });
}

/** How much of what fits into a column is printed. */
function cutAt(fits: readonly string[]): number {
  // In one go and without lists: a name can have sixty thousand lines.
  for (let end = 2; end < fits.length; end++) {
    const [first, second] = [fits[end - 2], fits[end - 1]];
    if (breaksAfter.some((mark) => mark[0] === first && mark[1] === second)) return end;
  }
  return fits.length;
}

function tooNarrow(column: string, room: number): InvalidOptionError {
  return new InvalidOptionError(
    `column ${column} has room for ${room} characters, so its text would never end: ` +
      "give a greater lineLength, or positions farther apart",
  );
}
