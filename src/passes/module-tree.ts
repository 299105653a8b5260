/** Rows as the layers of a graph: one for each row, or one for each module of the network that was exported. */

import type { Graph, Layer, ModuleRef, ValueRef } from "../ir/graph.ts";
import { identityOf, type TensorType } from "../ir/tensor.ts";
import { maxModuleDepth } from "../limits.ts";
import type { Row, Rows } from "./fold-rows.ts";
import type { LayerFacts } from "./infer-shapes.ts";
import type { ResolvedWeight } from "./resolve-weights.ts";

export interface Tree {
  readonly layers: readonly Layer[];
  readonly facts: ReadonlyMap<Layer, LayerFacts>;
  readonly weights: ReadonlyMap<Layer, readonly ResolvedWeight[]>;
  /** Where a row's output is among the outputs of `layers`. */
  place(ref: ValueRef): ValueRef | null;
}

/** Modules down to `depth` levels; 0: every row by itself. */
export function growTree(rows: Rows, depth: number, topology: Graph["topology"]): Tree {
  const grower = new Grower(rows, Math.min(depth, maxModuleDepth), topology);
  const { layers, place } = depth === 0 ? grower.list() : grower.level([...rows.rows.keys()], 0);
  return { layers, facts: grower.facts, weights: grower.weights, place };
}

/** A layer to be: one row, or those of a module, apart by call of the module. */
interface Item {
  readonly module: ModuleRef | null;
  readonly calls: readonly Segment[];
}

interface Segment {
  readonly rows: readonly number[];
  /** What is used outside, or nowhere. */
  readonly outputs: readonly ValueRef[];
}

interface Level {
  readonly layers: readonly Layer[];
  readonly place: Place;
}

type Place = (ref: ValueRef) => ValueRef | null;

class Grower {
  readonly facts = new Map<Layer, LayerFacts>();
  readonly weights = new Map<Layer, readonly ResolvedWeight[]>();
  private readonly rows: readonly Row[];
  private readonly depth: number;
  private readonly topology: Graph["topology"];
  private readonly modules: readonly (readonly ModuleRef[])[];
  /** Rows that use an output, by its key; -1 stands for whoever runs the model. Only a tree asks for them. */
  private readonly users = new Map<string, number[]>();

  constructor({ rows, outputs }: Rows, depth: number, topology: Graph["topology"]) {
    this.topology = topology;
    this.rows = rows;
    this.depth = depth;
    this.modules = rows.map(({ layer }) => layer.modules ?? []);
    if (depth === 0) return;
    for (const [i, row] of rows.entries())
      for (const refs of row.inputs) for (const ref of refs) this.use(ref, i);
    for (const ref of outputs) this.use(ref, -1);
  }

  private moduleOf(i: number, level: number): ModuleRef | undefined {
    return level < this.depth ? this.modules[i]?.[level] : undefined;
  }

  private use(ref: ValueRef, by: number): void {
    const users = this.users.get(keyOf(ref));
    if (users) users.push(by);
    else this.users.set(keyOf(ref), [by]);
  }

  /** A layer for each row. */
  list(): Level {
    const place: Place = (ref) => (this.rows[ref.layer] ? ref : null);
    const names = new Set<string>();
    return { layers: this.rows.map((row) => this.uniquelyNamed(this.row(row, place), names)), place };
  }

  /** Layers for rows that are all in the same modules down to `level`. */
  level(members: readonly number[], level: number): Level {
    const items = this.items(members, level);
    const places = new Map<number, { readonly item: number; readonly call: number }>();
    const outputs = new Map<string, number>();
    for (const [number, { module, calls }] of items.entries()) {
      for (const [call, segment] of calls.entries()) {
        for (const row of segment.rows) places.set(row, { item: number, call });
        if (module) for (const [i, ref] of segment.outputs.entries()) outputs.set(keyOf(ref), i);
      }
    }
    const place: Place = (ref) => {
      const found = places.get(ref.layer);
      if (!found) return null;
      if (!items[found.item]?.module) return { ...ref, layer: found.item };
      return { layer: found.item, call: found.call, output: outputs.get(keyOf(ref)) ?? 0 };
    };
    const names = new Set<string>();
    const layers = items.map((item) => {
      const { module, calls } = item;
      const layer = module
        ? this.module(module, calls, level, place)
        : this.row(this.rows[calls[0]?.rows[0] ?? 0] as Row, place);
      return this.uniquelyNamed(layer, names);
    });
    return { layers, place };
  }

