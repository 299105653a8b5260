/** Reductions, and what is summed up along an axis. */

import type { JsonObject } from "../../../src/ir/graph.ts";
import { type AtenOp, type AtenOps, type NodeView, port } from "../aten.ts";

const inputs = [port("self", "x")];

/** None of them named: all. */
function axesOf(node: NodeView): readonly number[] | null {
  const axes = node.ints("dim");
  return axes?.length === 0 ? null : axes;
}

/** Where the node asks for a type, that. */
function typeAttributes(node: NodeView, result: string | null): JsonObject {
  const dtype = node.dtype("dtype");
  return { ...(result !== null && { result }), ...(dtype !== null && { dtype }) };
}

/** A tensor without axes may be reduced along one all the same, and gives itself: what no canonical operator does. */
function hasAxes(node: NodeView): boolean {
  return !node.has("dim") || node.rank("self") !== 0;
}

/** `result`: what comes of whole numbers, truth values and complex ones. */
function reduction(operator: string, result: string | null, more: JsonObject = {}): AtenOp {
  return {
    operator,
    inputs,
    attributes: (node) => ({
      axis: axesOf(node),
      keepDims: node.flag("keepdim", false),
      ...typeAttributes(node, result),
      ...more,
    }),
    applies: hasAxes,
  };
}

/** With an axis the places are told, too. */
function withPlaces(operator: string): AtenOp {
  const record = reduction(operator, null);
  return {
    ...record,
    attributes: (node) => ({
      ...record.attributes?.(node),
      indices: node.has("dim") || node.outputs.length > 1,
    }),
  };
}

/** Along one axis, the last one where none is named. */
function chosen(operator: string): AtenOp {
  return {
    operator,
    inputs,
    attributes: (node) => ({
      axis: [node.int("dim", -1)],
      keepDims: node.flag("keepdim", false),
      indices: true,
    }),
    applies: (node) => node.rank("self") !== 0,
  };
}

/** An empty list of axes is not the same as none here. */
function truth(operator: string): AtenOp {
  const record = reduction(operator, "truth");
  return { ...record, applies: (node) => hasAxes(node) && node.sizes("dim")?.length !== 0 };
}

/** Along the last axis, where none is named. */
function along(operator: string, result: string | null, more: JsonObject = {}): AtenOp {
  return {
    operator,
    inputs,
    attributes: (node) => ({ axis: node.int("dim", -1), ...typeAttributes(node, result), ...more }),
    applies: (node) => node.rank("self") !== 0,
  };
}

const sum = along("CumulativeSum", "wide");
const product = along("CumulativeProduct", "wide");

/** Of matrices: the last two axes, where none are named. */
const matrixNorm: AtenOp = {
  operator: "ReduceNorm",
  inputs,
  attributes: (node) => ({
    axis: node.ints("dim") ?? [-2, -1],
    keepDims: node.flag("keepdim", false),
    ...typeAttributes(node, "real"),
  }),
};

/** One quantile, that is a number. */
const quantile: AtenOp = {
  operator: "ReduceQuantile",
  inputs,
  attributes: (node) => ({ axis: axesOf(node), keepDims: node.flag("keepdim", false) }),
  applies: hasAxes,
};

export const reductionOps: AtenOps = {
  "aten.sum": reduction("ReduceSum", "wide"),
  "aten.nansum": reduction("ReduceSum", "wide"),
  "aten.prod": reduction("ReduceProd", "wide"),
  "aten.mean": reduction("ReduceMean", "same"),
  "aten.nanmean": reduction("ReduceMean", "same"),
  "aten.amax": reduction("ReduceMax", null),
  "aten.amin": reduction("ReduceMin", null),
  "aten.max": withPlaces("ReduceMax"),
  "aten.min": withPlaces("ReduceMin"),
  "aten.median": withPlaces("ReduceMedian"),
  "aten.nanmedian": withPlaces("ReduceMedian"),
  "aten.mode": chosen("ReduceMode"),
  "aten.kthvalue": chosen("ReduceKth"),
  "aten.std": reduction("ReduceStd", "real"),
  "aten.var": reduction("ReduceVariance", "real"),
  "aten.var_mean": reduction("Moments", "real"),
  "aten.std_mean": reduction("Moments", "real"),
  "aten.logsumexp": reduction("ReduceLogSumExp", "float"),
  "aten.norm": reduction("ReduceNorm", "real"),
  "aten.linalg_vector_norm": reduction("ReduceNorm", "real"),
  "aten.linalg_matrix_norm": matrixNorm,
  "aten.linalg_norm": reduction("ReduceNorm", "real"),
  "aten.aminmax": reduction("ReduceMinMax", null),
  "aten.quantile.scalar": quantile,
  "aten.nanquantile.scalar": quantile,
  "aten.any": truth("ReduceAny"),
  "aten.all": truth("ReduceAll"),
  "aten.count_nonzero": reduction("CountNonzero", null, { dtype: "int64" }),
  "aten.argmax": reduction("ArgMax", null, { dtype: "int64" }),
  "aten.argmin": reduction("ArgMin", null, { dtype: "int64" }),

  "aten.cumsum": sum,
  "aten.cumsum_": { ...sum, attributes: (node) => ({ axis: node.int("dim", -1) }) },
  "aten.cumprod": product,
  "aten.logcumsumexp": along("CumulativeLogSumExp", null),
  "aten.cummax": along("CumulativeMaximum", null, { indices: true }),
  "aten.cummin": along("CumulativeMinimum", null, { indices: true }),
  "aten.sort": along("Sort", null, { indices: true }),
  "aten.argsort": along("ArgSort", null, { dtype: "int64" }),
};
