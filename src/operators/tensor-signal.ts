/** Signal operations on the last axis or axes (Keras 3.15 ops/math.py; TensorFlow's tf.signal). Complex: two tensors. */

import { type Dim, mapDims } from "../ir/dim.ts";
import type { JsonObject } from "../ir/graph.ts";
import { sameShape } from "../ir/shape.ts";
import type { TensorType } from "../ir/tensor.ts";
import { dimAt, mainInput, requireMinimumRank } from "./arguments.ts";
import { readFlag, readInteger, readOptionalInteger } from "./attributes.ts";
import { type Inferred, type OperatorDef, RuleError, type RuleInput } from "./operator.ts";
import { complexOf, realOf } from "./promotion.ts";
import { defineOperator, only, reshaped, simpleOperator, tupleOf, withDim } from "./tensor-rule.ts";

/** Real and imaginary part, of one shape. */
function complexInput(inputs: readonly RuleInput[], rank: number): RuleInput {
  const real = mainInput(inputs);
  const imaginary = inputs[1];
  if (imaginary && !sameShape(real.shape, imaginary.shape)) {
    throw new RuleError("real and imaginary part have different shapes");
  }
  if (real.shape !== null) requireMinimumRank(real.shape, rank);
  return real;
}

function pair(type: TensorType): readonly TensorType[] {
  const { dtype, shape } = type;
  return [
    { dtype, shape },
    { dtype, shape },
  ];
}

/** (real, imaginary) -> the same shapes. */
function complexTransform(name: string, axes: number): OperatorDef<unknown> {
  return defineOperator<null>({
    name,
    attributes: () => null,
    infer: ({ inputs }) => tupleOf(pair(complexInput(inputs, axes))),
  });
}

interface LengthAttributes {
  readonly fftLength: number | null;
  /** One complex result (TensorFlow) instead of two real ones. */
  readonly complex: boolean;
}

/** A complex number as the frameworks return it. */
function complexResult(type: TensorType, complex: boolean): Inferred {
  return complex ? only({ shape: type.shape, dtype: "complex64" }) : tupleOf(pair(type));
}

function readFftLength(raw: JsonObject): LengthAttributes {
  return { fftLength: readOptionalInteger(raw, "fftLength"), complex: readFlag(raw, "complex", false) };
}

/** x (..., n) -> (..., n / 2 + 1) twice. */
const realFft = defineOperator<LengthAttributes>({
  name: "RealFft",
  attributes: readFftLength,
  infer: ({ attributes: { fftLength, complex }, inputs }) =>
    complexResult(
      reshaped(mainInput(inputs), (shape) => {
        const bins = mapDims((n) => Math.floor(n / 2) + 1, fftLength ?? dimAt(shape, -1));
        return withDim(shape, -1, bins);
      }),
      complex,
    ),
});

/** (real, imaginary) (..., m) -> (..., 2 (m - 1)). */
const inverseRealFft = defineOperator<LengthAttributes>({
  name: "InverseRealFft",
  attributes: readFftLength,
  infer: ({ attributes: { fftLength }, inputs }) =>
    only(
      reshaped(complexInput(inputs, 1), (shape) =>
        withDim(shape, -1, fftLength ?? mapDims((m) => Math.max(0, 2 * (m - 1)), dimAt(shape, -1))),
      ),
    ),
});

interface FrameAttributes {
  readonly length: number;
  readonly stride: number;
  /** The signal is filled up so that a window starts at every stride. */
  readonly padEnd: boolean;
}

/** Number of windows of `length` every `stride`; none where the signal is too short. */
function frames(size: Dim, { length, stride, padEnd }: FrameAttributes): Dim {
  if (padEnd) return mapDims((n) => Math.ceil(n / stride), size);
  return mapDims((n) => Math.max(0, 1 + Math.floor((n - length) / stride)), size);
}

/** x (..., n) -> (..., frames, length). */
const extractSequences = defineOperator<FrameAttributes>({
  name: "ExtractSequences",
  attributes: (raw) => ({
    length: readInteger(raw, "sequenceLength"),
    stride: readInteger(raw, "sequenceStride"),
    padEnd: readFlag(raw, "padEnd", false),
  }),
  infer: ({ attributes, inputs }) =>
    only(
      reshaped(mainInput(inputs), (shape) => [
        ...shape.slice(0, -1),
        frames(dimAt(shape, -1), attributes),
        attributes.length,
      ]),
    ),
});

interface StftAttributes {
  readonly fftLength: number;
  /** Windows that are shorter than the transform; null: as long (Keras 3 counts so in any case). */
  readonly window: number | null;
  readonly stride: number;
  /** The signal is padded so that frames are centred. */
  readonly center: boolean;
  readonly padEnd: boolean;
  readonly complex: boolean;
  readonly length: number | null;
}

function readStft(raw: JsonObject): StftAttributes {
  const complex = readFlag(raw, "complex", false);
  return {
    fftLength: readInteger(raw, "fftLength"),
    window: complex ? readOptionalInteger(raw, "sequenceLength") : null,
    stride: readInteger(raw, "sequenceStride"),
    center: readFlag(raw, "center", true),
    padEnd: readFlag(raw, "padEnd", false),
    complex,
    length: readOptionalInteger(raw, "length"),
  };
}

function padding({ fftLength, center }: StftAttributes): number {
  return center ? Math.floor(fftLength / 2) * 2 : 0;
}

/** x (..., n) -> (..., frames, fftLength / 2 + 1), complex. */
const stft = defineOperator<StftAttributes>({
  name: "Stft",
  attributes: readStft,
  infer({ attributes, inputs }) {
    const { fftLength, window, stride, padEnd, complex } = attributes;
    const windows = { length: window ?? fftLength, stride, padEnd };
    return complexResult(
      reshaped(mainInput(inputs), (shape) => {
        const padded = mapDims((n) => n + padding(attributes), dimAt(shape, -1));
        return [...shape.slice(0, -1), frames(padded, windows), Math.floor(fftLength / 2) + 1];
      }),
      complex,
    );
  },
});

/** (real, imaginary) (..., frames, bins) -> (..., n). */
const inverseStft = defineOperator<StftAttributes>({
  name: "InverseStft",
  attributes: readStft,
  infer({ attributes, inputs }) {
    const { fftLength, stride, length } = attributes;
    return only(
      reshaped(complexInput(inputs, 2), (shape) => [
        ...shape.slice(0, -2),
        length ??
          mapDims((n) => Math.max(0, (n - 1) * stride + fftLength - padding(attributes)), dimAt(shape, -2)),
      ]),
    );
  },
});

/** x (..., 2) -> (...), complex. */
const viewAsComplex = simpleOperator("ViewAsComplex", (inputs) =>
  reshaped(
    mainInput(inputs),
    (shape) => shape.slice(0, -1),
    complexOf(mainInput(inputs).dtype) ?? "complex64",
  ),
);

/** x (...), complex -> (..., 2). */
const viewAsReal = simpleOperator("ViewAsReal", (inputs) =>
  reshaped(mainInput(inputs), (shape) => [...shape, 2], realOf(mainInput(inputs).dtype) ?? "float32"),
);

/** x, complex -> x. */
const complexFft = simpleOperator("ComplexFft", mainInput);

export const tensorSignalOperators: readonly OperatorDef<unknown>[] = [
  complexTransform("Fft", 1),
  complexTransform("Fft2", 2),
  complexTransform("InverseFft2", 2),
  complexFft,
  realFft,
  inverseRealFft,
  extractSequences,
  stft,
  inverseStft,
  viewAsComplex,
  viewAsReal,
];