  private uniquelyNamed(layer: Layer, names: Set<string>): Layer {
    let { name } = layer;
    for (let i = 1; names.has(name); i++) name = `${layer.name}_${i}`;
    names.add(name);
    if (name === layer.name) return layer;
    const renamed = { ...layer, name };
    this.note(renamed, this.facts.get(layer), this.weights.get(layer) ?? []);
    return renamed;
  }

  private note(layer: Layer, facts: LayerFacts | undefined, weights: readonly ResolvedWeight[]): void {
    if (facts) this.facts.set(layer, facts);
    if (weights.length > 0) this.weights.set(layer, weights);
  }

  private items(members: readonly number[], level: number): readonly Item[] {
    const found: { readonly module: ModuleRef | null; readonly rows: number[] }[] = [];
    const byPath = new Map<string, number[]>();
    for (const i of members) {
      const module = this.moduleOf(i, level);
      const before = module && byPath.get(module.path);
      if (before) before.push(i);
      else {
        const rows = [i];
        found.push({ module: module ?? null, rows });
        if (module) byPath.set(module.path, rows);
      }
    }
    return found.map(({ module, rows }) => ({
      module,
      calls: module ? this.callsOf(rows, level).map((part) => this.segment(part)) : [{ rows, outputs: [] }],
    }));
  }

  private segment(rows: readonly number[]): Segment {
    const inside = new Set(rows);
    const outputs: ValueRef[] = [];
    for (const i of rows) {
      for (const output of (this.rows[i]?.facts?.calls[0]?.types ?? []).keys()) {
        const ref = { layer: i, call: 0, output };
        if (this.users.get(keyOf(ref))?.some((user) => !inside.has(user))) outputs.push(ref);
      }
    }
    const last = rows.at(-1);
    return {
      rows,
      outputs: outputs.length > 0 || last === undefined ? outputs : [{ layer: last, call: 0, output: 0 }],
    };
  }

  /**
   * The rows of each call of a module that is called again and again: the same operations on the same weights, with rows of
   * others between, or, where there is nothing but these operations in it, without.
   */
  private callsOf(rows: readonly number[], level: number): readonly (readonly number[])[] {
    // Without calls, what is alike is one module beside another.
    if (rows.every((i) => this.rows[i]?.layer.calls.length === 0)) return [rows];
    const period = shortestPeriod(rows.map((i) => this.kindOf(i)));
    if (period === rows.length) return [rows];
    const parts: (readonly number[])[] = [];
    for (let at = 0; at < rows.length; at += period) parts.push(rows.slice(at, at + period));
    const apart = parts.every((part, i) => i === 0 || part[0] !== (parts[i - 1]?.at(-1) ?? 0) + 1);
    const leaf = !this.goesDeeper(rows, level);
    const weighted = rows.some((i) => (this.rows[i]?.weights.length ?? 0) > 0);
    return apart || (leaf && weighted) ? parts : [rows];
  }

  private kindOf(i: number): string {
    const row = this.rows[i];
    const weights = row?.weights.map(({ weight }) => {
      const identity = identityOf(weight);
      return typeof identity === "object" ? weight.name : String(identity);
    });
    return `${row?.layer.source.type} ${weights?.join(" ")}`;
  }

  private goesDeeper(rows: readonly number[], level: number): boolean {
    return rows.some((i) => this.moduleOf(i, level + 1) !== undefined);
  }

