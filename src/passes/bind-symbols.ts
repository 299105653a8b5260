/** Sizes that the caller knows, put in for those that the file leaves open, before any shape is worked out. */

import { InvalidOptionError } from "../errors.ts";
import type { Dim } from "../ir/dim.ts";
import type { Argument, Call, Graph, JsonObject, Layer } from "../ir/graph.ts";
import { type Model, walkLayers } from "../ir/model.ts";
import type { Shape } from "../ir/shape.ts";
import { substitute, symbolsOf } from "../ir/symbolic-dim.ts";
import type { TensorType, Weight } from "../ir/tensor.ts";

export interface Sizes {
  /** By the name that the file gives the size. */
  readonly dims?: Readonly<Record<string, number>> | undefined;
  /** First dimension of every input that leaves it open. */
  readonly batch?: number | undefined;
}

/**
 * The model with those sizes: named ones everywhere, the batch in its inputs and in those of nested models.
 * @throws InvalidOptionError for a size below 1, a name that the model does not have, and a batch when none is open.
 */
export function bindSymbols(model: Model, sizes: Sizes): Model {
  const given = Object.entries(sizes.dims ?? {});
  const { batch } = sizes;
  if (given.length === 0 && batch === undefined) return model;
  for (const [name, size] of given) requireSize(`the dimension ${JSON.stringify(name)}`, size);
  if (batch !== undefined) requireSize("the batch", batch);
  const names = namesIn(model);
  for (const [name] of given) if (!names.has(name)) throw unknownName(name, names);
  const binding: Binding = { sizes: new Map(given), batch };
  if (batch !== undefined) {
    const firsts = firstDims(model);
    requireOpen(firsts, batch);
    for (const { dim } of firsts) {
      const name = dim === null || typeof dim === "number" ? null : onlySymbol(dim);
      if (name !== null && !binding.sizes.has(name)) binding.sizes.set(name, batch);
    }
  }
  return {
    ...model,
    graph: boundGraph(model.graph, binding),
    weights: model.weights.map(boundWeight(binding)),
  };
}

interface Binding {
  readonly sizes: Map<string, number>;
  readonly batch: number | undefined;
}

function requireSize(what: string, size: number): void {
  if (Number.isSafeInteger(size) && size > 0) return;
  throw new InvalidOptionError(`${what} is ${size}: give a whole number from 1`);
}

function unknownName(name: string, names: ReadonlySet<string>): InvalidOptionError {
  const there = [...names].sort().map((known) => JSON.stringify(known));
  const list = there.slice(0, 20).join(", ") + (there.length > 20 ? ` and ${there.length - 20} more` : "");
  return new InvalidOptionError(
    `the model names no dimension ${JSON.stringify(name)}: ${there.length === 0 ? "it names none at all" : `it names ${list}`}`,
  );
}

// What is open -----------------------------------------------------------------------------------------------------

/** Names that people gave to sizes. Those we made up for sizes nobody named start with "?". */
function namesIn(model: Model): ReadonlySet<string> {
  const found = new Set<string>();
  const note = (shape: Shape): void => {
    for (const dim of shape ?? []) if (dim !== null) symbolsOf(dim, found);
  };
  const noteType = (type: TensorType | null): void => {
    note(type?.shape ?? null);
    if (type?.of) noteType(type.of.element);
  };
  walkLayers(model.graph.layers, (layer) => {
    for (const call of layer.calls) {
      call.declaredTypes?.forEach(noteType);
      for (const input of call.inputs) if (input.kind === "constant") noteType(input.type);
    }
  });
  return new Set([...found].filter((name) => !name.startsWith("?")));
}

/** Of the inputs of the model that have a first dimension. */
function firstDims(model: Model): { readonly name: string; readonly dim: Dim }[] {
  return model.graph.layers
    .filter((layer) => layer.operator === "Input")
    .flatMap((layer) => {
      const declared = layer.calls[0]?.declaredTypes?.[0]?.shape ?? null;
      const written = layer.attributes.shape;
      const configured =
        Array.isArray(written) && written.length > 0 ? ((written[0] ?? null) as Dim) : undefined;
      const first = declared === null ? configured : declared[0];
      return first === undefined ? [] : [{ name: layer.name, dim: first }];
    });
}

