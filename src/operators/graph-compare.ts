/** What two tensors of one shape are compared by: losses, distances, similarities (PyTorch's functions). */

import type { JsonObject } from "../ir/graph.ts";
import type { Shape } from "../ir/shape.ts";
import type { TensorType } from "../ir/tensor.ts";
import { readFlag } from "./attributes.ts";
import { broadcastShapes } from "./broadcast.ts";
import { type OperatorDef, RuleError, type RuleInput } from "./operator.ts";
import { promoteRanked } from "./promotion.ts";
import { reduceShape } from "./reduce.ts";
import { resultType } from "./result-type.ts";
import { defineOperator, inputAt, only, optionalInteger, simpleOperator } from "./tensor-rule.ts";

function compared(a: RuleInput, b: RuleInput): TensorType {
  const dtype = resultType("float", promoteRanked([a, b], [null, null]));
  return { dtype, shape: broadcastShapes(a.shape, b.shape) };
}

/** a, b -> one number, or one for each pair of elements. */
const elementLoss = defineOperator<{ each: boolean }>({
  name: "ElementLoss",
  attributes: (raw) => ({ each: readFlag(raw, "each", false) }),
  infer({ attributes: { each }, inputs }) {
    const { dtype, shape } = compared(inputAt(inputs, "a", 0), inputAt(inputs, "b", 1));
    return only({ dtype, shape: each ? shape : [] });
  },
});

interface SimilarityAttributes {
  readonly axis: number;
  readonly keepDims: boolean;
}

function readSimilarity(raw: JsonObject): SimilarityAttributes {
  return { axis: optionalInteger(raw, "axis") ?? -1, keepDims: readFlag(raw, "keepDims", false) };
}

/** Vectors along `axis` of a and b -> one number for each pair of them. */
const vectorSimilarity = defineOperator<SimilarityAttributes>({
  name: "VectorSimilarity",
  attributes: readSimilarity,
  infer({ attributes: { axis, keepDims }, inputs }) {
    const { dtype, shape } = compared(inputAt(inputs, "a", 0), inputAt(inputs, "b", 1));
    return only({ dtype, shape: reduceShape(shape, { axes: [axis], keepDims }) });
  },
});

function bilinearShape(a: Shape, b: Shape, kernel: Shape): Shape {
  if (a === null || b === null || kernel === null) return null;
  if (a.length === 0 || a.length !== b.length || kernel.length !== 3)
    throw new RuleError(
      `operands of rank ${a.length} and ${b.length} do not fit a kernel of rank ${kernel.length}`,
    );
  return [...(broadcastShapes(a.slice(0, -1), b.slice(0, -1)) ?? []), kernel[0] ?? null];
}

/** a (..., n), b (..., m), kernel (out, n, m), bias -> (..., out). */
const bilinear = simpleOperator("Bilinear", (inputs) => {
  const a = inputAt(inputs, "a", 0);
  const b = inputAt(inputs, "b", 1);
  return { dtype: a.dtype, shape: bilinearShape(a.shape, b.shape, inputAt(inputs, "kernel", 2).shape) };
});

export const graphCompareOperators: readonly OperatorDef<unknown>[] = [
  elementLoss,
  vectorSimilarity,
  bilinear,
];
