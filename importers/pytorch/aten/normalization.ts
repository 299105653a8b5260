/** Normalisation, dropout and softmax. */

import type { JsonObject } from "../../../src/ir/graph.ts";
import { type AtenOp, type AtenOps, type NodeView, type Port, port } from "../aten.ts";

const affine: readonly Port[] = ["input", port("weight", "gamma"), port("bias", "beta")];

/** `saved`: what comes out behind the output. */
function batchNorm(saved: (node: NodeView) => "batch" | "none", reserve = false): AtenOp {
  return {
    operator: "BatchNormalization",
    inputs: [...affine, port("running_mean", "moving-mean"), port("running_var", "moving-variance")],
    attributes: (node) => ({ operands: true, saved: saved(node), ...(reserve && { reserve }) }),
  };
}

const trained = batchNorm((node) => (node.flag("training", false) ? "batch" : "none"));

/** The normalised axes are the last ones, as many as `normalized_shape` has sizes. */
function layerAttributes(node: NodeView): JsonObject {
  return { operands: true, axis: -(node.sizes("normalized_shape")?.length ?? 1) };
}

function layerNorm(operator: string): AtenOp {
  return { operator, inputs: affine, attributes: layerAttributes };
}

function groupNorm(groups: string): AtenOp {
  return {
    operator: "GroupNormalization",
    inputs: affine,
    attributes: (node) => ({ operands: true, groups: node.optionalInt(groups) }),
  };
}

function dropout(operator: string): AtenOp {
  return { operator, inputs: ["input"] };
}

/** Of another type where one is asked for; `half_to_float` asks for float32. */
function softmax(operator: string, attributes: JsonObject = {}): AtenOp {
  return {
    operator,
    inputs: [port("self", "input")],
    attributes: (node) => {
      const dtype = node.flag("half_to_float", false) ? "float32" : node.dtype("dtype");
      return { ...attributes, axis: node.int("dim", -1), ...(dtype !== null && { dtype }) };
    },
  };
}

const logSoftmax = softmax("Activation", { function: "log_softmax" });

export const normalizationOps: AtenOps = {
  "aten.batch_norm": trained,
  "aten.native_batch_norm": trained,
  "aten._native_batch_norm_legit": trained,
  "aten._native_batch_norm_legit_functional": trained,
  "aten._native_batch_norm_legit_no_training": batchNorm(() => "none"),
  "aten._batch_norm_with_update": batchNorm(() => "batch", true),
  "aten._batch_norm_with_update_functional": batchNorm(() => "batch", true),
  "aten._batch_norm_no_update": batchNorm(() => "none", true),
  "aten.cudnn_batch_norm": trained,
  "aten.layer_norm": layerNorm("LayerNormalization"),
  "aten.native_layer_norm": layerNorm("LayerNormalization"),
  "aten.rms_norm": layerNorm("RMSNormalization"),
  "aten.group_norm": groupNorm("num_groups"),
  "aten.native_group_norm": groupNorm("group"),
  "aten.instance_norm": {
    operator: "InstanceNormalization",
    inputs: [...affine, port("running_mean", "moving-mean"), port("running_var", "moving-variance")],
  },
  "aten._weight_norm": { operator: "LikeFirst", inputs: [port("v", "input"), port("g", "gamma")] },
  "aten.renorm": { operator: "LikeFirst", inputs: [port("self", "input")] },

  "aten.dropout": dropout("Dropout"),
  "aten.dropout_": { ...dropout("Dropout"), inputs: [port("self", "input")] },
  "aten.native_dropout": { ...dropout("GraphDropout"), attributes: () => ({ mask: "bool" }) },
  "aten.feature_dropout": dropout("SpatialDropout"),
  "aten.alpha_dropout": dropout("AlphaDropout"),
  "aten.feature_alpha_dropout": dropout("AlphaDropout"),

  "aten.softmax": softmax("Softmax"),
  "aten._softmax": softmax("Softmax"),
  "aten._safe_softmax": softmax("Softmax"),
  "aten.log_softmax": logSoftmax,
  "aten._log_softmax": logSoftmax,
};