function requireOpen(firsts: readonly { readonly name: string; readonly dim: Dim }[], batch: number): void {
  if (firsts.some(({ dim }) => typeof dim !== "number" || dim === batch)) return;
  const inputs = firsts.slice(0, 8).map(({ name, dim }) => `${name} has ${dim}`);
  throw new InvalidOptionError(
    firsts.length === 0
      ? "the batch cannot be set: the file has no inputs of known rank"
      : `the batch cannot be set: every input has a first dimension of its own (${inputs.join(", ")})`,
  );
}

function onlySymbol(dim: Exclude<Dim, number | null>): string | null {
  const [term, ...more] = dim.terms;
  const [atom, ...others] = term?.atoms ?? [];
  if (dim.constant !== 0 || more.length > 0 || others.length > 0 || term?.coefficient !== 1) return null;
  return atom && "symbol" in atom ? atom.symbol : null;
}

// Putting in -------------------------------------------------------------------------------------------------------

function boundGraph(graph: Graph, binding: Binding): Graph {
  return { ...graph, layers: graph.layers.map((layer) => boundLayer(layer, binding)) };
}

function boundLayer(layer: Layer, binding: Binding): Layer {
  const isInput = layer.operator === "Input" && binding.batch !== undefined;
  return {
    ...layer,
    ...(isInput && { attributes: withBatch(layer.attributes, binding) }),
    weights: layer.weights.map(boundWeight(binding)),
    calls: layer.calls.map((call) => boundCall(call, binding, isInput)),
    ...(layer.inner && { inner: layer.inner.map((inner) => boundLayer(inner, binding)) }),
    ...(layer.graph && { graph: boundGraph(layer.graph, binding) }),
    // What a loop or a branch gets has no batch in front.
    ...(layer.subgraphs && {
      subgraphs: layer.subgraphs.map(({ name, graph }) => ({
        name,
        graph: boundGraph(graph, { ...binding, batch: undefined }),
      })),
    }),
  };
}

function withBatch(attributes: JsonObject, { batch }: Binding): JsonObject {
  const { shape } = attributes;
  if (batch === undefined || !Array.isArray(shape) || shape.length === 0 || shape[0] !== null)
    return attributes;
  return { ...attributes, shape: [batch, ...shape.slice(1)] };
}

function boundCall(call: Call, binding: Binding, isInput: boolean): Call {
  const batch = isInput ? binding.batch : undefined;
  const first = (shape: Shape): Shape =>
    batch !== undefined && shape?.[0] === null ? [batch, ...shape.slice(1)] : shape;
  return {
    ...call,
    inputs: call.inputs.map((input) => boundArgument(input, binding)),
    ...(call.declaredOutputs && {
      declaredOutputs: call.declaredOutputs.map((shape) => boundShape(shape, binding)),
    }),
    ...(call.declaredTypes && {
      declaredTypes: call.declaredTypes.map((type) => {
        const bound = type && boundType(type, binding);
        return bound && { ...bound, shape: first(bound.shape) };
      }),
    }),
  };
}

function boundArgument(input: Argument, binding: Binding): Argument {
  return input.kind === "constant" ? { ...input, type: boundType(input.type, binding) } : input;
}

function boundType(type: TensorType, binding: Binding): TensorType {
  return {
    ...type,
    shape: boundShape(type.shape, binding),
    ...(type.of && { of: { ...type.of, element: type.of.element && boundType(type.of.element, binding) } }),
  };
}

function boundWeight(binding: Binding): (weight: Weight) => Weight {
  return (weight) =>
    weight.shape === undefined ? weight : { ...weight, shape: boundShape(weight.shape, binding) };
}

function boundShape(shape: Shape, { sizes }: Binding): Shape {
  return (
    shape?.map((dim) => (dim === null || typeof dim === "number" ? dim : substitute(dim, sizes))) ?? null
  );
}
