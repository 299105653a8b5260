import type { Report, ReportCall, ReportLayer } from "../report/report.ts";
import type { KerasStyle } from "./summary-options.ts";

/** What all styles agree on: which layers get a row, under which class name, and what their shapes are. */

/** A module of a network, and a graph that an operation in one runs. */
const ofTree: ReadonlySet<string> = new Set(["Module", "GraphModule"]);

/** Rows of a graph taken together: what none of Keras's own models is. */
export function isGroup({ operator }: ReportLayer): boolean {
  return ofTree.has(operator) || operator === "Graph";
}

/** Rows at the top of the model. Only Keras 3 functional models keep operations among their layers. */
export function topRows(report: Report, style: KerasStyle): readonly ReportLayer[] {
  const { topology, kind } = report.model;
  return visibleLayers(
    report.layers,
    topology,
    style !== "keras3" || topology === "functional" || kind === "weights-only",
  );
}

/** Rows below a nested model. */
export function nestedRows(layer: ReportLayer, style: KerasStyle): readonly ReportLayer[] {
  const withOperations = style !== "keras3" || isGroup(layer);
  return visibleLayers(layer.layers ?? [], layer.topology, withOperations);
}

/** Modules of a tree show what is in them; for models of Keras that is asked for. */
export function showsInside(layer: ReportLayer, expandNested: boolean | undefined): boolean {
  return expandNested === true || ofTree.has(layer.operator) || (layer.layers?.some(isOfTree) ?? false);
}

/** Whether there is a column of connections: a tree of modules has none. */
export function hasConnections(report: Report): boolean {
  // Asked for every row, and to answer takes a look at all of them.
  const known = connected.get(report) ?? (!report.model.linear && !isTree(report));
  connected.set(report, known);
  return known;
}

const connected = new WeakMap<Report, boolean>();

/** Whether the rows are a tree of modules. */
export function isTree(report: Report): boolean {
  return report.layers.some(isOfTree);
}

function isOfTree({ operator, layers }: ReportLayer): boolean {
  return ofTree.has(operator) || (layers?.some(isOfTree) ?? false);
}

/** Inside a module, a name goes on from that of the module around: `conv1` of `layer1.0.conv1`; so inside a branch. */
export function shownName({ name }: ReportLayer, around: ReportLayer | undefined): string {
  if (around?.operator === "Graph") {
    const before = `/${around.name}/`;
    const at = name.lastIndexOf(before);
    return at < 0 ? name : name.slice(at + before.length);
  }
  const path = around?.operator === "Module" ? withoutCall(around.name) : "";
  return path !== "" && goesOn(name, path.length) && name.startsWith(path)
    ? name.slice(path.length + 1)
    : name;
}

/** Whether there is a path at this place of a name, and something behind it. */
function goesOn(name: string, at: number): boolean {
  const mark = name.charCodeAt(at);
  return (mark === dot || mark === slash) && at + 1 < name.length;
}

const dot = 0x2e;
const slash = 0x2f;

/** `block` of `block@1`, its second call. */
function withoutCall(name: string): string {
  return name.includes("@") ? name.replace(/@\d+$/, "") : name;
}

/** What stands in place of a number of parameters that an earlier call of the module has. */
export const recursiveMark = "(recursive)";

function visibleLayers(
  layers: readonly ReportLayer[],
  topology: ReportLayer["topology"],
  withOperations: boolean,
): readonly ReportLayer[] {
  const shown = topology === "sequential" && isInput(layers[0]) ? layers.slice(1) : layers;
  return withOperations ? shown : shown.filter((layer) => layer.kind !== "operation");
}

export function isInput(layer: ReportLayer | undefined): boolean {
  return layer?.type === "InputLayer";
}

/** Classes of Keras 1 that all later versions load under another name. */
const renamed: ReadonlyMap<string, string> = new Map([
  ["Convolution1D", "Conv1D"],
  ["Convolution2D", "Conv2D"],
  ["Convolution3D", "Conv3D"],
  ["AtrousConvolution1D", "Conv1D"],
  ["AtrousConvolution2D", "Conv2D"],
  ["Deconvolution2D", "Conv2DTranspose"],
  ["SeparableConvolution2D", "SeparableConv2D"],
]);

/** The same for classes of tf.keras up to 2.6. */
const renamedSince27: ReadonlyMap<string, string> = new Map([
  ...renamed,
  ["BatchNormalizationV1", "BatchNormalization"],
  ["BatchNormalizationV2", "BatchNormalization"],
]);

/** And for a class that Keras 3 exports, and so writes, under a name that is not its own. */
const renamedSince3: ReadonlyMap<string, string> = new Map([
  ...renamedSince27,
  ["GroupQueryAttention", "GroupedQueryAttention"],
]);

/** Class that the Keras of `style` prints for a layer of this file. */
export function className(layer: ReportLayer, style: KerasStyle): string {
  // A class that no file stated: the mark keeps it from being taken for one.
  if (layer.recognized) return `~${layer.type}`;
  // Registered classes are written as `Package>Class`.
  const type = layer.type.slice(layer.type.lastIndexOf(">") + 1);
  if (layer.kind === "model" && (type === "Model" || type === "Functional")) {
    if (style === "keras2.2") return "Model";
    return style === "keras2.3" ? type : "Functional";
  }
  const names =
    style === "keras3"
      ? renamedSince3
      : style.startsWith("keras2.") && style !== "keras2.7"
        ? renamed
        : renamedSince27;
  return names.get(type) ?? type;
}

/** Written by the standalone package up to 2.3, which differs in details from tf.keras of its time. */
export function isStandaloneKeras(report: Report): boolean {
  return /^(1\.|2\.[0-3]\.\d+$)/.test(report.producer.version ?? "");
}

/**
 * Keras up to 2.3 gave a nested model a call of its own when it was created, which shifts the number of those that
 * follow.
 */
export function nestedModelsCallThemselves(report: Report, style: KerasStyle): boolean {
  return (
    style === "keras2.2" || (style === "keras2.3" && /^(1|2\.[0-3])\./.test(report.producer.version ?? ""))
  );
}

/**
 * The layer's flag as the Keras of `style` holds it after loading. A nested model is created anew, and only Keras 3
 * restores its own flag, and only that of a functional one; the flags of its layers are always restored.
 */
export function loadedTrainableFlag(layer: ReportLayer, style: KerasStyle): boolean | null {
  if (layer.kind !== "model" || layer.topology === "layers") return layer.trainableFlag;
  return style === "keras3" && layer.topology === "functional" ? layer.trainableFlag : true;
}

/** `name`, `call`, `output` of every input of every call of a layer, in order. */
export function connectionsOf(layer: ReportLayer): readonly ReportCall["inputs"][number][] {
  const [only] = layer.calls;
  return only && layer.calls.length === 1 ? only.inputs : layer.calls.flatMap((call) => call.inputs);
}
