/** Serialized layers to the architecture: finds the rule of the class, reads what all classes share, and recurses. */

import { LimitExceededError } from "../../src/errors.ts";
import { type Json, type JsonObject, scopedName } from "../../src/ir/graph.ts";
import type { Shape } from "../../src/ir/shape.ts";
import { maxKerasLayers, maxKerasNesting, maxNameLength, maxNameText } from "../../src/limits.ts";
import type { ArchGraph, ArchInner, ArchLayer, WeightSlot } from "./architecture.ts";
import { builtAtStart } from "./built-at-start.ts";
import { readBuildShapes, readDTypePolicy, readQuantizationConfig } from "./dtype-policy.ts";
import { flatCall, functionalGraph, sequentialGraph } from "./graph.ts";
import { asBoolean, asList, asObject, asShape, asString } from "./json-access.ts";
import { modernClass, modernConfig } from "./keras1.ts";
import type { LayerSource, MappedLayer } from "./layer-rule.ts";
import { layerRules } from "./layers/index.ts";
import { bareClass } from "./names.ts";
import { findOperationRule } from "./operations/index.ts";
import type { ReadContext, ReadLayer, SharedLayer } from "./read-context.ts";
import {
  findShared,
  heightOf,
  inAnotherPlace,
  keepShared,
  noSharing,
  readingFunctional,
} from "./shared-objects.ts";

const functionLayers: ReadonlySet<string> = new Set([
  "TFOpLambda",
  "SlicingOpLambda",
  "ClassMethod",
  "InstanceMethod",
  "InstanceProperty",
  "TensorFlowOpLayer",
]);

/** Reads `{module?, class_name, config, name?, build_config?}`; again where Keras would take what it has read before. */
export function readLayer(entry: JsonObject, context: ReadContext): ReadLayer {
  const { count, sharing } = context;
  const known = findShared(entry, sharing);
  if (known) return readAgain(known, context);
  const { layers, nameText } = count;
  const read = readNewLayer(entry, context);
  if (entry.shared_object_id !== undefined && !isFunction(read.layer)) {
    const { layer } = read;
    const taken = { layers: count.layers - layers, nameText: count.nameText - nameText };
    const isNew = keepShared(entry, { read, ...taken, height: heightOf(layer, count.heights) }, sharing);
    const at = scopedName(context.scope, layer.name);
    if (!isNew) context.report({ code: "shared-object-repeated", args: { type: layer.type }, at });
  }
  return read;
}

/** A few characters can stand for a large model here, so it takes of the limits what it took when it was read. */
function readAgain({ read, layers, nameText, height }: SharedLayer, context: ReadContext): ReadLayer {
  context.count.layers += layers - 1;
  context.count.nameText += nameText + (layers - 1) * context.scope.length;
  checkCounts({ ...context, depth: context.depth + height });
  return inAnotherPlace(read);
}

/** What a function call is depends on its arguments, and it has no weights to share. */
export function isFunction(layer: ArchLayer): boolean {
  return layer.kind === "operation" || functionLayers.has(layer.type);
}

function readNewLayer(entry: JsonObject, context: ReadContext): ReadLayer {
  checkCounts(context);
  // Keras 0 items may have the class under `name` and the name under `custom_name`.
  const named = asString(entry.class_name) ?? asString(asObject(entry.config)?.name) ?? "?";
  const written = bareClass(named);
  checkLimit("maxNameLength", written.length, maxNameLength, "characters in the class of a layer");
  const config = asObject(entry.config) ?? {};
  const model = readModel(written, entry, context);
  if (model) return model;
  if (isOperation(written, asString(entry.module))) return readOperation(written, entry, config, context);
  return readPlainLayer(written, entry, config, context);
}

function checkCounts(context: ReadContext): void {
  const { count, depth } = context;
  count.layers += 1;
  count.nameText += context.scope.length;
  checkLimit("maxKerasLayers", count.layers, maxKerasLayers, "layers");
  checkLimit("maxKerasNesting", depth, maxKerasNesting, "levels of models and wrappers inside one another");
  checkLimit("maxNameText", count.nameText, maxNameText, "characters of names");
}

