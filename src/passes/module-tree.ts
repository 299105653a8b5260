/** Rows as the layers of a graph: one for each row, or one for each module of the network that was exported. */

import type { Graph, Layer, ModuleRef, ValueRef } from "../ir/graph.ts";
import { walkLayers } from "../ir/model.ts";
import { maxModuleDepth } from "../limits/pytorch.ts";
import { workedOutOf } from "./constant-rows.ts";
import { type FirstCalls, homeOf, isFurther } from "./first-calls.ts";
import type { Row, Rows } from "./fold-rows.ts";
import { marksOf } from "./module-calls.ts";
import { inside, isBelow, nameInside } from "./module-names.ts";
import { outputsOf, type Surroundings, typeOf } from "./module-outputs.ts";
import { added, type Items, type Part } from "./module-part.ts";
import { type Parts, partsOf } from "./module-parts.ts";
import { RowValues } from "./module-values.ts";
import type { ResolvedWeight } from "./resolve-weights.ts";
import { argumentsOf, type Place } from "./row-arguments.ts";
import { plainWeights, type RowLayers } from "./row-layers.ts";

export interface Tree {
  readonly layers: readonly Layer[];
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

/** Rows as a tree of the modules they are in. `known`: where what is known of its layers is put. */
export function growTree(rows: Rows, options: TreeOptions, known: RowLayers): Tree {
  return options.depth === 0 ? listRows(rows, options, known) : new Grower(rows, options, known).tree();
}

/** A layer for each row. */
function listRows({ rows }: Rows, { spare }: TreeOptions, known: RowLayers): Tree {
  const place: Place = (ref) => (rows[ref.layer] ? ref : null);
  const names = new Set<string>();
  const layers = rows.map((row) =>
    known.uniquelyNamed(known.row(row, row.layer.name, row.weights, place), names),
  );
  return { layers, left: spare, place };
}

/** Gives the same elements in another order or number of dimensions: inside a module, its shape says as much. */
const arranges =
  /^aten\.(view|_unsafe_view|reshape|permute|transpose|t|flatten|unflatten|squeeze|unsqueeze|expand|select|slice|split|split_with_sizes|chunk|unbind|narrow|movedim|swapaxes|view_as|expand_as)$/;

interface Level {
  readonly layers: readonly Layer[];
  readonly place: Place;
}

const noModules: readonly ModuleRef[] = [];
const noWeights: readonly ResolvedWeight[] = [];

class Grower implements Surroundings {
  readonly rows: readonly Row[];
  readonly parts: Parts;
  readonly values: RowValues;
  private readonly options: TreeOptions;
  /** Levels of modules that are shown. */
  private readonly depth: number;
  /** Some row runs a graph. */
  private readonly runsGraphs: boolean;
  private readonly known: RowLayers;
  private readonly taken = new Set<ResolvedWeight>();
  private readonly modules: readonly (readonly ModuleRef[])[];
  /** By row, its number among the layers beside it; -1: it has none, and is shown by what it was made from. */
  private readonly places: Int32Array;
  /** Rows that are worked out from constants and sizes alone. */
  private readonly workedOut: readonly boolean[];
  /** Weights that no row of a first call reads. */
  private readonly spare: readonly ResolvedWeight[];
  /** Weights of rows that are shown by themselves. */
  private readonly ofRows = new Map<number, readonly ResolvedWeight[]>();
  private learned: ReadonlySet<string> | null = null;

  constructor(rows: Rows, options: TreeOptions, known: RowLayers) {
    this.rows = rows.rows;
    this.options = options;
    this.known = known;
    this.modules = this.rows.map(({ layer }) => inside(layer.modules ?? noModules, options.around));
    this.depth = Math.min(options.depth, maxModuleDepth);
    this.runsGraphs = this.rows.some(({ layer }) => layer.graph !== undefined);
    this.parts = partsOf({
      rows: this.rows,
      modules: this.modules,
      depth: this.depth,
      runs: this.runsGraphs ? (i) => this.runs(i) : null,
    });
    this.values = new RowValues(rows, this.parts);
    this.places = new Int32Array(this.rows.length);
    this.workedOut = workedOutOf(options.traced ? this.rows : []);
    this.spare = options.firsts ? [...options.spare, ...options.firsts.later] : options.spare;
    for (let i = 0; i < this.rows.length; i++) {
      const { weights } = this.rows[i] as Row;
      for (let k = 0; k < weights.length; k++) this.give(weights[k] as ResolvedWeight, i);
    }
  }

  tree(): Tree {
    const { firsts, around } = this.options;
    const again = firsts !== null && around.some(isFurther);
    const { layers, place } = this.level(this.parts.items, null, again);
    return { layers, place, left: this.options.spare.filter((weight) => !this.taken.has(weight)) };
  }

