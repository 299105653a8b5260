import { InvalidOptionError } from "../errors.ts";
import type { Report, ReportLayer, ReportShape } from "../report/report.ts";
import { escapeName } from "./escape.ts";
import { selectRange } from "./layer-range.ts";
import { LongText } from "./long-text.ts";
import { readableSize, withCommas } from "./memory-size.ts";
import { weightsOf } from "./model-weights.ts";
import { leavesOf } from "./python-text.ts";
import { cropLine, type Line, lineText, type RichColumn, renderText, Table } from "./rich-table.ts";
import { escapeMarkup } from "./rich-text.ts";
import type { Justify } from "./rich-wrap.ts";
import { checkPositionCount, type SummaryOptions } from "./summary-options.ts";
import {
  className,
  connectionsOf,
  hasConnections,
  isTree,
  loadedTrainableFlag,
  nestedRows,
  recursiveMark,
  shownName,
  showsInside,
  topRows,
} from "./summary-rows.ts";
import { parametersOf, totalLines, type WeightTotal } from "./weight-totals.ts";
import { heading, trainableIsKnown } from "./weights-only.ts";

/** The summary as Keras 3 prints it (keras/src/utils/summary_utils.py of 3.15.1, with rich 15). */
export function formatKeras3(report: Report, options: SummaryOptions): string {
  const consoleWidth = options.columns ?? 80;
  const styled = options.color === true;
  const layout = layoutOf(report, options, consoleWidth);
  const layers = selectRange(topRows(report, "keras3"), options.layerRange);
  const title = tagged(
    heading(report, (name) => escapeMarkup(escapeName(name))),
    "bold",
  );
  const text = new LongText();
  const print = (lines: string): void => text.add(lines);
  const draw = (line: Line): string => `${lineText(cropLine(line, consoleWidth), styled)}\n`;
  for (const line of renderText(title, consoleWidth, styled)) print(draw(line));
  const table = new Table(layout.columns, layout.lineLength, styled, draw, print);
  const context = {
    report,
    options,
    mark: styled ? tagged : bare,
    connections: hasConnections(report),
    shapes: new Map<ReportShape, string>(),
    types: new Map<string, string>(),
  };
  addRows(table, layers, undefined, 0, context);
  table.end();
  for (const total of totals(report))
    for (const line of renderText(total, consoleWidth, styled)) print(draw(line));
  return text.end();
}

const header = ["Layer (type)", "Output Shape", "Param #", "Connected to"];
const alignment: readonly Justify[] = ["left", "left", "right", "left"];

function layoutOf(
  report: Report,
  options: SummaryOptions,
  consoleWidth: number,
): { columns: RichColumn[]; lineLength: number } {
  const linear = !hasConnections(report);
  const names = linear ? header.slice(0, 3) : [...header];
  const justify = alignment.slice(0, names.length);
  // Names in a tree are indented; its modules are none of Keras's.
  const own = isTree(report) ? [0.5, 0.8, 1] : linear ? [0.45, 0.8, 1] : [0.3, 0.56, 0.74, 1];
  let positions = options.positions ?? own;
  let length = linear ? 88 : 108;
  if (options.showTrainable) {
    length += 12;
    positions = [...positions.map((position) => position * 0.9), 1];
    names.push("Trainable");
    justify.push("center");
  }
  checkPositionCount(positions, names);
  const lineLength = options.lineLength ?? Math.min(length, consoleWidth - 4);
  const widths = nominalWidths(positions, lineLength);
  const columns = names.map((name, index) => ({
    header: name,
    justify: justify[index] ?? "left",
    width: widths[index] ?? 0,
  }));
  return { columns, lineLength };
}

function nominalWidths(positions: readonly number[], lineLength: number): number[] {
  let current = 0;
  return positions.map((position, index) => {
    const width = Math.trunc(position * lineLength) - current;
    if (width < 4) {
      throw new InvalidOptionError(
        `Insufficient console width to print summary: column ${index + 1} would have ${width} of the ${lineLength} ` +
          "characters of a line, and each needs 4; give a greater lineLength (or columns), or other positions",
      );
    }
    current += width;
    return width;
  });
}

interface Context {
  readonly report: Report;
  readonly options: SummaryOptions;
  readonly mark: Mark;
  /** There is a column of connections. */
  readonly connections: boolean;
  /** Shapes as markup: many layers have one between them. */
  readonly shapes: Map<ReportShape, string>;
  /** Classes as markup, likewise. */
  readonly types: Map<string, string>;
}

function addRows(
  table: Table,
  layers: readonly ReportLayer[],
  around: ReportLayer | undefined,
  level: number,
  context: Context,
): void {
  const prefix = level === 0 ? "" : `${"   ".repeat(level)}└ `;
  for (let i = 0; i < layers.length; i++) {
    const layer = layers[i] as ReportLayer;
    table.row(layerFields(layer, around, prefix, context));
    if (showsInside(layer, context.options.expandNested))
      addRows(table, nestedRows(layer, "keras3"), layer, level + 1, context);
  }
}

