/** Rules every model keeps. What an importer hands over is checked by them, and so is a model read back from JSON. */

import { maxModelElements } from "../limits.ts";
import { checkExpression } from "./check-expression.ts";
import { conventions } from "./convention.ts";
import { isDType } from "./dtype.ts";
import { each, Fault, type Fields, fail, list, object, type Place, text, within } from "./fault.ts";
import type { Graph, Layer } from "./graph.ts";
import { type Model, walkLayers } from "./model.ts";
import { countOf } from "./shape.ts";
import { type StoredTensor, tensorClasses, type Weight } from "./tensor.ts";

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

const maxDepth = 256;
/** The greediest optimizer of Keras has six. */
const maxSlots = 64;

// Not made anew for each of a hundred thousand inputs.
const layerKinds = ["layer", "operation", "model"];
const argumentKinds = ["value", "constant", "tensor", "outer"];
const layerTexts = ["name", "operator", "scope"];
const refNumbers = ["layer", "call", "output"];

function textOrNull(value: unknown, at: Place): void {
  if (value !== null) text(value, at);
}

function count(value: unknown, at: Place): number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0
    ? value
    : fail(at, "a whole number");
}

function flag(value: unknown, at: Place): void {
  if (value !== null && typeof value !== "boolean") fail(at, "true, false or null");
}

function oneOf(value: unknown, options: readonly string[], at: Place): void {
  if (!options.includes(text(value, at))) fail(at, `one of ${options.join(", ")}`);
}

function shape(value: unknown, at: Place): void {
  if (value !== null) each(value, at, dimension);
}

function dimension(value: unknown, at: Place): void {
  if (typeof value === "object" && value !== null) checkExpression(value, at, 0);
  else if (value !== null) count(value, at);
}

function dtypeOrNull(value: unknown, at: Place): void {
  if (value !== null && !isDType(text(value, at))) fail(at, "an element type");
}

function checkModel(value: unknown, at: Place): asserts value is Model {
  const model = object(value, at);
  const file = object(model.file, within(at, "file"));
  for (const key of ["name", "format", "variant"]) text(file[key], within(within(at, "file"), key));
  count(file.size, within(at, "file.size"));
  const producer = object(model.producer, within(at, "producer"));
  textOrNull(producer.framework, within(at, "producer.framework"));
  textOrNull(producer.version, within(at, "producer.version"));
  text(model.name, within(at, "name"));
  if (model.unnamed !== undefined) count(model.unnamed, within(at, "unnamed"));
  text(model.type, within(at, "type"));
  oneOf(model.kind, ["graph", "weights-only"], within(at, "kind"));
  flag(model.trainable, within(at, "trainable"));
  oneOf(model.freezing, ["enclosing", "owner"], within(at, "freezing"));
  if (model.convention !== undefined) oneOf(model.convention, conventions, within(at, "convention"));
  each(model.tensors, within(at, "tensors"), checkTensor);
  const paths = (model.tensors as readonly { path: string }[]).map((tensor) => tensor.path);
  if (new Set(paths).size !== paths.length) fail("model.tensors", "free of duplicate paths");
  const tensors = paths.length;
  checkSums(model.tensors as readonly StoredTensor[]);
  each(model.weights, within(at, "weights"), (weight, where) => checkWeight(weight, where, tensors));
  checkGraph(model.graph, within(at, "graph"), tensors, 0);
  checkShared((model.graph as Graph).layers);
  if (model.optimizer !== null) checkOptimizer(model.optimizer, within(at, "optimizer"));
  if (model.globals !== undefined) each(model.globals, within(at, "globals"), checkGlobal);
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
  text(tensor.path, within(at, "path"));
  if (!isDType(text(tensor.dtype, within(at, "dtype")))) fail(within(at, "dtype"), "an element type");
  each(tensor.shape, within(at, "shape"), count);
  count(tensor.bytes, within(at, "bytes"));
  oneOf(tensor.unclaimed, tensorClasses, within(at, "unclaimed"));
  if (tensor.values !== undefined) {
    each(tensor.values, within(at, "values"), (item, where) => {
      if (typeof item !== "number") fail(where, "a number");
    });
  }
}

