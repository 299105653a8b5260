/** The columns of torchinfo that a file tells enough for (formatting.py and layer_info.py of 1.8.0). */

import type { ReportShape } from "../report/report.ts";
import { escapeName } from "./escape.ts";
import { withCommas } from "./memory-size.ts";
import { fixed } from "./python-text.ts";
import type { TorchinfoColumn } from "./summary-options.ts";
import type { Info } from "./torchinfo-rows.ts";

interface Column {
  readonly title: string;
  /** `isLast`: the row is at the last level that is shown. */
  cell(row: Info, isLast: boolean, totalParams: number): string;
}

export const columns: Readonly<Record<TorchinfoColumn, Column>> = {
  output_size: { title: "Output Shape", cell: ({ size }) => shapeText(size) },
  num_params: { title: "Param #", cell: paramText },
  params_percent: { title: "Param %", cell: percentText },
  mult_adds: { title: "Mult-Adds", cell: workText },
  trainable: { title: "Trainable", cell: trainableText },
};

function shapeText(size: ReportShape): string {
  if (size === null) return "?";
  if (size.length === 0) return "--";
  return `[${size.map((dim) => (dim === null ? "?" : escapeName(String(dim)))).join(", ")}]`;
}

function paramText({ sums, left, isLeaf, isRecursive }: Info, isLast: boolean): string {
  if (sums.elements === 0) return "--";
  if (isRecursive) return "(recursive)";
  if (isLast || isLeaf) {
    const text = withCommas(BigInt(sums.elements));
    return sums.trainable > 0 ? text : `(${text})`;
  }
  return left.elements > 0 ? withCommas(BigInt(left.elements)) : "--";
}

/** Room for `100.00%`. */
const percentWidth = 7;

function percentText({ sums, left, isLeaf, isRecursive }: Info, isLast: boolean, total: number): string {
  if (total === 0) return "--".padStart(percentWidth);
  if (isRecursive) return "(recursive)";
  const { elements } = isLast || isLeaf ? sums : left;
  if (elements === 0) return "--".padStart(percentWidth);
  const text = fixed(Math.abs((elements / total) * 100));
  return `${elements < 0 ? "-" : ""}${text}%`.padStart(percentWidth);
}

function workText({ isLeaf, macs, macsBelow, hasWork }: Info, isLast: boolean): string {
  if (!isLeaf && (!isLast || !hasWork)) return "--";
  const work = isLeaf ? macs : macsBelow;
  if (work === null) return "?";
  return isLeaf && work === 0n ? "--" : withCommas(work);
}

function trainableText({ sums }: Info): string {
  if (sums.elements === 0) return "--";
  if (sums.trainable === 0) return "False";
  return sums.trainable === sums.elements ? "True" : "Partial";
}
