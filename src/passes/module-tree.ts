/** Rows as the layers of a graph: one for each row, or one for each module of the network that was exported. */

import type { Graph, Layer, ModuleRef, ValueRef } from "../ir/graph.ts";
import { walkLayers } from "../ir/model.ts";
import { maxModuleDepth } from "../limits.ts";
import { type Constancy, constancyOf, isParameter } from "./constant-rows.ts";
import { type FirstCalls, homeOf, isFurther } from "./first-calls.ts";
import type { Row, Rows } from "./fold-rows.ts";
import type { LayerFacts } from "./infer-shapes.ts";
import { countedCalls, kindOf, marksOf, membership, repeatedCalls } from "./module-calls.ts";
import { inside, isBelow, nameInside } from "./module-names.ts";
import { outputsOf, typeOf } from "./module-outputs.ts";
import type { ResolvedWeight } from "./resolve-weights.ts";
import { argumentsOf, type Place } from "./row-arguments.ts";

export interface Tree {
  readonly layers: readonly Layer[];
  readonly facts: ReadonlyMap<Layer, LayerFacts>;
  readonly weights: ReadonlyMap<Layer, readonly ResolvedWeight[]>;
  /** Spare weights that are in no module of the tree. */
  readonly left: readonly ResolvedWeight[];
  /** Where a row's output is among the outputs of `layers`. */
  place(ref: ValueRef): ValueRef | null;
}

export interface TreeOptions {
  /** Levels of modules; 0: every row by itself. */
  readonly depth: number;
  readonly topology: Graph["topology"];
  /** The graph is a program of PyTorch: each node has the modules it ran in, with their classes. */
  readonly traced: boolean;
  /** Modules that the graph as a whole is in: of a branch, those around the row that runs it. */
  readonly around: readonly ModuleRef[];
  /** Weights that no row holds, for the modules they are in. */
  readonly spare: readonly ResolvedWeight[];
  /** What only further calls run, of the program as a whole; null where none is said to be one. */
  readonly firsts: FirstCalls | null;
}

/** Rows as a tree of the modules they are in. */
export function growTree(rows: Rows, options: TreeOptions): Tree {
  const grower = new Grower(rows, { ...options, depth: Math.min(options.depth, maxModuleDepth) });
  const all = [...rows.rows.keys()];
  const again = options.firsts !== null && options.around.some(isFurther);
  const { layers, place } = options.depth === 0 ? grower.list() : grower.level(all, 0, again);
  const left = options.spare.filter((weight) => !grower.taken.has(weight));
  return { layers, facts: grower.facts, weights: grower.weights, left, place };
}

/** A layer to be: one row, or those of a call of a module. */
interface Item {
  readonly module: ModuleRef | null;
  /** Which call of the module; 0 for the first. */
  readonly call: number;
  readonly rows: readonly number[];
  /** What is used outside, or nowhere. */
  readonly outputs: readonly ValueRef[];
}

interface Level {
  readonly layers: readonly Layer[];
  readonly place: Place;
}

/** Gives the same elements in another order or number of dimensions: inside a module, its shape says as much. */
const arranges =
  /^aten\.(view|_unsafe_view|reshape|permute|transpose|t|flatten|unflatten|squeeze|unsqueeze|expand|select|slice|split|split_with_sizes|chunk|unbind|narrow|movedim|swapaxes|view_as|expand_as)$/;

/** One for all: most rows own none. */
const noWeights: Layer["weights"] = [];

class Grower {
  readonly facts = new Map<Layer, LayerFacts>();
  readonly weights = new Map<Layer, readonly ResolvedWeight[]>();
  readonly taken = new Set<ResolvedWeight>();
  /** Weights that no row of a first call reads. */
  private readonly spare: readonly ResolvedWeight[];
  private readonly rows: readonly Row[];
  private readonly options: TreeOptions;
  private readonly modules: readonly (readonly ModuleRef[])[];
  /** Paths of modules that have parameters. */
  private readonly learned = new Set<string>();
  /** The file says which call of a module a row is in. */
  private readonly countsCalls: boolean;
  /** By row; only where the file does not say. */
  private readonly kinds: readonly string[];
  /** By row and weight, the level of the module that the weight is of. */
  private readonly homes: readonly (readonly number[])[];
  private readonly constancy: Constancy;
  /** By row and output, the rows that use it; -1 stands for whoever runs the model. Only a tree asks for them. */
  private readonly users: number[][][] = [];

