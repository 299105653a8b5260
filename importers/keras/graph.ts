/** Configurations of models to graphs: functional, sequential, and lists of layers without connections. */

import type { Argument, Call, Json, JsonObject, Structure, ValueRef } from "../../src/ir/graph.ts";
import type { Shape } from "../../src/ir/shape.ts";
import { maxOperationOutputs } from "../../src/limits.ts";
import type { ArchGraph, ArchLayer } from "./architecture.ts";
import { orderLayers } from "./graph-order.ts";
import { asList, asObject, asShape, asString } from "./json-access.ts";
import type { CallArguments, CallValue, MappedCall } from "./layer-rule.ts";
import {
  type EndStructure,
  readCall,
  readEnds,
  sortedEntries,
  type WrittenCall,
  type WrittenRef,
} from "./nodes.ts";
import type { ReadContext, ReadLayer } from "./read-context.ts";

/** Reads `{layers, input_layers, output_layers}`. */
export function functionalGraph(
  config: JsonObject,
  context: ReadContext,
  readLayer: (entry: JsonObject) => ReadLayer,
): ArchGraph {
  const builder = new FunctionalBuilder(config, context, readLayer);
  return builder.build();
}

class FunctionalBuilder {
  private readonly entries: readonly JsonObject[];
  private readonly layers: readonly ReadLayer[];
  private readonly written: readonly (readonly WrittenCall[])[];
  private readonly numbers = new Map<string, number>();
  private readonly config: JsonObject;
  private readonly context: ReadContext;
  private readonly declared = new Map<string, Shape>();

  constructor(config: JsonObject, context: ReadContext, readLayer: (entry: JsonObject) => ReadLayer) {
    this.config = config;
    this.context = context;
    this.entries = (asList(config.layers) ?? []).map((entry) => asObject(entry) ?? {});
    this.layers = this.entries.map(readLayer);
    for (const [i, { layer }] of this.layers.entries()) {
      const name = asString(this.entries[i]?.name) ?? layer.name;
      if (!this.numbers.has(name)) this.numbers.set(name, i);
    }
    const isLayer = (name: string): boolean => this.numbers.has(name);
    this.written = this.entries.map((entry, i) =>
      this.layers[i]?.layer.operator === "Input"
        ? []
        : (asList(entry.inbound_nodes) ?? []).map((node) =>
            readCall(node, isLayer, this.context.sortsKeywords),
          ),
    );
  }

  build(): ArchGraph {
    const ends = readEnds(this.config.output_layers);
    const starts = readEnds(this.config.input_layers);
    const between = this.written.flat().flatMap((call) => call.refs);
    const atEnds = [...ends.refs, ...starts.refs];
    // Up to Keras 2 all references count alike; in Keras 3 only those of the ends count a built-in node.
    const isOld = this.context.generation < 3;
    const inbound = this.nodeBase(isOld ? [...between, ...atEnds] : between, isOld);
    const outbound = isOld ? inbound : this.nodeBase(atEnds, true);
    for (const [i, calls] of this.written.entries()) this.connect(i, calls, inbound);
    const outputs = ends.refs.map((ref) => this.resolve(ref, outbound));
    const inputs = starts.refs.map((ref) => this.resolve(ref, outbound));
    this.declareOutputs();
    return this.ordered(
      inputs.filter((ref) => ref !== null),
      outputs.filter((ref) => ref !== null),
      outputs.includes(null) || ends.structure === null ? undefined : endStructure(ends.structure),
    );
  }

  private callCount(layer: number): number {
    return this.layers[layer]?.layer.operator === "Input" ? 1 : (this.written[layer]?.length ?? 0);
  }