function layerFields(
  layer: ReportLayer,
  around: ReportLayer | undefined,
  prefix: string,
  context: Context,
): string[] {
  const { report, mark } = context;
  const fields = [
    prefix + escapedCell(shownName(layer, around)) + typeMarkup(className(layer, "keras3"), context),
    shapeField(layer, context),
    parameterField(layer, report, mark),
  ];
  if (context.connections) fields.push(around ? "-" : connectionField(layer, mark));
  if (context.options.showTrainable) fields.push(trainableField(layer, report, mark));
  return fields;
}

/** ` (Dense)`, to stand behind a name. */
function typeMarkup(type: string, { types, mark }: Context): string {
  let text = types.get(type);
  if (text === undefined) {
    text = type === "" ? "" : ` (${mark(escapedCell(type), "color(33)")})`;
    types.set(type, text);
  }
  return text;
}

/** Nearly every name: nothing to escape in a terminal, nor in markup. */
const plainName = /^[ -Z^-~]*$/;

function escapedCell(name: string): string {
  return plainName.test(name) ? name : escapeMarkup(escapeName(name, "cell"));
}

/** The shape of the last call, or for a layer that was built without a call, what it was built for. */
function shapeField({ calls, outputShapes }: ReportLayer, context: Context): string {
  const last = calls[calls.length - 1];
  const shapes = last?.outputShapes ?? outputShapes;
  if (last?.outputStructure === 0) return shapeMarkup(shapes[0] ?? null, context);
  if (shapes.every((shape) => shape === null)) return "?";
  // Keras 3 keeps the outputs of a call as a flat list, whatever container they came in.
  const leaves = last ? leavesOf(last.outputStructure) : shapes.map((_, index) => index);
  const texts = leaves.map((index) => shapeMarkup(shapes[index] ?? null, context));
  if (texts.length === 1) return texts[0] ?? "?";
  // Without a call it asks the layer for its output shape: layers with several answer with a tuple.
  return last ? `[${texts.join(", ")}]` : `(${texts.join(", ")})`;
}

function shapeMarkup(shape: ReportShape, { shapes, mark }: Context): string {
  if (shape === null) return "?";
  const known = shapes.get(shape);
  if (known !== undefined) return known;
  let text = "(";
  for (let i = 0; i < shape.length; i++) {
    const dim = shape[i] ?? "None";
    const size = number(typeof dim === "string" ? escapedCell(dim) : dim, mark);
    text += i === 0 ? size : `, ${size}`;
  }
  text += ")";
  shapes.set(shape, text);
  return text;
}

function parameterField(layer: ReportLayer, report: Report, mark: Mark): string {
  if (layer.recursive) return recursiveMark;
  if (layer.kind === "operation") return number(0, mark);
  if (!layer.built) return `${number(0, mark)} (unbuilt)`;
  return number(withCommas(parametersOf(layer, report, "keras3")), mark);
}

/** Keras forgets to escape the markup in these names, so that `[bold]` in one disappears; so does it here. */
function connectionField(layer: ReportLayer, mark: Mark): string {
  const parts = connectionsOf(layer).map(
    (input) =>
      `${escapeName(input.layer, "cell")}[${number(input.call, mark)}][${number(input.output, mark)}]`,
  );
  return parts.length === 0 ? "-" : parts.join(", ");
}

function trainableField(layer: ReportLayer, report: Report, mark: Mark): string {
  if (weightsOf(layer).length === 0) return mark("-", "bold");
  const flag = loadedTrainableFlag(layer, "keras3");
  if (flag === null && !trainableIsKnown(report)) return mark("?", "bold");
  return mark(flag === false ? mark("N", "color(9)") : mark("Y", "color(34)"), "bold");
}

function totals(report: Report): string[] {
  const { built, elements, bytes } = report.optimizer ?? { built: false, elements: 0, bytes: 0 };
  const optimizer = built ? { elements: BigInt(elements), bits: BigInt(bytes) * 8n } : undefined;
  // Keras counts it among all parameters, other frameworks beside them.
  const lines = totalLines(report, "keras3", report.totals.convention === "keras" ? optimizer : undefined);
  if (optimizer) lines.push(["Optimizer params", optimizer]);
  return lines.map(([title, total]) => totalLine(title, total));
}

function totalLine(title: string, total: WeightTotal): string {
  const size = readableSize(total.bits, "B");
  return `${tagged(` ${title}: `, "bold")}${number(withCommas(total.elements), tagged)} (${size})`;
}

function number(value: number | string, mark: Mark): string {
  return mark(String(value), value === "None" ? "color(45)" : "color(34)");
}

/** Puts a style around a text that is markup itself. */
type Mark = (text: string, style: string) => string;

const tagged: Mark = (text, style) => `[${style}]${text}[/]`;

/** Where nobody sees styles: the same text, but for a backslash, which would escape what follows in place of the tag. */
const bare: Mark = (text, style) => (text.endsWith("\\") ? tagged(text, style) : text);
