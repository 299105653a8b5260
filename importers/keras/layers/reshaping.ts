/** Layers that move elements around (Keras 3 layers/reshaping; Keras 1 padding and cropping in every form). */

import type { Json, JsonObject } from "../../../src/ir/graph.ts";
import { asInteger, asList, asObject } from "../json-access.ts";
import type { LayerRule } from "../layer-rule.ts";
import { layoutOf, perAxis, plain } from "./config-reading.ts";

const reshape: LayerRule = ({ config }) => ({
  operator: "Reshape",
  attributes: { shape: config.target_shape ?? null },
  weights: [],
});

/** `dims` count from 1 and leave the batch out. */
const permute: LayerRule = ({ config }) => ({
  operator: "Permute",
  attributes: { axes: [0, ...(asList(config.dims) ?? [])] },
  weights: [],
});

const repeatVector: LayerRule = ({ config }) => ({
  operator: "RepeatVector",
  attributes: { count: config.n ?? null },
  weights: [],
});

/** One number for all borders, one for each axis, or a pair for each axis; 1-D: a number or one pair. */
function pairs(value: Json | undefined, rank: number): Json {
  const one = asInteger(value);
  if (one !== undefined) return Array.from({ length: rank }, () => [one, one]);
  const items = asList(value) ?? [];
  if (rank === 1 && asInteger(items[0]) !== undefined)
    return items.length === 1 ? [[items[0] ?? 0, items[0] ?? 0]] : [items];
  if (rank === 2 && items.length === 4) return [items.slice(0, 2), items.slice(2)];
  return items.map((item) => (asInteger(item) === undefined ? item : [item, item]));
}

/** Keras 1 may name the sides in an object. */
function paddingOf(config: JsonObject, rank: number): Json {
  const sides = asObject(config.padding);
  if (sides === undefined) return config.padding ?? 1;
  const side = (name: string): Json => sides[name] ?? 0;
  const across = [side("left_pad"), side("right_pad")];
  return rank === 1 ? across : [[side("top_pad"), side("bottom_pad")], across];
}

/** ZeroPadding1D of tf.keras and standalone Keras has no `data_format`: channels last. */
function padding(rank: number): LayerRule {
  return ({ config }) => ({
    operator: "Pad",
    attributes: { amounts: pairs(paddingOf(config, rank), rank), layout: layoutOf(config) },
    weights: [],
  });
}

function cropping(rank: number): LayerRule {
  return ({ config }) => ({
    operator: "Crop",
    attributes: { amounts: pairs(config.cropping ?? (rank === 2 ? 0 : 1), rank), layout: layoutOf(config) },
    weights: [],
  });
}

function upSampling(rank: number): LayerRule {
  return ({ config }) => ({
    operator: "Upsample",
    attributes: { factors: perAxis(config.size ?? 2, rank), layout: layoutOf(config) },
    weights: [],
  });
}

export const reshapingLayers: Readonly<Record<string, LayerRule>> = {
  Flatten: plain("Flatten"),
  Reshape: reshape,
  Permute: permute,
  RepeatVector: repeatVector,
  ZeroPadding1D: padding(1),
  ZeroPadding2D: padding(2),
  ZeroPadding3D: padding(3),
  Cropping1D: cropping(1),
  Cropping2D: cropping(2),
  Cropping3D: cropping(3),
  UpSampling1D: upSampling(1),
  UpSampling2D: upSampling(2),
  UpSampling3D: upSampling(3),
};
