/** What torchinfo asks of a module before it runs: its class, the modules inside it and its parameters. */

import { bitsOf, isDType } from "../ir/dtype.ts";
import { maxModuleDepth } from "../limits/pytorch.ts";
import type { Report, ReportLayer, ReportShape, ReportWeight } from "../report/report.ts";
import { modelWeights } from "./model-weights.ts";

/** A call of a module, in the order in which calls begin. */
export interface ModuleCall {
  /** "" for the whole network. */
  readonly path: string;
  readonly type: string;
  readonly size: ReportShape;
  readonly dtype: string | null;
}

/** Sums over the parameters of a module and of all inside it, each once. */
export interface ParameterSums {
  readonly elements: number;
  readonly trainable: number;
  readonly bytes: number;
}

export interface Parameter {
  /** In its module: `weight`. */
  readonly name: string;
  readonly elements: number;
}

export const noParameters: ParameterSums = { elements: 0, trainable: 0, bytes: 0 };

/** The calls that the rows are, without that of the whole. */
export function callsOf(layers: readonly ReportLayer[]): readonly ModuleCall[] {
  const calls = callsIn(layers);
  // Where one call gives several values, another one of which only one is used gives as many.
  const unclear = new Set(calls.flatMap(({ path, size }) => (size === null ? path : [])));
  return calls.map((call) => (unclear.has(call.path) ? { ...call, ...unknown } : call));
}

const unknown = { size: null, dtype: null } as const;

function callsIn(layers: readonly ReportLayer[]): readonly ModuleCall[] {
  return layers.flatMap((row) => {
    const inside = callsIn(row.layers ?? []);
    if (row.operator !== "Module" || isTable(row)) return inside;
    const type = row.type === "?" ? "~Module" : unsure(row) ? `~${row.type}` : row.type;
    return [{ path: pathOf(row), type, ...(handsOn(row) ? unknown : outputOf(row)) }, ...inside];
  });
}

function unsure({ type, recognized }: ReportLayer): boolean {
  return recognized === true || type === "Module";
}

/** Tensors that a script has beside its modules. */
function isTable({ type, weights, layers }: ReportLayer): boolean {
  return type === "?" && !layers && weights.every((weight) => weight.class === "constant");
}

/** Whether a module gives what the last one in it gave, of which others use some: it may well give all of it. */
function handsOn({ layers = [], calls: [call] }: ReportLayer): boolean {
  const last = layers.at(-1);
  if (last?.operator !== "Module" || !(handsOn(last) || outputOf(last).size === null)) return false;
  const given = new Set(last.calls[0]?.outputShapes.map(String));
  return call?.outputShapes.some((shape) => given.has(String(shape))) ?? false;
}

/** Gives what came out at each step, and then its state. */
const recurrent: ReadonlySet<string> = new Set(["LSTM", "GRU", "RNN"]);

/**
 * What the call of a module gave. Of several values torchinfo shows one, as they stand in the module's own list or dictionary;
 * the file has no order of them, so none is known unless they are alike.
 */
function outputOf({ type, calls: [call] }: ReportLayer): Pick<ModuleCall, "size" | "dtype"> {
  const [size, ...others] = call?.outputShapes ?? [];
  const [dtype = null, ...dtypes] = call?.outputDtypes ?? [];
  if (size === undefined) return { size: [], dtype: null };
  if (recurrent.has(type)) return { size, dtype };
  const same = others.every((other) => String(other) === String(size) && other !== null);
  if (!same) return unknown;
  return { size, dtype: dtypes.every((other) => other === dtype) ? dtype : null };
}

/** Path of the module that a row is a call of. */
export function pathOf({ name }: ReportLayer): string {
  return name.replace(/@\d+$/, "");
}

