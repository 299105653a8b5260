/** Attention, recurrent layers and embeddings. */

import { type AtenOp, type AtenOps, port } from "../aten.ts";

function attention(second: "none" | "weights" | "sums"): AtenOp {
  return {
    operator: "ScaledDotProductAttention",
    inputs: ["query", "key", "value"],
    attributes: (node) => ({ grouped: node.flag("enable_gqa", false), second }),
  };
}

/** Kernels stay under the schema's name, in PyTorch's order: for each layer and direction input, recurrent, two biases. */
function recurrent(operator: string): AtenOp {
  return {
    operator,
    inputs: [port("input", "input"), port("hx", "states"), port("params", "kernels")],
    attributes: (node) => ({
      layers: node.int("num_layers", 1),
      directions: node.flag("bidirectional", false) ? 2 : 1,
      biases: node.flag("has_biases", true),
      batchFirst: node.flag("batch_first", false),
    }),
    // Of packed sequences the input has another name.
    applies: (node) => node.has("input"),
  };
}

const step: AtenOp = {
  operator: "RecurrentStep",
  inputs: [
    port("input", "input"),
    port("hx", "states"),
    port("w_ih", "kernel"),
    port("w_hh", "recurrent-kernel"),
  ],
};

const bag: AtenOp = {
  operator: "EmbeddingBag",
  inputs: ["weight", "indices", "offsets"],
  attributes: (node) => ({ includesEnd: node.flag("include_last_offset", false) }),
};

export const sequenceOps: AtenOps = {
  "aten.scaled_dot_product_attention": attention("none"),
  "aten._scaled_dot_product_attention_math": attention("weights"),
  "aten._scaled_dot_product_flash_attention_for_cpu": attention("sums"),
  "aten._scaled_dot_product_flash_attention": attention("none"),
  "aten._scaled_dot_product_efficient_attention": attention("none"),
  "aten._scaled_dot_product_cudnn_attention": attention("none"),
  "aten._scaled_dot_product_fused_attention_overrideable": attention("none"),
  "aten._native_multi_head_attention": {
    operator: "ProjectedAttention",
    inputs: ["query", "key", "value"],
    attributes(node) {
      const mean = node.flag("average_attn_weights", true) ? "mean" : "each";
      return {
        heads: node.int("num_head", 1),
        width: node.optionalInt("embed_dim"),
        weights: node.flag("need_weights", true) ? mean : "none",
      };
    },
  },
  "aten._transformer_encoder_layer_fwd": { operator: "FusedEncoderLayer", inputs: [port("src", "input")] },
  "aten.lstm": recurrent("StackedLstm"),
  "aten.gru": recurrent("StackedGru"),
  "aten.rnn_tanh": recurrent("StackedRnn"),
  "aten.rnn_relu": recurrent("StackedRnn"),
  "aten.lstm_cell": step,
  "aten.gru_cell": step,
  "aten.rnn_tanh_cell": step,
  "aten.rnn_relu_cell": step,
  "aten.embedding": {
    operator: "GraphGather",
    inputs: [port("weight", "data"), "indices"],
    attributes: () => ({ axis: 0 }),
  },
  "aten.embedding_bag": bag,
  "aten._embedding_bag": bag,
  "aten._embedding_bag_forward_only": bag,
};
