/** Model and analysis to the report: the one place where figures for people and programs are put together. */

import { type Diagnostic, formatDiagnostic, severityOf } from "../diagnostics.ts";
import type { Convention } from "../ir/convention.ts";
import type { Dim } from "../ir/dim.ts";
import { formatExpression } from "../ir/format-expression.ts";
import type { Graph, Layer, Structure, ValueRef } from "../ir/graph.ts";
import type { Model } from "../ir/model.ts";
import type { Shape } from "../ir/shape.ts";
import { symbolsOf } from "../ir/symbolic-dim.ts";
import { identityOf, type TensorClass } from "../ir/tensor.ts";
import { maxDiagnostics } from "../limits.ts";
import type { Analysis } from "../passes/analyze.ts";
import type { LayerFacts } from "../passes/infer-shapes.ts";
import type { ResolvedWeight } from "../passes/resolve-weights.ts";
import { countingOf } from "./convention.ts";
import type { CountedWeight } from "./counted-weight.ts";
import type {
  Report,
  ReportCall,
  ReportDim,
  ReportLayer,
  ReportNetwork,
  ReportShape,
  ReportValue,
} from "./report.ts";
import { sumOptimizer } from "./sum-optimizer.ts";

/** Builds the report. `diagnostics` are the importer's; the analysis has its own. `network`: the program that the rows are of. */
export function buildReport(
  model: Model,
  analysis: Analysis,
  diagnostics: readonly Diagnostic[],
  asked?: Convention,
  network: Graph | null = null,
): Report {
  const { convention, classes: counted } = countingOf(model, asked);
  const builder = new LayerBuilder(analysis, model.freezing, counted);
  // Keras 2 restores no flag of a model, only those of its layers.
  const trainable = model.freezing === "enclosing" || model.trainable !== false;
  const layers = builder.layers(model.graph, trainable);
  const own = analysis.weights.ofModel.map((weight) => reportWeight(weight, trainable));
  const all = [...layers.flatMap((layer) => layer.all), ...own];
  const totals = sumWeights(all, counted);
  const optimizer = model.optimizer && sumOptimizer(model.optimizer, all, analysis.ledger);
  const unknown =
    diagnostics.some(({ code }) => incomplete.has(code)) ||
    analysis.weights.diagnostics.some(
      (d) => d.code === "weight-shape-unknown" || d.code === "shape-suspicious",
    );
  return {
    file: model.file,
    producer: model.producer,
    model: {
      name: model.name,
      ...(model.unnamed !== undefined && { unnamed: model.unnamed }),
      type: model.type,
      kind: model.kind,
      topology: model.graph.topology,
      linear: isLinear(model.graph),
      built: layers.some(({ layer }) => layer.built),
      weights: own.map(({ report }) => report),
      ...(network && { network: networkOf(network, analysis) }),
    },
    layers: layers.map(({ layer }) => layer),
    totals: {
      convention,
      classes: counted,
      parameters: totals.params,
      trainable: totals.trainable,
      nonTrainable: totals.nonTrainable,
      statistics: sumWeights(all, ["statistic"]).params,
      optimizer: optimizer?.elements ?? 0,
      bytes: totals.bytes,
      status: unknown ? "partial" : "complete",
    },
    ledger: analysis.ledger,
    optimizer,
    ...(model.globals && { globals: model.globals }),
    diagnostics: reportDiagnostics(diagnostics.concat(analysis.diagnostics)),
  };
}

/** What an importer finds that leaves totals a lower bound. */
const incomplete: ReadonlySet<Diagnostic["code"]> = new Set([
  "tensors-unclassified",
  "class-ambiguous",
  "part-compiled",
  "weights-packed",
  "weights-left-out",
  "shard-not-read",
  "tensors-missing",
]);

function reportDiagnostics(found: readonly Diagnostic[]): Report["diagnostics"] {
  const count = found.length - maxDiagnostics;
  const more: Diagnostic = { code: "diagnostics-left-out", args: { count }, at: "" };
  return [...found.slice(0, maxDiagnostics), ...(count > 0 ? [more] : [])].map((d) => ({
    code: d.code,
    severity: severityOf(d.code),
    message: formatDiagnostic(d),
    at: d.at,
  }));
}

/** One for all: most layers of a graph of operations own none. */
const noWeights: ReportLayer["weights"] = [];
const noneCounted: readonly CountedWeight[] = [];

interface BuiltLayer {
  readonly layer: ReportLayer;
  /** Its own weights and those of everything inside it. */
  readonly all: readonly CountedWeight[];
}

class LayerBuilder {
  private readonly analysis: Analysis;
  private readonly freezing: Model["freezing"];
  private readonly counted: readonly TensorClass[];

  constructor(analysis: Analysis, freezing: Model["freezing"], counted: readonly TensorClass[]) {
    this.analysis = analysis;
    this.freezing = freezing;
    this.counted = counted;
  }

  /** The flag that what is inside a wrapper starts from; inside a model its layers have the say in all generations. */
  private inside(inherited: boolean, own: boolean): boolean {
    return this.freezing === "owner" ? inherited : own;
  }

