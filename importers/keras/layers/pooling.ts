/** Pooling (Keras 3 layers/pooling; adaptive pooling since 3.13). */

import type { LayerRule } from "../layer-rule.ts";
import { layoutOf, perAxis } from "./config-reading.ts";

/** `strides` null: the pool size. */
function pool(operator: string, rank: number): LayerRule {
  return ({ config }) => ({
    operator,
    attributes: {
      kernelSize: perAxis(config.pool_size ?? 2, rank),
      strides: config.strides ?? null,
      padding: config.padding ?? "valid",
      layout: layoutOf(config),
    },
    weights: [],
  });
}

function globalPool(operator: string, rank: number): LayerRule {
  return ({ config }) => ({
    operator,
    attributes: { spatialRank: rank, layout: layoutOf(config), keepDims: config.keepdims ?? false },
    weights: [],
  });
}

function adaptivePool(operator: string, rank: number): LayerRule {
  return ({ config }) => ({
    operator,
    attributes: { outputSize: perAxis(config.output_size, rank), layout: layoutOf(config) },
    weights: [],
  });
}

export const poolingLayers: Readonly<Record<string, LayerRule>> = {
  MaxPooling1D: pool("MaxPool", 1),
  MaxPooling2D: pool("MaxPool", 2),
  MaxPooling3D: pool("MaxPool", 3),
  AveragePooling1D: pool("AveragePool", 1),
  AveragePooling2D: pool("AveragePool", 2),
  AveragePooling3D: pool("AveragePool", 3),
  GlobalMaxPooling1D: globalPool("GlobalMaxPool", 1),
  GlobalMaxPooling2D: globalPool("GlobalMaxPool", 2),
  GlobalMaxPooling3D: globalPool("GlobalMaxPool", 3),
  GlobalAveragePooling1D: globalPool("GlobalAveragePool", 1),
  GlobalAveragePooling2D: globalPool("GlobalAveragePool", 2),
  GlobalAveragePooling3D: globalPool("GlobalAveragePool", 3),
  AdaptiveMaxPooling1D: adaptivePool("AdaptiveMaxPool", 1),
  AdaptiveMaxPooling2D: adaptivePool("AdaptiveMaxPool", 2),
  AdaptiveMaxPooling3D: adaptivePool("AdaptiveMaxPool", 3),
  AdaptiveAveragePooling1D: adaptivePool("AdaptiveAveragePool", 1),
  AdaptiveAveragePooling2D: adaptivePool("AdaptiveAveragePool", 2),
  AdaptiveAveragePooling3D: adaptivePool("AdaptiveAveragePool", 3),
};
