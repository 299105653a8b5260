/** Rules every model keeps. What an importer hands over is checked by them, and so is a model read back from JSON. */

import { maxDocumentDepth, maxModelElements, maxOptimizerSlots } from "../limits.ts";
import { checkExpression } from "./check-expression.ts";
import { conventions } from "./convention.ts";
import { isDType } from "./dtype.ts";
import {
  count,
  each,
  Fault,
  type Fields,
  fail,
  flag,
  type Key,
  list,
  object,
  oneOf,
  type Place,
  positive,
  text,
  textOrNull,
  within,
} from "./fault.ts";
import type { Layer } from "./graph.ts";
import type { Model } from "./model.ts";
import { countOf } from "./shape.ts";
import { type StoredTensor, tensorClasses } from "./tensor.ts";

/** The first rule that `value` breaks, with its place; `null` for a valid model. Takes any value at all. */
export function validateModel(value: unknown): string | null {
  // Of most models no place is ever told: they are written down in a second look, at what has a fault.
  return firstFault(value, null) && firstFault(value, "model");
}

function firstFault(value: unknown, at: Place): string | null {
  try {
    checkModel(value, at);
    return null;
  } catch (error) {
    if (error instanceof Fault) return error.message;
    throw error;
  }
}

// Not made anew for each of a hundred thousand inputs.
const layerKinds = ["layer", "operation", "model"];
const argumentKinds = ["value", "constant", "tensor", "outer"];
const containers = ["sequence", "optional", "map", "sparse"];
const refNumbers = ["layer", "call", "output"];
const topologies = ["functional", "sequential", "layers"];

/** What the look at a model remembers: a large one says the same thing of thousands of layers with one object. */
interface Seen {
  /** How many tensors the model has. */
  readonly tensors: number;
  /** Types of a call's outputs. */
  readonly types: Set<unknown>;
  /** First use of each weight that layers share, by its number. */
  readonly shared: Map<number, Fields>;
  /** Modules around the last layer, which most often are those around the next one too. */
  modules: readonly unknown[];
}

/** Layers of the graph that is looked at, and the uses of their values. */
interface Uses {
  readonly layers: readonly unknown[];
  /** How many of the layers are known to be sound. */
  sound: number;
  /** Uses of values of the other layers, which are looked at when all are. */
  readonly later: { readonly ref: Fields; readonly at: Place }[];
}

function shape(value: unknown, at: Place): void {
  if (value === null) return;
  const dims = list(value, at);
  for (let i = 0; i < dims.length; i++) {
    const dim = dims[i];
    if (typeof dim !== "object") count(dim, at, i);
    else if (dim !== null) checkExpression(dim, within(at, i), 0);
  }
}

/** The name of an element type. */
function dtype(value: unknown, at: Place, key: Key): void {
  if (!isDType(text(value, at, key))) fail(at, "an element type", key);
}

function dtypeOrNull(value: unknown, at: Place, key: Key): void {
  if (value !== null) dtype(value, at, key);
}

/** Whole numbers. */
function counts(value: unknown, at: Place, key: Key): void {
  const items = list(value, at, key);
  const place = within(at, key);
  for (let i = 0; i < items.length; i++) count(items[i], place, i);
}

function checkModel(value: unknown, at: Place): asserts value is Model {
  const model = object(value, at);
  const file = object(model.file, at, "file");
  for (const key of ["name", "format", "variant"]) text(file[key], within(at, "file"), key);
  count(file.size, at, "file.size");
  const producer = object(model.producer, at, "producer");
  textOrNull(producer.framework, at, "producer.framework");
  textOrNull(producer.version, at, "producer.version");
  text(model.name, at, "name");
  if (model.unnamed !== undefined) count(model.unnamed, at, "unnamed");
  text(model.type, at, "type");
  oneOf(model.kind, ["graph", "weights-only"], at, "kind");
  flag(model.trainable, at, "trainable");
  oneOf(model.freezing, ["enclosing", "owner"], at, "freezing");
  if (model.convention !== undefined) oneOf(model.convention, conventions, at, "convention");
  each(model.tensors, at, "tensors", checkTensor);
  const tensors = model.tensors as readonly StoredTensor[];
  const paths = new Set<string>();
  for (const { path } of tensors) paths.add(path);
  if (paths.size !== tensors.length) fail("model.tensors", "free of duplicate paths");
  checkSums(tensors);
  const seen: Seen = { tensors: tensors.length, types: new Set(), shared: new Map(), modules: [] };
  each(model.weights, at, "weights", (weight, where) => {
    checkWeight(weight, where, tensors.length);
  });
  checkGraph(model.graph, within(at, "graph"), seen, 0);
  if (model.optimizer !== null) checkOptimizer(model.optimizer, within(at, "optimizer"));
  if (model.globals !== undefined) each(model.globals, at, "globals", checkGlobal);
}

