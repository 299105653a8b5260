/** What ONNX Runtime's optimiser fuses, and further operators of its own. */

import type { JsonObject } from "../../../src/ir/graph.ts";
import { constant, type NodeView, type OnnxOp, type OnnxOps, parameter } from "../op.ts";
import { windowAttributes } from "./window-attributes.ts";

function productAttributes(node: NodeView): JsonObject {
  return {
    transposeA: node.int("transA", 0) !== 0,
    transposeB: node.int("transB", 0) !== 0,
    batchA: node.int("transBatchA", 0) !== 0,
    batchB: node.int("transBatchB", 0) !== 0,
  };
}

const fusedProduct: OnnxOp = {
  operator: "FusedMatMul",
  inputs: ["input", parameter("kernel")],
  attributes: productAttributes,
};

function activation(operator: string): OnnxOp {
  return { operator, inputs: ["input", parameter("bias")] };
}

export const microsoftFusedOps: OnnxOps = {
  "com.microsoft.FusedMatMul": fusedProduct,
  "com.microsoft.FusedMatMulActivation": fusedProduct,
  "com.microsoft.TransposeMatMul": fusedProduct,
  "com.microsoft.FusedGemm": {
    operator: "FusedGemm",
    inputs: ["input", parameter("kernel"), parameter("bias")],
    attributes: productAttributes,
  },
  "com.microsoft.GemmFastGelu": {
    operator: "GemmFastGelu",
    inputs: ["input", parameter("kernel"), parameter("bias")],
  },
  "com.microsoft.BiasGelu": activation("BiasGelu"),
  "com.microsoft.FastGelu": activation("FastGelu"),
  "com.microsoft.QuickGelu": { operator: "QuickGelu", inputs: ["input"] },
  "com.microsoft.Gelu": {
    operator: "Activation",
    inputs: ["input"],
    attributes: () => ({ function: "gelu" }),
  },
  "com.microsoft.BiasSplitGelu": activation("BiasSplitGelu"),
  "com.microsoft.BiasAdd": { operator: "BiasAdd", inputs: ["input", parameter("bias"), "skip"] },
  "com.microsoft.MoE": {
    operator: "MoE",
    inputs: [
      "input",
      "router",
      ...["fc1", "fc2", "fc3"].flatMap((name) => [parameter(`${name}-kernel`), parameter(`${name}-bias`)]),
    ],
  },
  "com.microsoft.ScaledSiLU": { operator: "LikeInput", inputs: ["input", "scale"] },
  "com.microsoft.GatedAdd": { operator: "LikeInput", inputs: ["input", "other", "gate"] },
  "com.microsoft.GatedRMSNorm": { operator: "LikeInput", inputs: ["input", parameter("gamma"), "gate"] },
  "com.microsoft.BranchwiseRMSNorm": { operator: "LikeInput", inputs: ["input", parameter("gamma")] },
  "com.microsoft.BiasSoftmax": { operator: "LikeInput", inputs: ["input", "mask"] },
  "com.microsoft.BiasDropout": {
    operator: "GraphDropout",
    inputs: ["input", parameter("bias"), "residual", constant("ratio"), constant("training")],
    attributes: () => ({ mask: "bool" }),
  },
  "com.microsoft.BitmaskDropout": {
    operator: "BitmaskDropout",
    inputs: ["input", constant("ratio"), constant("training")],
  },
  "com.microsoft.BitmaskBiasDropout": {
    operator: "BitmaskDropout",
    inputs: ["input", parameter("bias"), "residual", constant("ratio"), constant("training")],
  },
  "com.microsoft.MaxpoolWithMask": {
    operator: "MaxPool",
    inputs: ["input", "mask"],
    attributes: (node) => windowAttributes(node),
  },
};
