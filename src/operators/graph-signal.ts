/** ONNX's transforms, windows, random numbers and texts (onnx/defs/math, generator, text, nn). */

import { addDims, type Dim, floorDivideDim, multiplyDims, subtractDims } from "../ir/dim.ts";
import type { DType } from "../ir/dtype.ts";
import type { JsonObject } from "../ir/graph.ts";
import { mainInput, requireMinimumRank, requireRank, resolveAxis } from "./arguments.ts";
import { readFlag, readInteger, readOptionalInteger, readShape } from "./attributes.ts";
import { knownElements } from "./fold-values.ts";
import { type OperatorDef, RuleError, type RuleInput } from "./operator.ts";
import {
  defineOperator,
  inputAt,
  only,
  optionalDType,
  optionalInteger,
  optionalIntegers,
  reshaped,
  simpleOperator,
  tupleOf,
} from "./tensor-rule.ts";

/** The whole number of at least `min` that an input holds; unknown where it is not known. */
function sizeOf(input: RuleInput | undefined, min = 0): Dim {
  const [dim = null, ...rest] = (input && knownElements(input)) ?? [];
  if (rest.length > 0 || dim === null) return null;
  if (typeof dim === "number" && (!Number.isSafeInteger(dim) || dim < min)) {
    throw new RuleError(`${dim} is no size of at least ${min}`);
  }
  return dim;
}

function named(inputs: readonly RuleInput[], name: string): RuleInput | undefined {
  return inputs.find((input) => input.name === name);
}

/** Frequencies of a transform of real numbers. */
function halfSpectrum(length: Dim): Dim {
  return addDims(floorDivideDim(length, 2), 1);
}

interface DftAttributes {
  readonly axis: number;
  readonly onesided: boolean;
  readonly inverse: boolean;
}

function readDft(raw: JsonObject): DftAttributes {
  return {
    axis: optionalInteger(raw, "axis") ?? -2,
    onesided: readFlag(raw, "onesided", false),
    inverse: readFlag(raw, "inverse", false),
  };
}

/** Axis from the input, else the attribute; undefined when the input is not known. */
function axisOf(inputs: readonly RuleInput[], stated: number): number | undefined {
  const passed = named(inputs, "axis");
  if (!passed) return stated;
  const [axis] = knownElements(passed) ?? [];
  return typeof axis === "number" && Number.isSafeInteger(axis) ? axis : undefined;
}

/** input (..., n, ..., 1 or 2), length, axis -> its spectrum, real and imaginary parts on the last axis. */
const dft = defineOperator<DftAttributes>({
  name: "GraphDft",
  attributes: readDft,
  infer({ attributes, inputs }) {
    const { onesided, inverse } = attributes;
    return only(
      reshaped(mainInput(inputs), (shape) => {
        requireMinimumRank(shape, 2);
        const axis = axisOf(inputs, attributes.axis);
        const parts = onesided && inverse ? 1 : 2;
        const passed = named(inputs, "length");
        if (axis === undefined) {
          // Along whichever axis, it keeps its length.
          if (!passed && !onesided) return shape.with(-1, parts);
          return [...new Array<Dim>(shape.length - 1).fill(null), parts];
        }
        const at = resolveAxis(axis, shape.length);
        if (at === shape.length - 1) throw new RuleError("the last axis holds the parts of complex numbers");
        const signal = shape[at] ?? null;
        const own = onesided && inverse ? multiplyDims(2, subtractDims(signal, 1)) : signal;
        const length = passed ? sizeOf(passed, 1) : own;
        return shape.with(at, onesided && !inverse ? halfSpectrum(length) : length).with(-1, parts);
      }),
    );
  },
});

/** signal (batch, n) or (batch, n, 1 or 2), step, window, frame length -> (batch, frames, bins, 2). */
const stft = defineOperator<{ onesided: boolean }>({
  name: "GraphStft",
  attributes: (raw) => ({ onesided: readFlag(raw, "onesided", true) }),
  infer({ attributes: { onesided }, inputs }) {
    return only(
      reshaped(mainInput(inputs), (shape) => {
        requireMinimumRank(shape, 2);
        const signal = shape[1] ?? null;
        const step = sizeOf(named(inputs, "frame_step"), 1);
        const length = frameLength(inputs, signal);
        const rest = subtractDims(signal, length);
        if (typeof rest === "number" && rest < 0) throw new RuleError("the frame is longer than the signal");
        // For whatever signal it runs on, the frame fits in.
        const frames = addDims(floorDivideDim(rest, step), 1);
        return [shape[0] ?? null, frames, onesided ? halfSpectrum(length) : length, 2];
      }),
    );
  },
});

function frameLength(inputs: readonly RuleInput[], signal: Dim): Dim {
  const stated = named(inputs, "frame_length");
  if (stated) return sizeOf(stated, 1);
  const window = named(inputs, "window");
  return window ? (window.shape?.[0] ?? null) : signal;
}

/** size -> (size). */
const windowFunction = defineOperator<{ dtype: DType | null }>({
  name: "GraphWindow",
  attributes: (raw) => ({ dtype: optionalDType(raw) }),
  infer: ({ attributes: { dtype }, inputs }) => only({ dtype, shape: [sizeOf(mainInput(inputs))] }),
});

