/** The architecture with its weights found, turned into the IR. */

import { counted } from "../../src/counted.ts";
import type { Diagnostic } from "../../src/diagnostics.ts";
import type { ByteSource } from "../../src/io/byte-source.ts";
import { type Graph, type Layer, scopedName } from "../../src/ir/graph.ts";
import type { Model, Optimizer } from "../../src/ir/model.ts";
import type { StoredTensor, Weight } from "../../src/ir/tensor.ts";
import { type ArchGraph, type ArchLayer, type ArchModel, owners, type WeightSlot } from "./architecture.ts";
import type { Writer } from "./architecture-config.ts";
import { isFunction } from "./read-layer.ts";
import { finishTensors, type TensorTable } from "./stored.ts";

/** What finishing one weight needs to know of the others. */
interface Weights {
  readonly tensors: readonly StoredTensor[];
  /** Numbers of the slots that several layers hold. */
  readonly shared: ReadonlyMap<WeightSlot, number>;
}

/** Gives the IR graph of a model. */
function finishGraph(graph: ArchGraph, weights: Weights, scope = ""): Graph {
  return {
    topology: graph.topology,
    layers: graph.layers.map((layer) => finishLayer(layer, weights, scope)),
    inputs: graph.inputs,
    outputs: graph.outputs,
    ...(graph.outputStructure !== undefined && { outputStructure: graph.outputStructure }),
  };
}

function finishLayer(layer: ArchLayer, weights: Weights, scope: string): Layer {
  const inside = scopedName(scope, layer.name);
  return {
    name: layer.name,
    ...(layer.unnamed !== undefined && { unnamed: layer.unnamed }),
    source: { dialect: "keras", type: layer.type, ...(layer.module !== "" && { module: layer.module }) },
    kind: layer.kind,
    operator: layer.operator,
    attributes: layer.attributes,
    scope,
    trainable: layer.trainable,
    weights: layer.slots.map((slot) => finishWeight(slot, layer, weights)),
    ...(layer.inner.length > 0 && {
      inner: layer.inner.map((inner) => finishLayer(inner.layer, weights, inside)),
    }),
    ...(layer.graph && { graph: finishGraph(layer.graph, weights, inside) }),
    ...(layer.builtWith && { builtWith: layer.builtWith }),
    ...(layer.needsNoBuild && { needsNoBuild: true }),
    calls: layer.calls,
  };
}

/** One weight; what is stored decides its dtype, what the layer declares decides its class. */
function finishWeight(
  slot: WeightSlot,
  layer: Pick<ArchLayer, "variableDtype"> | undefined,
  { tensors, shared }: Weights,
): Weight {
  const { declaration } = slot;
  const stored = slot.tensor === undefined ? undefined : tensors[slot.tensor];
  const kind = declaration.class ?? "parameter";
  const number = shared.get(slot);
  return {
    name: slot.storedName ?? declaration.name,
    role: declaration.role,
    class: kind,
    trainable: declaration.trainable === undefined ? kind === "parameter" : declaration.trainable,
    dtype: stored?.dtype ?? declaration.dtype ?? layer?.variableDtype ?? "float32",
    ...(declaration.packing && { packing: declaration.packing }),
    ...(slot.tensor !== undefined && { tensor: slot.tensor }),
    ...(number !== undefined && { shared: number }),
    ...(declaration.counted === false && { counted: false }),
    ...(declaration.stored === false && { archived: false }),
  };
}

export interface FinishFacts {
  readonly source: ByteSource;
  readonly variant: string;
  readonly writer: Writer;
  readonly table: TensorTable;
  readonly optimizer: Optimizer | null;
  readonly kind: Model["kind"];
  readonly report: (diagnostic: Diagnostic) => void;
}

/** Gives the IR of a whole model. */
export function finishModel(model: ArchModel, facts: FinishFacts): Model {
  const tensors = finishTensors(facts.table);
  const weights: Weights = { tensors, shared: numberShared(model.graph) };
  if (model.graph.topology !== "layers") {
    const types = reportUnknown(model.graph, facts.report, "");
    if (tensors.length === 0 && types.size > 0) facts.report(leftOut([...types]));
  }
  return {
    file: {
      name: facts.source.name,
      size: facts.source.size,
      format: "keras",
      variant: facts.variant,
    },
    producer: { framework: facts.writer.framework, version: facts.writer.version },
    name: model.name,
    ...(model.unnamed !== undefined && { unnamed: model.unnamed }),
    type: model.type,
    kind: facts.kind,
    trainable: model.trainable,
    freezing: facts.writer.generation === 3 ? "owner" : "enclosing",
    graph: finishGraph(model.graph, weights),
    weights: model.slots.map((slot) => finishWeight(slot, undefined, weights)),
    tensors,
    optimizer: facts.optimizer,
  };
}

/** Numbers the slots that more than one layer holds, in the order of the layers. */
function numberShared(graph: ArchGraph): Map<WeightSlot, number> {
  const seen = new Set<WeightSlot>();
  const shared = new Map<WeightSlot, number>();
  for (const slot of graph.layers.flatMap(owners).flatMap((layer) => layer.slots)) {
    if (seen.has(slot) && !shared.has(slot)) shared.set(slot, shared.size);
    seen.add(slot);
  }
  return shared;
}

/** One diagnostic for every layer that no rule knows, once all its weights are found; gives the classes of such layers. */
function reportUnknown(
  graph: ArchGraph,
  report: FinishFacts["report"],
  scope: string,
  types = new Set<string>(),
): ReadonlySet<string> {
  const visit = (layer: ArchLayer, at: string): void => {
    if (layer.operator === "Opaque") {
      report({ code: "unknown-layer", args: { type: layer.type, weights: layer.slots.length }, at });
      // Keras tracks no weights that a function makes.
      if (!isFunction(layer) && layer.type !== "Lambda") types.add(layer.type);
    }
    for (const inner of layer.inner) visit(inner.layer, `${at}/${inner.layer.name}`);
    if (layer.graph) reportUnknown(layer.graph, report, at, types);
  };
  for (const layer of graph.layers) visit(layer, scopedName(scope, layer.name));
  return types;
}

/** Where nothing is stored, weights of a class that is not known are in no figure. */
function leftOut(types: readonly string[]): Diagnostic {
  const reason = `no weights are stored, and those of ${counted(types.length, "layer class", "layer classes")} cannot be derived, the first is ${types[0]}`;
  return { code: "weights-left-out", args: { reason }, at: "" };
}
