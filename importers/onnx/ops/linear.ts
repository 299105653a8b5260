/** Matrix products, losses, and the training operators of ai.onnx.preview.training. */

import { constant, type OnnxOp, type OnnxOps, parameter, variadic } from "../op.ts";

/** A training step over groups of tensors, of which `updated` come out changed. */
function step(groups: number, updated: readonly number[]): OnnxOp {
  return {
    operator: "GraphOptimizerStep",
    inputs: ["rate", "step", variadic("tensors")],
    attributes: () => ({ before: 2, groups, updated }),
  };
}

const classLoss: OnnxOp = {
  operator: "GraphClassLoss",
  inputs: ["scores", "labels", constant("weights")],
  attributes: (node) => ({ each: node.text("reduction", "mean") === "none" }),
};

export const linearOps: OnnxOps = {
  Gemm: {
    operator: "Gemm",
    inputs: ["input", parameter("kernel"), parameter("bias")],
    attributes: (node) => ({
      transposeA: node.int("transA", 0) !== 0,
      transposeB: node.int("transB", 0) !== 0,
    }),
  },
  MatMul: { operator: "GraphMatmul", inputs: ["a", "b"] },
  Einsum: {
    operator: "Einsum",
    inputs: [variadic("operands")],
    attributes: (node) => ({ equation: node.text("equation", "") }),
  },
  Det: { operator: "Determinant", inputs: ["input"] },
  NegativeLogLikelihoodLoss: classLoss,
  SoftmaxCrossEntropyLoss: classLoss,

  "ai.onnx.preview.training.Adagrad": step(3, [0, 2]),
  "ai.onnx.preview.training.Momentum": step(3, [0, 2]),
  "ai.onnx.preview.training.Adam": step(4, [0, 2, 3]),
  "ai.onnx.preview.training.Gradient": {
    operator: "GraphGradient",
    inputs: [variadic("variables")],
    attributes: (node) => ({ count: node.count("xs") }),
  },
};
