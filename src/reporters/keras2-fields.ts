import type { Report, ReportCall, ReportLayer, ReportShape } from "../report/report.ts";
import { escapeName } from "./escape.ts";
import { leavesOf, structureText, tupleText } from "./python-text.ts";
import type { KerasStyle } from "./summary-options.ts";
import {
  className,
  connectionsOf,
  isGroup,
  isInput,
  isStandaloneKeras,
  nestedModelsCallThemselves,
  recursiveMark,
  shownName,
} from "./summary-rows.ts";
import { parametersOf } from "./weight-totals.ts";

/** The cells of a row, as all printers of Keras 2 have them. */

/** `name (Class)`. */
export function layerTitle(layer: ReportLayer, style: KerasStyle, around?: ReportLayer): string {
  const type = escapeName(className(layer, style));
  const name = escapeName(shownName(layer, around));
  return type === "" ? name : `${name} (${type})`;
}

export function parameterField(layer: ReportLayer, report: Report, style: KerasStyle): string {
  return layer.recursive ? recursiveMark : String(parametersOf(layer, report, style));
}

/**
 * Keras 2 gives a layer one output shape only if all its calls agree, and calls the rest `multiple`. A shape that we do
 * not know is `?`.
 */
export function outputShapeField(layer: ReportLayer, report: Report, style: KerasStyle): string {
  if (report.model.kind === "weights-only") return "?";
  const own = ownOutputShape(layer);
  // tf.keras takes the shape of a nested model from the model alone; before, its own was one of its calls.
  if (own !== null && !nestedModelsCallThemselves(report, style)) return tupleText(own);
  const texts = new Set(layer.calls.map((call) => callShape(call, layer, report, style)));
  if (own !== null) texts.add(tupleText(own));
  if (texts.size !== 1) return "multiple";
  return escapeName([...texts][0] ?? "");
}

/** Calls whose outputs no other call of the model takes. */
function endsOf(layers: readonly ReportLayer[]): readonly ReportCall[] {
  const used = layers.flatMap(connectionsOf);
  const calls = new Map<string, ReportCall>();
  for (const layer of layers) {
    for (const [i, call] of layer.calls.entries()) calls.set(`${layer.name}/${i}`, call);
  }
  const usedCalls = new Set(used.map((input) => `${input.layer}/${input.call}`));
  if ([...usedCalls].every((call) => calls.has(call))) {
    return [...calls].flatMap(([name, call]) => (usedCalls.has(name) ? [] : [call]));
  }
  // Connections that lead nowhere cannot tell one call of a layer from another.
  const usedLayers = new Set(used.map((input) => input.layer));
  const ends = layers.filter((layer) => !usedLayers.has(layer.name));
  return ends.length === 1 ? (ends[0]?.calls.slice(-1) ?? []) : [];
}

/** Output of a nested model for the inputs it was made with, if it has just one: that of its only end. */
function ownOutputShape(layer: ReportLayer): ReportShape {
  if (layer.kind !== "model" || layer.topology === "layers" || !layer.layers) return null;
  // A module of an exported network, or a branch of it, is no model that was built by itself.
  if (isGroup(layer)) return null;
  const last = layer.calls.at(-1);
  if (!last || leavesOf(last.outputStructure).length !== 1 || typeof last.outputStructure !== "number")
    return null;
  const ends =
    layer.topology === "functional" ? endsOf(layer.layers) : (layer.layers.at(-1)?.calls.slice(-1) ?? []);
  const call = ends.length === 1 ? ends[0] : undefined;
  return call?.outputShapes.length === 1 ? (call.outputShapes[0] ?? null) : null;
}

function callShape(
  call: ReportLayer["calls"][number],
  layer: ReportLayer,
  report: Report,
  style: KerasStyle,
): string {
  const shapes = call.outputShapes;
  if (shapes.every((shape) => shape === null)) return "?";
  const leaves = leavesOf(call.outputStructure);
  const single = leaves.length === 1 ? (shapes[leaves[0] ?? 0] ?? null) : null;
  if (isInput(layer) && single) {
    // Only tf.keras has the shape of an input in a list.
    const bare = style === "keras2.2" || (style === "keras2.3" && isStandaloneKeras(report));
    return bare ? tupleText(single) : `[${tupleText(single)}]`;
  }
  return structureText(call.outputStructure, (index) => tupleText(shapes[index] ?? null));
}

/** By report, because each of its layers asks. */
const builtModelsOf = new WeakMap<Report, ReadonlySet<string>>();

function builtModels(report: Report): ReadonlySet<string> {
  let names = builtModelsOf.get(report);
  if (!names) {
    const models = report.layers.filter((layer) => layer.kind === "model" && layer.built);
    names = new Set(models.map((layer) => layer.name));
    builtModelsOf.set(report, names);
  }
  return names;
}

/** `layer[call][output]` for each input of each call. */
export function connectionNames(layer: ReportLayer, report: Report, style: KerasStyle): string[] {
  const shifted = nestedModelsCallThemselves(report, style) ? builtModels(report) : undefined;
  return connectionsOf(layer).map((input) => {
    const call = input.call + (shifted?.has(input.layer) ? 1 : 0);
    return `${input.layer}[${call}][${input.output}]`;
  });
}
