/** Layers that bring several inputs together (Keras 3 layers/merging; Merge of Keras 1, engine/topology.py). */

import { asList, asString } from "../json-access.ts";
import type { LayerRule, MappedLayer } from "../layer-rule.ts";
import { opaque } from "./core.ts";

/** Keras 3 leaves a dimension unknown that one input knows and another does not; TensorFlow, under Keras 2, does not. */
function elementwise(operator: string): LayerRule {
  return ({ generation }) => ({ operator, attributes: { resolveUnknown: generation < 3 }, weights: [] });
}

const concatenate: LayerRule = ({ config, generation }) => ({
  operator: "Concat",
  attributes: { axis: config.axis ?? -1, resolveUnknown: generation < 3 },
  weights: [],
});

const dot: LayerRule = ({ config }) => ({
  operator: "Dot",
  attributes: { axes: config.axes ?? null },
  weights: [],
});

const modes: Readonly<Record<string, string>> = {
  sum: "Add",
  mul: "Multiply",
  ave: "Average",
  max: "Maximum",
  concat: "Concat",
  dot: "Dot",
  cos: "Dot",
};

/** Keras 1: `mode` is the operation, or a function, whose output shape may be stated. */
const merge: LayerRule = ({ config }): MappedLayer => {
  const mode = asString(config.mode) ?? "";
  const operator =
    Object.hasOwn(modes, mode) && (config.mode_type ?? "raw") === "raw" ? modes[mode] : undefined;
  if (operator === undefined) return opaque(asList(config.output_shape) && config.output_shape);
  if (operator === "Concat") return { operator, attributes: { axis: config.concat_axis ?? -1 }, weights: [] };
  if (operator === "Dot") return { operator, attributes: { axes: config.dot_axes ?? -1 }, weights: [] };
  return { operator, attributes: {}, weights: [] };
};

export const mergingLayers: Readonly<Record<string, LayerRule>> = {
  Add: elementwise("Add"),
  Subtract: elementwise("Subtract"),
  Multiply: elementwise("Multiply"),
  Average: elementwise("Average"),
  Maximum: elementwise("Maximum"),
  Minimum: elementwise("Minimum"),
  Concatenate: concatenate,
  Dot: dot,
  Merge: merge,
};
