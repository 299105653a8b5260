/**
 * Reductions over axes (Keras 3.15 operation_utils.reduce_shape; TensorFlow's reduce_* agree).
 * `axes` null: over all of them, the batch axis included.
 */

import type { DType } from "../ir/dtype.ts";
import type { JsonObject } from "../ir/graph.ts";
import type { Shape } from "../ir/shape.ts";
import type { TensorType } from "../ir/tensor.ts";
import { mainInput, resolveAxis } from "./arguments.ts";
import { readFlag } from "./attributes.ts";
import type { OperatorDef, RuleInput } from "./operator.ts";
import { floatOf } from "./promotion.ts";
import { readStated, type Stated, statedType } from "./result-type.ts";
import { defineOperator, inputAt, only, optionalIntegers, reshaped, tupleOf } from "./tensor-rule.ts";

interface ReduceAttributes {
  readonly axes: readonly number[] | null;
  readonly keepDims: boolean;
}

function readAttributes(raw: JsonObject): ReduceAttributes {
  return { axes: optionalIntegers(raw, "axis"), keepDims: readFlag(raw, "keepDims", false) };
}

/** Removes `axes`, or leaves 1 in their place. An empty list of axes reduces nothing. */
export function reduceShape(shape: Shape, { axes, keepDims }: ReduceAttributes): Shape {
  if (shape === null) return null;
  const reduced = new Set(axes === null ? shape.keys() : axes.map((axis) => resolveAxis(axis, shape.length)));
  if (keepDims) return shape.map((dim, i) => (reduced.has(i) ? 1 : dim));
  return shape.filter((_, i) => !reduced.has(i));
}

type ResultType = "same" | "sum" | "float" | DType;

function resultType(kind: ResultType, dtype: DType | null): DType | null {
  if (kind === "same") return dtype;
  if (kind === "float") return floatOf(dtype);
  if (kind !== "sum") return kind;
  if (dtype === "bool" || dtype === "int8" || dtype === "int16") return "int32";
  return dtype === "uint8" || dtype === "uint16" ? "uint32" : dtype;
}

function reduced(x: RuleInput, attributes: ReduceAttributes, result: ResultType): TensorType {
  return { dtype: resultType(result, x.dtype), shape: reduceShape(x.shape, attributes) };
}

interface NodeAttributes extends ReduceAttributes, Stated {
  /** Where in the reduced axis the result stands comes out behind it. */
  readonly indices: boolean;
}

/** x -> x without `axes`. */
function reduction(name: string, result: ResultType): OperatorDef<unknown> {
  return defineOperator<NodeAttributes>({
    name,
    attributes: (raw) => ({
      ...readAttributes(raw),
      ...readStated(raw),
      indices: readFlag(raw, "indices", false),
    }),
    infer({ attributes, inputs }) {
      const x = mainInput(inputs);
      const type = reduced(x, attributes, result);
      const stated = attributes.result ?? attributes.dtype;
      const output = stated === null ? type : { ...type, dtype: statedType(attributes, "same", x.dtype) };
      return attributes.indices ? tupleOf([output, { ...type, dtype: "int64" }]) : only(output);
    },
  });
}

interface QuantileAttributes extends ReduceAttributes {
  /** A list of one quantile counts as a number. */
  readonly oneIsNumber: boolean;
}

/** x, q -> x without `axes`, one for each element of a q that is a list in front. */
const quantile = defineOperator<QuantileAttributes>({
  name: "Quantile",
  attributes: (raw) => ({ ...readAttributes(raw), oneIsNumber: readFlag(raw, "oneIsNumber", false) }),
  infer({ attributes, inputs }) {
    const type = reduced(mainInput(inputs), attributes, "float");
    const q = inputAt(inputs, "q", 1);
    const number = attributes.oneIsNumber && q.value !== undefined && q.shape?.[0] === 1;
    const front = number ? [] : (q.shape?.slice(0, 1) ?? null);
    return only(reshaped(type, (shape) => (front === null ? null : [...front, ...shape])));
  },
});

/** x -> mean and variance, both without `axes`; the variance first, where a result is stated for it. */
const moments = defineOperator<ReduceAttributes & Stated>({
  name: "Moments",
  attributes: (raw) => ({ ...readAttributes(raw), ...readStated(raw) }),
  infer({ attributes, inputs }) {
    const type = reduced(mainInput(inputs), attributes, "same");
    return tupleOf([{ ...type, dtype: statedType(attributes, "same", type.dtype) }, type]);
  },
});

/** x -> its smallest and its largest element, without `axes`. */
const extremes = defineOperator<ReduceAttributes>({
  name: "ReduceMinMax",
  attributes: readAttributes,
  infer({ attributes, inputs }) {
    const type = reduced(mainInput(inputs), attributes, "same");
    return tupleOf([type, type]);
  },
});

export const reduceOperators: readonly OperatorDef<unknown>[] = [
  reduction("ReduceSum", "sum"),
  reduction("ReduceProd", "sum"),
  reduction("ReduceMean", "float"),
  reduction("ReduceMax", "same"),
  reduction("ReduceMin", "same"),
  reduction("ReduceRange", "same"),
  reduction("ReduceStd", "float"),
  reduction("ReduceVariance", "float"),
  reduction("ReduceMedian", "float"),
  reduction("ReduceQuantile", "float"),
  reduction("ReduceMode", "same"),
  reduction("ReduceKth", "same"),
  reduction("ReduceLogSumExp", "float"),
  reduction("ReduceNorm", "float"),
  reduction("ReduceEuclideanNorm", "float"),
  reduction("ReduceAny", "bool"),
  reduction("ReduceAll", "bool"),
  reduction("ReduceJoin", "string"),
  reduction("CountNonzero", "int32"),
  reduction("ArgMax", "int32"),
  reduction("ArgMin", "int32"),
  quantile,
  moments,
  extremes,
];
