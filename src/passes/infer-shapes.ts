/**
 * Output shapes of every call and weight shapes of every layer. An engine: it names no operator but the two that stand
 * for structure ("Model", "Opaque"); what an operator does is in its record.
 */

import type { Diagnostic } from "../diagnostics.ts";
import {
  type Argument,
  type Call,
  type Graph,
  type JsonObject,
  type Layer,
  type Subgraph,
  scopedName,
} from "../ir/graph.ts";
import type { Model } from "../ir/model.ts";
import type { Shape } from "../ir/shape.ts";
import type { StoredTensor, TensorType } from "../ir/tensor.ts";
import { maxInferenceSteps, maxOperationOutputs, maxRank, subgraphRunSteps } from "../limits.ts";
import {
  type Inferred,
  type InnerRule,
  type OperatorDef,
  type RuleContext,
  RuleError,
  type RuleInput,
} from "../operators/operator.ts";
import type { ValuedType } from "../operators/tensor-values.ts";
import { completed, declared, defaultStructure, named } from "./declared-types.ts";
import { formatType, mergeTypes } from "./merge-types.ts";
import { ruleInput } from "./rule-input.ts";

export type Operators = ReadonlyMap<string, OperatorDef>;

/** What is known of one layer after inference. */
export interface LayerFacts {
  /** By call; an entry with no types: nothing is known. */
  readonly calls: readonly Inferred[];
  /** Output for the shapes it was built with, when it has no calls. */
  readonly built: Inferred | null;
  /** Weight shapes by role. */
  readonly weights: Readonly<Record<string, Shape>>;
  /** Its rule failed at some call, so weights it has no shape for are unknown, and not absent. */
  readonly failed: boolean;
}

export interface ShapeFacts {
  readonly layers: ReadonlyMap<Layer, LayerFacts>;
  readonly diagnostics: readonly Diagnostic[];
}

const noRules: readonly InnerRule[] = [];

type SubgraphRules = NonNullable<RuleContext<unknown>["subgraphs"]>;

const unknown: Inferred = { types: [{ dtype: null, shape: null }], structure: 0 };

/** Runs every layer's rule, nested and wrapped layers too. Never throws for what a file says. */
export function inferShapes(model: Model, operators: Operators): ShapeFacts {
  const engine = new Engine(operators, model.tensors);
  engine.runGraph(model.graph, null);
  return engine.facts();
}

interface MutableFacts {
  calls: Inferred[];
  built: Inferred | null;
  weights: Readonly<Record<string, Shape>>;
  failed: boolean;
}

/** Before a rule has told; most layers of a graph of operations own none. */
const noWeights: MutableFacts["weights"] = Object.freeze(Object.create(null));

class Engine {
  private readonly operators: Operators;
  private readonly tensors: readonly StoredTensor[];
  private readonly table = new Map<Layer, MutableFacts>();
  private readonly diagnostics: Diagnostic[] = [];
  private readonly said = new Set<string>();
  /** What the attributes of an operator were read from last, and to what. */
  private readonly read = new Map<OperatorDef, { readonly raw: JsonObject; readonly attributes: never }>();
  private readonly runs = new Map<Graph, Map<string, Inferred>>();
  private steps: number = maxInferenceSteps;

  constructor(operators: Operators, tensors: readonly StoredTensor[]) {
    this.operators = operators;
    this.tensors = tensors;
  }

  /** Type, and value where it is small, of a stored tensor. */
  stored(index: number): ValuedType {
    const tensor = this.tensors[index];
    if (!tensor) return { dtype: null, shape: null };
    const { dtype, shape, values } = tensor;
    if (!values) return { dtype, shape };
    return { dtype, shape, value: shape.length === 0 ? (values[0] ?? null) : values };
  }

  facts(): ShapeFacts {
    return { layers: this.table, diagnostics: this.diagnostics };
  }