/** Sums over the tensors stay exact. */
function checkSums(tensors: readonly StoredTensor[]): void {
  let elements = 0;
  let bytes = 0;
  for (const tensor of tensors) {
    elements += countOf(tensor.shape) ?? Number.POSITIVE_INFINITY;
    bytes += tensor.bytes;
  }
  if (elements > maxModelElements) fail("model.tensors", `of ${maxModelElements} elements at most`);
  if (bytes > 16 * maxModelElements) fail("model.tensors", `of ${16 * maxModelElements} bytes at most`);
}

function checkTensor(value: unknown, at: Place): void {
  const tensor = object(value, at);
  text(tensor.path, at, "path");
  dtype(tensor.dtype, at, "dtype");
  counts(tensor.shape, at, "shape");
  count(tensor.bytes, at, "bytes");
  oneOf(tensor.unclaimed, tensorClasses, at, "unclaimed");
  if (tensor.values !== undefined) {
    each(tensor.values, at, "values", (item, where) => {
      if (!Number.isFinite(item)) fail(where, "a number with an end");
    });
  }
}

function checkWeight(value: unknown, at: Place, tensors: number): Fields {
  const weight = object(value, at);
  text(weight.name, at, "name");
  text(weight.role, at, "role");
  oneOf(weight.class, tensorClasses, at, "class");
  flag(weight.trainable, at, "trainable");
  dtypeOrNull(weight.dtype, at, "dtype");
  if (weight.shape !== undefined) shape(weight.shape, within(at, "shape"));
  if (weight.view !== undefined) counts(weight.view, at, "view");
  if (weight.packing !== undefined) checkPacking(weight.packing, within(at, "packing"));
  if (weight.tensor !== undefined && count(weight.tensor, at, "tensor") >= tensors)
    fail(at, "an index into model.tensors", "tensor");
  if (weight.shared !== undefined) count(weight.shared, at, "shared");
  return weight;
}

function checkPacking(value: unknown, at: Place): void {
  const packing = object(value, at);
  positive(packing.values, at, "values");
  if (packing.per !== undefined) positive(packing.per, at, "per");
  if (packing.flat !== undefined) flag(packing.flat, at, "flat");
  if (packing.padded !== undefined) flag(packing.padded, at, "padded");
  if (packing.transposed !== undefined) flag(packing.transposed, at, "transposed");
  if (!Number.isSafeInteger(packing.axis)) fail(at, "an axis", "axis");
}

/** Uses of one weight do not contradict one another. */
function checkShared(weight: Fields, number: number, shared: Map<number, Fields>): void {
  const first = shared.get(number);
  if (first === undefined) shared.set(number, weight);
  else if (first.tensor !== weight.tensor || first.class !== weight.class)
    fail(`weight ${number} that layers share`, "of one class and one stored tensor");
}