  layers(graph: Graph, trainable: boolean): BuiltLayer[] {
    return graph.layers
      .filter((layer) => graph.topology !== "sequential" || layer.operator !== "Input")
      .map((layer) => this.layer(layer, graph, trainable));
  }

  private layer(layer: Layer, graph: Graph, inherited: boolean): BuiltLayer {
    const facts = this.analysis.shapes.layers.get(layer);
    const own = this.ownWeights(layer, inherited);
    const nested = layer.graph ? this.layers(layer.graph, inherited) : [];
    const inside = nested.flatMap((child) => child.all);
    // Most layers hold nothing but their own, often nothing at all.
    const all = inside.length === 0 ? own : [...own, ...inside];
    const sums = sumWeights(all, this.counted);
    const calls = layer.calls.map((call, i) => reportCall(call, facts?.calls[i], graph, layer));
    const last = facts?.calls.at(-1) ?? facts?.built;
    const [only] = calls;
    const outputShapes =
      only && calls.length === 1 && last === facts?.calls[0] ? only.outputShapes : shapesOf(last);
    const plain: ReportLayer = {
      name: layer.name,
      type: layer.source.type,
      kind: layer.kind === "operation" && all.length > 0 ? "layer" : layer.kind,
      operator: layer.operator,
      scope: layer.scope,
      outputShapes,
      params: sums.params,
      trainable: sums.trainable,
      nonTrainable: sums.nonTrainable,
      trainableFlag: layer.trainable,
      built: isBuilt(layer, facts, all),
      connectedTo: (only && calls.length === 1 ? only.inputs : calls.flatMap((call) => call.inputs)).map(
        connection,
      ),
      weights: own.length === 0 ? noWeights : distinct(own).map(({ report }) => report),
      calls,
    };
    const module =
      layer.operator === "Module" ? sumWeights(all.filter(isMemberOf(layer)), this.counted) : null;
    return { all, layer: isUnusual(layer) ? withMore(plain, layer, nested, module?.params) : plain };
  }

  /** Weights of a layer and of the layers it wraps, which have no rows of their own. */
  private ownWeights(layer: Layer, inherited: boolean): readonly CountedWeight[] {
    const trainable = inherited && layer.trainable !== false;
    const resolved = this.analysis.weights.byLayer.get(layer);
    if (!resolved && !layer.inner) return noneCounted;
    const own: CountedWeight[] = [];
    for (const weight of resolved ?? []) {
      // A copy or a table beside the weights is the ledger's business alone.
      if (weight.weight.counted !== false) own.push(reportWeight(weight, trainable));
    }
    if (!layer.inner) return own;
    const wrapped = layer.inner.flatMap((inner) => {
      const flag = this.inside(inherited, trainable);
      const below = inner.graph ? this.layers(inner.graph, flag).flatMap((child) => child.all) : [];
      return [...this.ownWeights(inner, flag), ...below];
    });
    return [...own, ...wrapped];
  }
}

/** Whether a layer has fields that most do not have. */
function isUnusual({ unnamed, source, operator, attributes, graph }: Layer): boolean {
  return (
    unnamed !== undefined ||
    source.recognized === true ||
    operator === "Module" ||
    attributes.recursive === true ||
    attributes.folded === true ||
    graph !== undefined
  );
}

/** The same with those fields in their places. To look for room for them in each layer of a graph would double its size in memory. */
function withMore(
  plain: ReportLayer,
  layer: Layer,
  nested: readonly BuiltLayer[],
  ownParams: number | undefined,
): ReportLayer {
  const { name, type, kind, operator, scope, outputShapes, params, trainable, nonTrainable, ...rest } = plain;
  return {
    name,
    ...(layer.unnamed !== undefined && { unnamed: layer.unnamed }),
    type,
    ...(layer.source.recognized && { recognized: true }),
    kind,
    operator,
    scope,
    outputShapes,
    params,
    trainable,
    nonTrainable,
    ...(ownParams !== undefined && { ownParams }),
    ...(layer.attributes.recursive === true && { recursive: true }),
    ...(layer.attributes.folded === true && { folded: true }),
    ...rest,
    ...(layer.graph && {
      layers: nested.map((child) => child.layer),
      topology: layer.graph.topology,
    }),
  };
}

/** Whether a weight is a member of a module itself, by its name, and of none inside it. */
function isMemberOf({ name }: Layer): (weight: CountedWeight) => boolean {
  const path = name.replace(/@\d+$/, "");
  return ({ report }) => report.name.slice(0, Math.max(0, report.name.lastIndexOf("."))) === path;
}

/** A layer that holds one weight in two places lists it once. */
function distinct(weights: readonly CountedWeight[]): readonly CountedWeight[] {
  if (weights.length < 2) return weights;
  const seen = new Set<unknown>();
  return weights.filter(({ identity }) => !seen.has(identity) && seen.add(identity));
}