  private row(row: Row, place: Place): Layer {
    const { layer, facts, weights } = row;
    const shown: Layer = {
      ...layer,
      weights: weights.map(({ weight }) => weight),
      calls: layer.calls.map((call, i) => ({ ...call, inputs: argumentsOf(row.inputs[i] ?? [], place) })),
    };
    this.note(shown, facts, weights);
    return shown;
  }

  private module(module: ModuleRef, calls: readonly Segment[], level: number, place: Place): Layer {
    const members = calls.flatMap(({ rows }) => rows);
    const inner = this.goesDeeper(members, level) ? this.level(members, level + 1).layers : null;
    const graph: Graph | null = inner && {
      topology: this.topology,
      layers: inner,
      inputs: [],
      outputs: [],
    };
    const weights = inner ? [] : members.flatMap((i) => this.rows[i]?.weights ?? []);
    const first = this.rows[members[0] ?? 0] as Row;
    const { dialect, type, recognized } = first.layer.source;
    const single = !inner && calls.every(({ rows }) => rows.length === 1) && !isBelow(first.layer, module);
    const given = members.every((i) => this.rows[i]?.layer.needsNoBuild === true);
    const called = members.some((i) => (this.rows[i]?.layer.calls.length ?? 0) > 0);
    const layer: Layer = {
      name: module.path,
      source: {
        dialect,
        type: module.type ?? (single ? type : "Module"),
        ...(single && module.type === null && recognized && { recognized }),
      },
      kind: inner ? "model" : "layer",
      operator: "Module",
      attributes: {},
      scope: "",
      trainable: null,
      weights: weights.map(({ weight }) => weight),
      calls: called
        ? calls.map((segment) => ({ inputs: argumentsOf(this.enteringInto(segment), place) }))
        : [],
      ...(graph && { graph }),
      ...(given && { needsNoBuild: true }),
    };
    const facts: LayerFacts = {
      calls: (called ? calls : []).map(({ outputs }) => {
        const types = outputs.map((ref) => this.typeOf(ref));
        return { types, structure: types.length === 1 ? 0 : { list: [...types.keys()] } };
      }),
      built: null,
      weights: {},
      failed: false,
    };
    this.note(layer, facts, weights);
    return layer;
  }

  private typeOf({ layer, output }: ValueRef): TensorType {
    return this.rows[layer]?.facts?.calls[0]?.types[output] ?? { dtype: null, shape: null };
  }

  /** Values from outside, each once. */
  private enteringInto({ rows }: Segment): readonly ValueRef[] {
    const inside = new Set(rows);
    const seen = new Set<string>();
    return rows
      .flatMap((i) => this.rows[i]?.inputs.flat() ?? [])
      .filter((ref) => !inside.has(ref.layer) && !seen.has(keyOf(ref)) && seen.add(keyOf(ref)));
  }
}

/** Whether a layer has a name inside the module's: it is a part of it, and not the whole. */
function isBelow({ name }: Layer, { path }: ModuleRef): boolean {
  return name.startsWith(path) && /^[./]/.test(name.slice(path.length));
}

function argumentsOf(refs: readonly ValueRef[], place: Place): Layer["calls"][number]["inputs"] {
  // What comes from outside the module is an input of the module's row.
  const inside = refs.map(place).filter((value) => value !== null);
  return inside.map((value) => ({ kind: "value", value }));
}

function keyOf({ layer, call, output }: ValueRef): string {
  return `${layer}/${call}/${output}`;
}

/** Length of the shortest beginning of which the whole list is a repetition. */
function shortestPeriod(list: readonly string[]): number {
  const borders = [0];
  let length = 0;
  for (let i = 1; i < list.length; i++) {
    while (length > 0 && list[i] !== list[length]) length = borders[length - 1] ?? 0;
    if (list[i] === list[length]) length += 1;
    borders.push(length);
  }
  const period = list.length - (borders.at(-1) ?? 0);
  return list.length % period === 0 ? period : list.length;
}
