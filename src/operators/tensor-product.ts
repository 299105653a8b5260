/** Products of tensors (Keras 3.15 ops/numpy.py, ops/operation_utils.py; TensorFlow's functions of these names agree). */

import { counted } from "../counted.ts";
import { contradicts, type Dim, mapDims, multiplyDims } from "../ir/dim.ts";
import { elementsOf, formatShape, type Shape } from "../ir/shape.ts";
import type { TensorType } from "../ir/tensor.ts";
import { dimAt, mainInput, requireMinimumRank, requireRank, resolveAxis } from "./arguments.ts";
import { readChoice, readFlag, readText } from "./attributes.ts";
import { broadcastShapes } from "./broadcast.ts";
import { einsumShape } from "./einsum-shape.ts";
import { type OperatorDef, RuleError, type RuleInput } from "./operator.ts";
import { floatOf, promoteInputs } from "./promotion.ts";
import {
  defineOperator,
  inputAt,
  only,
  optionalInteger,
  optionalIntegers,
  simpleOperator,
} from "./tensor-rule.ts";

function requireSame(a: Dim, b: Dim, shapes: readonly (readonly Dim[])[]): void {
  if (contradicts(a, b)) {
    throw new RuleError(`${shapes.map(formatShape).join(" and ")} do not multiply`);
  }
}

/** The rule of two known shapes; unknown when one of them is. */
function product(
  inputs: readonly RuleInput[],
  f: (a: readonly Dim[], b: readonly Dim[]) => Shape,
): TensorType {
  const a = inputAt(inputs, "x1", 0);
  const b = inputAt(inputs, "x2", 1);
  const dtype = promoteInputs([a, b]);
  return { dtype, shape: a.shape === null || b.shape === null ? null : f(a.shape, b.shape) };
}

export function swapLast(shape: readonly Dim[], swap: boolean): readonly Dim[] {
  if (!swap) return shape;
  requireMinimumRank(shape, 2);
  return [...shape.slice(0, -2), dimAt(shape, -1), dimAt(shape, -2)];
}

/** (..., n, k) by (..., k, m) -> (..., n, m); a vector is a row or a column, whose axis is taken out again. */
export function matmulShape(a: readonly Dim[], b: readonly Dim[]): Shape {
  requireMinimumRank(a, 1);
  requireMinimumRank(b, 1);
  const left = a.length === 1 ? [1, ...a] : a;
  const right = b.length === 1 ? [...b, 1] : b;
  requireSame(dimAt(left, -1), dimAt(right, -2), [a, b]);
  const leading = broadcastShapes(left.slice(0, -2), right.slice(0, -2)) ?? [];
  return [
    ...leading,
    ...(a.length === 1 ? [] : [dimAt(left, -2)]),
    ...(b.length === 1 ? [] : [dimAt(right, -1)]),
  ];
}

const matmul = defineOperator<{ transposeA: boolean; transposeB: boolean }>({
  name: "Matmul",
  attributes: (raw) => ({
    transposeA: readFlag(raw, "transposeA", false),
    transposeB: readFlag(raw, "transposeB", false),
  }),
  infer: ({ attributes: { transposeA, transposeB }, inputs }) =>
    only(product(inputs, (a, b) => matmulShape(swapLast(a, transposeA), swapLast(b, transposeB)))),
});

/** numpy.dot: the last axis of x1 with the last but one of x2; scalars multiply. */
const dot = simpleOperator("DotProduct", (inputs) =>
  product(inputs, (a, b) => {
    if (a.length === 0 || b.length === 0) return broadcastShapes(a, b);
    requireSame(dimAt(a, -1), dimAt(b, b.length === 1 ? -1 : -2), [a, b]);
    if (b.length === 1) return a.slice(0, -1);
    return [...a.slice(0, -1), ...b.slice(0, -2), dimAt(b, -1)];
  }),
);

/** Axes given for both sides, or the number of axes at the end of x1 and at the front of x2. */
const tensordot = defineOperator<{ count: number; left: readonly number[]; right: readonly number[] }>({
  name: "Tensordot",
  attributes: (raw) => ({
    count: optionalInteger(raw, "count") ?? 0,
    left: optionalIntegers(raw, "left") ?? [],
    right: optionalIntegers(raw, "right") ?? [],
  }),
  infer: ({ attributes: { count, left, right }, inputs }) =>
    only(
      product(inputs, (a, b) => {
        if (count > a.length || count > b.length)
          throw new RuleError(`there are no ${counted(count, "axis", "axes")} to sum over`);
        const summedA = left.length > 0 ? left : Array.from({ length: count }, (_, i) => i - count);
        const summedB = right.length > 0 ? right : Array.from({ length: count }, (_, i) => i);
        for (const [i, axis] of summedA.entries())
          requireSame(dimAt(a, axis), dimAt(b, summedB[i] ?? 0), [a, b]);
        const placesA = new Set(summedA.map((axis) => resolveAxis(axis, a.length)));
        const placesB = new Set(summedB.map((axis) => resolveAxis(axis, b.length)));
        return [...a.filter((_, i) => !placesA.has(i)), ...b.filter((_, i) => !placesB.has(i))];
      }),
    ),
});

