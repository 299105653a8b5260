/**
 * Output shapes of every call and weight shapes of every layer. An engine: it names no operator but the two that stand
 * for structure ("Model", "Opaque"); what an operator does is in its record.
 */

import type { Diagnostic } from "../diagnostics.ts";
import { type Call, type Graph, type Layer, type Subgraph, scopedName } from "../ir/graph.ts";
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
import { OperatorCalls } from "./alike-calls.ts";
import { completed, declared, defaultStructure, named } from "./declared-types.ts";
import { GraphRun, type LayerRunner, unknown, unknownType } from "./graph-run.ts";
import { FactsTable, type LayerFacts, noWeights } from "./layer-facts.ts";
import { formatType, mergeTypes } from "./merge-types.ts";
import { ruleInputs } from "./rule-input.ts";

export type { LayerFacts } from "./layer-facts.ts";

export type Operators = ReadonlyMap<string, OperatorDef>;

export interface ShapeFacts {
  readonly layers: ReadonlyMap<Layer, LayerFacts>;
  readonly diagnostics: readonly Diagnostic[];
}

const noRules: readonly InnerRule[] = [];

type SubgraphRules = NonNullable<RuleContext<unknown>["subgraphs"]>;

/** Runs every layer's rule, nested and wrapped layers too. Never throws for what a file says. */
export function inferShapes(model: Model, operators: Operators): ShapeFacts {
  const engine = new Engine(operators, model.tensors);
  engine.runGraph(model.graph, null);
  return engine.facts();
}

class Engine implements LayerRunner {
  private readonly operators: Operators;
  private readonly calls = new Map<string, OperatorCalls>();
  private readonly tensors: readonly StoredTensor[];
  readonly table: FactsTable = new FactsTable();
  private readonly diagnostics: Diagnostic[] = [];
  private readonly said = new Set<string>();
  private readonly runs = new Map<Graph, Map<string, Inferred>>();
  private steps: number = maxInferenceSteps;

  constructor(operators: Operators, tensors: readonly StoredTensor[]) {
    this.operators = operators;
    this.tensors = tensors;
  }

  stored(index: number): ValuedType {
    const tensor = this.tensors[index];
    if (!tensor) return unknownType;
    const { dtype, shape, values } = tensor;
    if (!values) return { dtype, shape };
    return { dtype, shape, value: shape.length === 0 ? (values[0] ?? null) : values };
  }

  facts(): ShapeFacts {
    return { layers: this.table.layers, diagnostics: this.diagnostics };
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

  /** A layer nobody calls: its weights and output follow from the shapes it was built with, if the file has them. */
  private runUncalled(layer: Layer): void {
    const facts = this.table.of(layer);
    if (layer.graph) {
      const own = this.runGraph(layer.graph, null);
      facts.built = layer.graph.outputs.length > 0 ? own : null;
      return;
    }
    if (!layer.builtWith || layer.builtWith.includes(null)) return;
    const inputs = layer.builtWith.map((shape): RuleInput => ({ dtype: null, shape }));
    facts.built = this.runLayer(layer, inputs, undefined);
  }

  runCall(layer: Layer, call: Call, types: readonly ValuedType[], run: GraphRun): readonly [Inferred] {
    const calls = this.callsOf(layer.operator);
    if (!calls || !isPlain(layer, call)) return [this.runLayer(layer, ruleInputs(call, types), call, run)];
    const { attributes } = layer;
    const count = call.inputs.length;
    const known = calls.find(attributes, call, types);
    if (known && this.steps > count) {
      this.steps -= 1 + count + known.steps;
      this.table.share(layer, known.facts);
      return known.facts.calls;
    }
    const isFirst = !this.table.layers.has(layer);
    const before = { steps: this.steps, said: this.diagnostics.length };
    const result: readonly [Inferred] = [this.runLayer(layer, ruleInputs(call, types), call, run)];
    const { weights, failed } = this.table.of(layer);
    // Of what is odd, each layer is told.
    if (isFirst && !failed && before.said === this.diagnostics.length) {
      const steps = before.steps - this.steps - 1 - count;
      const facts = { calls: result, built: null, weights, failed, shared: true } as const;
      calls.keep({ attributes, call, types: types.slice(0, count), steps, facts });
    }
    return result;
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
    const calls = this.callsOf(layer.operator);
    if (!calls) return declared(call) ?? unknown;
    const { operator } = calls;
    try {
      const attributes = calls.attributesOf(
        call?.attributes ? { ...layer.attributes, ...call.attributes } : layer.attributes,
      );
      const inner = layer.inner?.map((inner) => this.innerRule(inner)) ?? noRules;
      const context = layer.subgraphs
        ? { attributes, inputs, inner, subgraphs: this.subgraphRules(layer.subgraphs, run) }
        : { attributes, inputs, inner };
      const facts = this.table.of(layer);
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

  /** Null for an operator that nobody knows. */
  private callsOf(name: string): OperatorCalls | null {
    const known = this.calls.get(name);
    if (known) return known;
    const operator = this.operators.get(name);
    if (!operator) return null;
    const calls = new OperatorCalls(operator);
    this.calls.set(name, calls);
    return calls;
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
    for (const stated of declared.slice(types.length)) types.push(stated ?? unknownType);
    const structure = types.length === inferred.types.length ? inferred.structure : undefined;
    return { types, structure: structure ?? defaultStructure(types.length) };
  }

  private innerRule(layer: Layer): InnerRule {
    return {
      operator: layer.operator,
      attributes: layer.attributes,
      infer: (inputs) => {
        const result = this.runLayer(layer, inputs, undefined);
        if (this.table.of(layer).calls.length === 0) this.table.addCall(layer, result);
        return result;
      },
    };
  }

  private giveUp(layer: Layer, call: Call | undefined, reason: string): Inferred {
    const at = scopedName(layer.scope, layer.name);
    this.table.of(layer).failed = true;
    if (!this.said.has(at)) {
      this.said.add(at);
      this.diagnostics.push({ code: "shape-rule-failed", args: { type: layer.source.type, reason }, at });
    }
    return declared(call) ?? unknown;
  }
}

/** Whether its result follows from attributes, inputs, and what the file says of the call. */
function isPlain(layer: Layer, call: Call): boolean {
  return !(layer.inner || layer.graph || layer.subgraphs || call.attributes);
}

/** Without a prototype: roles of weights come from files too, and `constructor` must not be one that every layer has. */
function weightShapes(shapes: Readonly<Record<string, Shape>>): LayerFacts["weights"] {
  if (Object.keys(shapes).length === 0) return noWeights;
  for (const shape of Object.values(shapes)) requireRank(shape);
  return Object.assign(Object.create(null), shapes);
}

function requireRank(shape: Shape): void {
  if (shape !== null && shape.length > maxRank)
    throw new RuleError(`a tensor of ${shape.length} dimensions; the limit is ${maxRank}`);
}
