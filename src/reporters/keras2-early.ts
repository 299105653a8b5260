import type { Report, ReportLayer } from "../report/report.ts";
import { escapeName } from "./escape.ts";
import { connectionNames, layerTitle, outputShapeField, parameterField } from "./keras2-fields.ts";
import { keras2Totals } from "./keras2-totals.ts";
import { checkPositionCount, type SummaryOptions } from "./summary-options.ts";
import { hasConnections, topRows } from "./summary-rows.ts";
import { heading, isWeightsOnly } from "./weights-only.ts";

export type EarlyStyle = "keras2.3" | "keras2.2";

/** The summary as Keras prints it up to 2.6 (keras/utils/layer_utils.py of 2.2.4, 2.3.1 and 2.6). */
export function formatEarlyKeras2(report: Report, options: SummaryOptions, style: EarlyStyle): string {
  const linear = !hasConnections(report);
  const header = ["Layer (type)", "Output Shape", "Param #", ...(linear ? [] : ["Connected to"])];
  const lineLength = options.lineLength ?? (linear ? 65 : 98);
  let positions = options.positions ?? (linear ? [0.45, 0.85, 1] : [0.33, 0.55, 0.67, 1]);
  checkPositionCount(positions, header);
  if ((positions.at(-1) ?? 0) <= 1) positions = positions.map((position) => lineLength * position);
  positions = positions.map(Math.trunc);
  const layers = topRows(report, style);
  const lines: string[] = [];
  if (style !== "keras2.2" || isWeightsOnly(report)) lines.push(heading(report, escapeName));
  lines.push("_".repeat(lineLength), rowText(header, positions), "=".repeat(lineLength));
  for (const [index, layer] of layers.entries()) {
    for (const fields of layerRows(layer, report, style)) lines.push(rowText(fields, positions));
    lines.push((index === layers.length - 1 ? "=" : "_").repeat(lineLength));
  }
  lines.push(...keras2Totals(report, style), "_".repeat(lineLength));
  return lines.map((line) => `${line}\n`).join("");
}

/** A row for the layer, and one for each connection after the first. */
function layerRows(layer: ReportLayer, report: Report, style: EarlyStyle): string[][] {
  const unused = style === "keras2.3" && !layer.built && layer.kind !== "model";
  const fields = [
    layerTitle(layer, style),
    outputShapeField(layer, report, style),
    unused ? "0 (unused)" : parameterField(layer, report, style),
  ];
  if (!hasConnections(report)) return [fields];
  const [first = "", ...others] = connectionNames(layer, report, style).map((name) => escapeName(name));
  return [[...fields, first], ...others.map((name) => ["", "", "", name])];
}

/** Each field starts one character before its column and pushes a blank before itself; what is too long is cut. */
function rowText(fields: readonly string[], positions: readonly number[]): string {
  let line: readonly string[] = [];
  for (const [column, field] of fields.entries()) {
    const end = positions[column] ?? 0;
    const start = column > 0 ? [...line.slice(0, -1), " "] : [];
    // A character takes two units at most, so what is cut need not be looked at.
    line = [...start, ...field.slice(0, 2 * end)].slice(0, end);
    line = [...line, ...new Array<string>(end - line.length).fill(" ")];
  }
  return line.join("");
}