  constructor({ rows, outputs }: Rows, options: TreeOptions) {
    this.rows = rows;
    this.options = options;
    this.spare = options.firsts ? [...options.spare, ...options.firsts.later] : options.spare;
    this.modules = rows.map(({ layer }) => inside(layer.modules ?? [], options.around));
    this.countsCalls = this.modules.some((around) => around.some(({ call }) => call !== undefined));
    const isTree = options.depth > 0;
    this.kinds = isTree && !this.countsCalls ? rows.map(kindOf) : [];
    this.homes = isTree ? rows.map((row, i) => row.weights.map((one) => this.homeOf(i, one))) : [];
    this.constancy = constancyOf(isTree && options.traced ? rows : []);
    if (!isTree) return;

    for (let i = 0; i < rows.length; i++) {
      const { inputs, weights, inside: run = [] } = rows[i] as Row;
      for (const refs of inputs) for (const ref of refs) this.use(ref, i);
      if (weights.some(isParameter) || run.some(isParameter))
        for (const { path } of this.modules[i] ?? []) this.learned.add(path);
    }
    for (const ref of outputs) this.use(ref, -1);
  }

  private moduleOf(i: number, level: number): ModuleRef | undefined {
    return level < this.options.depth ? this.modules[i]?.[level] : undefined;
  }

  private use({ layer, output }: ValueRef, by: number): void {
    this.users[layer] ??= [];
    const users = this.users[layer][output];
    if (users) users.push(by);
    else this.users[layer][output] = [by];
  }

  /** A layer for each row. */
  list(): Level {
    const place: Place = (ref) => (this.rows[ref.layer] ? ref : null);
    const names = new Set<string>();
    const layers = this.rows.map((row) =>
      this.uniquelyNamed(this.row(row, row.layer.name, row.weights, place), names),
    );
    return { layers, place };
  }

  /** Layers for rows that are all in the same modules down to `level`; `again`: in a further call. */
  level(members: readonly number[], level: number, again: boolean): Level {
    const all = this.items(members, level);
    const hidden = new Set(all.filter((item) => this.isSilent(item, level)));
    const items = hidden.size < all.length ? all.filter((item) => !hidden.has(item)) : all;
    const silent = new Set(items === all ? [] : [...hidden].flatMap(({ rows }) => rows));
    const places = new Map<number, number>();
    const outputs = new Map<string, number>();
    for (const [number, { module, rows, outputs: own }] of items.entries()) {
      for (const row of rows) places.set(row, number);
      if (module) for (const [i, ref] of own.entries()) outputs.set(keyOf(ref), i);
    }
    const place: Place = (ref) => {
      const at = this.shownSource(ref, silent);
      const found = at === null ? undefined : places.get(at.layer);
      if (at === null || found === undefined) return null;
      if (!items[found]?.module) return { ...at, layer: found };
      return { layer: found, call: 0, output: outputs.get(keyOf(at)) ?? 0 };
    };
    // A module has its path for a name, whatever an input is called.
    const names = new Set(items.flatMap(({ module, call }) => (module ? nameOf(module, call) : [])));
    const layers = items.map((item) => {
      if (item.module) return this.module(item, item.module, level, again || item.call > 0, place);
      const row = this.rows[item.rows[0] ?? 0] as Row;
      const name = level > 0 && this.options.traced ? nameInside(row.layer) : row.layer.name;
      const read = this.weightsAt(item.rows, level - 1);
      const weights = again ? this.newIn(read) : read;
      return this.uniquelyNamed(this.row(row, name, weights, place), names);
    });
    return { layers, place };
  }

  /**
   * What no row of its own shows, though it is no module: plumbing, what no input of the model has a part in but by its size, and
   * rearrangements inside a module.
   */
  private isSilent({ module, rows }: Item, level: number): boolean {
    const row = this.rows[rows[0] ?? 0];
    if (module || !row || !this.options.traced || row.layer.operator === "Input") return false;
    if (row.weights.length > 0 || row.layer.graph) return false;
    if (this.constancy.workedOut[rows[0] ?? 0]) return true;
    return row.layer.plumbing === true || (level > 0 && arranges.test(row.layer.source.type));
  }

