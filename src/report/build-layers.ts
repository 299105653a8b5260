/** Rows of a report from the layers of a model. */

import type { Argument, Graph, Layer } from "../ir/graph.ts";
import type { Model } from "../ir/model.ts";
import type { Analysis } from "../passes/analyze.ts";
import type { LayerFacts } from "../passes/infer-shapes.ts";
import type { ResolvedWeight } from "../passes/resolve-weights.ts";
import type { ReportCall, ReportLayer, ReportShape } from "./report.ts";
import { reportShape } from "./report-shapes.ts";
import type { WeightList } from "./weight-list.ts";

type Inferred = LayerFacts["calls"][number];

/** A row in the making. */
type OpenRow = { -readonly [Field in keyof ReportLayer]: ReportLayer[Field] };

export class LayerBuilder {
  private readonly analysis: Analysis;
  private readonly freezing: Model["freezing"];
  private readonly weights: WeightList;

  /** `weights`: where those of the layers are put. */
  constructor(analysis: Analysis, freezing: Model["freezing"], weights: WeightList) {
    this.analysis = analysis;
    this.freezing = freezing;
    this.weights = weights;
  }

  layers(graph: Graph, trainable: boolean): readonly ReportLayer[] {
    const { layers, topology } = graph;
    const shown = topology === "sequential" ? layers.filter(({ operator }) => operator !== "Input") : layers;
    const rows = new Array<ReportLayer>(shown.length);
    for (let i = 0; i < shown.length; i++) rows[i] = this.layer(shown[i] as Layer, graph, trainable);
    return rows;
  }

  private layer(layer: Layer, graph: Graph, inherited: boolean): ReportLayer {
    const { weights } = this;
    const isModule = layer.operator === "Module";
    const facts = this.analysis.shapes.layers.get(layer);
    const from = weights.all.length;
    if (isModule) weights.openModule(layer.name);
    this.addWeights(layer, inherited);
    const own = weights.reports(from, weights.all.length);
    const nested = layer.graph && this.layers(layer.graph, inherited);
    const sums = weights.sums(from, weights.all.length);
    const ownParams = isModule ? weights.closeModule() : undefined;
    const hasWeights = weights.all.length > from;
    const calls = reportCalls(layer, facts, graph, isModule);
    const only = calls.length === 1 ? calls[0] : undefined;
    const last = facts && (facts.calls[facts.calls.length - 1] ?? facts.built);
    const plain: ReportLayer = {
      name: layer.name,
      type: layer.source.type,
      kind: layer.kind === "operation" && hasWeights ? "layer" : layer.kind,
      operator: layer.operator,
      scope: layer.scope,
      outputShapes: only && last === facts?.calls[0] ? only.outputShapes : shapesOf(last),
      params: sums.params,
      trainable: sums.trainable,
      nonTrainable: sums.nonTrainable,
      trainableFlag: layer.trainable,
      built: isBuilt(layer, facts, hasWeights),
      connectedTo: connections(only ? only.inputs : calls.flatMap((call) => call.inputs)),
      weights: own,
      calls,
    };
    const whole: OpenRow = isUnusual(layer)
      ? withMore(plain, layer, ownParams)
      : ownParams === undefined
        ? plain
        : asModule(plain, ownParams);
    if (layer.graph && nested) {
      // Put in where it is: a copy by `...` has a layout of its own, and so each module would.
      whole.layers = nested;
      whole.topology = layer.graph.topology;
    }
    return whole;
  }

  /** Those of a layer and of the layers it wraps, which have no rows of their own. */
  private addWeights(layer: Layer, inherited: boolean): void {
    const trainable = inherited && layer.trainable !== false;
    const resolved = layer.weights.length === 0 ? undefined : this.analysis.weights.byLayer.get(layer);
    for (let i = 0; resolved && i < resolved.length; i++) {
      const weight = resolved[i] as ResolvedWeight;
      // A copy or a table beside the weights is the ledger's business alone.
      if (weight.weight.counted !== false) this.weights.add(weight, trainable);
    }
    if (layer.inner === undefined) return;
    for (const inner of layer.inner) {
      const flag = this.inside(inherited, trainable);
      this.addWeights(inner, flag);
      if (inner.graph) this.layers(inner.graph, flag);
    }
  }

