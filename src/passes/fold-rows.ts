/**
 * Which nodes of a graph get no row of their own: plumbing, what is worked out from constants or from the shapes of
 * inputs alone, and the bias that is added to a product. Their weights go to the rows that use them.
 */

import type { Argument, Call, Graph, Layer, ValueRef } from "../ir/graph.ts";
import { identityOf } from "../ir/tensor.ts";
import { maxOriginsBehind } from "../limits/pytorch.ts";
import type { Analysis } from "./analyze.ts";
import type { LayerFacts } from "./infer-shapes.ts";
import type { ResolvedWeight } from "./resolve-weights.ts";

/** A row of a table: layers that are shown as one. */
export interface Row {
  /** Whose name and type it has. */
  readonly layer: Layer;
  /** Whose outputs it has. */
  readonly facts: LayerFacts | undefined;
  readonly weights: readonly ResolvedWeight[];
  /** Weights of the graphs that it runs. */
  readonly inside?: readonly ResolvedWeight[];
  /** By call of `layer`: outputs of rows (`layer` is the number of a row) that go into it. */
  readonly inputs: readonly (readonly ValueRef[])[];
}

export interface Rows {
  readonly rows: readonly Row[];
  /** Outputs of the graph that rows give. */
  readonly outputs: readonly ValueRef[];
}

/** Every layer as a row when `all`; else folded. */
export function foldRows(graph: Graph, analysis: Analysis, all: boolean): Rows {
  if (all) return everyLayer(graph, analysis);
  const folding = new Folding(graph, analysis);
  folding.fold();
  folding.addBiases();
  return folding.rows();
}

function everyLayer({ layers, outputs }: Graph, { shapes, weights }: Analysis): Rows {
  const rows = layers.map((layer) => ({
    layer,
    facts: shapes.layers.get(layer),
    weights:
      layer.weights.length === 0
        ? noWeights
        : distinct(ownFirst(weights.byLayer.get(layer) ?? noWeights, layer)),
    inputs: layer.calls.map(valuesOf),
  }));
  return { rows, outputs };
}

/** Of one weight with several names, that of the module which the layer is in counts. */
function ownFirst(weights: readonly ResolvedWeight[], { modules }: Layer): readonly ResolvedWeight[] {
  const path = modules?.at(-1)?.path;
  if (path === undefined || weights.length < 2) return weights;
  const isOwn = ({ weight: { name } }: ResolvedWeight): boolean =>
    name[path.length] === "." && name.startsWith(path);
  if (weights.every(isOwn)) return weights;
  return [...weights.filter(isOwn), ...weights.filter((one) => !isOwn(one))];
}

/** One for all: most layers of a graph of operations have none. */
const noWeights: readonly ResolvedWeight[] = [];
const noValues: readonly ValueRef[] = [];

function valuesOf({ inputs }: Call): readonly ValueRef[] {
  let found = noValues;
  for (let i = 0; i < inputs.length; i++) {
    const input = inputs[i] as Argument;
    if (input.kind !== "value") continue;
    // A list that grows from nothing has room for 17.
    if (found === noValues) found = [input.value];
    else (found as ValueRef[]).push(input.value);
  }
  return found;
}

/** What an output depends on: values that go into the model, only their shapes, or nothing but what is stored. */
type Source = "data" | "shape" | "constant";

const readsShape = new Set(["Shape", "Size"]);
const addsBias = new Set(["Add", "BiasAdd"]);
const multiplies = new Set([
  "MatMul",
  "FusedMatMul",
  "TransposeMatMul",
  "MatMulInteger",
  "MatMulNBits",
  "Gemm",
  "Einsum",
  "Conv",
  "ConvTranspose",
  "ConvInteger",
]);
/** Learned tables stay visible, also where what is looked up in them is known. */
const looksUp = new Set(["Gather", "GatherND", "GatherElements"]);
/** Makes values of its own. */
const draws = /^(Random|Bernoulli|Multinomial)/;

