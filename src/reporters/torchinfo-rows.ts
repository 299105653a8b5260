/** The rows of torchinfo, and what each is counted to hold and to do (torchinfo/torchinfo.py and layer_info.py of 1.8.0). */

import type { Structure } from "../ir/graph.ts";
import type { Report, ReportNetwork, ReportShape, ReportValue } from "../report/report.ts";
import {
  bytesOf,
  callsOf,
  type ModuleCall,
  Modules,
  noParameters,
  type ParameterSums,
  pathsAround,
} from "./torchinfo-modules.ts";
import { renamed, sharedNames } from "./torchinfo-shared.ts";

/** What torchinfo has a `LayerInfo` for. A module that is never called, but has called ones inside it, has one too. */
export interface Info {
  readonly type: string;
  readonly path: string;
  /** 0 for the whole network. */
  readonly depth: number;
  readonly isLeaf: boolean;
  readonly size: ReportShape;
  /** Bytes of the output; null where its size is not known. */
  readonly outputBytes: bigint | null;
  /** Products and sums of all parameters; null where a size is not known. */
  readonly macs: bigint | null;
  /** Of a module that ran: whether torchinfo finds any work in it, by the names of its parameters and those inside. */
  readonly hasWork: boolean;
  readonly sums: ParameterSums;
  isRecursive: boolean;
  /** Place of the row among those of its depth, from 1. */
  index: number;
  /** Those of its parameters that no row below it has. */
  left: ParameterSums;
  /** Work of the rows below it. */
  macsBelow: bigint | null;
}

/** Rows in order. One that was never called may stand there twice, as one and the same. */
export function rowsOf(report: Report, network: ReportNetwork | null): readonly Info[] {
  const whole = rootValue(network);
  const root: ModuleCall = { path: "", type: rootType(report), size: whole.shape, dtype: whole.dtype };
  const names = network ? sharedNames(report.layers, network.modules) : new Map<string, string>();
  const held = callsOf(report.layers).map((call) => ({ ...call, path: renamed(call.path, names) }));
  const calls = [root, ...held];
  const modules = new Modules(report, network?.modules ?? [], calls);
  const rows = withContainers(
    calls.map((call) => infoOf(call, modules)),
    modules,
  );
  number(rows);
  return rows;
}

/** Programs of PyTorch 2.1 and state dicts do not tell. */
function rootType({ model, layers }: Report): string {
  const own = layers.find(({ name, recognized }) => recognized && name === model.name);
  if (own) return `~${own.type}`;
  return untold.has(model.type) ? "~Module" : model.type;
}

/** What importers call a model that has no class. */
const untold: ReadonlySet<string> = new Set([
  "ExportedProgram",
  "state dict",
  "checkpoint",
  "optimizer state",
  "tensor",
]);

function infoOf(call: ModuleCall, modules: Modules): Info {
  const { path, size } = call;
  const depth = pathsAround(path).length;
  const isLeaf = modules.isLeaf(path);
  const elements = productOf(size);
  const bytes = bytesOf(call.dtype);
  return {
    ...call,
    depth,
    isLeaf,
    outputBytes: isEmpty(size) ? 0n : elements !== null && bytes > 0 ? elements * BigInt(bytes) : null,
    macs: isLeaf ? macsOf(call, modules) : 0n,
    hasWork: modules.hasWork(path),
    sums: modules.sumsOf(path),
    isRecursive: false,
    index: 0,
    left: modules.sumsOf(path),
    macsBelow: 0n,
  };
}

/** Nothing came out, or a number. */
function isEmpty(size: ReportShape): boolean {
  return size !== null && size.length === 0;
}

/** Every parameter counts as often as its kind is taken to be used; what has none, or goes without, is free. */
function macsOf({ path, type, size }: ModuleCall, modules: Modules): bigint | null {
  let sum = 0n;
  for (const { name, elements } of modules.parametersOf(path)) {
    const times = timesOf(name, type, size);
    if (times === null) return null;
    sum += times * BigInt(elements);
  }
  return sum;
}

function timesOf(name: string, type: string, size: ReportShape): bigint | null {
  if (name === "weight" || name === "bias") {
    if (type.includes("Conv")) return productOf(size && [...size.slice(0, 1), ...size.slice(2)]);
    return isEmpty(size) ? null : productOf(size?.slice(0, 1) ?? null);
  }
  if (name.includes("weight") || name.includes("bias")) return productOf(size?.slice(0, 2) ?? null);
  return 0n;
}

/** Null where a size is not known. */
function productOf(size: ReportShape): bigint | null {
  if (size === null) return null;
  let product = 1n;
  for (const dim of size) {
    if (typeof dim !== "number") return null;
    product *= BigInt(dim);
  }
  return product;
}