  /** Runs a graph on its own inputs, or on `given` ones. The first run of a graph is the one that is recorded. */
  runGraph(graph: Graph, given: readonly TensorType[] | null): Inferred {
    const key = given === null ? "" : JSON.stringify(given.map((type) => type.shape));
    const runs = this.runs.get(graph) ?? new Map<string, Inferred>();
    const known = runs.get(key);
    if (known) return known;
    const record = runs.size === 0;
    this.runs.set(graph, runs);
    const run = new GraphRun(this, graph, given, record, null);
    const result = run.outputs();
    runs.set(key, result);
    if (record) for (const layer of graph.layers) if (layer.calls.length === 0) this.runUncalled(layer);
    return result;
  }

  record(layer: Layer): MutableFacts {
    let facts = this.table.get(layer);
    if (!facts) {
      facts = { calls: [], built: null, weights: noWeights, failed: false };
      this.table.set(layer, facts);
    }
    return facts;
  }

  /** A layer nobody calls: its weights and output follow from the shapes it was built with, if the file has them. */
  private runUncalled(layer: Layer): void {
    const facts = this.record(layer);
    if (layer.graph) {
      const own = this.runGraph(layer.graph, null);
      facts.built = layer.graph.outputs.length > 0 ? own : null;
      return;
    }
    if (!layer.builtWith || layer.builtWith.includes(null)) return;
    const inputs = layer.builtWith.map((shape): RuleInput => ({ dtype: null, shape }));
    facts.built = this.runLayer(layer, inputs, undefined);
  }

  /** Applies one layer to inputs. `run` is the evaluation it is part of, whose values its subgraphs can see. */
  runLayer(
    layer: Layer,
    inputs: readonly RuleInput[],
    call: Call | undefined,
    run: GraphRun | null = null,
  ): Inferred {
    this.steps -= 1 + inputs.length;
    if (this.steps < 0)
      return this.giveUp(layer, call, `the model needs more than ${maxInferenceSteps} steps, the limit`);
    if (layer.graph) {
      // Its own rows show its own inputs; this call may have others.
      this.runGraph(layer.graph, layer.graph.inputs.length > 0 ? null : inputs);
      return this.runGraph(layer.graph, inputs);
    }
    const operator = this.operators.get(layer.operator);
    if (!operator) return declared(call) ?? unknown;
    try {
      const attributes = this.attributesOf(
        operator,
        call?.attributes ? { ...layer.attributes, ...call.attributes } : layer.attributes,
      );
      const inner = layer.inner?.map((inner) => this.innerRule(inner)) ?? noRules;
      const context = layer.subgraphs
        ? { attributes, inputs, inner, subgraphs: this.subgraphRules(layer.subgraphs, run) }
        : { attributes, inputs, inner };
      const facts = this.record(layer);
      if (operator.weights && facts.weights === noWeights)
        facts.weights = weightShapes(operator.weights(context));
      const result = operator.infer(context);
      this.steps -= result.types.length;
      if (result.types.length > maxOperationOutputs)
        throw new RuleError(`${result.types.length} outputs; the limit is ${maxOperationOutputs}`);
      for (const { shape } of result.types) requireRank(shape);
      return this.settled(layer, named(completed(result, call), call), call);
    } catch (error) {
      return this.giveUp(layer, call, error instanceof Error ? error.message : String(error));
    }
  }

  /** Layers without attributes have one object for none, and most of a graph are such: those are read once. */
  private attributesOf(operator: OperatorDef, raw: JsonObject): never {
    const last = this.read.get(operator);
    if (last?.raw === raw) return last.attributes;
    const attributes = operator.attributes(raw);
    this.read.set(operator, { raw, attributes });
    return attributes;
  }

  private subgraphRules(subgraphs: readonly Subgraph[], outer: GraphRun | null): SubgraphRules {
    return new Map(
      subgraphs.map(({ name, graph }) => [name, (inputs) => this.runSubgraph(graph, inputs, outer)]),
    );
  }