/** In place of a list of its own for each layer that nothing uses. */
const none: number[] = [];

class Folding {
  private readonly layers: readonly Layer[];
  private readonly graph: Graph;
  private readonly analysis: Analysis;
  private readonly uses: readonly (readonly ValueRef[])[];
  private readonly consumers: readonly (readonly number[])[];
  private readonly sources: Source[] = [];
  private readonly folded: boolean[];
  /** From the addition of a bias to the product it is added to. */
  private readonly biasOf = new Map<number, number>();
  private readonly origins = new Map<number, readonly ValueRef[]>();

  constructor(graph: Graph, analysis: Analysis) {
    this.graph = graph;
    this.layers = graph.layers;
    this.analysis = analysis;
    // Copied, a list has room for its items alone; one that grew has room for 17.
    this.uses = graph.layers.map((layer) => valuesUsedBy(layer, 0).slice());
    const consumers: number[][] = graph.layers.map(() => none);
    for (let i = 0; i < this.uses.length; i++) {
      for (const { layer } of this.uses[i] as readonly ValueRef[]) {
        if (consumers[layer] === none) consumers[layer] = [i];
        else consumers[layer]?.push(i);
      }
    }
    this.consumers = consumers;
    for (const i of graph.layers.keys()) this.sources.push(this.sourceOf(i));
    this.folded = graph.layers.map(() => false);
  }

  fold(): void {
    const outputs = new Set(this.graph.outputs.map(({ layer }) => layer));
    for (let i = this.layers.length - 1; i >= 0; i--) {
      const layer = this.layers[i];
      if (!layer || layer.operator === "Input") continue;
      if (!layer.plumbing && this.sources[i] === "data") continue;
      // A value that is handed on unseen is still a row's; one that ends here would be lost.
      const seen = (this.consumers[i] ?? []).some((to) => to > i && this.leadsToRow(to));
      const lost = layer.weights.length > 0 || (outputs.has(i) && !layer.plumbing);
      this.folded[i] = seen || !lost;
      this.leads[i] = seen;
    }
    const rows = this.layers.some((layer, i) => !this.folded[i] && layer.operator !== "Input");
    // A graph of nothing but plumbing is shown as it is.
    if (!rows) this.folded.fill(false);
  }

  private readonly leads: boolean[] = [];

  private leadsToRow(i: number): boolean {
    return !this.folded[i] || this.leads[i] === true;
  }

  /** A product without a bias whose only use is the addition of one. */
  addBiases(): void {
    const outputs = new Set(this.graph.outputs.map(({ layer }) => layer));
    for (const [i, layer] of this.layers.entries()) {
      if (this.folded[i] || !addsBias.has(bareType(layer)) || layer.calls[0]?.inputs.length !== 2) continue;
      const data = (this.uses[i] ?? []).filter((use) => this.sources[use.layer] === "data");
      const bias = this.weightsAt(i);
      if (data.length !== 1 || bias.length === 0 || !bias.every(isVector)) continue;
      const product = this.onlySource(data[0]?.layer ?? -1, outputs);
      const main = this.layers[product];
      if (!main || this.folded[product] || !multiplies.has(bareType(main))) continue;
      const own = this.weightsAt(product);
      if (own.length === 0 || own.some(({ weight }) => weight.role === "bias")) continue;
      this.biasOf.set(i, product);
    }
  }

  /** The row behind a value, if nothing else uses it on its way; else -1. */
  private onlySource(layer: number, outputs: ReadonlySet<number>): number {
    let at = layer;
    while (this.consumers[at]?.length === 1 && !outputs.has(at)) {
      if (!this.folded[at]) return at;
      at = this.uses[at]?.length === 1 ? (this.uses[at]?.[0]?.layer ?? -1) : -1;
    }
    return -1;
  }

