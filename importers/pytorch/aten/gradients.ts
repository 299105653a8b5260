/** Gradients, in exported training steps. */

import { type AtenOp, type AtenOps, type NodeView, port } from "../aten.ts";

/** The gradient of one tensor, in its type and shape. */
const ofTensor: AtenOp = {
  operator: "Gradients",
  inputs: [port("grad_output", "gradient"), port("self", "input")],
  attributes: () => ({ of: ["input"] }),
};

/** The program leaves out what it does not ask for. */
function asked(node: NodeView, kinds: readonly string[]): readonly string[] {
  return kinds.filter((_, i) => node.outputs[i] !== null);
}

function ofParameters(gradient: string, bias: string): AtenOp {
  return {
    operator: "Gradients",
    inputs: [port(gradient, "gradient"), "input", "weight"],
    attributes: (node) => ({ of: asked(node, ["input", "weight", bias]) }),
    applies: (node) => node.has("weight"),
  };
}

export const gradientOps: AtenOps = {
  "aten._adaptive_avg_pool2d_backward": ofTensor,
  "aten.avg_pool2d_backward": ofTensor,
  "aten.max_pool2d_with_indices_backward": ofTensor,
  "aten.convolution_backward": ofParameters("grad_output", "gradient-channels"),
  "aten.native_group_norm_backward": ofParameters("grad_out", "weight"),
  "aten.native_layer_norm_backward": ofParameters("grad_out", "weight"),
  "aten.embedding_dense_backward": {
    operator: "EmbeddingGradient",
    inputs: [port("grad_output", "gradient"), "indices", port("num_weights", "rows")],
    attributes: (node) => ({ rows: node.sizes("num_weights") }),
  },
  "aten._pdist_forward": { operator: "RowDistances", inputs: [port("self", "input")] },
  "aten.pdist": { operator: "RowDistances", inputs: [port("self", "input")] },
};