  private runSubgraph(
    graph: Graph,
    inputs: readonly RuleInput[],
    outer: GraphRun | null,
  ): readonly RuleInput[] {
    this.steps -= subgraphRunSteps;
    return new GraphRun(this, graph, inputs, true, outer).outputs().types;
  }

  /** Declared against inferred: what one does not know the other fills in, what contradicts is said. */
  settled(layer: Layer, inferred: Inferred, call: Call | undefined): Inferred {
    const declared = call?.declaredTypes;
    if (!declared) return inferred;
    const types = inferred.types.map((type, i) => {
      const stated = declared[i];
      if (!stated) return type;
      const { merged, conflict } = mergeTypes(type, stated, call.traced === true);
      if (conflict) {
        const at = scopedName(layer.scope, layer.name);
        const shown = call.traced ? "declared" : "inferred";
        const args = { declared: formatType(stated), inferred: formatType(type), shown } as const;
        this.diagnostics.push({ code: "declared-inferred-mismatch", args, at });
        // Values that a rule worked out beside a wrong shape are not to be trusted either.
        if (call.traced) return stated;
      }
      return merged;
    });
    for (const stated of declared.slice(types.length)) types.push(stated ?? { dtype: null, shape: null });
    const structure = types.length === inferred.types.length ? inferred.structure : undefined;
    return { types, structure: structure ?? defaultStructure(types.length) };
  }

  private innerRule(layer: Layer): InnerRule {
    return {
      operator: layer.operator,
      attributes: layer.attributes,
      infer: (inputs) => {
        const result = this.runLayer(layer, inputs, undefined);
        const facts = this.record(layer);
        if (facts.calls.length === 0) facts.calls.push(result);
        return result;
      },
    };
  }

  private giveUp(layer: Layer, call: Call | undefined, reason: string): Inferred {
    const at = scopedName(layer.scope, layer.name);
    this.record(layer).failed = true;
    if (!this.said.has(at)) {
      this.said.add(at);
      this.diagnostics.push({ code: "shape-rule-failed", args: { type: layer.source.type, reason }, at });
    }
    return declared(call) ?? unknown;
  }
}

/** One evaluation of a graph; calls are evaluated on demand, without recursion over the graph. */
class GraphRun {
  private readonly engine: Engine;
  private readonly graph: Graph;
  private readonly given: ReadonlyMap<number, TensorType>;
  private readonly record: boolean;
  private readonly outer: GraphRun | null;
  private readonly results: (Inferred | null)[][];

  constructor(
    engine: Engine,
    graph: Graph,
    given: readonly TensorType[] | null,
    record: boolean,
    outer: GraphRun | null,
  ) {
    this.engine = engine;
    this.outer = outer;
    this.graph = graph;
    this.record = record;
    this.results = graph.layers.map((layer) => layer.calls.map(() => null));
    const bound = new Map<number, TensorType>();
    for (const [i, ref] of graph.inputs.entries()) {
      const type = given?.[i];
      if (type && (type.shape !== null || given !== null)) bound.set(ref.layer, type);
    }
    this.given = bound;
    if (given && graph.inputs.length === 0 && graph.topology === "sequential") this.chain(given);
    else this.evaluateAll();
  }

  outputs(): Inferred {
    if (this.graph.outputs.length === 0) return this.chained ?? unknown;
    const types = this.graph.outputs.map((ref) => this.type(ref.layer, ref.call, ref.output));
    return { types, structure: this.graph.outputStructure ?? defaultStructure(types.length) };
  }

  private chained: Inferred | null = null;

  /** A sequential model without an input of its own, applied to what a caller gives. */
  private chain(given: readonly TensorType[]): void {
    let current: Inferred = { types: given };
    for (const layer of this.graph.layers) {
      current = this.engine.runLayer(layer, current.types, undefined);
      if (this.record) this.engine.record(layer).calls.push(current);
    }
    this.chained = current;
  }