function checkWeight(value: unknown, at: Place, tensors: number): void {
  const weight = object(value, at);
  text(weight.name, within(at, "name"));
  text(weight.role, within(at, "role"));
  oneOf(weight.class, tensorClasses, within(at, "class"));
  flag(weight.trainable, within(at, "trainable"));
  dtypeOrNull(weight.dtype, within(at, "dtype"));
  if (weight.shape !== undefined) shape(weight.shape, within(at, "shape"));
  if (weight.view !== undefined) each(weight.view, within(at, "view"), count);
  if (weight.packing !== undefined) {
    const packing = object(weight.packing, within(at, "packing"));
    if (count(packing.values, within(at, "packing.values")) < 1)
      fail(within(at, "packing.values"), "at least 1");
    if (packing.per !== undefined && count(packing.per, within(at, "packing.per")) < 1)
      fail(within(at, "packing.per"), "at least 1");
    if (packing.flat !== undefined) flag(packing.flat, within(at, "packing.flat"));
    if (packing.padded !== undefined) flag(packing.padded, within(at, "packing.padded"));
    if (packing.transposed !== undefined) flag(packing.transposed, within(at, "packing.transposed"));
    if (typeof packing.axis !== "number" || !Number.isSafeInteger(packing.axis))
      fail(within(at, "packing.axis"), "an axis");
  }
  if (weight.tensor !== undefined && count(weight.tensor, within(at, "tensor")) >= tensors)
    fail(within(at, "tensor"), "an index into model.tensors");
  if (weight.shared !== undefined) count(weight.shared, within(at, "shared"));
}

/** Uses of one weight do not contradict one another. */
function checkShared(layers: readonly Layer[]): void {
  const first = new Map<number, Weight>();
  walkLayers(layers, ({ weights }) => {
    for (const weight of weights) {
      if (weight.shared === undefined) continue;
      const known = first.get(weight.shared) ?? weight;
      first.set(weight.shared, known);
      if (known.tensor !== weight.tensor || known.class !== weight.class)
        fail(`weight ${weight.shared} that layers share`, "of one class and one stored tensor");
    }
  });
}

function checkGraph(value: unknown, at: Place, tensors: number, depth: number): void {
  if (depth > maxDepth) fail(at, `nested at most ${maxDepth} deep`);
  const graph = object(value, at);
  oneOf(graph.topology, ["functional", "sequential", "layers"], within(at, "topology"));
  const layers = list(graph.layers, within(at, "layers"));
  each(layers, within(at, "layers"), (layer, where) => checkLayer(layer, where, tensors, depth));
  const ref = (item: unknown, where: Place): void => checkRef(item, where, layers);
  each(graph.inputs, within(at, "inputs"), ref);
  each(graph.outputs, within(at, "outputs"), ref);
  const outputs = list(graph.outputs, within(at, "outputs")).length;
  if (graph.outputStructure !== undefined)
    checkStructure(graph.outputStructure, within(at, "outputStructure"), outputs, 0);
  if (graph.modules !== undefined) each(graph.modules, within(at, "modules"), text);
  each(layers, within(at, "layers"), (layer, place) => {
    each((layer as Fields).calls, within(place, "calls"), (call, where) => {
      each((call as Fields).inputs, within(where, "inputs"), (input, place) => {
        if ((input as Fields).kind === "value") ref((input as Fields).value, within(place, "value"));
      });
    });
  });
}

function checkLayer(value: unknown, at: Place, tensors: number, depth: number): void {
  const layer = object(value, at);
  for (const key of layerTexts) text(layer[key], within(at, key));
  if (layer.unnamed !== undefined) count(layer.unnamed, within(at, "unnamed"));
  const source = object(layer.source, within(at, "source"));
  text(source.dialect, within(at, "source.dialect"));
  text(source.type, within(at, "source.type"));
  if (source.recognized !== undefined) flag(source.recognized, within(at, "source.recognized"));
  oneOf(layer.kind, layerKinds, within(at, "kind"));
  object(layer.attributes, within(at, "attributes"));
  flag(layer.trainable, within(at, "trainable"));
  each(layer.weights, within(at, "weights"), (weight, where) => checkWeight(weight, where, tensors));
  if (layer.inner !== undefined) {
    if (depth > maxDepth) fail(at, `nested at most ${maxDepth} deep`);
    each(layer.inner, within(at, "inner"), (inner, where) => checkLayer(inner, where, tensors, depth + 1));
  }
  if (layer.graph !== undefined) checkGraph(layer.graph, within(at, "graph"), tensors, depth + 1);
  if (layer.subgraphs !== undefined) {
    each(layer.subgraphs, within(at, "subgraphs"), (item, where) => {
      const subgraph = object(item, where);
      text(subgraph.name, within(where, "name"));
      checkGraph(subgraph.graph, within(where, "graph"), tensors, depth + 1);
    });
  }
  if (layer.modules !== undefined) {
    each(layer.modules, within(at, "modules"), (item, where) => {
      const module = object(item, where);
      text(module.path, within(where, "path"));
      textOrNull(module.type, within(where, "type"));
      if (module.call !== undefined) count(module.call, within(where, "call"));
    });
  }
  if (layer.builtWith !== undefined) each(layer.builtWith, within(at, "builtWith"), shape);
  each(layer.calls, within(at, "calls"), checkCall);
}