function checkLimit(limit: string, actual: number, maximum: number, what: string): void {
  if (actual <= maximum) return;
  throw new LimitExceededError(`the configuration has more than ${maximum} ${what}, the limit (${limit})`, {
    limit,
    actual,
    maximum,
  });
}

function nameOf(entry: JsonObject, config: JsonObject, type: string, context: ReadContext): string {
  const name = asString(config.name) ?? asString(config.custom_name) ?? asString(entry.name) ?? type;
  checkLimit("maxNameLength", name.length, maxNameLength, "characters in the name of a layer");
  context.count.nameText += name.length;
  return name;
}

/**
 * The graph of a model's configuration, nested or not; `undefined` when the entry is no model. `context` is that of its
 * layers.
 */
export function readModelGraph(type: string, entry: JsonObject, context: ReadContext): ArchGraph | undefined {
  const config = asObject(entry.config);
  const read = (inner: JsonObject): ReadLayer => readLayer(inner, context);
  const form = modelForm(type, entry);
  if (form === undefined) return undefined;
  if (config && form === "functional") {
    return readingFunctional(context.sharing, () => functionalGraph(config, context, read));
  }
  const built = config?.build_input_shape ?? readBuildShapes(entry.build_config)[0];
  return sequentialGraph(asList(entry.config) ?? asList(config?.layers) ?? [], built, read);
}

function modelForm(type: string, entry: JsonObject): "functional" | "sequential" | undefined {
  if (asList(entry.config)) return "sequential";
  const config = asObject(entry.config);
  if (!config || !asList(config.layers)) return undefined;
  if ("output_layers" in config || "input_layers" in config) return "functional";
  return modernClass(type) === "Sequential" ? "sequential" : undefined;
}

/** Up to Keras 2.2.2 a Sequential's configuration is a bare list, without a name: its place among such, else nothing. */
export function unnamedPlace(entry: JsonObject, context: ReadContext): { readonly unnamed?: number } {
  return asList(entry.config) ? { unnamed: context.count.unnamed++ } : {};
}

function readModel(type: string, entry: JsonObject, context: ReadContext): ReadLayer | undefined {
  if (modelForm(type, entry) === undefined) return undefined;
  const config = asObject(entry.config) ?? {};
  // A model gets its name before its layers get theirs.
  const unnamed = unnamedPlace(entry, context);
  const madeUp = unnamed.unnamed === undefined ? type : `sequential_${unnamed.unnamed + 1}`;
  const name = nameOf(entry, config, madeUp, context);
  const graph = readModelGraph(type, entry, {
    ...context,
    scope: scopedName(context.scope, name),
    depth: context.depth + 1,
  });
  if (!graph) return undefined;
  const layer: ArchLayer = {
    name,
    ...unnamed,
    type,
    module: asString(entry.module) ?? "",
    kind: "model",
    operator: "Model",
    attributes: {},
    trainable: modelFlag(config, graph, context.generation),
    variableDtype: null,
    slots: [],
    inner: [],
    innerFirst: false,
    graph,
    calls: [],
  };
  return { layer, mapCall: flatCall };
}

/** Keras 3 does not restore the flag of a Sequential; its layers have theirs. */
export function modelFlag(
  config: JsonObject | undefined,
  graph: ArchGraph,
  generation: ReadContext["generation"],
): boolean | null {
  if (generation === 3 && graph.topology === "sequential") return true;
  return asBoolean(config?.trainable) ?? null;
}

function isOperation(type: string, module: string | undefined): boolean {
  return functionLayers.has(type) || /^keras\.(src\.)?ops\b/.test(module ?? "");
}

