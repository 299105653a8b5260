/** Reductions: axes are an attribute, and in later opsets an input. */

import { constant, type NodeView, type OnnxOp, type OnnxOps } from "../op.ts";

/** `inputFrom`: the opset in which axes became an input. */
function reduction(name: string, inputFrom: number): OnnxOp {
  return {
    operator: "GraphReduce",
    inputs: (node) => (node.version < inputFrom ? ["input"] : ["input", constant("axes")]),
    attributes: (node) => ({
      function: name,
      axes: node.version < inputFrom ? node.ints("axes") : null,
      keepDims: keepsDims(node),
      emptyKeeps: node.version >= inputFrom && node.int("noop_with_empty_axes", 0) === 1,
    }),
  };
}

function keepsDims(node: NodeView): boolean {
  return node.int("keepdims", 1) === 1;
}

export const reduceOps: OnnxOps = {
  ReduceSum: reduction("sum", 13),
  ReduceProd: reduction("prod", 18),
  ReduceMean: reduction("mean", 18),
  ReduceMax: reduction("max", 18),
  ReduceMin: reduction("min", 18),
  ReduceL1: reduction("l1", 18),
  ReduceL2: reduction("l2", 18),
  ReduceLogSum: reduction("log_sum", 18),
  ReduceLogSumExp: reduction("log_sum_exp", 18),
  ReduceSumSquare: reduction("sum_square", 18),
};