/** bins, transform length, rates -> (length / 2 + 1, bins). */
const melWeights = defineOperator<{ dtype: DType | null }>({
  name: "GraphMelWeights",
  attributes: (raw) => ({ dtype: optionalDType(raw) }),
  infer: ({ attributes: { dtype }, inputs }) =>
    only({
      dtype,
      shape: [halfSpectrum(sizeOf(named(inputs, "dft_length"))), sizeOf(named(inputs, "num_mel_bins"))],
    }),
});

/** Numbers out of nothing: the shape is an attribute. */
const random = defineOperator<{ dtype: DType | null; shape: ReturnType<typeof readShape> }>({
  name: "GraphRandom",
  attributes: (raw) => ({ dtype: optionalDType(raw), shape: readShape(raw, "shape") }),
  infer: ({ attributes: { dtype, shape } }) => only({ dtype, shape }),
});

/** x -> random numbers of its shape, of its own type where no other is given. */
const randomLike = defineOperator<{ dtype: DType | null }>({
  name: "GraphRandomLike",
  attributes: (raw) => ({ dtype: optionalDType(raw) }),
  infer({ attributes: { dtype }, inputs }) {
    const x = mainInput(inputs);
    return only({ dtype: dtype ?? x.dtype, shape: x.shape });
  },
});

/** (batch, classes) -> (batch, samples). */
const multinomial = defineOperator<{ dtype: DType | null; samples: number }>({
  name: "GraphMultinomial",
  attributes: (raw) => ({ dtype: optionalDType(raw), samples: readInteger(raw, "samples", { min: 0 }) }),
  infer({ attributes: { dtype, samples }, inputs }) {
    const { shape } = mainInput(inputs);
    if (shape !== null) requireRank(shape, 2);
    return only({ dtype, shape: [shape?.[0] ?? null, samples] });
  },
});

/** boxes, scores -> (as many as are left, 3): batch, class, box. */
const nonMaxSuppression = simpleOperator("GraphNonMaxSuppression", () => ({
  dtype: "int64",
  shape: [null, 3],
}));

/** Texts -> as many, or fewer when words are dropped from the last axis (of the one row, if there are two axes). */
const normalizeTexts = defineOperator<{ drops: boolean }>({
  name: "GraphNormalizeTexts",
  attributes: (raw) => ({ drops: readFlag(raw, "drops", false) }),
  infer: ({ attributes: { drops }, inputs }) =>
    only(
      reshaped(
        mainInput(inputs),
        (shape) => (drops && shape.length > 0 ? shape.with(-1, null) : shape),
        "string",
      ),
    ),
});

/** Texts -> their parts on a new last axis, and how many they are. */
const splitTexts = defineOperator<null>({
  name: "GraphSplitTexts",
  attributes: () => null,
  infer({ inputs }) {
    const { shape } = mainInput(inputs);
    return tupleOf([
      { dtype: "string", shape: shape && [...shape, null] },
      { dtype: "int64", shape },
    ]);
  },
});

/** x -> truth values of its shape. */
const matchTexts = simpleOperator("GraphMatchTexts", (inputs) => ({
  dtype: "bool",
  shape: mainInput(inputs).shape,
}));

/** (n) or (batch, n) -> a number for each n-gram in place of the last axis. */
const countNgrams = defineOperator<{ size: number | null }>({
  name: "GraphCountNgrams",
  attributes: (raw) => ({ size: readOptionalInteger(raw, "size", { min: 0 }) }),
  infer: ({ attributes: { size }, inputs }) =>
    only(
      reshaped(
        inputAt(inputs, "input", 0),
        (shape) => {
          requireMinimumRank(shape, 1);
          return shape.with(-1, size);
        },
        "float32",
      ),
    ),
});

/** Bytes of an image file -> (height, width, channels). */
const decodeImage = defineOperator<{ channels: number }>({
  name: "GraphDecodeImage",
  attributes: (raw) => ({ channels: readInteger(raw, "channels") }),
  infer: ({ attributes: { channels } }) => only({ dtype: "uint8", shape: [null, null, channels] }),
});

interface FillAttributes {
  readonly shape: readonly number[] | null;
  readonly extra: readonly number[];
  readonly inputIsShape: boolean;
}

/** The shape from an attribute, or from an input's shape or its elements (opset 1). */
const givenFill = defineOperator<FillAttributes>({
  name: "GraphGivenFill",
  attributes: (raw) => ({
    shape: optionalIntegers(raw, "shape"),
    extra: optionalIntegers(raw, "extra") ?? [],
    inputIsShape: readFlag(raw, "inputIsShape", false),
  }),
  infer({ attributes: { shape, extra, inputIsShape }, inputs }) {
    const [input] = inputs;
    const passed = input && (inputIsShape ? knownElements(input) : input.shape);
    const base = input ? (passed ?? null) : shape;
    return only({ dtype: null, shape: base && [...base, ...extra] });
  },
});

export const graphSignalOperators: readonly OperatorDef<unknown>[] = [
  dft,
  stft,
  windowFunction,
  melWeights,
  random,
  randomLike,
  multinomial,
  nonMaxSuppression,
  normalizeTexts,
  splitTexts,
  matchTexts,
  countNgrams,
  decodeImage,
  givenFill,
];
