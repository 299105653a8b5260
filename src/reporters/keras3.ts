import { InvalidOptionError } from "../errors.ts";
import type { Report, ReportLayer, ReportShape } from "../report/report.ts";
import { escapeName } from "./escape.ts";
import { selectRange } from "./layer-range.ts";
import { LongText } from "./long-text.ts";
import { readableSize, withCommas } from "./memory-size.ts";
import { weightsOf } from "./model-weights.ts";
import { leavesOf } from "./python-text.ts";
import { cropLine, type Line, lineText, type RichColumn, renderTable, renderText } from "./rich-table.ts";
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
import { totalLines, totalOf, type WeightTotal } from "./weight-totals.ts";
import { heading, trainableIsKnown } from "./weights-only.ts";

/** The summary as Keras 3 prints it (keras/src/utils/summary_utils.py of 3.15.1, with rich 15). */
export function formatKeras3(report: Report, options: SummaryOptions): string {
  const consoleWidth = options.columns ?? 80;
  const styled = options.color === true;
  const layout = layoutOf(report, options, consoleWidth);
  const layers = selectRange(topRows(report, "keras3"), options.layerRange);
  const rows = layerRows(layers, undefined, 0, { report, options });
  const title = bold(heading(report, (name) => escapeMarkup(escapeName(name))));
  const text = new LongText();
  const print = (lines: Iterable<Line>): void => {
    for (const line of lines) text.add(`${lineText(cropLine(line, consoleWidth), styled)}\n`);
  };
  print(renderText(title, consoleWidth, styled));
  print(renderTable(layout.columns, rows, layout.lineLength, styled));
  for (const line of totals(report)) print(renderText(line, consoleWidth, styled));
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
}

function* layerRows(
  layers: readonly ReportLayer[],
  around: ReportLayer | undefined,
  level: number,
  context: Context,
): Generator<string[]> {
  for (const layer of layers) {
    yield layerFields(layer, around, level, context);
    if (showsInside(layer, context.options.expandNested))
      yield* layerRows(nestedRows(layer, "keras3"), layer, level + 1, context);
  }
}

function layerFields(
  layer: ReportLayer,
  around: ReportLayer | undefined,
  level: number,
  { report, options }: Context,
): string[] {
  const prefix = level === 0 ? "" : `${"   ".repeat(level)}└ `;
  const type = escapeMarkup(escapeName(className(layer, "keras3"), "cell"));
  const name = escapeMarkup(prefix + escapeName(shownName(layer, around), "cell"));
  const fields = [
    type === "" ? name : `${name} (${symbol(type)})`,
    shapeField(layer),
    parameterField(layer, report),
  ];
  if (hasConnections(report)) fields.push(level === 0 ? connectionField(layer) : "-");
  if (options.showTrainable) fields.push(trainableField(layer, report));
  return fields;
}

/** The shape of the last call, or for a layer that was built without a call, what it was built for. */
function shapeField(layer: ReportLayer): string {
  const last = layer.calls.at(-1);
  const shapes = last?.outputShapes ?? layer.outputShapes;
  if (shapes.every((shape) => shape === null)) return "?";
  if (last?.outputStructure === 0) return shapeMarkup(shapes[0] ?? null);
  // Keras 3 keeps the outputs of a call as a flat list, whatever container they came in.
  const leaves = last ? leavesOf(last.outputStructure) : shapes.map((_, index) => index);
  const texts = leaves.map((index) => shapeMarkup(shapes[index] ?? null));
  if (texts.length === 1) return texts[0] ?? "?";
  // Without a call it asks the layer for its output shape: layers with several answer with a tuple.
  return last ? `[${texts.join(", ")}]` : `(${texts.join(", ")})`;
}

function shapeMarkup(shape: ReportShape): string {
  const size = (dim: number | string | null): string =>
    number(typeof dim === "string" ? escapeMarkup(escapeName(dim)) : (dim ?? "None"));
  return shape === null ? "?" : `(${shape.map(size).join(", ")})`;
}

function parameterField(layer: ReportLayer, report: Report): string {
  if (layer.recursive) return recursiveMark;
  if (layer.kind === "operation") return number(0);
  if (!layer.built) return `${number(0)} (unbuilt)`;
  return number(withCommas(totalOf(weightsOf(layer), report, "keras3").elements));
}

/** Keras forgets to escape the markup in these names, so that `[bold]` in one disappears; so does it here. */
function connectionField(layer: ReportLayer): string {
  const parts = connectionsOf(layer).map(
    (input) => `${escapeName(input.layer, "cell")}[${number(input.call)}][${number(input.output)}]`,
  );
  return parts.length === 0 ? "-" : parts.join(", ");
}

function trainableField(layer: ReportLayer, report: Report): string {
  if (weightsOf(layer).length === 0) return bold("-");
  const flag = loadedTrainableFlag(layer, "keras3");
  if (flag === null && !trainableIsKnown(report)) return bold("?");
  return flag === false ? bold(colored("N", 9)) : bold(colored("Y", 34));
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
  return `${bold(` ${title}: `)}${number(withCommas(total.elements))} (${size})`;
}

function number(value: number | string): string {
  return colored(String(value), value === "None" ? 45 : 34);
}

function symbol(text: string): string {
  return colored(text, 33);
}

function colored(text: string, color: number): string {
  return `[color(${color})]${text}[/]`;
}

function bold(text: string): string {
  return `[bold]${text}[/]`;
}
