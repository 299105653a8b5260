/**
 * Operations that give the same elements another shape or order (Keras 3.15 ops/numpy.py, ops/operation_utils.py;
 * TensorFlow's shape functions where its functions differ).
 */

import { counted } from "../counted.ts";
import { addDims, type Dim, maxDims, multiplyDims, sumOfDims } from "../ir/dim.ts";
import type { JsonObject } from "../ir/graph.ts";
import { elementsOf, formatShape } from "../ir/shape.ts";
import { dimAt, mainInput, requireMinimumRank, resolveAxis } from "./arguments.ts";
import { readOptionalInteger } from "./attributes.ts";
import { broadcastShapes } from "./broadcast.ts";
import { type OperatorDef, RuleError } from "./operator.ts";
import { readStated, resultType, type Stated } from "./result-type.ts";
import {
  defineOperator,
  only,
  optionalDims,
  optionalInteger,
  optionalIntegers,
  reshaped,
  simpleOperator,
  tupleOf,
  withDim,
} from "./tensor-rule.ts";
import { argumentValues } from "./tensor-values.ts";

/**
 * `target` with its -1 worked out from `shape`. An unknown dimension anywhere leaves it unknown, as in Keras; only
 * where the unknown dimensions on both sides are one and the same (`strict` false: TensorFlow) nothing more is known
 * either.
 */
export function reshapeTo(shape: readonly Dim[], target: readonly Dim[]): readonly Dim[] {
  const wildcards = target.filter((dim) => dim === -1).length;
  if (wildcards > 1) throw new RuleError(`more than one -1 in the target shape ${formatShape(target)}`);
  if (target.some((dim) => typeof dim === "number" && dim < -1))
    throw new RuleError("negative dimension in the target shape");
  if (shape.includes(null) || target.includes(null)) return target.map((dim) => (dim === -1 ? null : dim));
  const total = elementsOf(shape);
  const known = elementsOf(target.filter((dim) => dim !== -1));
  if (typeof total !== "number" || typeof known !== "number")
    return target.map((dim) => (dim === -1 ? null : dim));
  const fits = wildcards === 0 ? total === known : known !== 0 && total % known === 0;
  if (!fits) throw new RuleError(`shape ${formatShape(shape)} does not fit into ${formatShape(target)}`);
  return target.map((dim) => (dim === -1 ? total / known : dim));
}

/** x -> x as `shape`, in which one dimension may be -1. Without a shape nothing is known. */
const reshape = defineOperator<{ shape: readonly Dim[] | null }>({
  name: "TensorReshape",
  attributes: (raw) => ({ shape: optionalDims(raw, "shape", -1) }),
  infer({ attributes, inputs }) {
    const x = mainInput(inputs);
    const target = argumentValues(attributes.shape, inputs, "shape");
    if (target === null) return only({ dtype: x.dtype, shape: null });
    const shape =
      x.shape === null ? target.map((dim) => (dim === -1 ? null : dim)) : reshapeTo(x.shape, target);
    return only({ dtype: x.dtype, shape });
  },
});

/** x -> its axes in the order `axes`; reversed without it. */
const transpose = defineOperator<{ axes: readonly number[] | null }>({
  name: "Transpose",
  attributes: (raw) => ({ axes: optionalIntegers(raw, "axes") }),
  infer({ attributes: { axes }, inputs }) {
    return only(
      reshaped(mainInput(inputs), (shape) => {
        if (axes === null) return shape.toReversed();
        const order = axes.map((axis) => resolveAxis(axis, shape.length));
        if (order.length !== shape.length || new Set(order).size !== shape.length) {
          throw new RuleError(
            `axes (${axes.join(", ")}) are no permutation of the axes of ${formatShape(shape)}`,
          );
        }
        return order.map((axis) => dimAt(shape, axis));
      }),
    );
  },
});