  /**
   * Nested models carry a node of their own making before their calls, and generations disagree whether indices count
   * it; so the indices themselves decide where they can: they must all name calls that exist.
   */
  private nodeBase(refs: readonly WrittenRef[], countsBuiltIn: boolean): ReadonlyMap<number, number> {
    const seen = new Map<number, { min: number; max: number }>();
    for (const ref of refs) {
      const layer = this.numbers.get(ref.layer);
      if (layer === undefined || this.layers[layer]?.layer.kind !== "model") continue;
      const range = seen.get(layer) ?? { min: ref.node, max: ref.node };
      seen.set(layer, { min: Math.min(range.min, ref.node), max: Math.max(range.max, ref.node) });
    }
    const bases = new Map<number, number>();
    for (const [layer, { min, max }] of seen) {
      const count = this.callCount(layer);
      const likely = countsBuiltIn && this.hasBuiltInNode(this.layers[layer]?.layer.graph) ? 1 : 0;
      const fits = (base: number): boolean => min >= base && max - base < count;
      bases.set(layer, fits(likely) ? likely : fits(1 - likely) ? 1 - likely : likely);
    }
    return bases;
  }

  /** Functional models do, and up to Keras 2 a Sequential is one when it knows its input. */
  private hasBuiltInNode(graph: ArchGraph | undefined): boolean {
    if (graph?.topology === "functional") return true;
    return this.context.generation < 3 && graph?.layers[0]?.operator === "Input";
  }

  private resolve(ref: WrittenRef, bases: ReadonlyMap<number, number>): ValueRef | null {
    const layer = this.numbers.get(ref.layer);
    if (layer !== undefined) {
      const call = ref.node - (bases.get(layer) ?? 0);
      if (call >= 0 && call < this.callCount(layer) && ref.tensor >= 0 && ref.tensor < maxOperationOutputs)
        return { layer, call, output: ref.tensor };
    }
    this.context.report({
      code: "graph-dangling",
      args: { reference: `${ref.layer}[${ref.node}][${ref.tensor}]` },
      at: this.context.scope,
    });
    return null;
  }

  private connect(i: number, calls: readonly WrittenCall[], bases: ReadonlyMap<number, number>): void {
    const read = this.layers[i] as ReadLayer;
    if (read.layer.operator === "Input") {
      read.layer.calls = [{ inputs: [] }];
      return;
    }
    read.layer.calls = calls.map((written): Call => {
      const resolved = written.refs.map((ref) => this.resolve(ref, bases));
      for (const [k, shape] of written.shapes.entries()) {
        const ref = resolved[k];
        if (shape !== undefined && ref) this.declared.set(`${ref.layer}/${ref.call}/${ref.output}`, shape);
      }
      return read.mapCall(resolveCall(written.call, resolved));
    });
  }

  private declareOutputs(): void {
    const shapes = new Map<string, Map<number, Shape>>();
    for (const [key, shape] of this.declared) {
      const [layer, call, output] = key.split("/").map(Number) as [number, number, number];
      const place = `${layer}/${call}`;
      const known = shapes.get(place) ?? new Map<number, Shape>();
      shapes.set(place, known.set(output, shape));
    }
    for (const [place, known] of shapes) {
      const [layer, call] = place.split("/").map(Number) as [number, number];
      const calls = this.layers[layer]?.layer.calls;
      const entry = calls?.[call];
      if (calls && entry) calls[call] = { ...entry, declaredOutputs: listOutputs(known) };
    }
  }

  private ordered(inputs: ValueRef[], outputs: ValueRef[], structure: Structure | undefined): ArchGraph {
    const nodes: { layer: number; parents: number[] }[] = [];
    const first: number[] = [];
    for (const [i, { layer }] of this.layers.entries()) {
      first.push(nodes.length);
      for (const _ of layer.calls) nodes.push({ layer: i, parents: [] });
    }
    const nodeOf = (ref: ValueRef): number => (first[ref.layer] as number) + ref.call;
    for (const [i, { layer }] of this.layers.entries()) {
      for (const [k, call] of layer.calls.entries()) {
        const parents = valueRefs(call.inputs).map(nodeOf);
        (nodes[(first[i] as number) + k] as { parents: number[] }).parents = parents;
      }
    }
    const order = orderLayers(
      nodes,
      outputs.map(nodeOf),
      inputs.map((ref) => ref.layer),
    );
    if (order.cycle.length > 0) this.reportCycle(order.cycle);
    // Layers that lead nowhere are not part of the model Keras builds, but the file holds them and they are shown.
    const listed = new Set(order.layers);
    const rest = this.layers.map((_, i) => i).filter((i) => !listed.has(i));
    const sequence = outputs.length > 0 ? [...order.layers, ...rest] : this.layers.map((_, i) => i);
    return renumber(sequence, this.layers, inputs, outputs, structure);
  }

