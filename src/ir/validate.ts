/** Rules every model keeps. What an importer hands over is checked by them, and so is a model read back from JSON. */

import { maxModelElements } from "../limits.ts";
import { checkExpression } from "./check-expression.ts";
import { conventions } from "./convention.ts";
import { isDType } from "./dtype.ts";
import { Fault, type Fields, fail, list, object, text } from "./fault.ts";
import type { Graph, Layer } from "./graph.ts";
import { type Model, walkLayers } from "./model.ts";
import { countOf } from "./shape.ts";
import { type StoredTensor, tensorClasses, type Weight } from "./tensor.ts";

/** The first rule that `value` breaks, with its place; `null` for a valid model. Takes any value at all. */
export function validateModel(value: unknown): string | null {
  try {
    checkModel(value);
    return null;
  } catch (error) {
    if (error instanceof Fault) return error.message;
    throw error;
  }
}

const maxDepth = 256;
/** The greediest optimizer of Keras has six. */
const maxSlots = 64;

function textOrNull(value: unknown, at: string): void {
  if (value !== null) text(value, at);
}

function count(value: unknown, at: string): number {
  return isCount(value) ? value : fail(at, "a whole number");
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function flag(value: unknown, at: string): void {
  if (value !== null && typeof value !== "boolean") fail(at, "true, false or null");
}

function oneOf(value: unknown, options: readonly string[], at: string): void {
  if (!options.includes(text(value, at))) fail(at, `one of ${options.join(", ")}`);
}

function shape(value: unknown, at: string): void {
  if (value === null) return;
  for (const [i, dim] of list(value, at).entries()) {
    // Most are; what follows writes down where they stand.
    if (isCount(dim)) continue;
    if (typeof dim === "object" && dim !== null) checkExpression(dim, `${at}[${i}]`, 0);
    else if (dim !== null) count(dim, `${at}[${i}]`);
  }
}

function dtypeOrNull(value: unknown, at: string): void {
  if (value !== null && !isDType(text(value, at))) fail(at, "an element type");
}

function each(value: unknown, at: string, check: (item: unknown, at: string) => void): void {
  for (const [i, item] of list(value, at).entries()) check(item, `${at}[${i}]`);
}

function checkModel(value: unknown): asserts value is Model {
  const model = object(value, "model");
  const file = object(model.file, "model.file");
  for (const key of ["name", "format", "variant"]) text(file[key], `model.file.${key}`);
  count(file.size, "model.file.size");
  const producer = object(model.producer, "model.producer");
  textOrNull(producer.framework, "model.producer.framework");
  textOrNull(producer.version, "model.producer.version");
  text(model.name, "model.name");
  if (model.unnamed !== undefined) count(model.unnamed, "model.unnamed");
  text(model.type, "model.type");
  oneOf(model.kind, ["graph", "weights-only"], "model.kind");
  flag(model.trainable, "model.trainable");
  oneOf(model.freezing, ["enclosing", "owner"], "model.freezing");
  if (model.convention !== undefined) oneOf(model.convention, conventions, "model.convention");
  each(model.tensors, "model.tensors", checkTensor);
  const paths = (model.tensors as readonly { path: string }[]).map((tensor) => tensor.path);
  if (new Set(paths).size !== paths.length) fail("model.tensors", "free of duplicate paths");
  const tensors = paths.length;
  checkSums(model.tensors as readonly StoredTensor[]);
  each(model.weights, "model.weights", (weight, at) => checkWeight(weight, at, tensors));
  checkGraph(model.graph, "model.graph", tensors, 0);
  checkShared((model.graph as Graph).layers);
  if (model.optimizer !== null) checkOptimizer(model.optimizer, "model.optimizer");
  if (model.globals !== undefined) each(model.globals, "model.globals", checkGlobal);
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

function checkTensor(value: unknown, at: string): void {
  const tensor = object(value, at);
  text(tensor.path, `${at}.path`);
  if (!isDType(text(tensor.dtype, `${at}.dtype`))) fail(`${at}.dtype`, "an element type");
  each(tensor.shape, `${at}.shape`, count);
  count(tensor.bytes, `${at}.bytes`);
  oneOf(tensor.unclaimed, tensorClasses, `${at}.unclaimed`);
  if (tensor.values !== undefined) {
    each(tensor.values, `${at}.values`, (item, where) => {
      if (typeof item !== "number") fail(where, "a number");
    });
  }
}

function checkWeight(value: unknown, at: string, tensors: number): void {
  const weight = object(value, at);
  text(weight.name, `${at}.name`);
  text(weight.role, `${at}.role`);
  oneOf(weight.class, tensorClasses, `${at}.class`);
  flag(weight.trainable, `${at}.trainable`);
  dtypeOrNull(weight.dtype, `${at}.dtype`);
  if (weight.shape !== undefined) shape(weight.shape, `${at}.shape`);
  if (weight.view !== undefined) each(weight.view, `${at}.view`, count);
  if (weight.packing !== undefined) {
    const packing = object(weight.packing, `${at}.packing`);
    if (count(packing.values, `${at}.packing.values`) < 1) fail(`${at}.packing.values`, "at least 1");
    if (packing.per !== undefined && count(packing.per, `${at}.packing.per`) < 1)
      fail(`${at}.packing.per`, "at least 1");
    if (packing.flat !== undefined) flag(packing.flat, `${at}.packing.flat`);
    if (packing.padded !== undefined) flag(packing.padded, `${at}.packing.padded`);
    if (packing.transposed !== undefined) flag(packing.transposed, `${at}.packing.transposed`);
    if (typeof packing.axis !== "number" || !Number.isSafeInteger(packing.axis))
      fail(`${at}.packing.axis`, "an axis");
  }
  if (weight.tensor !== undefined && count(weight.tensor, `${at}.tensor`) >= tensors)
    fail(`${at}.tensor`, "an index into model.tensors");
  if (weight.shared !== undefined) count(weight.shared, `${at}.shared`);
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

function checkGraph(value: unknown, at: string, tensors: number, depth: number): void {
  if (depth > maxDepth) fail(at, `nested at most ${maxDepth} deep`);
  const graph = object(value, at);
  oneOf(graph.topology, ["functional", "sequential", "layers"], `${at}.topology`);
  const layers = list(graph.layers, `${at}.layers`);
  for (const [i, layer] of layers.entries()) checkLayer(layer, `${at}.layers[${i}]`, tensors, depth);
  const ref = (item: unknown, where: string): void => checkRef(item, where, layers);
  each(graph.inputs, `${at}.inputs`, ref);
  each(graph.outputs, `${at}.outputs`, ref);
  const outputs = list(graph.outputs, `${at}.outputs`).length;
  if (graph.outputStructure !== undefined)
    checkStructure(graph.outputStructure, `${at}.outputStructure`, outputs, 0);
  for (const [i, layer] of layers.entries()) {
    each((layer as Fields).calls, `${at}.layers[${i}].calls`, (call, where) => {
      each((call as Fields).inputs, `${where}.inputs`, (input, place) => {
        if ((input as Fields).kind === "value") ref((input as Fields).value, `${place}.value`);
      });
    });
  }
}

function checkLayer(value: unknown, at: string, tensors: number, depth: number): void {
  const layer = object(value, at);
  for (const key of ["name", "operator", "scope"]) text(layer[key], `${at}.${key}`);
  if (layer.unnamed !== undefined) count(layer.unnamed, `${at}.unnamed`);
  const source = object(layer.source, `${at}.source`);
  text(source.dialect, `${at}.source.dialect`);
  text(source.type, `${at}.source.type`);
  if (source.recognized !== undefined) flag(source.recognized, `${at}.source.recognized`);
  oneOf(layer.kind, ["layer", "operation", "model"], `${at}.kind`);
  object(layer.attributes, `${at}.attributes`);
  flag(layer.trainable, `${at}.trainable`);
  each(layer.weights, `${at}.weights`, (weight, where) => checkWeight(weight, where, tensors));
  if (layer.inner !== undefined) {
    if (depth > maxDepth) fail(at, `nested at most ${maxDepth} deep`);
    each(layer.inner, `${at}.inner`, (inner, where) => checkLayer(inner, where, tensors, depth + 1));
  }
  if (layer.graph !== undefined) checkGraph(layer.graph, `${at}.graph`, tensors, depth + 1);
  if (layer.subgraphs !== undefined) {
    each(layer.subgraphs, `${at}.subgraphs`, (item, where) => {
      const subgraph = object(item, where);
      text(subgraph.name, `${where}.name`);
      checkGraph(subgraph.graph, `${where}.graph`, tensors, depth + 1);
    });
  }
  if (layer.modules !== undefined) {
    each(layer.modules, `${at}.modules`, (item, where) => {
      const module = object(item, where);
      text(module.path, `${where}.path`);
      textOrNull(module.type, `${where}.type`);
      if (module.call !== undefined) count(module.call, `${where}.call`);
    });
  }
  if (layer.builtWith !== undefined) each(layer.builtWith, `${at}.builtWith`, shape);
  each(layer.calls, `${at}.calls`, checkCall);
}

function checkCall(value: unknown, at: string): void {
  const call = object(value, at);
  each(call.inputs, `${at}.inputs`, (item, where) => {
    const input = object(item, where);
    oneOf(input.kind, ["value", "constant", "tensor", "outer"], `${where}.kind`);
    if (input.name !== undefined) text(input.name, `${where}.name`);
    if (input.kind === "constant") {
      checkType(input.type, `${where}.type`, 0);
    } else if (input.kind === "tensor") count(input.tensor, `${where}.tensor`);
    else if (input.kind === "outer") {
      count(input.levels, `${where}.levels`);
      const outer = object(input.value, `${where}.value`);
      for (const key of ["layer", "call", "output"]) count(outer[key], `${where}.value.${key}`);
    }
  });
  if (call.attributes !== undefined) object(call.attributes, `${at}.attributes`);
  if (call.declaredOutputs !== undefined) each(call.declaredOutputs, `${at}.declaredOutputs`, shape);
  if (call.outputs !== undefined) count(call.outputs, `${at}.outputs`);
  if (call.traced !== undefined) flag(call.traced, `${at}.traced`);
  if (call.declaredTypes !== undefined) {
    each(call.declaredTypes, `${at}.declaredTypes`, (type, where) => {
      if (type !== null) checkType(type, where, 0);
    });
  }
}

function checkType(value: unknown, at: string, depth: number): void {
  if (depth > maxDepth) fail(at, `nested at most ${maxDepth} deep`);
  const type = object(value, at);
  dtypeOrNull(type.dtype, `${at}.dtype`);
  shape(type.shape, `${at}.shape`);
  if (type.of === undefined) return;
  const of = object(type.of, `${at}.of`);
  oneOf(of.container, ["sequence", "optional", "map", "sparse"], `${at}.of.container`);
  if (of.element !== null) checkType(of.element, `${at}.of.element`, depth + 1);
  if (of.items !== undefined) {
    each(of.items, `${at}.of.items`, (item, where) => checkType(item, where, depth + 1));
  }
}

function checkRef(value: unknown, at: string, layers: readonly unknown[]): void {
  const ref = object(value, at);
  const layer = layers[count(ref.layer, `${at}.layer`)] as Fields | undefined;
  if (!layer) fail(`${at}.layer`, "the number of a layer of this graph");
  if (count(ref.call, `${at}.call`) >= list(layer.calls, `${at}.layer.calls`).length)
    fail(`${at}.call`, "the number of a call of that layer");
  count(ref.output, `${at}.output`);
}

function checkStructure(value: unknown, at: string, outputs: number, depth: number): void {
  if (depth > maxDepth) fail(at, `nested at most ${maxDepth} deep`);
  if (typeof value === "number") {
    if (count(value, at) >= outputs) fail(at, "the number of an output");
    return;
  }
  const structure = object(value, at);
  const inner = (item: unknown, where: string): void => checkStructure(item, where, outputs, depth + 1);
  if (structure.list !== undefined) each(structure.list, `${at}.list`, inner);
  else if (structure.tuple !== undefined) each(structure.tuple, `${at}.tuple`, inner);
  else {
    each(structure.dict, `${at}.dict`, (entry, where) => {
      const [key, item] = list(entry, where);
      text(key, `${where}[0]`);
      inner(item, `${where}[1]`);
    });
  }
}

function checkGlobal(value: unknown, at: string): void {
  const global = object(value, at);
  for (const key of ["name", "at"]) text(global[key], `${at}.${key}`);
  for (const key of ["count", "byte"]) count(global[key], `${at}.${key}`);
  if (typeof global.suspicious !== "boolean") fail(`${at}.suspicious`, "true or false");
}

function checkOptimizer(value: unknown, at: string): void {
  const optimizer = object(value, at);
  text(optimizer.name, `${at}.name`);
  if (typeof optimizer.built !== "boolean") fail(`${at}.built`, "true or false");
  if (optimizer.stored !== undefined && typeof optimizer.stored !== "boolean")
    fail(`${at}.stored`, "true or false");
  each(optimizer.scalars, `${at}.scalars`, (item, where) =>
    dtypeOrNull(object(item, where).dtype, `${where}.dtype`),
  );
  // Each slot is counted for each weight.
  if (list(optimizer.slots, `${at}.slots`).length > maxSlots) fail(`${at}.slots`, `of ${maxSlots} at most`);
  each(optimizer.slots, `${at}.slots`, (item, where) =>
    oneOf(object(item, where).shape, ["same", "rows", "columns", "scalar"], `${where}.shape`),
  );
}
