/** Activations (Keras 3 layers/activations; SReLU and ParametricSoftplus of Keras 1). */

import type { JsonObject } from "../../../src/ir/graph.ts";
import { asList, asObject, asString } from "../json-access.ts";
import type { LayerRule } from "../layer-rule.ts";
import { plain } from "./config-reading.ts";

/** `activation` is a name or a serialised function or class, whose name is kept. */
const activation: LayerRule = ({ config }) => {
  const object = asObject(config.activation);
  const name =
    asString(config.activation) ?? asString(object?.config) ?? asString(object?.class_name) ?? null;
  return { operator: "Activation", attributes: { function: name }, weights: [] };
};

/**
 * `shared_axes` may be null, and [null] in Keras 1. They index the shape without its batch after 1 is taken off, so in
 * Keras -1 is the last axis but one, and 0 the last one.
 */
function sharedAxes(config: JsonObject): JsonObject {
  const axes = (asList(config.shared_axes) ?? []).filter((axis) => axis !== null);
  return { sharedAxes: axes.map((axis) => (typeof axis === "number" && axis <= 0 ? axis - 1 : axis)) };
}

const prelu: LayerRule = ({ config }) => ({
  operator: "PRelu",
  attributes: sharedAxes(config),
  weights: [{ name: "alpha", role: "alpha" }],
});

const srelu: LayerRule = ({ config }) => ({
  operator: "SRelu",
  attributes: sharedAxes(config),
  weights: [
    { name: "t_left", role: "threshold-left" },
    { name: "a_left", role: "slope-left" },
    { name: "t_right", role: "threshold-right" },
    { name: "a_right", role: "slope-right" },
  ],
});

const parametricSoftplus: LayerRule = ({ config }) => ({
  operator: "ParametricSoftplus",
  attributes: sharedAxes(config),
  weights: [
    { name: "alphas", role: "alpha" },
    { name: "betas", role: "beta" },
  ],
});

export const activationLayers: Readonly<Record<string, LayerRule>> = {
  Activation: activation,
  ReLU: plain("Relu"),
  LeakyReLU: plain("LeakyRelu"),
  ELU: plain("Elu"),
  Softmax: plain("Softmax"),
  ThresholdedReLU: plain("ThresholdedRelu"),
  PReLU: prelu,
  SReLU: srelu,
  ParametricSoftplus: parametricSoftplus,
};