function checkGraph(value: unknown, at: Place, seen: Seen, depth: number): void {
  if (depth > maxDocumentDepth) fail(at, `nested at most ${maxDocumentDepth} deep`);
  const graph = object(value, at);
  oneOf(graph.topology, topologies, at, "topology");
  const layers = list(graph.layers, at, "layers");
  const place = within(at, "layers");
  const uses: Uses = { layers, sound: 0, later: [] };
  for (let i = 0; i < layers.length; i++) {
    checkLayer(layers[i], within(place, i), seen, uses, depth);
    uses.sound = i + 1;
  }
  for (const { ref, at } of uses.later) checkRef(ref, at, layers);
  const ref = (item: unknown, where: Place): void => checkRef(object(item, where), where, layers);
  each(graph.inputs, at, "inputs", ref);
  each(graph.outputs, at, "outputs", ref);
  const outputs = list(graph.outputs, at, "outputs").length;
  if (graph.outputStructure !== undefined)
    checkStructure(graph.outputStructure, within(at, "outputStructure"), outputs, 0);
  if (graph.modules !== undefined) each(graph.modules, at, "modules", text);
}

function checkLayer(value: unknown, at: Place, seen: Seen, uses: Uses | null, depth: number): void {
  const layer = object(value, at);
  text(layer.name, at, "name");
  text(layer.operator, at, "operator");
  text(layer.scope, at, "scope");
  if (layer.unnamed !== undefined) count(layer.unnamed, at, "unnamed");
  const source = object(layer.source, at, "source");
  text(source.dialect, at, "source.dialect");
  text(source.type, at, "source.type");
  if (source.recognized !== undefined) flag(source.recognized, at, "source.recognized");
  oneOf(layer.kind, layerKinds, at, "kind");
  object(layer.attributes, at, "attributes");
  flag(layer.trainable, at, "trainable");
  const weights = list(layer.weights, at, "weights");
  for (let i = 0; i < weights.length; i++) {
    const weight = checkWeight(weights[i], within(within(at, "weights"), i), seen.tensors);
    if (weight.shared !== undefined) checkShared(weight, weight.shared as number, seen.shared);
  }
  if (layer.inner !== undefined) {
    if (depth > maxDocumentDepth) fail(at, `nested at most ${maxDocumentDepth} deep`);
    each(layer.inner, at, "inner", (inner, where) => checkLayer(inner, where, seen, null, depth + 1));
  }
  if (layer.graph !== undefined) checkGraph(layer.graph, within(at, "graph"), seen, depth + 1);
  if (layer.subgraphs !== undefined) {
    each(layer.subgraphs, at, "subgraphs", (item, where) => {
      const subgraph = object(item, where);
      text(subgraph.name, where, "name");
      checkGraph(subgraph.graph, within(where, "graph"), seen, depth + 1);
    });
  }
  if (layer.modules !== undefined && layer.modules !== seen.modules)
    checkModules(layer.modules, within(at, "modules"), seen);
  if (layer.builtWith !== undefined) each(layer.builtWith, at, "builtWith", shape);
  const calls = list(layer.calls, at, "calls");
  for (let i = 0; i < calls.length; i++) checkCall(calls[i], within(within(at, "calls"), i), seen, uses);
}

function checkModules(value: unknown, at: Place, seen: Seen): void {
  const modules = list(value, at);
  for (let i = 0; i < modules.length; i++) {
    // The outer ones are those of the layer before it.
    if (i < seen.modules.length && modules[i] === seen.modules[i]) continue;
    const where = within(at, i);
    const module = object(modules[i], where);
    text(module.path, where, "path");
    textOrNull(module.type, where, "type");
    if (module.call !== undefined) count(module.call, where, "call");
  }
  seen.modules = modules;
}

function checkCall(value: unknown, at: Place, seen: Seen, uses: Uses | null): void {
  const call = object(value, at);
  const inputs = list(call.inputs, at, "inputs");
  const place = within(at, "inputs");
  for (let i = 0; i < inputs.length; i++) checkArgument(inputs[i], within(place, i), uses);
  if (call.attributes !== undefined) object(call.attributes, at, "attributes");
  if (call.declaredOutputs !== undefined) each(call.declaredOutputs, at, "declaredOutputs", shape);
  if (call.outputs !== undefined) count(call.outputs, at, "outputs");
  if (call.traced !== undefined) flag(call.traced, at, "traced");
  const types = call.declaredTypes;
  if (types === undefined || seen.types.has(types)) return;
  each(types, at, "declaredTypes", (type, where) => {
    if (type !== null) checkType(type, where, 0);
  });
  seen.types.add(types);
}