/** What the program of a network says of the whole. */
function networkOf(
  { modules = [], layers, inputs, outputs, outputStructure }: Graph,
  { shapes }: Analysis,
): ReportNetwork {
  const typeOf = ({ layer, call, output }: ValueRef): ReportValue => {
    const made = layers[layer];
    const type = made && shapes.layers.get(made)?.calls[call]?.types[output];
    return { shape: reportShape(type?.shape ?? null), dtype: type?.dtype ?? null };
  };
  return {
    modules,
    inputs: inputs.map(typeOf),
    outputs: outputs.map(typeOf),
    outputStructure: outputStructure ?? null,
  };
}

function isBuilt(layer: Layer, facts: LayerFacts | undefined, weights: readonly CountedWeight[]): boolean {
  if ((facts?.calls.length ?? 0) > 0 || facts?.built) return true;
  if (layer.needsNoBuild === true || weights.length > 0) return true;
  return layer.graph ? layer.graph.outputs.length > 0 : layer.calls.length > 0;
}

function reportCall(
  call: Layer["calls"][number],
  inferred: LayerFacts["calls"][number] | undefined,
  graph: Graph,
  { operator }: Layer,
): ReportCall {
  const structure: Structure = inferred?.structure ?? 0;
  return {
    inputs: call.inputs
      .filter((input) => input.kind === "value")
      .map(({ value: { layer, call, output } }) => ({
        layer: graph.layers[layer]?.name ?? "?",
        call,
        output,
      })),
    outputShapes: shapesOf(inferred),
    ...(operator === "Module" && { outputDtypes: inferred ? inferred.types.map(({ dtype }) => dtype) : [] }),
    outputStructure: structure,
  };
}

/** `conv1[0][0]` */
function connection({ layer, call, output }: ReportCall["inputs"][number]): string {
  const place = `[${call}][${output}]`;
  return layer + place;
}

function reportWeight(resolved: ResolvedWeight, trainable: boolean): CountedWeight {
  const { weight } = resolved;
  return {
    report: {
      name: weight.name,
      role: weight.role,
      shape: reportShape(resolved.shape),
      dtype: weight.dtype,
      class: weight.class,
      // What is frozen around it settles a flag that nobody recorded.
      trainable: trainable ? weight.trainable : false,
      elements: resolved.elements,
      bytes: resolved.bytes,
      storedShape: resolved.stored?.shape ?? (weight.packing ? staticOrNull(resolved.heldShape) : null),
      stored: resolved.stored?.path ?? null,
      ...(weight.shared !== undefined && { shared: weight.shared }),
    },
    identity: identityOf(weight),
    elements: resolved.elements ?? 0,
    bytes: resolved.bytes ?? 0,
  };
}

function shapesOf(inferred: LayerFacts["built"] | undefined): readonly ReportShape[] {
  return inferred ? inferred.types.map((type) => reportShape(type.shape)) : [];
}

/** A size that nobody named is unknown to people, and so is what is made of it. */
function reportShape(shape: Shape): ReportShape {
  if (shape === null) return null;
  // Layers that hand a shape on hand on the same object.
  let known = reported.get(shape);
  if (!known) {
    known = shape.map(reportDim);
    reported.set(shape, known);
  }
  return known;
}

const reported = new WeakMap<object, readonly ReportDim[]>();

function reportDim(dim: Dim): ReportDim {
  if (dim === null || typeof dim === "number") return dim;
  for (const name of symbolsOf(dim)) if (name.startsWith("?")) return null;
  return formatExpression(dim);
}

function staticOrNull(shape: ResolvedWeight["heldShape"]): readonly number[] | null {
  return shape?.every((dim) => typeof dim === "number") ? (shape as readonly number[]) : null;
}

interface WeightSums {
  params: number;
  trainable: number;
  nonTrainable: number;
  bytes: number;
}

const nothing: Readonly<WeightSums> = { params: 0, trainable: 0, nonTrainable: 0, bytes: 0 };

/** Sums distinct weights of some classes; packed ones count unpacked. */
function sumWeights(
  weights: readonly CountedWeight[],
  classes: readonly TensorClass[],
): Readonly<WeightSums> {
  if (weights.length === 0) return nothing;
  const sums: WeightSums = { params: 0, trainable: 0, nonTrainable: 0, bytes: 0 };
  const counted = weights.filter(({ report }) => classes.includes(report.class));
  for (const { report, elements, bytes } of distinct(counted)) {
    sums.params += elements;
    if (report.trainable === false) sums.nonTrainable += elements;
    else sums.trainable += elements;
    sums.bytes += bytes;
  }
  return sums;
}

/** No branches, no call with several inputs, no layer called twice: Keras prints such a model without connections. */
function isLinear(graph: Graph): boolean {
  if (graph.topology !== "functional") return true;
  const consumers = new Map<string, number>();
  let calls = 0;
  for (const layer of graph.layers) {
    if (layer.calls.length > 1) return false;
    for (const call of layer.calls) {
      calls += 1;
      const values = call.inputs.filter((input) => input.kind === "value");
      if (values.length > 1) return false;
      for (const { value } of values) {
        const key = `${value.layer}/${value.call}`;
        const count = (consumers.get(key) ?? 0) + 1;
        if (count > 1) return false;
        consumers.set(key, count);
      }
    }
  }
  // A chain has exactly one end.
  return calls - consumers.size <= 1;
}