const einsum = defineOperator<{ equation: string }>({
  name: "Einsum",
  attributes: (raw) => ({ equation: readText(raw, "equation") }),
  infer: ({ attributes: { equation }, inputs }) =>
    only({
      dtype: promoteInputs(inputs),
      shape: einsumShape(
        equation,
        inputs.map((input) => input.shape),
      ),
    }),
});

const outer = simpleOperator("Outer", (inputs) => ({
  dtype: promoteInputs(inputs),
  shape: [elementsOf(inputAt(inputs, "x1", 0).shape), elementsOf(inputAt(inputs, "x2", 1).shape)],
}));

/** The last axes of both summed; a scalar multiplies. */
const inner = simpleOperator("Inner", (inputs) =>
  product(inputs, (a, b) => {
    if (a.length === 0) return b;
    if (b.length === 0) return a;
    requireSame(dimAt(a, -1), dimAt(b, -1), [a, b]);
    return [...a.slice(0, -1), ...b.slice(0, -1)];
  }),
);

const scalarProduct = simpleOperator("ScalarProduct", (inputs) => ({
  dtype: promoteInputs(inputs),
  shape: [],
}));

const kronecker = simpleOperator("Kronecker", (inputs) =>
  product(inputs, (a, b) => a.slice(0, b.length).map((dim, i) => multiplyDims(dim, b[i] ?? null))),
);

interface CrossAttributes {
  readonly axisA: number;
  readonly axisB: number;
  readonly axisC: number;
}

/** Vectors of 2 or 3 elements along an axis; two vectors of 2 give a number. */
const cross = defineOperator<CrossAttributes>({
  name: "Cross",
  attributes(raw) {
    const all = optionalInteger(raw, "axis");
    return {
      axisA: all ?? optionalInteger(raw, "axisa") ?? -1,
      axisB: all ?? optionalInteger(raw, "axisb") ?? -1,
      axisC: all ?? optionalInteger(raw, "axisc") ?? -1,
    };
  },
  infer: ({ attributes: { axisA, axisB, axisC }, inputs }) =>
    only(
      product(inputs, (a, b) => {
        const sizes = [dimAt(a, axisA), dimAt(b, axisB)];
        const rest = broadcastShapes(
          a.toSpliced(resolveAxis(axisA, a.length), 1),
          b.toSpliced(resolveAxis(axisB, b.length), 1),
        );
        if (rest === null || !sizes.includes(3)) return rest;
        return rest.toSpliced(resolveAxis(axisC, rest.length + 1), 0, 3);
      }),
    ),
});

/** Distances between the rows of x1 and those of x2. */
const pairwiseDistance = simpleOperator("PairwiseDistance", (inputs) => {
  const type = product(inputs, (a, b) => {
    requireMinimumRank(a, 2);
    requireMinimumRank(b, 2);
    requireSame(dimAt(a, -1), dimAt(b, -1), [a, b]);
    return [...(broadcastShapes(a.slice(0, -2), b.slice(0, -2)) ?? []), dimAt(a, -2), dimAt(b, -2)];
  });
  return { ...type, dtype: floatOf(type.dtype) };
});

const correlate = defineOperator<{ mode: "valid" | "same" | "full" }>({
  name: "Correlate",
  attributes: (raw) => ({ mode: readChoice(raw, "mode", ["valid", "same", "full"], "valid") }),
  infer: ({ attributes: { mode }, inputs }) =>
    only(
      product(inputs, (a, b) => {
        requireRank(a, 1);
        requireRank(b, 1);
        return [
          mapDims(
            (n, m) => {
              if (mode === "full") return n + m - 1;
              return mode === "same" ? Math.max(n, m) : Math.abs(n - m) + 1;
            },
            dimAt(a, 0),
            dimAt(b, 0),
          ),
        ];
      }),
    ),
});

/** query, key, value -> query's shape (Keras 3.15 nn.DotProductAttention). */
const dotProductAttention = simpleOperator("DotProductAttention", (inputs) => ({
  dtype: promoteInputs(inputs.slice(0, 3)),
  shape: mainInput(inputs).shape,
}));

export const tensorProductOperators: readonly OperatorDef<unknown>[] = [
  matmul,
  dot,
  tensordot,
  einsum,
  outer,
  inner,
  scalarProduct,
  kronecker,
  cross,
  pairwiseDistance,
  correlate,
  dotProductAttention,
];
