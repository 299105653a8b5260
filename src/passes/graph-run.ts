import type { Argument, Call, Graph, Layer } from "../ir/graph.ts";
import type { TensorType } from "../ir/tensor.ts";
import type { Inferred, RuleInput } from "../operators/operator.ts";
import type { ValuedType } from "../operators/tensor-values.ts";
import { defaultStructure } from "./declared-types.ts";
import type { FactsTable } from "./layer-facts.ts";

export const unknownType: TensorType = { dtype: null, shape: null };
export const unknown: Inferred = { types: [unknownType], structure: 0 };

/** What a run needs of the engine: everything about single layers. */
export interface LayerRunner {
  readonly table: FactsTable;
  /** Type, and value where it is small, of a stored tensor. */
  stored(index: number): ValuedType;
  /**
   * Applies a layer to what one of its calls gets: `types`, by input, which belong to the caller. The result stands in a list,
   * which alike calls have in common.
   */
  runCall(layer: Layer, call: Call, types: readonly ValuedType[], run: GraphRun): readonly [Inferred];
  /** Applies a layer that has no calls. */
  runLayer(layer: Layer, inputs: readonly RuleInput[], call: Call | undefined): Inferred;
  settled(layer: Layer, inferred: Inferred, call: Call | undefined): Inferred;
}

/** One evaluation of a graph; calls are evaluated on demand, without recursion over the graph. */
export class GraphRun {
  private readonly engine: LayerRunner;
  private readonly graph: Graph;
  private readonly given: ReadonlyMap<number, TensorType>;
  private readonly record: boolean;
  private readonly outer: GraphRun | null;
  /** By layer and call; none of a layer that is yet to come. */
  private readonly results: ((Inferred | null)[] | readonly [Inferred] | undefined)[];

  /** Of what the call at hand gets; one list for all of them. */
  private readonly types: ValuedType[] = [];

  constructor(
    engine: LayerRunner,
    graph: Graph,
    given: readonly TensorType[] | null,
    record: boolean,
    outer: GraphRun | null,
  ) {
    this.engine = engine;
    this.outer = outer;
    this.graph = graph;
    this.record = record;
    this.results = new Array(graph.layers.length);
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
      if (this.record) this.engine.table.addCall(layer, current);
    }
    this.chained = current;
  }

  private evaluateAll(): void {
    const { layers } = this.graph;
    for (let i = 0; i < layers.length; i++) {
      const layer = layers[i] as Layer;
      const { calls } = layer;
      for (let k = 0; k < calls.length; k++) {
        if (this.results[i]?.[k]) continue;
        const call = calls[k] as Call;
        // Most graphs list a layer after those it needs.
        if (this.gather(call)) this.apply(i, k, call);
        else this.evaluate(i, k);
      }
    }
    if (!this.record) return;
    for (let i = 0; i < layers.length; i++) {
      const results = this.results[i];
      // Each of them is known by now.
      if (results) this.engine.table.setCalls(layers[i] as Layer, results as Inferred[]);
    }
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
      this.gather(site);
      this.apply(top.layer, top.call, site);
    }
  }

  /** Works out a call from the types that were gathered. */
  private apply(number: number, at: number, call: Call): void {
    const layer = this.graph.layers[number] as Layer;
    const bound = call.inputs.length === 0 ? this.given.get(number) : undefined;
    const results = bound
      ? ([this.settledInput(layer, bound, call)] as const)
      : this.engine.runCall(layer, call, this.types, this);
    if (layer.calls.length === 1) this.results[number] = results;
    else this.resultsOf(number, layer.calls.length)[at] = results[0];
  }

  /** Of a layer with several calls. */
  private resultsOf(number: number, calls: number): (Inferred | null)[] {
    const results = this.results[number] ?? new Array<Inferred | null>(calls).fill(null);
    this.results[number] = results;
    return results as (Inferred | null)[];
  }

  /** Where nothing is known of what is given, what the file says of it counts. */
  private settledInput(layer: Layer, bound: TensorType, call: Call): Inferred {
    const given: Inferred = { types: [bound], structure: 0 };
    return bound.shape === null && !bound.of ? this.engine.settled(layer, given, call) : given;
  }

  /** Sets the types of what a call gets; false where some are not worked out yet, and unknown. */
  private gather({ inputs }: Call): boolean {
    let ready = true;
    for (let i = 0; i < inputs.length; i++) {
      const argument = inputs[i] as Argument;
      if (argument.kind === "value") {
        const { layer, call, output } = argument.value;
        const result = this.results[layer]?.[call];
        if (!result) ready = false;
        this.types[i] = result?.types[output] ?? unknownType;
      } else this.types[i] = this.typeOf(argument);
    }
    return ready;
  }

  private typeOf(argument: Exclude<Argument, { kind: "value" }>): ValuedType {
    if (argument.kind === "constant") return argument.type;
    if (argument.kind === "tensor") return this.engine.stored(argument.tensor);
    const { layer, call, output } = argument.value;
    let run: GraphRun | null = this;
    for (let level = argument.levels; level > 0; level--) run = run?.outer ?? null;
    return run?.type(layer, call, output) ?? unknownType;
  }

  private type(layer: number, call: number, output: number): TensorType {
    return this.results[layer]?.[call]?.types[output] ?? unknownType;
  }
}