/** x -> x with two axes exchanged. Rot90 with an odd number of turns does the same to the shape. */
const swapAxes = defineOperator<{ axes: readonly number[] }>({
  name: "SwapAxes",
  attributes(raw) {
    const axes = optionalIntegers(raw, "axes");
    return { axes: axes ?? [optionalInteger(raw, "axis1") ?? 0, optionalInteger(raw, "axis2") ?? 1] };
  },
  infer({ attributes: { axes }, inputs }) {
    return only(
      reshaped(mainInput(inputs), (shape) => {
        const [a, b] = [axes[0] ?? 0, axes[1] ?? 1];
        return withDim(withDim(shape, a, dimAt(shape, b)), b, dimAt(shape, a));
      }),
    );
  },
});

/** x -> the axes `source` moved to the places `destination`, the others kept in order. */
const moveAxes = defineOperator<{ source: readonly number[]; destination: readonly number[] }>({
  name: "MoveAxes",
  attributes: (raw) => ({
    source: optionalIntegers(raw, "source") ?? [],
    destination: optionalIntegers(raw, "destination") ?? [],
  }),
  infer({ attributes, inputs }) {
    return only(
      reshaped(mainInput(inputs), (shape) => {
        const from = attributes.source.map((axis) => resolveAxis(axis, shape.length));
        const to = attributes.destination.map((axis) => resolveAxis(axis, shape.length));
        if (from.length !== to.length) throw new RuleError("source and destination differ in length");
        const rest = [...shape.keys()].filter((axis) => !from.includes(axis));
        const moved = new Map(to.map((place, i) => [place, from[i] as number]));
        return [...shape.keys()].map((place) => dimAt(shape, moved.get(place) ?? (rest.shift() as number)));
      }),
    );
  },
});

/** x -> x with axes of size 1 at the places `axes` of the result. */
const expandDims = defineOperator<{ axes: readonly number[] }>({
  name: "ExpandDims",
  attributes: (raw) => ({ axes: optionalIntegers(raw, "axis") ?? [-1] }),
  infer({ attributes, inputs }) {
    return only(
      reshaped(mainInput(inputs), (shape) => {
        const rank = shape.length + attributes.axes.length;
        const places = new Set(attributes.axes.map((axis) => resolveAxis(axis, rank)));
        const rest = [...shape];
        return Array.from({ length: rank }, (_, i) => (places.has(i) ? 1 : (rest.shift() ?? null)));
      }),
    );
  },
});

/** x -> x without `axes` of size 1 (or all such axes; when sizes are unknown, then what stays is unknown too). */
const squeeze = defineOperator<{ axes: readonly number[] | null; keepUnknown: boolean }>({
  name: "Squeeze",
  attributes(raw) {
    const axes = optionalIntegers(raw, "axis");
    return { axes: axes?.length === 0 ? null : axes, keepUnknown: raw.keepUnknown === true };
  },
  infer({ attributes: { axes, keepUnknown }, inputs }) {
    return only(
      reshaped(mainInput(inputs), (shape) => {
        if (axes === null) {
          if (!keepUnknown && shape.includes(null)) return null;
          return shape.filter((dim) => dim !== 1);
        }
        const removed = new Set(axes.map((axis) => resolveAxis(axis, shape.length)));
        for (const axis of removed) {
          const dim = dimAt(shape, axis);
          if (dim !== 1 && dim !== null)
            throw new RuleError(`axis ${axis} of ${formatShape(shape)} is not 1`);
        }
        return shape.filter((_, i) => !removed.has(i));
      }),
    );
  },
});

/** x -> all its elements in one axis. */
const ravel = simpleOperator("Ravel", (inputs) =>
  reshaped(mainInput(inputs), (shape) => [elementsOf(shape)]),
);