  /** The flag that what is inside a wrapper starts from; inside a model its layers have the say in all generations. */
  private inside(inherited: boolean, own: boolean): boolean {
    return this.freezing === "owner" ? inherited : own;
  }
}

/** Whether a layer has fields that most do not have, modules of a network neither. */
function isUnusual({ unnamed, source, attributes }: Layer): boolean {
  return (
    unnamed !== undefined ||
    source.recognized === true ||
    attributes.recursive === true ||
    attributes.folded === true
  );
}

/** The same with those fields in their places. To look for room for them in each layer of a graph would double its size in memory. */
function withMore(plain: ReportLayer, layer: Layer, ownParams: number | undefined): ReportLayer {
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
  };
}

/** The same for a module that has none of them but its own parameters. There can be thousands, and each `...` takes its time. */
function asModule(plain: ReportLayer, ownParams: number): ReportLayer {
  const { name, type, kind, operator, scope, outputShapes, params, trainable, nonTrainable } = plain;
  const { trainableFlag, built, connectedTo, weights, calls } = plain;
  return {
    name,
    type,
    kind,
    operator,
    scope,
    outputShapes,
    params,
    trainable,
    nonTrainable,
    ownParams,
    trainableFlag,
    built,
    connectedTo,
    weights,
    calls,
  };
}

/** Whether the framework would hold it with weights and shapes. */
function isBuilt(layer: Layer, facts: LayerFacts | undefined, hasWeights: boolean): boolean {
  if ((facts?.calls.length ?? 0) > 0 || facts?.built) return true;
  if (layer.needsNoBuild === true || hasWeights) return true;
  return layer.graph ? layer.graph.outputs.length > 0 : layer.calls.length > 0;
}

function reportCalls(
  { calls }: Layer,
  facts: LayerFacts | undefined,
  graph: Graph,
  isModule: boolean,
): readonly ReportCall[] {
  const made = new Array<ReportCall>(calls.length);
  for (let i = 0; i < calls.length; i++)
    made[i] = reportCall(calls[i] as Layer["calls"][number], facts?.calls[i], graph, isModule);
  return made;
}

function reportCall(
  call: Layer["calls"][number],
  inferred: Inferred | undefined,
  graph: Graph,
  isModule: boolean,
): ReportCall {
  const inputs: ReportCall["inputs"][number][] = [];
  for (let i = 0; i < call.inputs.length; i++) {
    const input = call.inputs[i] as Argument;
    if (input.kind !== "value") continue;
    const { value } = input;
    const name = graph.layers[value.layer]?.name ?? "?";
    inputs.push({ layer: name, call: value.call, output: value.output });
  }
  const outputShapes = shapesOf(inferred);
  const outputStructure = inferred?.structure ?? 0;
  if (!isModule) return { inputs, outputShapes, outputStructure };
  const outputDtypes = inferred ? inferred.types.map(({ dtype }) => dtype) : [];
  return { inputs, outputShapes, outputDtypes, outputStructure };
}

function connections(inputs: ReportCall["inputs"]): readonly string[] {
  const made = new Array<string>(inputs.length);
  for (let i = 0; i < inputs.length; i++) made[i] = connection(inputs[i] as ReportCall["inputs"][number]);
  return made;
}

/** `conv1[0][0]` */
function connection({ layer, call, output }: ReportCall["inputs"][number]): string {
  return call === 0 && output === 0 ? `${layer}[0][0]` : `${layer}[${call}][${output}]`;
}

function shapesOf(inferred: LayerFacts["built"] | undefined): readonly ReportShape[] {
  if (!inferred) return [];
  const { types } = inferred;
  const shapes = new Array<ReportShape>(types.length);
  for (let i = 0; i < types.length; i++) shapes[i] = reportShape(types[i]?.shape ?? null);
  return shapes;
}