  /** The value itself unless its row is silent; then what that was made from. */
  private shownSource(ref: ValueRef, silent: ReadonlySet<number>): ValueRef | null {
    let at: ValueRef | undefined = ref;
    while (at && silent.has(at.layer)) {
      const before: ValueRef | undefined = this.rows[at.layer]?.inputs[0]?.[0];
      at = before && before.layer < at.layer ? before : undefined;
    }
    return at ?? null;
  }

  private uniquelyNamed(layer: Layer, names: Set<string>): Layer {
    let { name } = layer;
    const { size } = names;
    if (names.add(name).size > size) return layer;
    for (let i = 1; names.has(name); i++) name = `${layer.name}_${i}`;
    names.add(name);
    const renamed = { ...layer, name };
    this.note(renamed, this.facts.get(layer), this.weights.get(layer) ?? []);
    return renamed;
  }

  private note(layer: Layer, facts: LayerFacts | undefined, weights: readonly ResolvedWeight[]): void {
    if (facts) this.facts.set(layer, facts);
    if (weights.length > 0) this.weights.set(layer, weights);
  }

  /** In the order in which they start. */
  private items(members: readonly number[], level: number): readonly Item[] {
    const found: { readonly module: ModuleRef | null; readonly rows: readonly number[] }[] = [];
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
    return found
      .flatMap(({ module, rows }): readonly Item[] => {
        if (!module) return [{ module, call: 0, rows, outputs: [] }];
        return [...this.callsOf(rows, level)].map(([call, part]) => {
          const own = part.filter((i) => this.modules[i]?.[level + 1] === undefined);
          return { module, call, rows: part, outputs: this.outputsOf(part, own) };
        });
      })
      .sort((a, b) => (a.rows[0] ?? 0) - (b.rows[0] ?? 0));
  }

  /** A mask that each call of a module casts is made in the first and used in the others: no output of the first. */
  private outputsOf(members: readonly number[], own: readonly number[]): readonly ValueRef[] {
    const outputs = outputsOf(members, own, this.rows, this.users);
    const moving = outputs.filter(({ layer }) => this.constancy.fixed[layer] !== true);
    return moving.length > 0 ? moving : outputs;
  }

  private callsOf(rows: readonly number[], level: number): ReadonlyMap<number, readonly number[]> {
    if (this.countsCalls) return countedCalls(rows, (i) => this.moduleOf(i, level)?.call ?? 0);
    return new Map(repeatedCalls(rows, this.rows, this.kinds, !this.goesDeeper(rows, level)).entries());
  }

  private goesDeeper(rows: readonly number[], level: number): boolean {
    return rows.some((i) => this.moduleOf(i, level + 1) !== undefined);
  }

  private row(row: Row, name: string, weights: readonly ResolvedWeight[], place: Place): Layer {
    const { layer, facts } = row;
    const shown: Layer = {
      ...layer,
      name,
      weights: weights.length === 0 ? noWeights : weights.map(({ weight }) => weight),
      calls: layer.calls.map((call, i) => ({ ...call, inputs: argumentsOf(row.inputs[i] ?? [], place) })),
    };
    this.note(shown, facts, weights);
    return shown;
  }

  private module(item: Item, module: ModuleRef, level: number, again: boolean, place: Place): Layer {
    const { rows: members, outputs } = item;
    const deeper = members.filter((i) => this.moduleOf(i, level + 1) !== undefined);
    const opens = deeper.length > 0 || (level + 1 < this.options.depth && members.some((i) => this.runs(i)));
    const inner = opens ? this.level(members, level + 1, again).layers : null;
    const { topology } = this.options;
    const graph: Graph | null = inner && { topology, layers: inner, inputs: [], outputs: [] };
    const held = this.weightsAt(inner ? deeper : members, level, inner === null);
    // Of a module that is one row nothing inside is shown, so what it runs is its own.
    const run = inner ? [] : members.flatMap((i) => this.rows[i]?.inside ?? []);
    const recursive = again && this.options.firsts?.opens(module.path) !== true;
    const left = recursive ? [] : this.takeSpare(module, members, level, again);
    const read = [...held, ...run];
    const own = again ? this.newIn(read, recursive ? module.path : null) : read;
    const weights = left.length > 0 ? [...own, ...left] : own;
    const folded = inner === null && members.some((i) => this.modules[i]?.[level + 1] !== undefined);
    const given = members.every((i) => this.rows[i]?.layer.needsNoBuild === true);
    const called = members.some((i) => (this.rows[i]?.layer.calls.length ?? 0) > 0);
    const layer: Layer = {
      name: nameOf(module, item.call),
      source: this.sourceOf(module, members, inner !== null),
      kind: inner ? "model" : "layer",
      operator: "Module",
      attributes: marksOf({ call: item.call, recursive: recursive && this.learned.has(module.path), folded }),
      scope: "",
      trainable: null,
      weights: weights.map(({ weight }) => weight),
      calls: called ? [{ inputs: argumentsOf(this.enteringInto(item), place) }] : [],
      ...(graph && { graph }),
      ...(given && { needsNoBuild: true }),
    };
    const types = outputs.map((ref) => typeOf(ref, this.rows));
    const structure = types.length === 1 ? 0 : { list: [...types.keys()] };
    const calls = called ? [{ types, structure }] : [];
    this.note(layer, { calls, built: null, weights: {}, failed: false }, weights);
    return layer;
  }