/** x -> x stretched to `shape`. */
const broadcastTo = defineOperator<{ shape: readonly Dim[] | null }>({
  name: "BroadcastTo",
  attributes: (raw) => ({ shape: optionalDims(raw, "shape", -1) }),
  infer({ attributes, inputs }) {
    const x = mainInput(inputs);
    const shape = argumentValues(attributes.shape, inputs, "shape");
    if (shape !== null) broadcastShapes(x.shape, shape);
    return only({ dtype: x.dtype, shape });
  },
});

function padPairs(raw: JsonObject): readonly (readonly [number, number])[] | null {
  const width = raw.padWidth;
  if (typeof width === "number") return [[width, width]];
  if (!Array.isArray(width)) return null;
  if (width.every((item) => typeof item === "number")) {
    const [before, after] = optionalIntegers(raw, "padWidth") ?? [];
    return before === undefined ? [] : [[before, after ?? before]];
  }
  return width.map((_, i): [number, number] => {
    const [before, after] = optionalIntegers({ pair: width[i] ?? null }, "pair") ?? [0];
    return [before ?? 0, after ?? before ?? 0];
  });
}

/** x -> each axis longer by `padWidth` before and after it; one pair serves all axes. */
const pad = defineOperator<{ width: readonly (readonly [number, number])[] | null }>({
  name: "TensorPad",
  attributes: (raw) => ({ width: padPairs(raw) }),
  infer({ attributes: { width }, inputs }) {
    return only(
      reshaped(mainInput(inputs), (shape) => {
        if (width === null) return shape.map(() => null);
        if (width.length !== 1 && width.length !== shape.length) {
          throw new RuleError(`${counted(width.length, "pair")} of padding for shape ${formatShape(shape)}`);
        }
        return shape.map((dim, i) => {
          const padded = addDims(dim, ...(width[width.length === 1 ? 0 : i] ?? [0]));
          if (typeof padded === "number" && padded < 0)
            throw new RuleError(`padding leaves ${counted(padded, "element")}`);
          return padded;
        });
      }),
    );
  },
});

/** x -> x repeated `repeats` times along each axis, aligned at the end. */
const tile = defineOperator<{ repeats: readonly Dim[] | null }>({
  name: "Tile",
  attributes: (raw) => ({ repeats: optionalDims(raw, "repeats", 0) }),
  infer({ attributes, inputs }) {
    const repeats = argumentValues(attributes.repeats, inputs, "multiples");
    return only(
      reshaped(mainInput(inputs), (shape) => {
        if (repeats === null) return shape.map(() => null);
        const rank = Math.max(shape.length, repeats.length);
        const aligned = (dims: readonly Dim[], i: number): Dim => {
          const dim = dims[dims.length - rank + i];
          return dim === undefined ? 1 : dim;
        };
        return Array.from({ length: rank }, (_, i) => multiplyDims(aligned(shape, i), aligned(repeats, i)));
      }),
    );
  },
});

interface RepeatAttributes {
  readonly repeats: readonly Dim[] | null;
  readonly axis: number | null;
  /** Elements along the axis afterwards, where it is said outright. */
  readonly total: Dim;
}

/** x -> each element repeated along `axis` (flattened without it); one number of repeats, or one for each element. */
const repeat = defineOperator<RepeatAttributes>({
  name: "Repeat",
  attributes: (raw) => ({
    repeats: optionalDims(raw, "repeats", 0),
    axis: optionalInteger(raw, "axis"),
    total: readOptionalInteger(raw, "total", { min: 0 }),
  }),
  infer({ attributes: { repeats, axis, total }, inputs }) {
    const times = (size: Dim): Dim => {
      if (total !== null) return total;
      if (repeats === null || size === null) return null;
      if (repeats.length === 1) return multiplyDims(size, repeats[0] ?? null);
      if (repeats.length !== size)
        throw new RuleError(`${counted(repeats.length, "repeat")} for ${size} elements`);
      return sumOfDims(repeats);
    };
    return only(
      reshaped(mainInput(inputs), (shape) =>
        axis === null ? [times(elementsOf(shape))] : withDim(shape, axis, times(dimAt(shape, axis))),
      ),
    );
  },
});