  /** Gives a weight that a row reads to the row, or to the part whose row shows it. */
  private give(weight: ResolvedWeight, row: number): void {
    const around = this.modules[row] as readonly ModuleRef[];
    const innermost = this.parts.around[row] ?? null;
    const home = this.options.traced ? homeOf(around, weight.weight.name) : around.length - 1;
    let part = innermost;
    while (part !== null && part.level > home) part = part.around;
    if (part === null || (part === innermost && part.items))
      this.ofRows.set(row, added(this.ofRows.get(row) ?? noWeights, weight));
    else part.held = added(part.held, weight);
  }

  /** Layers for what is in a part, or at the top; `again`: in a further call. */
  private level(all: Items, around: Part | null, again: boolean): Level {
    const items = this.shown(all, around);
    const place: Place = (ref) => this.placeOf(ref, around);
    const names = new Set<string>();
    // A module has its path for a name, whatever an input is called.
    for (const item of items) if (typeof item !== "number") names.add(nameOf(item));
    const layers = items.map((item) => {
      if (typeof item !== "number") return this.module(item, again || item.call > 0, place);
      const row = this.rows[item] as Row;
      const name = around && this.options.traced ? nameInside(row.layer) : row.layer.name;
      const read = this.ofRows.get(item) ?? noWeights;
      const weights = again ? this.newIn(read) : read;
      return this.known.uniquelyNamed(this.known.row(row, name, weights, place), names);
    });
    return { layers, place };
  }

  /** Without the silent ones, unless there are no others; notes the places of those that are left. */
  private shown(all: Items, around: Part | null): Items {
    const audible = this.options.traced
      ? all.filter((item) => !(typeof item === "number" ? this.isSilent(item, around) : this.onlyLooks(item)))
      : all;
    const items = audible.length > 0 ? audible : all;
    if (items !== all) for (const item of all) if (typeof item === "number") this.places[item] = -1;
    for (let i = 0; i < items.length; i++) {
      const item = items[i] as Part | number;
      if (typeof item === "number") this.places[item] = i;
      else item.place = i;
    }
    for (const item of items) if (typeof item !== "number") item.outputs = outputsOf(item, this);
    return items;
  }

  /**
   * What no row of its own shows, though it is no module: plumbing, what no input of the model has a part in but by its size, and
   * rearrangements inside a module.
   */
  private isSilent(row: number, around: Part | null): boolean {
    const { layer, weights } = this.rows[row] as Row;
    if (layer.operator === "Input" || weights.length > 0 || layer.graph) return false;
    if (layer.plumbing === true || this.workedOut[row]) return true;
    return around !== null && arranges.test(layer.source.type);
  }

  /** A module of which nothing but checks of a tensor is left, elsewhere than where it ran. */
  private onlyLooks(part: Part): boolean {
    return part.first === part.last && isCheck(this.rows[part.first] as Row);
  }

  /** Where a value stands among the layers in a part, or at the top. */
  private placeOf(ref: ValueRef, around: Part | null): ValueRef | null {
    const { places, parts } = this;
    let at = ref;
    // In place of what is silent, what it was made from.
    while (parts.around[at.layer] === around && places[at.layer] === -1) {
      const before = this.rows[at.layer]?.inputs[0]?.[0];
      if (!before || before.layer >= at.layer) return null;
      at = before;
    }
    let part = parts.around[at.layer];
    if (part === undefined) return null;
    if (part === around) return { layer: places[at.layer] as number, call: at.call, output: at.output };
    while (part !== null && part.around !== around) part = part.around;
    return part && { layer: part.place, call: 0, output: numberAmong(part.outputs, at) };
  }

  private module(part: Part, again: boolean, place: Place): Layer {
    const { module, call, items, outputs } = part;
    const inner = items && this.level(items, part, again).layers;
    const recursive = again && this.options.firsts?.opens(module.path) !== true;
    const weights = this.weightsOf(part, again, recursive);
    // Above the last level, what is inside a part has rows.
    const last = items === null && part.level + 1 >= this.depth;
    const folded = last && part.some((i) => !this.isOwn(i, part));
    const called = part.some((i) => (this.rows[i] as Row).layer.calls.length > 0);
    const { topology } = this.options;
    const graph: Graph | null = inner && { topology, layers: inner, inputs: [], outputs: [] };
    // Written out: what is spread, V8 may give a shape of its own each time, and who reads layers then looks fields up anew.
    const name = nameOf(part);
    const source = this.sourceOf(part);
    const attributes = marksOf(call, recursive && this.hasLearned(module), folded);
    const own = plainWeights(weights);
    const calls = called ? [{ inputs: argumentsOf(this.values.entering(part), place) }] : [];
    const operator = "Module";
    const plain: Layer = graph
      ? {
          name,
          source,
          kind: "model",
          operator,
          attributes,
          scope: "",
          trainable: null,
          weights: own,
          graph,
          calls,
        }
      : {
          name,
          source,
          kind: "layer",
          operator,
          attributes,
          scope: "",
          trainable: null,
          weights: own,
          calls,
        };
    const given = !part.some((i) => (this.rows[i] as Row).layer.needsNoBuild !== true);
    const layer = given ? { ...plain, needsNoBuild: true } : plain;
    const types = outputs.map((ref) => typeOf(ref, this.rows));
    const structure = types.length === 1 ? 0 : { list: [...types.keys()] };
    const facts = called ? [{ types, structure }] : [];
    return this.known.known(layer, { calls: facts, built: null, weights: {}, failed: false }, weights);
  }