function checkArgument(value: unknown, at: Place, uses: Uses | null): void {
  const input = object(value, at);
  const { kind } = input;
  if (input.name !== undefined) text(input.name, at, "name");
  if (kind === "value") checkUse(input.value, within(at, "value"), uses);
  else if (kind === "constant") checkType(input.type, within(at, "type"), 0);
  else if (kind === "tensor") count(input.tensor, at, "tensor");
  else oneOf(kind, argumentKinds, at, "kind");
  if (kind !== "outer") return;
  count(input.levels, at, "levels");
  const outer = object(input.value, at, "value");
  for (const key of refNumbers) count(outer[key], within(at, "value"), key);
}

/** Values come from layers before it, but for cycles and layers that are called again further on. */
function checkUse(value: unknown, at: Place, uses: Uses | null): void {
  if (uses === null) return;
  const ref = object(value, at);
  if (typeof ref.layer === "number" && ref.layer < uses.sound) checkRef(ref, at, uses.layers);
  else uses.later.push({ ref, at });
}

/** `layers` are sound. */
function checkRef(ref: Fields, at: Place, layers: readonly unknown[]): void {
  const layer = layers[count(ref.layer, at, "layer")] as Layer | undefined;
  if (!layer) fail(at, "the number of a layer of this graph", "layer");
  if (count(ref.call, at, "call") >= layer.calls.length)
    fail(at, "the number of a call of that layer", "call");
  count(ref.output, at, "output");
}

function checkType(value: unknown, at: Place, depth: number): void {
  if (depth > maxDocumentDepth) fail(at, `nested at most ${maxDocumentDepth} deep`);
  const type = object(value, at);
  dtypeOrNull(type.dtype, at, "dtype");
  shape(type.shape, within(at, "shape"));
  if (type.of === undefined) return;
  const of = object(type.of, at, "of");
  oneOf(of.container, containers, at, "of.container");
  if (of.element !== null) checkType(of.element, within(at, "of.element"), depth + 1);
  if (of.items !== undefined) {
    each(of.items, at, "of.items", (item, where) => checkType(item, where, depth + 1));
  }
}

function checkStructure(value: unknown, at: Place, outputs: number, depth: number): void {
  if (depth > maxDocumentDepth) fail(at, `nested at most ${maxDocumentDepth} deep`);
  if (typeof value === "number") {
    if (count(value, at) >= outputs) fail(at, "the number of an output");
    return;
  }
  const structure = object(value, at);
  const inner = (item: unknown, where: Place): void => checkStructure(item, where, outputs, depth + 1);
  if (structure.list !== undefined) each(structure.list, at, "list", inner);
  else if (structure.tuple !== undefined) each(structure.tuple, at, "tuple", inner);
  else {
    each(structure.dict, at, "dict", (entry, where) => {
      const [key, item] = list(entry, where);
      text(key, where, 0);
      inner(item, within(where, 1));
    });
  }
}

function checkGlobal(value: unknown, at: Place): void {
  const global = object(value, at);
  for (const key of ["name", "at"]) text(global[key], at, key);
  for (const key of ["count", "byte"]) count(global[key], at, key);
  if (typeof global.suspicious !== "boolean") fail(at, "true or false", "suspicious");
}

function checkOptimizer(value: unknown, at: Place): void {
  const optimizer = object(value, at);
  text(optimizer.name, at, "name");
  if (typeof optimizer.built !== "boolean") fail(at, "true or false", "built");
  if (optimizer.stored !== undefined && typeof optimizer.stored !== "boolean")
    fail(at, "true or false", "stored");
  each(optimizer.scalars, at, "scalars", (item, where) =>
    dtypeOrNull(object(item, where).dtype, where, "dtype"),
  );
  // Each slot is counted for each weight.
  if (list(optimizer.slots, at, "slots").length > maxOptimizerSlots)
    fail(at, `of ${maxOptimizerSlots} at most`, "slots");
  each(optimizer.slots, at, "slots", (item, where) =>
    oneOf(object(item, where).shape, ["same", "rows", "columns", "scalar"], where, "shape"),
  );
}