  rows(): Rows {
    const numbers: number[] = [];
    let count = 0;
    const ends = new Map([...this.biasOf].map(([addition, product]) => [product, addition]));
    for (const i of this.layers.keys()) {
      numbers.push(count);
      if (!this.folded[i] && !this.biasOf.has(i)) count += 1;
    }
    for (const [addition, product] of this.biasOf) numbers[addition] = numbers[product] ?? 0;
    const renumbered = (refs: readonly ValueRef[]): ValueRef[] =>
      refs.map(({ layer, call, output }) => ({ layer: numbers[layer] ?? 0, call, output }));
    const rows: Row[] = [];
    for (let i = 0; i < this.layers.length; i++) {
      if (this.folded[i] || this.biasOf.has(i)) continue;
      const layer = this.layers[i] as Layer;
      const end = ends.get(i);
      const last = this.layers[end ?? i];
      rows.push({
        layer,
        facts: last && this.analysis.shapes.layers.get(last),
        weights: distinct(
          end === undefined ? this.weightsAt(i) : [...this.weightsAt(i), ...this.weightsAt(end)],
        ),
        inputs: layer.calls.map((_, call) => renumbered(this.inputsOf(i, call))),
      });
    }
    this.giveLeft(rows, numbers);
    const outputs = this.graph.outputs.flatMap((ref) =>
      this.folded[ref.layer] ? this.behind(ref.layer) : [ref],
    );
    return { rows, outputs: renumbered(outputs) };
  }

  /** Weights that stand too far behind every row for it to have found them go to the next one, so that none is lost. */
  private giveLeft(rows: Row[], numbers: readonly number[]): void {
    if (rows.length === 0 || !this.folded.includes(true)) return;
    const held = new Set(rows.flatMap(({ weights }) => weights.map(({ weight }) => identityOf(weight))));
    const left = new Map<number, ResolvedWeight[]>();
    for (const i of this.layers.keys()) {
      if (!this.folded[i]) continue;
      for (const one of this.ownWeights(i)) {
        if (held.has(identityOf(one.weight))) continue;
        held.add(identityOf(one.weight));
        const next = Math.min(numbers[i] ?? 0, rows.length - 1);
        const before = left.get(next);
        if (before) before.push(one);
        else left.set(next, [one]);
      }
    }
    for (const [next, weights] of left) {
      const row = rows[next] as Row;
      rows[next] = { ...row, weights: [...row.weights, ...weights] };
    }
  }

  /** Visible values that go into a call. What only tells a shape is named where nothing else goes in. */
  private inputsOf(i: number, call: number): readonly ValueRef[] {
    const found: ValueRef[] = [];
    const told: ValueRef[] = [];
    for (const input of this.layers[i]?.calls[call]?.inputs ?? []) {
      if (input.kind !== "value" || !this.layers[input.value.layer]) continue;
      const ref = input.value;
      if (!this.folded[ref.layer]) found.push(ref);
      else
        for (const origin of this.behind(ref.layer))
          (this.sources[ref.layer] === "data" ? found : told).push(origin);
    }
    return told.length === 0 || found.length > 0 ? found : distinctRefs(told);
  }

  /** Visible values that a folded layer was made from. */
  private behind(i: number): readonly ValueRef[] {
    const pending = [i];
    while (pending.length > 0) {
      const at = pending.at(-1) ?? i;
      const earlier = (this.uses[at] ?? []).filter((use) => use.layer < at);
      const missing = earlier.filter((use) => this.folded[use.layer] && !this.origins.has(use.layer));
      if (missing.length > 0) {
        for (const use of missing) pending.push(use.layer);
        continue;
      }
      pending.pop();
      const data = earlier.filter((use) => this.sources[use.layer] === "data");
      const found = (data.length > 0 ? data : earlier).flatMap((use) =>
        this.folded[use.layer] ? (this.origins.get(use.layer) ?? []) : [use],
      );
      if (!this.origins.has(at)) this.origins.set(at, distinctRefs(found).slice(0, maxOriginsBehind));
    }
    return this.origins.get(i) ?? [];
  }