  private evaluateAll(): void {
    const { layers } = this.graph;
    for (let i = 0; i < layers.length; i++) {
      const layer = layers[i] as Layer;
      const results = this.results[i] as (Inferred | null)[];
      for (let k = 0; k < layer.calls.length; k++) {
        // Most graphs list a layer after those it needs.
        const call = layer.calls[k];
        if (!call || results[k]) continue;
        if (this.isReady(call)) results[k] = this.apply(i, call);
        else this.evaluate(i, k);
      }
    }
    if (!this.record) return;
    for (let i = 0; i < layers.length; i++) {
      const results = this.results[i] as (Inferred | null)[];
      for (let k = 0; k < results.length; k++) results[k] ??= unknown;
      // Each of them is known by now.
      if (results.length > 0) this.engine.record(layers[i] as Layer).calls = results as Inferred[];
    }
  }

  private isReady({ inputs }: Call): boolean {
    return inputs.every(
      (input) => input.kind !== "value" || this.results[input.value.layer]?.[input.value.call],
    );
  }

  private evaluate(layer: number, call: number): void {
    const stack: { layer: number; call: number; next: number }[] = [{ layer, call, next: 0 }];
    const open = new Set<string>();
    while (stack.length > 0) {
      const top = stack[stack.length - 1] as { layer: number; call: number; next: number };
      const site = this.graph.layers[top.layer]?.calls[top.call];
      const key = `${top.layer}/${top.call}`;
      if (!site || this.results[top.layer]?.[top.call]) {
        stack.pop();
        continue;
      }
      open.add(key);
      const input = site.inputs[top.next];
      top.next += 1;
      if (input) {
        if (input.kind !== "value") continue;
        const { layer: from, call: at } = input.value;
        // A value that waits for itself stays unknown; the importer has reported the cycle.
        if (!this.results[from]?.[at] && !open.has(`${from}/${at}`))
          stack.push({ layer: from, call: at, next: 0 });
        continue;
      }
      open.delete(key);
      stack.pop();
      (this.results[top.layer] as (Inferred | null)[])[top.call] = this.apply(top.layer, site);
    }
  }

  private apply(number: number, call: Call): Inferred {
    const layer = this.graph.layers[number] as Layer;
    const bound = call.inputs.length === 0 ? this.given.get(number) : undefined;
    const given: Inferred | undefined = bound && { types: [bound], structure: 0 };
    // Where nothing is known of what is given, what the file says of it counts.
    if (given) return bound?.shape === null && !bound.of ? this.engine.settled(layer, given, call) : given;
    const inputs = call.inputs.map((input) => this.input(input));
    return this.engine.runLayer(layer, inputs, call, this);
  }

  private input(argument: Argument): RuleInput {
    if (argument.kind === "constant") {
      return ruleInput(argument.name, argument.type, argument.value);
    }
    if (argument.kind === "tensor") {
      const stored = this.engine.stored(argument.tensor);
      return ruleInput(argument.name, stored, stored.value);
    }
    const { layer, call, output } = argument.value;
    let run: GraphRun | null = this;
    for (let level = argument.kind === "outer" ? argument.levels : 0; level > 0; level--)
      run = run?.outer ?? null;
    const type: ValuedType = run?.type(layer, call, output) ?? { dtype: null, shape: null };
    return ruleInput(argument.name, type, type.value);
  }

  private type(layer: number, call: number, output: number): TensorType {
    return this.results[layer]?.[call]?.types[output] ?? { dtype: null, shape: null };
  }
}

/** Without a prototype: roles of weights come from files too, and `constructor` must not be one that every layer has. */
function weightShapes(shapes: Readonly<Record<string, Shape>>): Readonly<Record<string, Shape>> {
  if (Object.keys(shapes).length === 0) return noWeights;
  for (const shape of Object.values(shapes)) requireRank(shape);
  return Object.assign(Object.create(null), shapes);
}

function requireRank(shape: Shape): void {
  if (shape !== null && shape.length > maxRank)
    throw new RuleError(`a tensor of ${shape.length} dimensions; the limit is ${maxRank}`);
}
