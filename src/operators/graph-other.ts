/** Operations of ONNX Runtime (com.microsoft) and of early or foreign operator sets that belong to no larger family. */

import { addDims, type Dim, floorDivideDim, subtractDims } from "../ir/dim.ts";
import type { DType } from "../ir/dtype.ts";
import { dimAt, requireMinimumRank, requireRank, resolveAxis } from "./arguments.ts";
import { readInteger } from "./attributes.ts";
import { type OperatorDef, RuleError } from "./operator.ts";
import { shapePreserving } from "./shape-preserving.ts";
import {
  defineOperator,
  inputAt,
  only,
  optionalDType,
  optionalInput,
  optionalInteger,
  reshaped,
  simpleOperator,
} from "./tensor-rule.ts";
import { knownValue, listValue } from "./tensor-values.ts";

/** x -> windows of `size` elements along `axis`, each `step` after the one before, their elements in a new last axis. */
const unfoldAxis = defineOperator<{ axis: number; size: number; step: number }>({
  name: "UnfoldAxis",
  attributes: (raw) => ({
    axis: optionalInteger(raw, "axis") ?? -1,
    size: readInteger(raw, "size"),
    step: readInteger(raw, "step", { fallback: 1 }),
  }),
  infer: ({ attributes: { axis, size, step }, inputs }) =>
    only(
      reshaped(inputAt(inputs, "x", 0), (shape) => {
        const place = resolveAxis(axis, shape.length);
        const windows = addDims(floorDivideDim(subtractDims(dimAt(shape, place), size), step), 1);
        return [...shape.with(place, windows), size];
      }),
    ),
});

/** x, axis -> x with an axis of size 1 in that place. */
const expandDimsAt = defineOperator<null>({
  name: "ExpandDimsAt",
  attributes: () => null,
  infer({ inputs }) {
    const value = knownValue(inputAt(inputs, "axis", 1));
    const axis = Array.isArray(value) ? value[0] : value;
    return only(
      reshaped(inputAt(inputs, "x", 0), (shape) => {
        if (typeof axis !== "number") return new Array<Dim>(shape.length + 1).fill(null);
        return shape.toSpliced(resolveAxis(axis, shape.length + 1), 0, 1);
      }),
    );
  },
});

/** x (n, c, h, w), boxes (m, 4), box numbers, size (2) -> (m, c, ...size). */
const cropAndResize = defineOperator<null>({
  name: "CropBoxes",
  attributes: () => null,
  infer({ inputs }) {
    const boxes = inputAt(inputs, "boxes", 1).shape;
    const [height = null, width = null] = listValue(optionalInput(inputs, "size", 3)) ?? [];
    return only(
      reshaped(inputAt(inputs, "x", 0), (shape) => {
        requireRank(shape, 4);
        return [boxes?.[0] ?? null, shape[1] ?? null, height, width];
      }),
    );
  },
});

/** a (m, k), b (n, k) -> distances of all pairs (m, n). */
const pairDistances = simpleOperator("PairDistances", (inputs) => {
  const a = inputAt(inputs, "a", 0);
  const b = inputAt(inputs, "b", 1);
  for (const { shape } of [a, b]) if (shape !== null) requireRank(shape, 2);
  return { dtype: a.dtype, shape: [a.shape?.[0] ?? null, b.shape?.[0] ?? null] };
});

/** Words in characters (n, characters), kernel (filters, ...) -> (n, filters). */
const wordConvEmbedding = simpleOperator("WordConvEmbedding", (inputs) => {
  const words = inputAt(inputs, "x", 0).shape;
  const kernel = inputAt(inputs, "kernel", 1);
  const known = words?.length === 2 && kernel.shape !== null;
  return { dtype: kernel.dtype, shape: known ? [words[0] ?? null, kernel.shape?.[0] ?? null] : null };
});

/** Texts -> their words, in a new axis whose size depends on the texts. */
const tokenizer = simpleOperator("Tokenizer", (inputs) =>
  reshaped(inputAt(inputs, "x", 0), (shape) => [...shape, null], "string"),
);

/** Costs (rows, columns) -> the two indices of each step of the cheapest path. */
const timeWarping = simpleOperator("DynamicTimeWarping", (inputs) => {
  const { shape } = inputAt(inputs, "x", 0);
  if (shape !== null) requireMinimumRank(shape, 2);
  return { dtype: "int32", shape: [2, null] };
});

/** x -> a number of type `dtype` for each element. */
const hash = defineOperator<{ dtype: DType | null }>({
  name: "Hash",
  attributes: (raw) => ({ dtype: optionalDType(raw) }),
  infer: ({ attributes: { dtype }, inputs }) => only({ dtype, shape: inputAt(inputs, "x", 0).shape }),
});

/** x (n) -> its different elements; for each element of x which one it is; for each how often it is there. */
const uniqueCounts = defineOperator<null>({
  name: "UniqueCounts",
  attributes: () => null,
  infer({ inputs }) {
    const { dtype, shape } = inputAt(inputs, "x", 0);
    if (shape !== null) requireRank(shape, 1);
    return {
      types: [
        { dtype, shape: [null] },
        { dtype: "int64", shape: shape ?? [null] },
        { dtype: "int64", shape: [null] },
      ],
    };
  },
});

/** Token numbers so far, scores (batch, vocabulary) -> scores. */
const repeatBlock = simpleOperator("NgramRepeatBlock", (inputs) => {
  const { dtype, shape } = inputAt(inputs, "scores", 1);
  return { dtype, shape };
});

/** Tokens of a source, current and predicted tokens, where the last match was -> the tokens now; where the match is. */
const bifurcation = defineOperator<null>({
  name: "BifurcationDetector",
  attributes: () => null,
  infer({ inputs }) {
    const match = inputAt(inputs, "match", 2);
    if (match.shape && match.shape.length > 1) throw new RuleError("the last match is one number");
    return {
      types: [
        { dtype: "int64", shape: [null] },
        { dtype: "int64", shape: match.shape },
      ],
    };
  },
});

export const graphOtherOperators: readonly OperatorDef<unknown>[] = [
  unfoldAxis,
  expandDimsAt,
  cropAndResize,
  pairDistances,
  wordConvEmbedding,
  tokenizer,
  timeWarping,
  hash,
  uniqueCounts,
  repeatBlock,
  bifurcation,
  shapePreserving("MatrixInverse"),
  shapePreserving("ScaleShift"),
  shapePreserving("SimulateQuantization"),
];
