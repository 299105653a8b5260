/** Losses, distances and similarities. */

import { type AtenOp, type AtenOps, type NodeView, port } from "../aten.ts";

/** 0: a loss for each; 1 and 2, the mean and the sum. */
function isEach(node: NodeView): boolean {
  return node.int("reduction", 1) === 0;
}

const elementLoss: AtenOp = {
  operator: "ElementLoss",
  inputs: [port("self", "a"), port("target", "b")],
  attributes: (node) => ({ each: isEach(node) }),
};

/** Targets that are numbers of classes; those that are probabilities have as many axes as the scores. */
const classLoss: AtenOp = {
  operator: "GraphClassLoss",
  inputs: [port("self", "scores"), port("target", "labels")],
  attributes: (node) => ({ each: isEach(node) }),
  applies: (node) => node.rank("target") !== node.rank("self"),
};

export const comparisonOps: AtenOps = {
  "aten.mse_loss": elementLoss,
  "aten.l1_loss": elementLoss,
  "aten.smooth_l1_loss": elementLoss,
  "aten.huber_loss": elementLoss,
  "aten.soft_margin_loss": elementLoss,
  "aten.binary_cross_entropy": elementLoss,
  "aten.binary_cross_entropy_with_logits": elementLoss,
  "aten.kl_div": elementLoss,
  "aten.dist": { operator: "ElementLoss", inputs: [port("self", "a"), port("other", "b")] },
  "aten.cross_entropy_loss": classLoss,
  "aten.nll_loss": classLoss,
  "aten.nll_loss_nd": classLoss,
  "aten.cosine_similarity": {
    operator: "VectorSimilarity",
    inputs: [port("x1", "a"), port("x2", "b")],
    attributes: (node) => ({ axis: node.int("dim", 1) }),
  },
  "aten.pairwise_distance": {
    operator: "VectorSimilarity",
    inputs: [port("x1", "a"), port("x2", "b")],
    attributes: (node) => ({ axis: -1, keepDims: node.flag("keepdim", false) }),
  },
  "aten.bilinear": {
    operator: "Bilinear",
    inputs: [port("input1", "a"), port("input2", "b"), port("weight", "kernel"), port("bias", "bias")],
  },
};