  /** Those that its rows hold; what a row runs, where that is not shown; and what nothing reads. */
  private weightsOf(part: Part, again: boolean, recursive: boolean): readonly ResolvedWeight[] {
    const left = recursive ? noWeights : this.takeSpare(part, again);
    const runs = this.runsGraphs && part.items === null;
    const run = runs ? part.rows().flatMap((i) => this.rows[i]?.inside ?? noWeights) : noWeights;
    const read = run.length > 0 ? [...part.held, ...run] : part.held;
    const own = again ? this.newIn(read, recursive ? part.module.path : null) : read;
    return left.length > 0 ? [...own, ...left] : own;
  }

  /** Of weights in a further call, those that no other row has; what is of `path` is in the row of its first call. */
  private newIn(read: readonly ResolvedWeight[], path: string | null = null): readonly ResolvedWeight[] {
    const { firsts } = this.options;
    if (firsts === null) return noWeights;
    const isFirst = ({ weight }: ResolvedWeight): boolean =>
      path !== null && weight.name.startsWith(`${path}.`);
    return read.filter((one) => !isFirst(one) && firsts.claims(one));
  }

  /** Whether there are modules in the graphs that a row runs. */
  private runs(row: number): boolean {
    const graph = this.rows[row]?.layer.graph;
    if (!graph) return false;
    let found = false;
    walkLayers(graph.layers, ({ operator }) => {
      found ||= operator === "Module";
    });
    return found;
  }

  private sourceOf(part: Part): Layer["source"] {
    const { module } = part;
    const first = this.rows[part.first] as Row;
    const { dialect, type, recognized } = first.layer.source;
    const single = part.items === null && part.first === part.last && !isBelow(first.layer, module);
    return {
      dialect,
      type: module.type ?? (single ? type : "Module"),
      ...(single && module.type === null && recognized && { recognized }),
    };
  }

  /** Whether a row is in no module inside the part. */
  isOwn(row: number, { level }: Part): boolean {
    return (this.modules[row] as readonly ModuleRef[]).length <= level + 1;
  }

  /** Whether a module has parameters that some row reads, or one inside it. */
  private hasLearned({ path }: ModuleRef): boolean {
    this.learned ??= new Set(
      this.rows.flatMap(({ weights, inside: run = noWeights }, i) =>
        weights.some(isParameter) || run.some(isParameter)
          ? (this.modules[i] as readonly ModuleRef[]).map((module) => module.path)
          : [],
      ),
    );
    return this.learned.has(path);
  }

  /** Weights that nothing reads, or further calls alone, of the module or of those inside it that have no rows. */
  private takeSpare({ module: { path }, items }: Part, again: boolean): readonly ResolvedWeight[] {
    const spare = again ? this.options.spare : this.spare;
    if (this.spare.length === this.taken.size) return noWeights;
    const inner = new Set(
      (items ?? []).flatMap((item) => (typeof item === "number" ? [] : item.module.path)),
    );
    const own = spare.filter(
      (one) =>
        !this.taken.has(one) &&
        one.weight.name.startsWith(`${path}.`) &&
        ![...inner].some((path) => one.weight.name.startsWith(`${path}.`)),
    );
    for (const one of own) this.taken.add(one);
    return own;
  }
}

/** Makes nothing. */
function isCheck({ layer: { plumbing, calls }, weights }: Row): boolean {
  return plumbing === true && weights.length === 0 && calls[0] !== undefined && !calls[0].outputs;
}

function isParameter({ weight }: ResolvedWeight): boolean {
  return weight.class === "parameter";
}

function nameOf({ module: { path }, call }: Part): string {
  return call > 0 ? `${path}@${call}` : path;
}

/** The number of a value among those that a part gives, which are in order; 0 for one that it does not. */
function numberAmong(outputs: readonly ValueRef[], { layer, call, output }: ValueRef): number {
  let low = 0;
  let high = outputs.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    const at = outputs[middle] as ValueRef;
    if (at.layer < layer || (at.layer === layer && at.output < output)) low = middle + 1;
    else high = middle;
  }
  const found = outputs[low];
  return found?.layer === layer && found.output === output && call === 0 ? low : 0;
}
