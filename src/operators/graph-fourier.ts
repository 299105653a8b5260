/** Fourier transforms whose results are complex tensors (torch 2.14, ATen). */

import { counted } from "../counted.ts";
import { addDims, type Dim, floorDivideDim, multiplyDims, subtractDims } from "../ir/dim.ts";
import type { DType } from "../ir/dtype.ts";
import { requireMinimumRank, resolveAxis } from "./arguments.ts";
import { readChoice, readFlag, readInteger, readOptionalInteger } from "./attributes.ts";
import { broadcastShapes } from "./broadcast.ts";
import { statedWithPassed } from "./graph-values.ts";
import { type OperatorDef, RuleError } from "./operator.ts";
import { complexOf, realOf } from "./promotion.ts";
import {
  defineOperator,
  inputAt,
  only,
  optionalDims,
  optionalIntegers,
  reshaped,
  simpleOperator,
} from "./tensor-rule.ts";

interface FourierAttributes {
  /** All where null; the last ones where there are lengths. */
  readonly axes: readonly number[] | null;
  readonly lengths: readonly Dim[] | null;
  /** Along the last of the axes there is only a half: of the result ("made"), of what is given ("given"). */
  readonly half: "none" | "made" | "given";
  readonly result: "complex" | "real";
  /** The lengths are those of the last axis alone. */
  readonly lastOnly: boolean;
}

function transformed(
  shape: readonly Dim[],
  { axes: stated, half, lastOnly }: FourierAttributes,
  lengths: readonly Dim[] | null,
): readonly Dim[] {
  const rank = shape.length;
  const count = lengths !== null && !lastOnly ? lengths.length : rank;
  if (count > rank) throw new RuleError(`${counted(count, "length")} for ${rank} axes`);
  const axes = stated ?? Array.from({ length: count }, (_, i) => rank - count + i);
  const places = axes.map((axis) => resolveAxis(axis, rank));
  const result = [...shape];
  for (const [i, place] of places.entries()) {
    const isLast = i === places.length - 1;
    const length = lastOnly ? (isLast ? lengths?.[0] : undefined) : lengths?.[i];
    const own = shape[place] ?? null;
    const whole = half === "given" && isLast ? multiplyDims(2, subtractDims(own, 1)) : own;
    const size = length === undefined || length === -1 ? whole : length;
    result[place] = half === "made" && isLast ? addDims(floorDivideDim(size, 2), 1) : size;
  }
  return result;
}

/** x -> its spectrum along `axes`, or back. */
const fourier = defineOperator<FourierAttributes>({
  name: "FourierTransform",
  attributes: (raw) => ({
    axes: optionalIntegers(raw, "axes"),
    lengths: optionalDims(raw, "lengths", -1),
    half: readChoice(raw, "half", ["none", "made", "given"], "none"),
    result: readChoice(raw, "result", ["complex", "real"], "complex"),
    lastOnly: readFlag(raw, "lastOnly", false),
  }),
  infer({ attributes, inputs }) {
    const x = inputAt(inputs, "input", 0);
    const lengths =
      attributes.lengths && (statedWithPassed(attributes.lengths, inputs, "lengths", 1) ?? null);
    const dtype = attributes.result === "complex" ? complexOf(x.dtype) : realOf(x.dtype);
    return only(reshaped(x, (shape) => transformed(shape, attributes, lengths), dtype));
  },
});

interface ShortTimeAttributes {
  readonly size: number;
  readonly step: number;
  readonly onesided: boolean;
  readonly complex: boolean;
}

/** x (..., n) -> (..., bins, frames) complex, or real with the two parts in a last axis. */
const shortTime = defineOperator<ShortTimeAttributes>({
  name: "ShortTimeFourier",
  attributes: (raw) => ({
    size: readInteger(raw, "size"),
    step: readInteger(raw, "step"),
    onesided: readFlag(raw, "onesided", true),
    complex: readFlag(raw, "complex", true),
  }),
  infer({ attributes: { size, step, onesided, complex }, inputs }) {
    const x = inputAt(inputs, "input", 0);
    const dtype: DType | null = complex ? complexOf(x.dtype) : x.dtype;
    return only(
      reshaped(
        x,
        (shape) => {
          requireMinimumRank(shape, 1);
          const frames = addDims(floorDivideDim(addDims(shape.at(-1) ?? null, -size), step), 1);
          const bins = onesided ? Math.floor(size / 2) + 1 : size;
          return [...shape.slice(0, -1), bins, frames, ...(complex ? [] : [2])];
        },
        dtype,
      ),
    );
  },
});

interface InverseAttributes {
  readonly size: number;
  readonly step: number;
  readonly center: boolean;
  readonly length: number | null;
}

/** x (..., bins, frames), complex -> the signal. */
const inverseShortTime = defineOperator<InverseAttributes>({
  name: "InverseShortTimeFourier",
  attributes: (raw) => ({
    size: readInteger(raw, "size"),
    step: readInteger(raw, "step"),
    center: readFlag(raw, "center", true),
    length: readOptionalInteger(raw, "length", { min: 0 }),
  }),
  infer({ attributes: { size, step, center, length }, inputs }) {
    const x = inputAt(inputs, "input", 0);
    return only(
      reshaped(
        x,
        (shape) => {
          requireMinimumRank(shape, 2);
          const reach = addDims(multiplyDims(step, addDims(shape.at(-1) ?? null, -1)), size);
          const cut = center ? 2 * Math.floor(size / 2) : 0;
          return [...shape.slice(0, -2), length ?? addDims(reach, -cut)];
        },
        realOf(x.dtype),
      ),
    );
  },
});

/** Real and imaginary part, or length and angle -> complex numbers. */
const complexNumbers = simpleOperator("ComplexNumbers", (inputs) => {
  const real = inputAt(inputs, "real", 0);
  return {
    dtype: complexOf(real.dtype),
    shape: broadcastShapes(real.shape, inputAt(inputs, "imaginary", 1).shape),
  };
});

export const graphFourierOperators: readonly OperatorDef<unknown>[] = [
  fourier,
  shortTime,
  inverseShortTime,
  complexNumbers,
];