  private reportCycle(cycle: readonly number[]): void {
    const names = [...new Set(cycle)].slice(0, 10).map((i) => this.layers[i]?.layer.name ?? "?");
    this.context.report({ code: "graph-cycle", args: { layers: names.join(", ") }, at: this.context.scope });
  }
}

/**
 * Outputs nobody consumes stay unknown. They take room, so a list is not let grow much longer than what was said of it:
 * one reference to output 19 999 of each of many layers would else take gigabytes.
 */
function listOutputs(known: ReadonlyMap<number, Shape>): readonly Shape[] {
  const last = [...known.keys()].reduce((a, b) => Math.max(a, b), -1);
  const length = Math.min(last + 1, 64 + 16 * known.size);
  return Array.from({ length }, (_, output) => known.get(output) ?? null);
}

function renumber(
  sequence: readonly number[],
  layers: readonly ReadLayer[],
  inputs: readonly ValueRef[],
  outputs: readonly ValueRef[],
  outputStructure: Structure | undefined,
): ArchGraph {
  const place = new Map(sequence.map((old, now) => [old, now]));
  const moved = (ref: ValueRef): ValueRef => ({ ...ref, layer: place.get(ref.layer) ?? ref.layer });
  const result = sequence.map((old) => (layers[old] as ReadLayer).layer);
  for (const layer of result) {
    layer.calls = layer.calls.map((call) => ({
      ...call,
      inputs: call.inputs.map((input) =>
        input.kind === "value" ? { ...input, value: moved(input.value) } : input,
      ),
    }));
  }
  return {
    topology: "functional",
    layers: result,
    inputs: inputs.map(moved),
    outputs: outputs.map(moved),
    ...(outputStructure !== undefined && { outputStructure }),
  };
}

/** Reads a chain of layers; `inputShape` is what the file says it was built with, where the layers do not say. */
export function sequentialGraph(
  entries: readonly Json[],
  inputShape: Json | undefined,
  readLayer: (entry: JsonObject) => ReadLayer,
): ArchGraph {
  const branches = mergedBranches(entries[0]).map((branch) => readLayer(branch));
  const read = entries.map((entry) => readLayer(asObject(entry) ?? {}));
  if (branches.length > 0) return mergedGraph(branches, read);
  const first = read[0];
  const stated = first === undefined ? undefined : (statedInput(entries[0]) ?? asShape(inputShape));
  const hasInput = first?.layer.operator === "Input" || first?.layer.graph?.inputs.length === 1;
  if (first && first.layer.operator !== "Input" && stated !== undefined && stated !== null) {
    read.unshift(inputLayer(stated));
  }
  const layers = read.map((item) => item.layer);
  if (layers[0]?.operator !== "Input" && !hasInput) {
    return { topology: "sequential", layers, inputs: [], outputs: [] };
  }
  for (const [i, item] of read.entries()) {
    if (i === 0) {
      item.layer.calls = [{ inputs: [] }];
      continue;
    }
    const value: Argument = { kind: "value", value: { layer: i - 1, call: 0, output: 0 } };
    const call = item.mapCall({ args: [{ kind: "tensor", argument: value }], kwargs: {} });
    // What the next layer was built with is what this one gives.
    const next = read[i + 1]?.layer.builtWith;
    item.layer.calls = [next?.length === 1 ? { ...call, declaredOutputs: next } : call];
  }
  const end = { layer: layers.length - 1, call: 0, output: 0 };
  return { topology: "sequential", layers, inputs: [{ layer: 0, call: 0, output: 0 }], outputs: [end] };
}

/** A Sequential of Keras 1 may begin with a Merge that holds the models it merges. */
function mergedBranches(entry: Json | undefined): readonly JsonObject[] {
  const object = asObject(entry);
  if (object?.class_name !== "Merge") return [];
  return (asList(asObject(object.config)?.layers) ?? []).map((branch) => asObject(branch) ?? {});
}

