/** ONNX's Slice (opsets 1 to 28): bounds that are attributes or inputs, on named sizes too. */

import { counted } from "../counted.ts";
import {
  addDims,
  ceilDivideDim,
  type Dim,
  isAtMostDim,
  maxDims,
  minDims,
  sameDim,
  subtractDims,
} from "../ir/dim.ts";
import type { Shape } from "../ir/shape.ts";
import { knownAxes, movedElements, output, statedOrPassed, statedWithPassed } from "./graph-values.ts";
import { type OperatorDef, RuleError, type RuleInput } from "./operator.ts";
import { defineOperator, inputAt, optionalDims, optionalIntegers } from "./tensor-rule.ts";

/** Bounds from here on, and from its negative down, mean the end: exporters write the ends of int32 or int64. */
const farAway = 2 ** 31 - 1;

interface Bounds {
  readonly start: Dim;
  readonly end: Dim;
  readonly step: Dim;
}

/** A position from the front; null when it is not known from which end it counts. */
function fromFront(position: Dim, dim: Dim): Dim {
  if (isAtMostDim(0, position)) return position;
  return isAtMostDim(position, -1) ? addDims(dim, position) : null;
}

function isFar(bound: Dim): boolean {
  return typeof bound === "number" && Math.abs(bound) >= farAway;
}

/** How many places there are from `start` up to `end` in steps of `step` > 0. */
function forwards(dim: Dim, { start, end }: Bounds, step: number): Dim {
  const toEnd = (isFar(end) && typeof end === "number" && end > 0) || sameDim(end, dim);
  if (isFar(end) && !toEnd) return 0;
  // The last `-start` elements, of which there may be fewer.
  if (toEnd && isAtMostDim(start, -1)) {
    return ceilDivideDim(minDims(dim, subtractDims(0, start)), step);
  }
  const first = isAtMostDim(0, start) ? start : maxDims(0, fromFront(start, dim));
  const last = toEnd ? dim : minDims(dim, fromFront(end, dim));
  return maxDims(0, ceilDivideDim(subtractDims(last, first), step));
}

/** How many places there are from `start` down to `end` in steps of `step` < 0. */
function backwards(dim: Dim, { start, end }: Bounds, step: number): Dim {
  const last = addDims(dim, -1);
  const fromEnd = isFar(start) && typeof start === "number" && start > 0;
  const first = fromEnd ? last : maxDims(0, minDims(last, isFar(start) ? 0 : fromFront(start, dim)));
  if (isFar(end) && typeof end === "number" && end > 0) return 0;
  const stop = isFar(end) ? -1 : maxDims(-1, fromFront(end, dim));
  return maxDims(0, ceilDivideDim(subtractDims(first, stop), -step));
}

/** Elements that are left of `dim`. */
export function slicedSize(dim: Dim, bounds: Bounds): Dim {
  const { step } = bounds;
  if (step === 0) throw new RuleError("steps of 0");
  if (dim === 0) return 0;
  if (typeof step !== "number") return null;
  return step > 0 ? forwards(dim, bounds, step) : backwards(dim, bounds, step);
}

/** Place of the first element, where all are numbers. */
function firstPlace(dim: number, { start, step }: Bounds): number | null {
  if (typeof start !== "number" || typeof step !== "number") return null;
  const place = start < 0 ? start + dim : start;
  return Math.max(0, Math.min(place, step > 0 ? dim : dim - 1));
}

interface SliceAttributes {
  readonly starts: readonly Dim[] | null;
  readonly ends: readonly Dim[] | null;
  readonly axes: readonly number[] | null;
}

/** x, starts, ends, axes, steps -> on each of `axes` the elements from start up to end, without it, by step. */
const slice = defineOperator<SliceAttributes>({
  name: "GraphSlice",
  attributes: (raw) => ({
    starts: optionalDims(raw, "starts", Number.MIN_SAFE_INTEGER),
    ends: optionalDims(raw, "ends", Number.MIN_SAFE_INTEGER),
    axes: optionalIntegers(raw, "axes"),
  }),
  infer({ attributes, inputs }) {
    const data = inputAt(inputs, "data", 0);
    const passed = (name: string) => inputs.find((input) => input.name === name);
    const starts = statedWithPassed(attributes.starts, inputs, "starts", inputs.length) ?? null;
    const ends = statedWithPassed(attributes.ends, inputs, "ends", inputs.length) ?? null;
    const axes = statedOrPassed(attributes.axes, passed("axes"));
    const steps = statedOrPassed(null, passed("steps"));
    if (data.shape === null) return output(data.dtype, null);
    const places =
      axes === undefined ? starts && [...starts.keys()] : axes && knownAxes(axes, data.shape.length);
    const count = starts?.length ?? ends?.length ?? places?.length;
    if (places === null || count === undefined) {
      return output(
        data.dtype,
        data.shape.map(() => null),
      );
    }
    for (const list of [starts, ends, places, steps]) {
      if (list && list.length !== count)
        throw new RuleError(`${counted(list.length, "bound")} for ${counted(count, "axis", "axes")}`);
    }
    if (knownAxes(places, data.shape.length) === null) throw new RuleError("more bounds than axes");
    const bounds = data.shape.map((_, axis): Bounds | null => {
      const i = places.indexOf(axis);
      if (i < 0) return null;
      const step = steps === undefined ? 1 : (steps?.[i] ?? null);
      return { start: starts?.[i] ?? null, end: ends?.[i] ?? null, step };
    });
    const shape = data.shape.map((dim, axis) => {
      const range = bounds[axis];
      return range ? slicedSize(dim, range) : dim;
    });
    return output(data.dtype, shape, slicedElements(data, shape, bounds));
  },
});

function slicedElements(
  data: RuleInput,
  shape: Shape,
  bounds: readonly (Bounds | null)[],
): readonly Dim[] | undefined {
  return movedElements(data, shape, (index, from) => {
    const place = index.map((at, axis) => {
      const range = bounds[axis];
      if (!range) return at;
      const first = firstPlace(from[axis] ?? 0, range);
      return first === null || typeof range.step !== "number" ? -1 : first + at * range.step;
    });
    return place.includes(-1) ? null : place;
  });
}

export const graphSliceOperators: readonly OperatorDef<unknown>[] = [slice];
