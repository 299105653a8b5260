/** Attention, of ONNX and of ONNX Runtime. */

import type { JsonObject } from "../../../src/ir/graph.ts";
import { constant, type NodeView, type OnnxOp, type OnnxOps, parameter, quantization } from "../op.ts";

function linearAttributes(node: NodeView): JsonObject {
  const window = node.int("state_window", 0);
  return {
    heads: node.optionalInt("q_num_heads"),
    keyHeads: node.optionalInt("kv_num_heads"),
    ...(window > 0 && { window }),
  };
}

const linearAttention: OnnxOp = {
  operator: "LinearAttention",
  inputs: ["query", "key", "value", "past-state", "decay", "beta"],
  attributes: linearAttributes,
};

function selfAttributes(node: NodeView): JsonObject {
  return { heads: node.optionalInt("num_heads"), widths: node.ints("qkv_hidden_sizes") };
}

export const attentionOps: OnnxOps = {
  Attention: {
    operator: "Attention",
    inputs: ["query", "key", "value", constant("mask"), "past-key", "past-value", "key-lengths"],
    attributes: (node) => ({
      queryHeads: node.optionalInt("q_num_heads"),
      keyHeads: node.optionalInt("kv_num_heads"),
    }),
  },
  RotaryEmbedding: {
    operator: "RotaryEmbedding",
    inputs: ["input", constant("cosines"), constant("sines"), constant("positions")],
  },
  LinearAttention: linearAttention,
  "ai.onnx.preview.FlexAttention": { operator: "Attention", inputs: ["query", "key", "value"] },
  "com.microsoft.LinearAttention": linearAttention,
  "com.microsoft.RotaryEmbedding": {
    operator: "RotaryEmbedding",
    inputs: ["input", constant("positions"), constant("cosines"), constant("sines")],
  },
  "com.microsoft.Attention": {
    operator: "SelfAttention",
    inputs: [
      "input",
      parameter("kernel"),
      parameter("bias"),
      constant("mask"),
      "past",
      "attention-bias",
      "past-positions",
    ],
    attributes: selfAttributes,
  },
  "com.microsoft.QAttention": {
    operator: "QAttention",
    inputs: [
      "input",
      parameter("kernel"),
      parameter("bias"),
      quantization("scale"),
      quantization("kernel-scale"),
      constant("mask"),
      quantization("zero-point"),
      quantization("kernel-zero-point"),
      "past",
    ],
    attributes: selfAttributes,
  },
  "com.microsoft.MultiHeadAttention": {
    operator: "MultiHeadAttention",
    inputs: [
      "query",
      "key",
      "value",
      parameter("bias"),
      constant("mask"),
      "attention-bias",
      "past-key",
      "past-value",
      "past-positions",
      "cache-indirection",
    ],
    attributes: (node) => ({ operands: true, heads: node.optionalInt("num_heads") }),
  },
  "com.microsoft.GroupQueryAttention": {
    operator: "GroupQueryAttention",
    inputs: [
      "query",
      "key",
      "value",
      "past-key",
      "past-value",
      constant("key-lengths"),
      constant("total-positions"),
      constant("cosines"),
      constant("sines"),
      constant("positions"),
      "attention-bias",
      parameter("head-sink"),
      quantization("key-scale"),
      quantization("value-scale"),
      parameter("query-gamma"),
      parameter("key-gamma"),
    ],
    attributes: (node) => ({
      heads: node.optionalInt("num_heads"),
      keyHeads: node.optionalInt("kv_num_heads"),
    }),
  },
};
