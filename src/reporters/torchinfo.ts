/**
 * The summary as torchinfo prints it: `torchinfo.summary(model, input_data=...)` of release 1.8.0 on Python 3.11 or later, where
 * a unit of work comes out as `Units.MEGABYTES`; of weights alone, `torchinfo.summary(model)`. What that release is known to get wrong stands here as it prints it: the size of
 * parameters leaves out those of modules with others inside them, tied parameters count in each place, and most work is not counted.
 */

import { InvalidOptionError } from "../errors.ts";
import type { Report, ReportNetwork } from "../report/report.ts";
import { escapeName } from "./escape.ts";
import { withCommas } from "./memory-size.ts";
import { fixed } from "./python-text.ts";
import type { SummaryOptions, TorchinfoColumn } from "./summary-options.ts";
import { columns } from "./torchinfo-columns.ts";
import { bytesOf } from "./torchinfo-modules.ts";
import { countsOf, type Info, plus } from "./torchinfo-rows.ts";
import { treeOf } from "./torchinfo-tree.ts";

const columnWidth = 25;
/** Of the names, unless one is longer; longer ones are given room in steps. */
const nameWidth = 40;
const nameStep = 5;
const defaultDepth = 3;

/** Bytes of Python's object around the elements of an input (CPython 3.11, torch 2.14: `sys.getsizeof` of a storage). */
const storageOverhead = 64n;

const ofNetworks: readonly TorchinfoColumn[] = ["output_size", "num_params"];
const ofWeights: readonly TorchinfoColumn[] = ["num_params"];

/** @throws InvalidOptionError for a report whose rows are not all modules of one network. */
export function formatTorchinfo(report: Report, options: SummaryOptions): string {
  const { rows, network } = treeOf(report);
  const depth = options.depth ?? defaultDepth;
  const rootName = options.varNames ? rootNameOf(report, rows) : null;
  const shown = columnsOf(options, network !== null);
  const width = widthOf(rows, rootName);
  const divider = "=".repeat(width + shown.length * columnWidth);
  const line = (name: string, cells: readonly string[]): string =>
    [pad(name, width), ...cells.map((cell) => pad(cell, columnWidth))].join(" ").trimEnd();
  const header = line(
    `Layer (type${rootName === null ? "" : " (var_name)"}:depth-idx)`,
    shown.map((name) => columns[name].title),
  );
  const { elements } = countsOf(rows);
  const lines = rows
    .filter((row) => row.depth <= depth)
    .map((row) => {
      const cells = shown.map((name) => columns[name].cell(row, row.depth === depth, elements));
      return line(indent(row.depth) + titleOf(row, rootName), cells);
    });
  const ran = network ? [workText(rows), divider, ...sizes(rows, network)] : [];
  return [divider, header, divider, ...lines, divider, ...counts(rows), ...ran, divider, ""].join("\n");
}

/** @throws InvalidOptionError for a column of what weights alone do not tell. */
function columnsOf(options: SummaryOptions, ran: boolean): readonly TorchinfoColumn[] {
  const asked = options.columnNames ?? (ran ? ofNetworks : ofWeights);
  const missing = ran ? undefined : asked.find((name) => name === "output_size" || name === "mult_adds");
  if (missing !== undefined)
    throw new InvalidOptionError(
      `columnNames has ${missing}, which weights alone do not tell: use num_params, params_percent, trainable`,
    );
  return options.showTrainable && !asked.includes("trainable") ? [...asked, "trainable"] : asked;
}

/** For rows that are not shown too. */
function widthOf(rows: readonly Info[], rootName: string | null): number {
  let longest = 0;
  for (const row of rows)
    longest = Math.max(longest, [...titleOf(row, rootName)].length + row.depth * nameStep + 1);
  return longest >= nameWidth ? Math.ceil(longest / nameStep) * nameStep : nameWidth;
}

/** In code points: those are what Python counts. */
function pad(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - [...text].length));
}

/** `rootName`: what the whole network is called; null without names. */
function titleOf({ type, path, depth, index }: Info, rootName: string | null): string {
  const name = depth === 0 ? rootName : path.slice(path.lastIndexOf(".") + 1);
  const title = escapeName(rootName === null ? type : `${type} (${name})`);
  return depth === 0 ? title : `${title}: ${depth}-${index}`;
}

/** That of its class in Python, which a script has another one for. */
function rootNameOf({ file }: Report, [root]: readonly Info[]): string {
  return file.variant.startsWith("torchscript") ? "RecursiveScriptModule" : (root?.type ?? "");
}

function indent(depth: number): string {
  if (depth === 0) return "";
  return depth === 1 ? "├─" : `${"│    ".repeat(depth - 1)}└─`;
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

function workText(rows: readonly Info[]): string {
  let macs: bigint | null = 0n;
  for (const row of rows) if (row.isLeaf) macs = plus(macs, row.macs);
  const count = macs === null ? Number.NaN : Number(macs);
  if (!Number.isFinite(count)) return "Total mult-adds: ?";
  const [unit, size] =
    count >= 1e12 ? ["TERABYTES", 1e12] : count >= 1e9 ? ["GIGABYTES", 1e9] : (["MEGABYTES", 1e6] as const);
  const value = count / size;
  const [whole = "", fraction] = (Number.isInteger(value) ? String(BigInt(value)) : fixed(value)).split(".");
  const text = withCommas(BigInt(whole)) + (fraction === undefined ? "" : `.${fraction}`);
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
  return Number.isFinite(size) ? fixed(size) : "?";
}
