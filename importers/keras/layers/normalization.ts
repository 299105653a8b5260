/** Normalisation (Keras 3 layers/normalization and preprocessing/normalization.py, Keras 2 and 1 the same names). */

import type { Json, JsonObject } from "../../../src/ir/graph.ts";
import { asInteger, asList } from "../json-access.ts";
import type { LayerRule, WeightDeclaration } from "../layer-rule.ts";

/** `axis` as a list: a number, a list, or null for none. */
function axesOf(config: JsonObject, fallback: number): Json {
  const { axis } = config;
  if (axis === undefined) return [fallback];
  if (axis === null) return [];
  return asList(axis) ?? [axis];
}

/** gamma and beta, each unless switched off. */
function affine(config: JsonObject): { attributes: JsonObject; weights: readonly WeightDeclaration[] } {
  const scale = config.scale !== false;
  const center = config.center !== false;
  return {
    attributes: { scale, center },
    weights: [
      ...(scale ? [{ name: "gamma", role: "gamma" }] : []),
      ...(center ? [{ name: "beta", role: "beta" }] : []),
    ],
  };
}

function statistic(name: string, role: string): WeightDeclaration {
  return { name, role, class: "statistic", trainable: false };
}

/**
 * Keras 1 has always gamma and beta; its `mode` changes neither shapes nor weights. tf.keras keeps the variables of a
 * float16 layer in float32 (`_param_dtype`).
 */
const batchNormalization: LayerRule = ({ config, generation, standalone, variableDtype }) => {
  const learned = affine(generation === 1 ? {} : config);
  const renorm = config.renorm === true;
  const wide =
    generation === 2 && !standalone && (variableDtype === "float16" || variableDtype === "bfloat16");
  const widened = (weights: readonly WeightDeclaration[]): readonly WeightDeclaration[] =>
    wide ? weights.map((weight) => ({ ...weight, dtype: "float32" })) : weights;
  return {
    operator: "BatchNormalization",
    attributes: {
      ...learned.attributes,
      axes: axesOf(config, -1),
      renorm,
      virtualBatches: asInteger(config.virtual_batch_size) !== undefined,
    },
    weights: widened([
      ...learned.weights,
      statistic("moving_mean", "moving-mean"),
      statistic("moving_variance", "moving-variance"),
      ...(renorm
        ? [
            statistic("moving_stddev", "moving-deviation"),
            statistic("renorm_mean", "renorm-mean"),
            statistic("renorm_stddev", "renorm-deviation"),
          ]
        : []),
    ]),
  };
};

/** Keras 3 sorts the axes as they are written; `rms_scaling` (Keras 3) has gamma and never beta. */
const layerNormalization: LayerRule = ({ config, generation }) => {
  const learned = affine(config.rms_scaling === true ? { scale: true, center: false } : config);
  const axes = axesOf(config, -1);
  return {
    operator: "LayerNormalization",
    attributes: { ...learned.attributes, axes: generation === 3 ? sorted(axes) : axes },
    weights: learned.weights,
  };
};

const rmsNormalization: LayerRule = ({ config }) => ({
  operator: "RMSNormalization",
  attributes: { axes: sorted(axesOf(config, -1)) },
  weights: [{ name: "scale", role: "gamma" }],
});

function sorted(axes: Json): Json {
  const items = asList(axes) ?? [];
  return [...items].sort((a, b) => Number(a) - Number(b));
}

const groupNormalization: LayerRule = ({ config }) => {
  const learned = affine(config);
  return {
    operator: "GroupNormalization",
    attributes: { ...learned.attributes, axes: axesOf(config, -1), groups: config.groups ?? 32 },
    weights: learned.weights,
  };
};

/** Mean and variance given in the configuration are constants of the graph, not weights. */
const normalization: LayerRule = ({ config }) => {
  const adapted = (config.mean ?? null) === null;
  return {
    operator: "Standardization",
    attributes: { axes: axesOf(config, -1), adapted },
    weights: adapted
      ? [
          statistic("mean", "mean"),
          statistic("variance", "variance"),
          {
            name: "count",
            role: "count",
            class: "bookkeeping",
            trainable: false,
            dtype: "int64",
          },
        ]
      : [],
  };
};

const unitNormalization: LayerRule = ({ config }) => ({
  operator: "UnitNormalization",
  attributes: { axes: axesOf(config, -1) },
  weights: [],
});

export const normalizationLayers: Readonly<Record<string, LayerRule>> = {
  BatchNormalization: batchNormalization,
  BatchNormalizationV1: batchNormalization,
  BatchNormalizationV2: batchNormalization,
  SyncBatchNormalization: batchNormalization,
  LayerNormalization: layerNormalization,
  RMSNormalization: rmsNormalization,
  GroupNormalization: groupNormalization,
  UnitNormalization: unitNormalization,
  Normalization: normalization,
};