function checkCall(value: unknown, at: Place): void {
  const call = object(value, at);
  each(call.inputs, within(at, "inputs"), (item, where) => {
    const input = object(item, where);
    oneOf(input.kind, argumentKinds, within(where, "kind"));
    if (input.name !== undefined) text(input.name, within(where, "name"));
    if (input.kind === "constant") {
      checkType(input.type, within(where, "type"), 0);
    } else if (input.kind === "tensor") count(input.tensor, within(where, "tensor"));
    else if (input.kind === "outer") {
      count(input.levels, within(where, "levels"));
      const outer = object(input.value, within(where, "value"));
      for (const key of refNumbers) count(outer[key], within(within(where, "value"), key));
    }
  });
  if (call.attributes !== undefined) object(call.attributes, within(at, "attributes"));
  if (call.declaredOutputs !== undefined) each(call.declaredOutputs, within(at, "declaredOutputs"), shape);
  if (call.outputs !== undefined) count(call.outputs, within(at, "outputs"));
  if (call.traced !== undefined) flag(call.traced, within(at, "traced"));
  if (call.declaredTypes !== undefined) {
    each(call.declaredTypes, within(at, "declaredTypes"), (type, where) => {
      if (type !== null) checkType(type, where, 0);
    });
  }
}

function checkType(value: unknown, at: Place, depth: number): void {
  if (depth > maxDepth) fail(at, `nested at most ${maxDepth} deep`);
  const type = object(value, at);
  dtypeOrNull(type.dtype, within(at, "dtype"));
  shape(type.shape, within(at, "shape"));
  if (type.of === undefined) return;
  const of = object(type.of, within(at, "of"));
  oneOf(of.container, ["sequence", "optional", "map", "sparse"], within(at, "of.container"));
  if (of.element !== null) checkType(of.element, within(at, "of.element"), depth + 1);
  if (of.items !== undefined) {
    each(of.items, within(at, "of.items"), (item, where) => checkType(item, where, depth + 1));
  }
}

function checkRef(value: unknown, at: Place, layers: readonly unknown[]): void {
  const ref = object(value, at);
  const layer = layers[count(ref.layer, within(at, "layer"))] as Fields | undefined;
  if (!layer) fail(within(at, "layer"), "the number of a layer of this graph");
  if (count(ref.call, within(at, "call")) >= list(layer.calls, within(at, "layer.calls")).length)
    fail(within(at, "call"), "the number of a call of that layer");
  count(ref.output, within(at, "output"));
}

function checkStructure(value: unknown, at: Place, outputs: number, depth: number): void {
  if (depth > maxDepth) fail(at, `nested at most ${maxDepth} deep`);
  if (typeof value === "number") {
    if (count(value, at) >= outputs) fail(at, "the number of an output");
    return;
  }
  const structure = object(value, at);
  const inner = (item: unknown, where: Place): void => checkStructure(item, where, outputs, depth + 1);
  if (structure.list !== undefined) each(structure.list, within(at, "list"), inner);
  else if (structure.tuple !== undefined) each(structure.tuple, within(at, "tuple"), inner);
  else {
    each(structure.dict, within(at, "dict"), (entry, where) => {
      const [key, item] = list(entry, where);
      text(key, within(where, 0));
      inner(item, within(where, 1));
    });
  }
}

function checkGlobal(value: unknown, at: Place): void {
  const global = object(value, at);
  for (const key of ["name", "at"]) text(global[key], within(at, key));
  for (const key of ["count", "byte"]) count(global[key], within(at, key));
  if (typeof global.suspicious !== "boolean") fail(within(at, "suspicious"), "true or false");
}

function checkOptimizer(value: unknown, at: Place): void {
  const optimizer = object(value, at);
  text(optimizer.name, within(at, "name"));
  if (typeof optimizer.built !== "boolean") fail(within(at, "built"), "true or false");
  if (optimizer.stored !== undefined && typeof optimizer.stored !== "boolean")
    fail(within(at, "stored"), "true or false");
  each(optimizer.scalars, within(at, "scalars"), (item, where) =>
    dtypeOrNull(object(item, where).dtype, within(where, "dtype")),
  );
  // Each slot is counted for each weight.
  if (list(optimizer.slots, within(at, "slots")).length > maxSlots)
    fail(within(at, "slots"), `of ${maxSlots} at most`);
  each(optimizer.slots, within(at, "slots"), (item, where) =>
    oneOf(object(item, where).shape, ["same", "rows", "columns", "scalar"], within(where, "shape")),
  );
}