  /** Whether there are modules in the graphs that a row runs. */
  private runs(i: number): boolean {
    let found = false;
    walkLayers(this.rows[i]?.layer.graph?.layers ?? [], ({ operator }) => {
      found ||= operator === "Module";
    });
    return found;
  }

  /** Weights that rows read and that are the module's at `level`, or of those inside it too. */
  private weightsAt(rows: readonly number[], level: number, inside = false): readonly ResolvedWeight[] {
    const found: ResolvedWeight[] = [];
    for (const i of rows) {
      this.rows[i]?.weights.forEach((weight, k) => {
        const home = this.homes[i]?.[k] ?? -1;
        if (home === level || (inside && home > level)) found.push(weight);
      });
    }
    return found;
  }

  /** Of weights in a further call, those that no other row has; what is of `path` is in the row of its first call. */
  private newIn(read: readonly ResolvedWeight[], path: string | null = null): readonly ResolvedWeight[] {
    const { firsts } = this.options;
    if (firsts === null) return [];
    const isFirst = ({ weight }: ResolvedWeight): boolean =>
      path !== null && weight.name.startsWith(`${path}.`);
    return read.filter((one) => !isFirst(one) && firsts.claims(one));
  }

  private homeOf(i: number, { weight }: ResolvedWeight): number {
    const around = this.modules[i] ?? [];
    if (!this.options.traced) return Math.min(around.length, this.options.depth) - 1;
    return homeOf(around, weight.name);
  }

  private sourceOf(module: ModuleRef, members: readonly number[], deeper: boolean): Layer["source"] {
    const first = this.rows[members[0] ?? 0] as Row;
    const { dialect, type, recognized } = first.layer.source;
    const single = !deeper && members.length === 1 && !isBelow(first.layer, module);
    return {
      dialect,
      type: module.type ?? (single ? type : "Module"),
      ...(single && module.type === null && recognized && { recognized }),
    };
  }

  /** Weights that nothing reads, or further calls alone, of the module or of those inside it that have no rows. */
  private takeSpare(
    { path }: ModuleRef,
    members: readonly number[],
    level: number,
    again: boolean,
  ): readonly ResolvedWeight[] {
    const spare = again ? this.options.spare : this.spare;
    if (this.spare.length === this.taken.size) return [];
    const inside = new Set(members.flatMap((i) => this.moduleOf(i, level + 1)?.path ?? []));
    const own = spare.filter(
      (one) =>
        !this.taken.has(one) &&
        one.weight.name.startsWith(`${path}.`) &&
        ![...inside].some((inner) => one.weight.name.startsWith(`${inner}.`)),
    );
    for (const one of own) this.taken.add(one);
    return own;
  }

  /** Values from outside, each once. */
  private enteringInto({ rows }: Item): readonly ValueRef[] {
    const isInside = membership(rows);
    const found = new Map<string, ValueRef>();
    for (const i of rows) {
      for (const refs of (this.rows[i] as Row).inputs) {
        for (const ref of refs) {
          const key = isInside(ref.layer) ? "" : keyOf(ref);
          if (key !== "" && !found.has(key)) found.set(key, ref);
        }
      }
    }
    return [...found.values()];
  }
}

function nameOf({ path }: ModuleRef, call: number): string {
  return call > 0 ? `${path}@${call}` : path;
}

function keyOf({ layer, call, output }: ValueRef): string {
  return `${layer}/${call}/${output}`;
}
