/** Operators of ONNX Runtime for networks that carry a state from call to call. */

import type { JsonObject } from "../../../src/ir/graph.ts";
import { constant, type NodeView, type OnnxOp, type OnnxOps, parameter, quantization } from "../op.ts";

function captured(node: NodeView): JsonObject {
  return { captured: node.int("state_update_capacity", 0) };
}

function branches(node: NodeView): JsonObject {
  return { branches: node.int("num_branches", 0) };
}

/** What follows the tokens, the factors and the sizes of the tables. */
const hashed = [constant("offsets"), constant("end"), "segments"];

function hashes(packed: boolean): OnnxOp {
  const tables = ["tokens", constant("factors"), constant("sizes")];
  return {
    operator: "NgramHashes",
    inputs: packed
      ? [...tables, constant("starts"), "past", ...hashed, "past-segments", constant("counts")]
      : [...tables, "past", ...hashed],
    attributes: (node) => ({
      ...captured(node),
      longest: node.optionalInt("max_ngram_size"),
      heads: node.optionalInt("n_head_per_ngram"),
      packed,
    }),
  };
}

/** As many entries as the tokens of the chosen blocks and of the last one can be, or just as many as are asked for. */
function indexer(node: NodeView, packed: boolean): JsonObject {
  const folded = node.text("policy_mode", "") === "csa";
  const [budget, ratio] = [node.optionalInt("token_budget"), node.optionalInt("compress_ratio")];
  const tokens = budget === null || ratio === null ? null : budget + ratio - 1;
  return {
    ...captured(node),
    chosen: folded ? node.optionalInt("index_topk") : tokens,
    ratio,
    policy: folded ? "folded" : "blocks",
    packed,
  };
}

const gains = [parameter("query-gamma"), parameter("key-gamma")];
const rotary = [constant("cosines"), constant("sines")];

export const microsoftStateOps: OnnxOps = {
  "com.microsoft.EngramGate": {
    operator: "EngramGate",
    inputs: ["key", "query", "value", ...gains, parameter("convolution-gamma")],
  },
  "com.microsoft.HyperConnectionPreMix": {
    operator: "HyperConnectionMix",
    inputs: ["streams", "gates"],
    attributes: branches,
  },
  "com.microsoft.HyperConnectionPostMix": {
    operator: "LikeInput",
    inputs: ["input", "output", "gates", "mix"],
  },
  "com.microsoft.NGramHashMapping": hashes(false),
  "com.microsoft.VarlenNGramHashMapping": hashes(true),
  "com.microsoft.VarlenCausalConvWithState": {
    operator: "PackedCausalConvWithState",
    inputs: [
      "input",
      parameter("kernel"),
      constant("starts"),
      parameter("bias"),
      "state",
      constant("counts"),
    ],
    attributes: (node) => ({ ...captured(node), dilation: node.int("dilation", 1) }),
  },
  "com.microsoft.GatedDeltaNet": {
    operator: "GatedDeltaNet",
    inputs: [
      ...["query", "key", "value"],
      constant("starts"),
      ...["decay", "beta", "state"],
      parameter("a-log"),
      parameter("decay-bias"),
      constant("counts"),
      constant("capturing"),
    ],
    attributes: captured,
  },
  "com.microsoft.SparseAttentionIndexer": {
    operator: "SparseAttentionIndexer",
    inputs: [
      ...["query", "key"],
      ...gains,
      ...rotary,
      ...[constant("mask"), "past-key", "gate", parameter("position-bias"), "head-weights"],
      ...[constant("positions"), constant("past-length"), "past-buffer"],
    ],
    attributes: (node) => indexer(node, false),
  },
  "com.microsoft.PackedSparseAttentionIndexer": {
    operator: "SparseAttentionIndexer",
    inputs: [
      ...["query", "key"],
      ...gains,
      ...rotary,
      ...[constant("starts"), constant("past-tokens"), "gate", parameter("position-bias"), "head-weights"],
      ...[constant("positions"), "past-key", "past-buffer", "past-gates", "past-lengths"],
      ...[constant("counts"), constant("capturing")],
    ],
    attributes: (node) => indexer(node, true),
  },
  "com.microsoft.SparsePagedAttention": {
    operator: "SparseAttention",
    inputs: [
      ...["query", "key", "value", "past-key", "past-value"],
      ...["sequence-ends", "past-lengths", "blocks", "slots", "selected", "selected-counts"].map(constant),
      ...["other-key", "other-value"],
      constant("other-lengths"),
      ...rotary,
      parameter("head-sink"),
      ...gains,
      quantization("key-scale"),
      quantization("value-scale"),
      constant("bounds"),
    ],
    attributes: (node) => ({
      heads: node.optionalInt("num_heads"),
      keyHeads: node.optionalInt("kv_num_heads"),
    }),
  },
};
