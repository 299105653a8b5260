/** Operations that make tensors, or tell sizes of tensors (Keras 3.15 ops/numpy.py; TensorFlow's functions). */

import { type Dim, mapDims } from "../ir/dim.ts";
import type { DType } from "../ir/dtype.ts";
import type { Json, JsonObject } from "../ir/graph.ts";
import type { Shape } from "../ir/shape.ts";
import { mainInput, resolveAxis } from "./arguments.ts";
import { readOptionalInteger } from "./attributes.ts";
import { broadcastAll } from "./broadcast.ts";
import type { OperatorDef } from "./operator.ts";
import {
  defineOperator,
  only,
  optionalDims,
  optionalDType,
  optionalInteger,
  simpleOperator,
} from "./tensor-rule.ts";
import { argumentValues, valued } from "./tensor-values.ts";

/** A tensor of a stated shape; what is not known here is null. Of type `dtype`, else of that of the input `like`. */
const fill = defineOperator<{ shape: Shape; dtype: DType | null }>({
  name: "Fill",
  attributes: (raw) => ({ shape: optionalDims(raw, "shape", 0), dtype: optionalDType(raw) }),
  infer: ({ attributes: { shape, dtype }, inputs }) => {
    const like = inputs.find((input) => input.name === "like");
    return only({ shape: argumentValues(shape, inputs, "shape"), dtype: dtype ?? like?.dtype ?? null });
  },
});

/** x -> a tensor of x's shape (zeros_like and others). */
const fillLike = defineOperator<{ dtype: DType | null }>({
  name: "FillLike",
  attributes: (raw) => ({ dtype: optionalDType(raw) }),
  infer: ({ attributes: { dtype }, inputs }) => {
    const x = mainInput(inputs);
    return only({ dtype: dtype ?? x.dtype, shape: x.shape });
  },
});

function finite(value: Json | undefined): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

function rangeLength(raw: JsonObject): Dim {
  const start = finite(raw.start);
  const [from, to] = raw.stop === undefined || raw.stop === null ? [0, start] : [start, finite(raw.stop)];
  const step = raw.step === undefined || raw.step === null ? 1 : finite(raw.step);
  if (from === null || to === null || step === null || step === 0) return null;
  const length = Math.max(0, Math.ceil((to - from) / step));
  return Number.isSafeInteger(length) ? length : null;
}

/** Numbers from `start` up to `stop` (from 0 up to `start` without it) by `step`. */
const range = defineOperator<{ length: Dim; dtype: DType | null }>({
  name: "Range",
  attributes: (raw) => ({ length: rangeLength(raw), dtype: optionalDType(raw) }),
  infer: ({ attributes: { length, dtype } }) => only({ dtype, shape: [length] }),
});

/** start, stop -> `num` numbers between them, along a new axis. */
const spaced = defineOperator<{ num: number; axis: number; dtype: DType | null }>({
  name: "Spaced",
  attributes: (raw) => ({
    num: readOptionalInteger(raw, "num", { min: 0 }) ?? 50,
    axis: optionalInteger(raw, "axis") ?? 0,
    dtype: optionalDType(raw) ?? "float32",
  }),
  infer: ({ attributes: { num, axis, dtype }, inputs }) => {
    const shape = broadcastAll(inputs.map((input) => input.shape));
    return only({ dtype, shape: shape?.toSpliced(resolveAxis(axis, shape.length + 1), 0, num) ?? null });
  },
});

/** The identity matrix, once for each element of a batch shape. */
const identityMatrix = defineOperator<{
  rows: Dim;
  columns: Dim;
  batch: readonly Dim[];
  dtype: DType | null;
}>({
  name: "IdentityMatrix",
  attributes: (raw) => ({
    rows: readOptionalInteger(raw, "rows", { min: 0 }),
    columns: readOptionalInteger(raw, "columns", { min: 0 }),
    batch: optionalDims(raw, "batchShape", 0) ?? [],
    dtype: optionalDType(raw) ?? "float32",
  }),
  infer: ({ attributes: { rows, columns, batch, dtype } }) =>
    only({ dtype, shape: [...batch, rows, columns ?? rows] }),
});

/** x -> the number of its axes; Keras 3 gives the result the shape (rank). */
const rankAsShape = simpleOperator("RankAsShape", (inputs) => ({
  dtype: "float32",
  shape: [mainInput(inputs).shape?.length ?? null],
}));

/** x -> a number: how many axes or elements it has. */
const count = (name: string): OperatorDef<unknown> =>
  simpleOperator(name, () => ({ dtype: "int32", shape: [] }));

/** x -> its sizes, one for each axis. */
const shapeOf = defineOperator<{ dtype: DType }>({
  name: "Shape",
  attributes: (raw) => ({ dtype: optionalDType(raw) ?? "int32" }),
  infer: ({ attributes: { dtype }, inputs }) => {
    const { shape } = mainInput(inputs);
    return valued({ dtype, shape: [shape?.length ?? null] }, shape ?? undefined);
  },
});

/** Lengths (...) -> a mask (..., `maxLength`). */
const sequenceMask = defineOperator<{ maxLength: Dim; dtype: DType }>({
  name: "SequenceMask",
  attributes: (raw) => ({
    maxLength: mapDims((n) => n, readOptionalInteger(raw, "maxLength", { min: 0 })),
    dtype: optionalDType(raw) ?? "bool",
  }),
  infer: ({ attributes: { maxLength, dtype }, inputs }) => {
    const { shape } = mainInput(inputs);
    return only({ dtype, shape: shape && [...shape, maxLength] });
  },
});

export const tensorCreateOperators: readonly OperatorDef<unknown>[] = [
  fill,
  fillLike,
  range,
  spaced,
  identityMatrix,
  rankAsShape,
  count("Rank"),
  count("Size"),
  shapeOf,
  sequenceMask,
];