/** What comes first in a container is what torchinfo looks at; of a dictionary, what comes last. */
function rootValue(network: ReportNetwork | null): ReportValue {
  const nothing: ReportValue = { shape: [], dtype: null };
  if (!network) return nothing;
  const { outputs, outputStructure } = network;
  const at = outputStructure === null ? 0 : shownOf(outputStructure);
  return (at === null ? undefined : outputs[at]) ?? nothing;
}

function shownOf(structure: Structure): number | null {
  if (typeof structure === "number") return structure;
  if (!("dict" in structure)) return firstOf(structure);
  const last = structure.dict.at(-1);
  return last ? firstOf(last[1]) : null;
}

function firstOf(structure: Structure): number | null {
  let at: Structure | undefined = structure;
  while (at !== undefined && typeof at !== "number")
    at = "dict" in at ? at.dict[0]?.[1] : "list" in at ? at.list[0] : at.tuple[0];
  return at ?? null;
}

/**
 * Puts a module that is never called (a list of modules) in front of the first row inside it, and again whenever rows of others
 * stood between. The second time it is the same row, and from then on both are recursive.
 */
function withContainers(calls: readonly Info[], modules: Modules): readonly Info[] {
  const called = new Map<string, string>();
  for (const info of calls) {
    info.isRecursive = called.has(info.path);
    called.set(info.path, info.type);
  }
  const containers = new Map<string, Info>();
  const rows: Info[] = [];
  /** By depth, the modules that the next row may be in. */
  let around: string[] = [];
  for (const info of calls) {
    const paths = [...pathsAround(info.path), info.path];
    for (const [depth, path] of paths.entries()) {
      if (depth === 0 || depth === info.depth || around[depth] === path) continue;
      const container = containers.get(path) ?? containerOf(path, called.get(path), modules);
      container.isRecursive = called.has(path);
      containers.set(path, container);
      called.set(path, container.type);
      rows.push(container);
    }
    around = paths;
    rows.push(info);
  }
  return rows;
}

/** The file has no classes of what is never called: one whose parts are numbered is most likely a list. */
function containerOf(path: string, known: string | undefined, modules: Modules): Info {
  const type = known ?? (modules.isNumbered(path) ? "~ModuleList" : "~Module");
  return { ...infoOf({ path, type, size: [], dtype: null }, modules), hasWork: false };
}

/** What the lines below the table add up; nothing is less than nothing. */
export function countsOf(rows: readonly Info[]): Pick<ParameterSums, "elements" | "trainable"> {
  let [elements, trainable] = [0, 0];
  for (const { isLeaf, isRecursive, sums, left } of rows) {
    if (isRecursive) continue;
    const counted = isLeaf ? sums : left;
    elements += Math.max(0, counted.elements);
    trainable += Math.max(0, counted.trainable);
  }
  return { elements, trainable };
}

/** Numbers the rows of each depth, and takes from each row what those below it have. */
function number(rows: readonly Info[]): void {
  const counts: number[] = [];
  for (const info of rows) {
    info.index = (counts[info.depth] ?? 0) + 1;
    counts[info.depth] = info.index;
  }
  // From the last: what is left of a row is known before that of the rows around it.
  const seen = new Set<Info>();
  const open: { readonly depth: number; readonly held: ParameterSums; readonly macs: bigint | null }[] = [];
  for (let i = rows.length - 1; i >= 0; i--) {
    const info = rows[i] as Info;
    let held = noParameters;
    let macs: bigint | null = 0n;
    while ((open.at(-1)?.depth ?? -1) > info.depth) {
      const below = open.pop() as (typeof open)[number];
      held = add(held, below.held);
      macs = plus(macs, below.macs);
    }
    // Of a row that stands there twice, the later one counts.
    if (!seen.has(info)) {
      info.left = subtract(info.sums, held);
      info.macsBelow = macs;
    }
    seen.add(info);
    const own = info.isRecursive ? noParameters : info.isLeaf ? info.sums : info.left;
    open.push({ depth: info.depth, held: add(held, own), macs: plus(macs, info.macs) });
  }
}

/** A sum of what is known; null with what is not. */
export function plus(a: bigint | null, b: bigint | null): bigint | null {
  return a === null || b === null ? null : a + b;
}

function add(a: ParameterSums, b: ParameterSums): ParameterSums {
  return {
    elements: a.elements + b.elements,
    trainable: a.trainable + b.trainable,
    bytes: a.bytes + b.bytes,
  };
}

function subtract(a: ParameterSums, b: ParameterSums): ParameterSums {
  return {
    elements: a.elements - b.elements,
    trainable: a.trainable - b.trainable,
    bytes: a.bytes - b.bytes,
  };
}