/** x, what is put before and behind it -> `n` times the differences of neighbours along `axis`. */
const difference = defineOperator<{ n: number; axis: number }>({
  name: "Difference",
  attributes: (raw) => ({ n: optionalInteger(raw, "n") ?? 1, axis: optionalInteger(raw, "axis") ?? -1 }),
  infer({ attributes: { n, axis }, inputs }) {
    const around = ["prepend", "append"].flatMap((name) => inputs.find((input) => input.name === name) ?? []);
    return only(
      reshaped(mainInput(inputs), (shape) => {
        const place = resolveAxis(axis, shape.length);
        const lengths = around.map((input) => input.shape?.[place] ?? null);
        return withDim(shape, place, maxDims(addDims(dimAt(shape, place), ...lengths, -n), 0));
      }),
    );
  },
});

/** x (..., n, m) -> (..., m, n). */
const matrixTranspose = simpleOperator("MatrixTranspose", (inputs) =>
  reshaped(mainInput(inputs), (shape) => {
    requireMinimumRank(shape, 2);
    return [...shape.slice(0, -2), dimAt(shape, -1), dimAt(shape, -2)];
  }),
);

/** x (batch, ragged, ...) -> its rows one after the other (n, ...). */
const raggedValues = simpleOperator("RaggedValues", (inputs) =>
  reshaped(mainInput(inputs), (shape) => [null, ...shape.slice(2)]),
);

/** x -> x, after a check of its rank: another order of the elements, or a part of them set to 0. */
function sameShape(name: string, minRank = 0): OperatorDef<unknown> {
  return simpleOperator(name, (inputs) => {
    const x = mainInput(inputs);
    if (x.shape !== null) requireMinimumRank(x.shape, minRank);
    return x;
  });
}

interface AlongAxis extends Stated {
  readonly axis: number | null;
  /** Where in the axis each element was comes out behind them. */
  readonly indices: boolean;
}

/** x -> x; without an axis over the flattened x. */
function alongAxis(name: string, dtype?: "int32"): OperatorDef<unknown> {
  return defineOperator<AlongAxis>({
    name,
    attributes: (raw) => ({
      axis: optionalInteger(raw, "axis"),
      indices: raw.indices === true,
      ...readStated(raw),
    }),
    infer({ attributes, inputs }) {
      const { axis, indices, result } = attributes;
      const x = mainInput(inputs);
      const type = reshaped(x, (shape) => {
        if (axis === null) return [elementsOf(shape)];
        resolveAxis(axis, shape.length);
        return shape;
      });
      const own = dtype ?? (x.dtype === "bool" && !indices ? "int32" : x.dtype);
      const output = { ...type, dtype: attributes.dtype ?? (result ? resultType(result, x.dtype) : own) };
      return indices ? tupleOf([output, { ...type, dtype: "int64" }]) : only(output);
    },
  });
}

export const tensorShapeOperators: readonly OperatorDef<unknown>[] = [
  reshape,
  transpose,
  swapAxes,
  moveAxes,
  expandDims,
  squeeze,
  ravel,
  broadcastTo,
  pad,
  tile,
  repeat,
  difference,
  matrixTranspose,
  raggedValues,
  sameShape("Flip"),
  sameShape("FlipLeftRight", 2),
  sameShape("FlipUpDown", 1),
  sameShape("Roll"),
  sameShape("LowerTriangle"),
  sameShape("UpperTriangle"),
  alongAxis("CumulativeSum"),
  alongAxis("CumulativeProduct"),
  alongAxis("CumulativeLogSumExp"),
  alongAxis("CumulativeMaximum"),
  alongAxis("CumulativeMinimum"),
  alongAxis("Sort"),
  alongAxis("ArgSort", "int32"),
];
