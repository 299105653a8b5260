/** Attention of ONNX Runtime as servers run it, and what stands around it (core/graph/contrib_ops/bert_defs.cc). */

import type { JsonObject } from "../../../src/ir/graph.ts";
import { constant, type NodeView, type OnnxOps, type Port, parameter, quantization } from "../op.ts";

function headAttributes(node: NodeView): JsonObject {
  return { heads: node.optionalInt("num_heads"), keyHeads: node.optionalInt("kv_num_heads") };
}

const normGains = [parameter("query-gamma"), parameter("key-gamma")];
const rotary = [constant("cosines"), constant("sines")];

/** Heads of values may be narrower than those of queries. */
function pagedAttributes(node: NodeView): JsonObject {
  const width = node.int("v_head_size", 0);
  return { ...headAttributes(node), ...(width > 0 && { valueWidth: width }) };
}

const separateKernels: readonly Port[] = ["query", "key", "value"].map((name) => parameter(`${name}-kernel`));
const separateBiases: readonly Port[] = ["query", "key", "value"].map((name) => parameter(`${name}-bias`));

function scales(count: number, name: string): readonly Port[] {
  return Array.from({ length: count }, () => quantization(name));
}

export const microsoftAttentionOps: OnnxOps = {
  "com.microsoft.PackedAttention": {
    operator: "PackedAttention",
    inputs: [
      "input",
      parameter("kernel"),
      parameter("bias"),
      constant("token-offset"),
      constant("sequence-ends"),
      "attention-bias",
    ],
    attributes: (node) => ({ widths: node.ints("qkv_hidden_sizes") ?? [] }),
  },
  "com.microsoft.PackedMultiHeadAttention": {
    operator: "PackedMultiHeadAttention",
    inputs: [
      "query",
      "key",
      "value",
      parameter("bias"),
      constant("token-offset"),
      constant("sequence-ends"),
      "attention-bias",
    ],
  },
  "com.microsoft.PagedAttention": {
    operator: "PagedAttention",
    inputs: [
      ...["query", "key", "value", "past-key", "past-value"],
      ...["sequence-ends", "past-lengths", "blocks"].map(constant),
      ...rotary,
      constant("slots"),
      parameter("head-sink"),
      ...normGains,
      quantization("key-scale"),
      quantization("value-scale"),
      constant("bounds"),
    ],
    attributes: pagedAttributes,
  },
  "com.microsoft.SparseAttention": {
    operator: "SparseAttention",
    inputs: [
      ...["query", "key", "value", "past-key", "past-value"],
      ...["mask-rows", "mask-columns", "total-positions", "key-lengths"].map(constant),
      ...rotary,
    ],
    attributes: headAttributes,
  },
  "com.microsoft.DynamicSparseAttention": {
    operator: "SparseAttention",
    inputs: [
      ...["query", "key", "value", "past-key", "past-value", "other-key", "other-value"],
      ...["selected", "selected-counts", "key-lengths", "total-positions"].map(constant),
      ...rotary,
      constant("positions"),
      ...normGains,
      parameter("head-sink"),
    ],
    attributes: headAttributes,
  },
  "com.microsoft.DecoderMaskedMultiHeadAttention": {
    operator: "MultiHeadAttention",
    inputs: [
      ...["query", "key", "value"],
      constant("mask"),
      ...["attention-bias", "past-key", "past-value", "past-positions", "beam-width", "cache-indirection"],
      parameter("bias"),
    ],
    attributes: (node) => ({ operands: true, packed: true, heads: node.optionalInt("num_heads") }),
  },
  "com.microsoft.DecoderMaskedSelfAttention": {
    operator: "SelfAttention",
    inputs: [
      "input",
      parameter("kernel"),
      parameter("bias"),
      constant("mask"),
      ...["past", "attention-bias", "past-positions", "beam-width", "cache-indirection"],
    ],
    attributes: (node) => ({ heads: node.optionalInt("num_heads") }),
  },
  "com.microsoft.DecoderAttention": {
    operator: "DecoderAttention",
    inputs: [
      ...["query", "key"],
      parameter("query-kernel"),
      parameter("key-value-kernel"),
      parameter("bias"),
      constant("mask"),
      ...["past-key", "past-value"],
      ...["static-state", "with-past", "with-state", "with-mask"].map(constant),
    ],
    attributes: (node) => ({ heads: node.optionalInt("num_heads") }),
  },
  "com.microsoft.LongformerAttention": {
    operator: "LikeInput",
    inputs: [
      "input",
      parameter("kernel"),
      parameter("bias"),
      constant("mask"),
      parameter("global-kernel"),
      parameter("global-bias"),
      constant("global"),
    ],
  },
  "com.microsoft.QOrderedAttention": {
    operator: "LikeInput",
    inputs: [
      "input",
      ...scales(4, "scale"),
      ...separateKernels,
      ...scales(3, "kernel-scale"),
      ...separateBiases,
      ...scales(3, "scale"),
      constant("mask"),
      "past",
      "attention-bias",
    ],
  },
  "com.microsoft.QOrderedLongformerAttention": {
    operator: "LikeInput",
    inputs: [
      "input",
      quantization("scale"),
      parameter("kernel"),
      quantization("kernel-scale"),
      parameter("bias"),
      ...scales(2, "scale"),
      constant("mask"),
      parameter("global-kernel"),
      quantization("global-kernel-scale"),
      parameter("global-bias"),
      quantization("scale"),
      constant("global"),
      quantization("output-scale"),
    ],
  },
  "com.microsoft.RelativePositionBias": {
    operator: "RelativePositionBias",
    inputs: [parameter("table"), constant("query-length"), constant("key-length")],
  },
  "com.microsoft.GatedRelativePositionBias": {
    operator: "GatedRelativePositionBias",
    inputs: [
      "query",
      parameter("query-bias"),
      "positions",
      parameter("kernel"),
      parameter("bias"),
      parameter("gate"),
      constant("token-offset"),
    ],
  },
  "com.microsoft.RemovePadding": { operator: "RemovePadding", inputs: ["input", "token-counts"] },
  "com.microsoft.RestorePadding": { operator: "RestorePadding", inputs: ["input", "token-offset"] },
  "com.microsoft.MRotaryEmbedding": {
    operator: "RotaryEmbedding",
    inputs: ["input", constant("positions"), ...rotary],
  },
  "com.microsoft.GemmaRotaryEmbedding": {
    operator: "GemmaRotaryEmbedding",
    inputs: ["embedding", "query", "query-turned", "key", "key-turned"],
  },
  "com.microsoft.LinearAttentionGate": {
    operator: "LinearAttentionGate",
    inputs: ["decay", parameter("bias"), parameter("decay-scale"), "update"],
  },
};
