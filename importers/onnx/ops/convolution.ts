/** Convolutions, those of ONNX Runtime too. */

import type { JsonObject } from "../../../src/ir/graph.ts";
import { constant, type NodeView, type OnnxOp, type OnnxOps, parameter, quantization } from "../op.ts";
import { quantizedProductInputs } from "./quantized.ts";
import { layoutOf, windowAttributes } from "./window-attributes.ts";

function convAttributes(node: NodeView, layout: "channels-first" | "channels-last"): JsonObject {
  return { ...windowAttributes(node, layout), groups: node.int("group", 1) };
}

const conv: OnnxOp = {
  operator: "Conv",
  // The last one is added to the result: fused convolutions have it.
  inputs: ["input", parameter("kernel"), parameter("bias"), "residual"],
  attributes: (node) => convAttributes(node, "channels-first"),
};

const nhwcConv: OnnxOp = { ...conv, attributes: (node) => convAttributes(node, "channels-last") };

const quantizedConv: OnnxOp = {
  operator: "QLinearConv",
  inputs: [...quantizedProductInputs, parameter("bias")],
  attributes: (node) => convAttributes(node, layoutOf(node)),
};

function causalAttributes(node: NodeView): JsonObject {
  const window = node.int("state_window", 0);
  return {
    dilation: node.int("dilation", 1),
    layout: layoutOf(node),
    ...(window > 0 && { window }),
  };
}

const causalConv: OnnxOp = {
  operator: "CausalConvWithState",
  inputs: ["input", parameter("kernel"), parameter("bias"), "state"],
  attributes: causalAttributes,
};

export const convolutionOps: OnnxOps = {
  Conv: conv,
  ConvTranspose: {
    operator: "ConvTranspose",
    inputs: ["input", parameter("kernel"), parameter("bias")],
    attributes: (node) => ({
      ...convAttributes(node, "channels-first"),
      outputPadding: node.ints("output_padding"),
      outputSize: node.ints("output_shape"),
    }),
  },
  ConvInteger: {
    operator: "ConvInteger",
    inputs: [
      "input",
      parameter("kernel"),
      quantization("input-zero-point"),
      quantization("kernel-zero-point"),
    ],
    attributes: (node) => convAttributes(node, "channels-first"),
  },
  QLinearConv: quantizedConv,
  DeformConv: {
    operator: "DeformConv",
    inputs: ["input", parameter("kernel"), "offset", parameter("bias"), "mask"],
    attributes: (node) => convAttributes(node, "channels-first"),
  },
  "com.microsoft.ConvTransposeWithDynamicPads": {
    operator: "PaddedConvTranspose",
    inputs: ["input", parameter("kernel"), constant("pads"), parameter("bias")],
    attributes: (node) => ({
      ...convAttributes(node, "channels-first"),
      outputPadding: node.ints("output_padding"),
    }),
  },
  CausalConvWithState: causalConv,
  "com.microsoft.CausalConvWithState": causalConv,
  "com.microsoft.FusedConv": conv,
  "com.microsoft.NhwcConv": nhwcConv,
  "com.microsoft.NhwcFusedConv": nhwcConv,
  "com.microsoft.QLinearConv": quantizedConv,
};
