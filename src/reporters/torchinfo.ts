/**
 * The summary as torchinfo prints it: `torchinfo.summary(model, input_data=...)` of release 1.8.0 on Python 3.11 or later, where
 * a unit of work comes out as `Units.MEGABYTES`; of weights alone, `torchinfo.summary(model)`. What that release is known to get wrong stands here as it prints it: the size of
 * parameters leaves out those of modules with others inside them, tied parameters count in each place, and most work is not counted.
 */

import type { Report, ReportNetwork, ReportShape } from "../report/report.ts";
import { escapeName } from "./escape.ts";
import { withCommas } from "./memory-size.ts";
import type { SummaryOptions } from "./summary-options.ts";
import { bytesOf } from "./torchinfo-modules.ts";
import { countsOf, type Info } from "./torchinfo-rows.ts";
import { treeOf } from "./torchinfo-tree.ts";

const columnWidth = 25;
/** Of the names, unless one is longer; longer ones are given room in steps. */
const nameWidth = 40;
const nameStep = 5;
const defaultDepth = 3;

/** Bytes of Python's object around the elements of an input (CPython 3.11, torch 2.14: `sys.getsizeof` of a storage). */
const storageOverhead = 64n;

interface Column {
  readonly title: string;
  cell(row: Info, depth: number): string;
}

const outputShape: Column = { title: "Output Shape", cell: ({ size }) => shapeText(size) };
const params: Column = { title: "Param #", cell: paramText };

/** @throws InvalidOptionError for a report whose rows are not all modules of one network. */
export function formatTorchinfo(report: Report, options: SummaryOptions): string {
  const { rows, network } = treeOf(report);
  const depth = options.depth ?? defaultDepth;
  const columns = network ? [outputShape, params] : [params];
  const width = widthOf(rows);
  const divider = "=".repeat(width + columns.length * columnWidth);
  const line = (name: string, cells: readonly string[]): string =>
    [pad(name, width), ...cells.map((cell) => pad(cell, columnWidth))].join(" ").trimEnd();
  const lines = rows
    .filter((row) => row.depth <= depth)
    .map((row) =>
      line(
        indent(row.depth) + titleOf(row),
        columns.map((column) => column.cell(row, depth)),
      ),
    );
  const header = line(
    "Layer (type:depth-idx)",
    columns.map(({ title }) => title),
  );
  const ran = network ? [workText(rows), divider, ...sizes(rows, network)] : [];
  return [divider, header, divider, ...lines, divider, ...counts(rows), ...ran, divider, ""].join("\n");
}

/** For rows that are not shown too. */
function widthOf(rows: readonly Info[]): number {
  let longest = 0;
  for (const row of rows) longest = Math.max(longest, [...titleOf(row)].length + row.depth * nameStep + 1);
  return longest >= nameWidth ? Math.ceil(longest / nameStep) * nameStep : nameWidth;
}

/** In code points: those are what Python counts. */
function pad(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - [...text].length));
}

function titleOf({ type, depth, index }: Info): string {
  return depth === 0 ? escapeName(type) : `${escapeName(type)}: ${depth}-${index}`;
}

function indent(depth: number): string {
  if (depth === 0) return "";
  return depth === 1 ? "├─" : `${"│    ".repeat(depth - 1)}└─`;
}

function shapeText(size: ReportShape): string {
  if (size === null) return "?";
  if (size.length === 0) return "--";
  return `[${size.map((dim) => (dim === null ? "?" : escapeName(String(dim)))).join(", ")}]`;
}

function paramText({ sums, left, depth, isLeaf, isRecursive }: Info, shown: number): string {
  if (sums.elements === 0) return "--";
  if (isRecursive) return "(recursive)";
  if (depth === shown || isLeaf) {
    const text = withCommas(BigInt(sums.elements));
    return sums.trainable > 0 ? text : `(${text})`;
  }
  return left.elements > 0 ? withCommas(BigInt(left.elements)) : "--";
}

function counts(rows: readonly Info[]): readonly string[] {
  const { elements, trainable } = countsOf(rows);
  return [
    `Total params: ${signed(elements)}`,
    `Trainable params: ${signed(trainable)}`,
    `Non-trainable params: ${signed(elements - trainable)}`,
  ];
}

/** Where parameters are tied across frozen ones, what is left can be less than nothing. */
function signed(count: number): string {
  return `${count < 0 ? "-" : ""}${withCommas(BigInt(Math.abs(count)))}`;
}

function plus(a: bigint | null, b: bigint | null): bigint | null {
  return a === null || b === null ? null : a + b;
}

function workText(rows: readonly Info[]): string {
  let macs: bigint | null = 0n;
  for (const row of rows) if (row.isLeaf) macs = plus(macs, row.macs);
  const count = macs === null ? Number.NaN : Number(macs);
  if (!Number.isFinite(count)) return "Total mult-adds: ?";
  const [unit, size] =
    count >= 1e12 ? ["TERABYTES", 1e12] : count >= 1e9 ? ["GIGABYTES", 1e9] : (["MEGABYTES", 1e6] as const);
  const value = count / size;
  const text = Number.isInteger(value) ? withCommas(BigInt(value)) : twoDecimals(value, true);
  return `Total mult-adds (Units.${unit}): ${text}`;
}

function sizes(rows: readonly Info[], { inputs }: ReportNetwork): readonly string[] {
  let input: bigint | null = 0n;
  for (const { shape, dtype } of inputs) {
    const known = shape?.every((dim) => typeof dim === "number") && bytesOf(dtype) > 0;
    const elements = (shape ?? []).reduce((product, dim) => product * BigInt(known ? (dim ?? 0) : 0), 1n);
    input = plus(input, known ? elements * BigInt(bytesOf(dtype)) + storageOverhead : null);
  }
  let passes: bigint | null = 0n;
  let params = 0n;
  for (const { isLeaf, isRecursive, sums, outputBytes } of rows) {
    if (!isLeaf) continue;
    // Once for the way back.
    if (sums.elements > 0) passes = plus(passes, outputBytes === null ? null : 2n * outputBytes);
    if (!isRecursive) params += BigInt(sums.bytes);
  }
  return [
    `Input size (MB): ${megabytes(input)}`,
    `Forward/backward pass size (MB): ${megabytes(passes)}`,
    `Params size (MB): ${megabytes(params)}`,
    `Estimated Total Size (MB): ${megabytes(plus(plus(input, passes), params))}`,
  ];
}

function megabytes(bytes: bigint | null): string {
  const size = bytes === null ? Number.NaN : Number(bytes) / 1e6;
  return Number.isFinite(size) ? twoDecimals(size, false) : "?";
}

/** As Python's `.2f` and `,.2f` write it: of two that are as near, the even one. */
function twoDecimals(value: number, commas: boolean): string {
  // Halves of a hundredth that a float can hold are odd eighths.
  const isTie = Number.isInteger(value * 8) && !Number.isInteger(value * 4);
  const floor = Math.floor(value * 100);
  const text = isTie
    ? ((floor % 2 === 0 ? floor : floor + 1) / 100).toFixed(2)
    : value < 1e21
      ? value.toFixed(2)
      : `${BigInt(value)}.00`;
  const [whole = "", fraction = ""] = text.split(".");
  return `${commas ? withCommas(BigInt(whole)) : whole}.${fraction}`;
}
