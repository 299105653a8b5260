/** Normalisation. */

import type { JsonObject } from "../../../src/ir/graph.ts";
import {
  constant,
  type NodeView,
  type OnnxOp,
  type OnnxOps,
  type Port,
  parameter,
  quantization,
  statistic,
} from "../op.ts";

/** `stash_type` is the element type of the statistics; float where absent. */
function layerAttributes(node: NodeView): JsonObject {
  const statistics = node.has("stash_type") ? node.dtype("stash_type") : "float32";
  return { operands: true, axis: node.int("axis", -1), statistics };
}

const layerNormalization: OnnxOp = {
  operator: "LayerNormalization",
  inputs: ["input", parameter("gamma"), parameter("beta")],
  attributes: layerAttributes,
};

const rmsNormalization: OnnxOp = {
  operator: "RMSNormalization",
  inputs: ["input", parameter("gamma")],
  attributes: layerAttributes,
};

function groupNormalization(groups: string): OnnxOp {
  return {
    operator: "GroupNormalization",
    inputs: ["input", parameter("gamma"), parameter("beta")],
    attributes: (node) => ({ operands: true, groups: node.optionalInt(groups) }),
  };
}

const embeddingInputs: readonly Port[] = [
  "input",
  "segments",
  parameter("embeddings"),
  parameter("position-embeddings"),
  parameter("segment-embeddings"),
  parameter("gamma"),
  parameter("beta"),
  "mask",
];

export const normalizationOps: OnnxOps = {
  BatchNormalization: {
    operator: "BatchNormalization",
    inputs: [
      "input",
      parameter("gamma"),
      parameter("beta"),
      statistic("moving-mean"),
      statistic("moving-variance"),
    ],
    attributes: () => ({ operands: true }),
  },
  InstanceNormalization: {
    operator: "InstanceNormalization",
    inputs: ["input", parameter("gamma"), parameter("beta")],
  },
  LayerNormalization: layerNormalization,
  "com.microsoft.LayerNormalization": layerNormalization,
  GroupNormalization: groupNormalization("num_groups"),
  RMSNormalization: rmsNormalization,
  SimplifiedLayerNormalization: rmsNormalization,
  "com.microsoft.SimplifiedLayerNormalization": rmsNormalization,
  LRN: { operator: "LocalResponseNormalization", inputs: ["input"] },
  MeanVarianceNormalization: { operator: "MeanVarianceNormalization", inputs: ["input"] },
  LpNormalization: { operator: "LpNormalization", inputs: ["input"] },
  "com.microsoft.GroupNorm": groupNormalization("groups"),
  "com.microsoft.SkipGroupNorm": {
    operator: "SkipGroupNorm",
    inputs: ["input", parameter("gamma"), parameter("beta"), "skip", parameter("bias")],
  },
  "com.microsoft.SkipLayerNormalization": {
    operator: "SkipLayerNormalization",
    inputs: ["input", "skip", parameter("gamma"), parameter("beta"), parameter("bias")],
  },
  "com.microsoft.SkipSimplifiedLayerNormalization": {
    operator: "SkipRMSNormalization",
    inputs: ["input", "skip", parameter("gamma"), parameter("bias")],
  },
  "com.microsoft.EmbedLayerNormalization": {
    operator: "EmbedLayerNormalization",
    inputs: [...embeddingInputs, constant("positions")],
  },
  "com.microsoft.QEmbedLayerNormalization": {
    operator: "EmbedLayerNormalization",
    inputs: [
      ...embeddingInputs,
      ...["embeddings", "position-embeddings", "segment-embeddings", "gamma", "beta"].map((name) =>
        quantization(`${name}-scale`),
      ),
      ...["embeddings", "position-embeddings", "segment-embeddings", "gamma", "beta"].map((name) =>
        quantization(`${name}-zero-point`),
      ),
    ],
    attributes: () => ({ quantized: true }),
  },
};
