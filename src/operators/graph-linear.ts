/** ONNX's matrix products, losses and training steps (onnx/defs/math, onnx/defs/training). */

import { counted } from "../counted.ts";
import { contradicts, type Dim, sharperDim } from "../ir/dim.ts";
import type { JsonObject } from "../ir/graph.ts";
import { formatShape, type Shape } from "../ir/shape.ts";
import { mainInput, requireRank } from "./arguments.ts";
import { readFlag, readInteger, readIntegers } from "./attributes.ts";
import { type OperatorDef, RuleError } from "./operator.ts";
import { matmulShape } from "./tensor-product.ts";
import { defineOperator, inputAt, only, simpleOperator, tupleOf } from "./tensor-rule.ts";
import type { NodeForm } from "./two-forms.ts";

interface GemmAttributes {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

function readGemm(raw: JsonObject): GemmAttributes {
  return {
    transposeA: readFlag(raw, "transposeA", false),
    transposeB: readFlag(raw, "transposeB", false),
  };
}

/** Rows and columns, after transposing; unknown ones where not even the rank is known. */
function matrix(shape: Shape, transposed: boolean): readonly [Dim, Dim] {
  if (shape === null) return [null, null];
  requireRank(shape, 2);
  const [a = null, b = null] = shape;
  return transposed ? [b, a] : [a, b];
}

/** input (n, k), kernel (k, m), bias -> (n, m). */
const gemm = defineOperator<GemmAttributes>({
  name: "Gemm",
  attributes: readGemm,
  infer({ attributes: { transposeA, transposeB }, inputs }) {
    const a = inputAt(inputs, "input", 0);
    const b = inputAt(inputs, "kernel", 1);
    const [rows, left] = matrix(a.shape, transposeA);
    const [right, columns] = matrix(b.shape, transposeB);
    if (contradicts(left, right)) {
      throw new RuleError(`${formatShape(a.shape)} and ${formatShape(b.shape)} do not multiply`);
    }
    return only({ dtype: a.dtype ?? b.dtype, shape: [rows, columns] });
  },
});

/** a (..., n, k), b (..., k, m) -> (..., n, m). */
const matmul = simpleOperator("GraphMatmul", (inputs) => {
  const a = inputAt(inputs, "a", 0);
  const b = inputAt(inputs, "b", 1);
  const shape = a.shape === null || b.shape === null ? null : matmulShape(a.shape, b.shape);
  return { dtype: a.dtype ?? b.dtype, shape };
});

/** input (..., k), kernel (m, k), bias -> (..., m); a kernel (k) leaves the axis out. */
export const nodeLinear: NodeForm<null> = {
  attributes: () => null,
  infer({ inputs }) {
    const input = inputAt(inputs, "input", 0);
    const kernel = inputAt(inputs, "kernel", 1).shape;
    const { dtype } = input;
    if (input.shape === null || kernel === null) return only({ dtype, shape: null });
    if (kernel.length > 2) throw new RuleError(`a kernel ${formatShape(kernel)} is no matrix`);
    return only({ dtype, shape: matmulShape(input.shape, kernel.toReversed()) });
  },
};

/** What is known of the dimensions that two shapes share. */
function sharper(a: Shape, b: Shape): Shape {
  if (a === null || b === null || a.length !== b.length) return a ?? b;
  return a.map((dim, i) => sharperDim(dim, b[i] ?? null));
}

/** scores (n, c, ...), labels (n, ...) -> the loss, a number or one for each label, and the scores' logarithms. */
const classLoss = defineOperator<{ each: boolean }>({
  name: "GraphClassLoss",
  attributes: (raw) => ({ each: readFlag(raw, "each", false) }),
  infer({ attributes: { each }, inputs }) {
    const scores = mainInput(inputs);
    const labels = inputAt(inputs, "labels", 1);
    const examples = scores.shape && scores.shape.length > 1 ? scores.shape.toSpliced(1, 1) : null;
    const shape = each ? sharper(labels.shape, examples) : [];
    return tupleOf([
      { dtype: scores.dtype, shape },
      { dtype: scores.dtype, shape: scores.shape },
    ]);
  },
});

interface OptimizerAttributes {
  /** Inputs before the groups. */
  readonly before: number;
  /** Groups of equally many tensors, one after the other. */
  readonly groups: number;
  /** Groups that come out, changed. */
  readonly updated: readonly number[];
}

/** Rate, step, then groups of tensors (weights, gradients, moments) -> some of the groups, changed. */
const optimizerStep = defineOperator<OptimizerAttributes>({
  name: "GraphOptimizerStep",
  attributes: (raw) => ({
    before: readInteger(raw, "before", { min: 0 }),
    groups: readInteger(raw, "groups"),
    updated: readIntegers(raw, "updated", { min: 0 }),
  }),
  infer({ attributes: { before, groups, updated }, inputs }) {
    const tensors = inputs.slice(before);
    const size = tensors.length / groups;
    if (!Number.isInteger(size)) {
      throw new RuleError(
        `${counted(tensors.length, "tensor is", "tensors are")} not ${counted(groups, "group")} of equally many`,
      );
    }
    return tupleOf(
      updated
        .flatMap((group) => tensors.slice(group * size, (group + 1) * size))
        .map(({ dtype, shape }) => ({ dtype, shape })),
    );
  },
});

/** Values of variables -> derivatives by the first `count` of them. */
const gradient = defineOperator<{ count: number }>({
  name: "GraphGradient",
  attributes: (raw) => ({ count: readInteger(raw, "count", { min: 0 }) }),
  infer: ({ attributes: { count }, inputs }) =>
    tupleOf(inputs.slice(0, count).map(({ dtype, shape }) => ({ dtype, shape }))),
});

export const graphLinearOperators: readonly OperatorDef<unknown>[] = [
  gemm,
  matmul,
  classLoss,
  optimizerStep,
  gradient,
];