/** The branches first, each with an input of its own, then the merge and what follows it. */
function mergedGraph(branches: readonly ReadLayer[], chain: readonly ReadLayer[]): ArchGraph {
  for (const branch of branches) branch.layer.calls = [{ inputs: [] }];
  for (const [i, item] of chain.entries()) {
    const from = i === 0 ? branches.map((_, k) => k) : [branches.length + i - 1];
    const items = from.map(
      (layer): CallValue => ({
        kind: "tensor",
        argument: { kind: "value", value: { layer, call: 0, output: 0 } },
      }),
    );
    item.layer.calls = [
      item.mapCall({ args: [i === 0 ? { kind: "list", items } : (items[0] as CallValue)], kwargs: {} }),
    ];
  }
  const layers = [...branches, ...chain].map((item) => item.layer);
  const end = { layer: layers.length - 1, call: 0, output: 0 };
  return { topology: "sequential", layers, inputs: [], outputs: [end] };
}

/** Input shape that a first layer states for the model (Keras 1 and 2, and `input_shape` arguments). */
function statedInput(entry: Json | undefined): Shape | undefined {
  const config = asObject(asObject(entry)?.config);
  if (!config) return undefined;
  const whole = asShape(config.batch_input_shape) ?? asShape(config.batch_shape);
  if (whole !== undefined) return whole;
  const inner = asObject(asObject(config.layer)?.config);
  if (inner) return asShape(inner.batch_input_shape);
  return undefined;
}

function inputLayer(shape: Shape): ReadLayer {
  const layer: ArchLayer = {
    name: "input",
    type: "InputLayer",
    module: "",
    kind: "layer",
    operator: "Input",
    attributes: { shape: [...(shape ?? [])] },
    trainable: null,
    variableDtype: null,
    slots: [],
    inner: [],
    innerFirst: false,
    calls: [],
  };
  return { layer, mapCall: flatCall };
}

/** A list of layers whose connections nobody recorded. */
export function listGraph(layers: readonly ArchLayer[]): ArchGraph {
  return { topology: "layers", layers, inputs: [], outputs: [] };
}

/** The usual mapping of a call: every tensor in order, positional ones first. */
export function flatCall(call: CallArguments): MappedCall {
  const inputs: Argument[] = [];
  const collect = (value: CallValue, name: string | undefined): void => {
    if (value.kind === "tensor")
      inputs.push(name === undefined ? value.argument : { ...value.argument, name });
    else if (value.kind === "list") for (const item of value.items) collect(item, name);
    else if (value.kind === "dict") for (const [, item] of sortedEntries(value.entries)) collect(item, name);
  };
  for (const value of call.args) collect(value, undefined);
  for (const [name, value] of Object.entries(call.kwargs)) collect(value, name);
  return { inputs };
}

/** Puts what the references turned out to be in the place of their numbers; a dangling one becomes an unknown value. */
function resolveCall(call: CallArguments, resolved: readonly (ValueRef | null)[]): CallArguments {
  const walk = (value: CallValue): CallValue => {
    switch (value.kind) {
      case "plain":
        return value;
      case "list":
        return { kind: "list", items: value.items.map(walk) };
      case "dict":
        return { kind: "dict", entries: mapEntries(value.entries, walk) };
      case "tensor": {
        if (value.argument.kind !== "value") return value;
        const target = resolved[value.argument.value.layer];
        return {
          kind: "tensor",
          argument: target
            ? { kind: "value", value: target }
            : { kind: "constant", type: { dtype: null, shape: null } },
        };
      }
    }
  };
  return { args: call.args.map(walk), kwargs: mapEntries(call.kwargs, walk) };
}

function mapEntries(
  entries: Readonly<Record<string, CallValue>>,
  f: (value: CallValue) => CallValue,
): Record<string, CallValue> {
  return Object.fromEntries(Object.entries(entries).map(([key, value]) => [key, f(value)]));
}

function valueRefs(inputs: readonly Argument[]): ValueRef[] {
  return inputs.flatMap((input) => (input.kind === "value" ? [input.value] : []));
}

function endStructure(structure: EndStructure): Structure {
  if (typeof structure === "number") return structure;
  if ("dict" in structure)
    return { dict: structure.dict.map(([key, item]) => [key, endStructure(item)] as const) };
  // A list of one output is handed out bare.
  if (structure.list.length === 1 && typeof structure.list[0] === "number") return structure.list[0];
  return { list: structure.list.map(endStructure) };
}