  /** Weights of a layer and of the folded ones that it uses. */
  private weightsAt(i: number): readonly ResolvedWeight[] {
    if (!this.uses[i]?.some((use) => this.folded[use.layer])) return this.ownWeights(i);
    const seen = new Set([i]);
    const pending = [i];
    const found: ResolvedWeight[] = [];
    for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
      for (const weight of this.ownWeights(at)) found.push(weight);
      for (const use of this.uses[at] ?? []) {
        if (!this.folded[use.layer] || seen.has(use.layer) || seen.size > maxOriginsBehind) continue;
        seen.add(use.layer);
        pending.push(use.layer);
      }
    }
    return found;
  }

  private ownWeights(i: number): readonly ResolvedWeight[] {
    const layer = this.layers[i];
    return (layer && this.analysis.weights.byLayer.get(layer)) ?? [];
  }

  private sourceOf(i: number): Source {
    const layer = this.layers[i];
    if (!layer || layer.operator === "Input" || layer.operator === "Opaque" || layer.subgraphs) return "data";
    const type = bareType(layer);
    if (draws.test(type)) return "data";
    const uses = this.uses[i] ?? [];
    if (uses.length === 0 && !layer.plumbing && (layer.calls[0]?.inputs.length ?? 0) === 0) return "data";
    const learned = layer.weights.some((weight) => weight.class === "parameter");
    if (learned && looksUp.has(type)) return "data";
    // What a branch takes from around it may be anything.
    let data = layer.calls.some(({ inputs }) => inputs.some(({ kind }) => kind === "outer"));
    let constant = !data;
    for (const use of uses) {
      const from = use.layer < i ? (this.sources[use.layer] ?? "data") : "data";
      data ||= from === "data";
      constant &&= from === "constant";
    }
    if (constant) return "constant";
    if (readsShape.has(type)) return "shape";
    return data || learned ? "data" : "shape";
  }
}

/** Values of the graph that a layer takes; those that the graphs it runs take from around them too. */
function valuesUsedBy(layer: Layer, depth: number): readonly ValueRef[] {
  const found: ValueRef[] = [];
  for (const { inputs } of layer.calls) {
    for (const input of inputs) {
      const levels = input.kind === "outer" ? input.levels : 0;
      if ((input.kind === "value" || input.kind === "outer") && levels === depth) found.push(input.value);
    }
  }
  for (const { graph } of layer.subgraphs ?? []) {
    for (const inner of graph.layers) for (const ref of valuesUsedBy(inner, depth + 1)) found.push(ref);
  }
  return found;
}

/** `MatMulNBits` of `com.microsoft.MatMulNBits`. */
function bareType(layer: Layer): string {
  return layer.source.type.slice(layer.source.type.lastIndexOf(".") + 1);
}

function isVector({ weight, shape }: ResolvedWeight): boolean {
  return weight.class !== "parameter" || (shape?.filter((dim) => dim !== 1).length ?? 2) <= 1;
}

function isSame(one: ResolvedWeight, other: ResolvedWeight): boolean {
  return identityOf(one.weight) === identityOf(other.weight);
}

function distinct(weights: readonly ResolvedWeight[]): readonly ResolvedWeight[] {
  if (weights.length < 2) return weights;
  if (weights.length === 2 && !isSame(weights[0] as ResolvedWeight, weights[1] as ResolvedWeight))
    return weights;
  const seen = new Set<unknown>();
  return weights.filter(({ weight }) => !seen.has(identityOf(weight)) && seen.add(identityOf(weight)));
}

function distinctRefs(refs: readonly ValueRef[]): readonly ValueRef[] {
  const seen = new Set<string>();
  return refs.filter(({ layer, call, output }) => {
    const key = `${layer}/${call}/${output}`;
    return !seen.has(key) && seen.add(key);
  });
}