function readOperation(type: string, entry: JsonObject, config: JsonObject, context: ReadContext): ReadLayer {
  const module = functionLayers.has(type) ? "" : (asString(entry.module) ?? "");
  const rule = findOperationRule(module, module === "" ? functionName(type, config) : type);
  const layer: ArchLayer = {
    name: nameOf(entry, config, type, context),
    type,
    module,
    kind: module === "" ? "layer" : "operation",
    operator: "Opaque",
    attributes: {},
    trainable: asBoolean(config.trainable) ?? null,
    variableDtype: null,
    slots: [],
    inner: [],
    innerFirst: false,
    calls: [],
  };
  const at = scopedName(context.scope, layer.name);
  // What an operation is can depend on its call: the operator is that of the first one.
  let operator: string | undefined;
  return {
    layer,
    mapCall(call) {
      if (!rule) return flatCall(call);
      try {
        const mapped = rule({
          type: module === "" ? functionName(type, config) : type,
          module,
          config,
          call,
        });
        operator ??= mapped.operator;
        (layer as { operator: string }).operator = operator as string;
        return { inputs: mapped.inputs, attributes: { ...mapped.attributes, ...mapped.attributes } };
      } catch (error) {
        context.report({ code: "shape-rule-failed", args: { type, reason: messageOf(error) }, at });
        return flatCall(call);
      }
    },
  };
}

function functionName(type: string, config: JsonObject): string {
  if (type === "SlicingOpLambda") return asString(config.function) ?? "__operators__.getitem";
  if (type === "TensorFlowOpLayer") return type;
  return asString(config.function) ?? asString(config.method_name) ?? asString(config.attr_name) ?? type;
}

function readPlainLayer(
  written: string,
  entry: JsonObject,
  rawConfig: JsonObject,
  context: ReadContext,
): ReadLayer {
  const type = context.generation === 1 ? modernClass(written) : written;
  const config = context.generation === 1 ? modernConfig(type, rawConfig) : rawConfig;
  const policy = readDTypePolicy(config.dtype);
  const stated = readQuantizationConfig(config.quantization_config);
  const source: LayerSource = {
    type,
    config,
    generation: context.generation,
    standalone: context.standalone,
    variableDtype: policy.variableDtype,
    quantization: policy.quantization && { ...policy.quantization, ...stated },
    buildConfig: asObject(entry.build_config) ?? null,
  };
  const name = nameOf(entry, config, written, context);
  const mapped = applyRule(source, context, scopedName(context.scope, name));
  const builtWith = readBuildShapes(entry.build_config).map((shape): Shape => asShape(shape as Json) ?? null);
  const layer: ArchLayer = {
    name,
    type,
    module: asString(entry.module) ?? "",
    kind: "layer",
    operator: mapped.operator,
    attributes: mapped.attributes,
    ...(context.generation === 3 && builtAtStart.has(type) && { needsNoBuild: true }),
    trainable: asBoolean(config.trainable) ?? null,
    variableDtype: policy.variableDtype,
    slots: mapped.weights.map((declaration): WeightSlot => ({ declaration })),
    inner: (mapped.inner ?? []).map(
      (inner): ArchInner => ({
        key: inner.key,
        ...(inner.remade && { remade: true }),
        layer: readLayer(inner.layer, {
          ...context,
          depth: context.depth + 1,
          ...(inner.remade && { sharing: noSharing() }),
        }).layer,
      }),
    ),
    innerFirst: mapped.innerFirst ?? false,
    ...(builtWith.length > 0 && { builtWith }),
    calls: [],
  };
  return { layer, mapCall: mapped.call?.bind(mapped) ?? flatCall };
}

const opaque: MappedLayer = { operator: "Opaque", attributes: {}, weights: [] };

function applyRule(source: LayerSource, context: ReadContext, at: string): MappedLayer {
  const rule = Object.hasOwn(layerRules, source.type) ? layerRules[source.type] : undefined;
  if (!rule) return opaque;
  try {
    return rule(source);
  } catch (error) {
    context.report({
      code: "shape-rule-failed",
      args: { type: source.type, reason: messageOf(error) },
      at,
    });
    return opaque;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