/** `a` and `a.b` of `a.b.c`, and "" of all. A path deeper than networks are ends in one long name. */
export function pathsAround(path: string): readonly string[] {
  if (path === "") return [];
  const around = [""];
  for (
    let dot = path.indexOf(".");
    dot >= 0 && around.length < maxModuleDepth;
    dot = path.indexOf(".", dot + 1)
  )
    around.push(path.slice(0, dot));
  return around;
}

/** The modules of a network. */
export class Modules {
  /** Paths of modules with others inside them, and whether the names of those are numbers. */
  private readonly parents = new Map<string, boolean>();
  private readonly sums = new Map<string, ParameterSums>();
  private readonly worked = new Set<string>();
  private readonly own = new Map<string, Parameter[]>();

  constructor(report: Report, listed: readonly string[], calls: readonly ModuleCall[]) {
    const weights = distinctNames(modelWeights(report));
    const owners = weights.map(({ name }) => ownerOf(name));
    // Not every program lists all modules.
    for (const path of [...listed, ...calls.map(({ path }) => path), ...owners]) this.noteParents(path);
    this.sumUp(weights);
  }

  private noteParents(path: string): void {
    const around = [...pathsAround(path), path];
    for (const [i, parent] of around.slice(0, -1).entries()) {
      const name = (around[i + 1] ?? "").slice(parent === "" ? 0 : parent.length + 1);
      this.parents.set(parent, /^\d+$/.test(name) && this.parents.get(parent) !== false);
    }
  }

  private sumUp(weights: readonly ReportWeight[]): void {
    const seen = new Map<string, Set<unknown>>();
    for (const weight of weights) {
      if (weight.class !== "parameter") continue;
      const owner = ownerOf(weight.name);
      const identity = weight.stored ?? weight.shared ?? weight.name;
      const elements = weight.elements ?? 0;
      const bytes = elements * bytesOf(weight.dtype);
      const trainable = weight.trainable === false ? 0 : elements;
      for (const path of [...pathsAround(owner), owner]) {
        const held = seen.get(path) ?? new Set();
        seen.set(path, held);
        if (held.has(identity)) continue;
        held.add(identity);
        const name = weight.name.slice(path === "" ? 0 : path.length + 1);
        if (/weight|bias/.test(name) && elements > 0) this.worked.add(path);
        const sums = this.sums.get(path) ?? noParameters;
        this.sums.set(path, {
          elements: sums.elements + elements,
          trainable: sums.trainable + trainable,
          bytes: sums.bytes + bytes,
        });
        if (path === owner) {
          const parameter = { name, elements };
          const before = this.own.get(owner);
          if (before) before.push(parameter);
          else this.own.set(owner, [parameter]);
        }
      }
    }
  }

  isLeaf(path: string): boolean {
    return !this.parents.has(path);
  }

  /** Whether the modules inside it are numbered, as those of a list are. */
  isNumbered(path: string): boolean {
    return this.parents.get(path) === true;
  }

  sumsOf(path: string): ParameterSums {
    return this.sums.get(path) ?? noParameters;
  }

  /** Whether a parameter of it, or of a module inside, has a name that work is counted for. */
  hasWork(path: string): boolean {
    return this.worked.has(path);
  }

  /** Of the module itself. */
  parametersOf(path: string): readonly Parameter[] {
    return this.own.get(path) ?? [];
  }
}

/** Rows that read one weight list it each. */
function distinctNames(weights: readonly ReportWeight[]): readonly ReportWeight[] {
  const byName = new Map<string, ReportWeight>();
  for (const weight of weights) if (!byName.has(weight.name)) byName.set(weight.name, weight);
  return [...byName.values()];
}

function ownerOf(name: string): string {
  return name.slice(0, Math.max(0, name.lastIndexOf(".")));
}

/** Bytes of an element; 0 where that is not known. */
export function bytesOf(dtype: string | null): number {
  const bits = dtype !== null && isDType(dtype) ? bitsOf(dtype) : null;
  return bits === null ? 0 : Math.max(1, bits / 8);
}
