/** Operations that pick, place and look up elements (Keras 3.15 ops/numpy.py, ops/core.py, ops/math.py, ops/nn.py). */

import { counted } from "../counted.ts";
import { type Dim, mapDims } from "../ir/dim.ts";
import type { DType } from "../ir/dtype.ts";
import type { Json, JsonObject } from "../ir/graph.ts";
import { elementsOf, formatShape, type Shape } from "../ir/shape.ts";
import type { TensorType } from "../ir/tensor.ts";
import { dimAt, mainInput, requireMinimumRank, requireRank, resolveAxis } from "./arguments.ts";
import { readFlag, readInteger, readOptionalInteger, readText } from "./attributes.ts";
import { broadcastShapes } from "./broadcast.ts";
import { type OperatorDef, RuleError } from "./operator.ts";
import {
  defineOperator,
  inputAt,
  only,
  optionalDims,
  optionalDType,
  optionalInput,
  optionalInteger,
  reshaped,
  simpleOperator,
  tupleOf,
  withDim,
} from "./tensor-rule.ts";
import { argumentValues, listValue, type Value, valued } from "./tensor-values.ts";

/** One entry of a subscript; a bound `undefined` is known only when the model runs. */
type Subscript =
  | { readonly kind: "index"; readonly index: number | undefined }
  | { readonly kind: "slice"; readonly bounds: readonly (number | null | undefined)[] }
  | { readonly kind: "new-axis" }
  | { readonly kind: "ellipsis" };

/** Raw: a number, null (a new axis), "..." , `{start, stop, step}`, "?" (an index not known here). */
function readSubscript(item: Json): Subscript {
  if (item === null) return { kind: "new-axis" };
  if (item === "...") return { kind: "ellipsis" };
  if (typeof item === "number") return { kind: "index", index: item };
  if (typeof item === "object" && !Array.isArray(item)) {
    const { start = null, stop = null, step = null } = item as JsonObject;
    const bounds = [start, stop, step].map((bound) =>
      bound === null || (typeof bound === "number" && Number.isSafeInteger(bound)) ? bound : undefined,
    );
    return { kind: "slice", bounds };
  }
  return { kind: "index", index: undefined };
}

/** Number of elements of Python's `range(*slice(start, stop, step).indices(size))`. */
export function sliceLength(size: Dim, bounds: readonly (number | null | undefined)[]): Dim {
  const [start = undefined, stop = undefined, step = undefined] = bounds;
  if (start === null && stop === null && (step === null || step === 1)) return size;
  if (typeof size !== "number" || start === undefined || stop === undefined || step === undefined)
    return null;
  const by = step ?? 1;
  if (by === 0) throw new RuleError("a slice has step 0");
  const [low, high] = by < 0 ? [-1, size - 1] : [0, size];
  const clamp = (bound: number): number => Math.max(low, Math.min(high, bound < 0 ? bound + size : bound));
  const from = start === null ? (by < 0 ? high : low) : clamp(start);
  const to = stop === null ? (by < 0 ? low : high) : clamp(stop);
  return Math.max(0, Math.ceil((to - from) / by));
}

function subscripted(shape: readonly Dim[], key: readonly Subscript[]): readonly Dim[] {
  const consuming = key.filter((item) => item.kind === "index" || item.kind === "slice").length;
  const ellipses = key.filter((item) => item.kind === "ellipsis").length;
  if (ellipses > 1) throw new RuleError("a subscript has more than one ellipsis");
  if (consuming > shape.length) {
    throw new RuleError(`${counted(consuming, "subscript")} for shape ${formatShape(shape)}`);
  }
  const result: Dim[] = [];
  let axis = 0;
  for (const item of ellipses === 0 ? [...key, { kind: "ellipsis" } as const] : key) {
    if (item.kind === "new-axis") result.push(1);
    else if (item.kind === "ellipsis") {
      const covered = shape.length - consuming;
      result.push(...shape.slice(axis, axis + covered));
      axis += covered;
    } else {
      const size = shape[axis++] ?? null;
      if (item.kind === "slice") result.push(sliceLength(size, item.bounds));
      else if (
        item.index !== undefined &&
        typeof size === "number" &&
        (item.index >= size || item.index < -size)
      ) {
        throw new RuleError(`index ${item.index} is out of range for ${counted(size, "element")}`);
      }
    }
  }
  return result;
}

/** x[key] of a list whose numbers are known. */
function pickValue(values: readonly Dim[] | undefined, key: readonly Subscript[]): Value | undefined {
  const [only, ...more] = key;
  if (!values || !only || more.length > 0) return undefined;
  if (only.kind === "index") return only.index === undefined ? undefined : values.at(only.index);
  if (only.kind !== "slice") return undefined;
  const length = sliceLength(values.length, only.bounds);
  const [start = null, , step = null] = only.bounds;
  if (typeof length !== "number" || (step ?? 1) < 0) return undefined;
  const from = start === null ? 0 : start < 0 ? Math.max(0, start + values.length) : start;
  return Array.from({ length }, (_, i) => values[from + i * (step ?? 1)] ?? null);
}

/** x -> x[key]. A key that is one tensor of truth values picks an unknown number of elements. */
const getItem = defineOperator<{ key: readonly Subscript[] }>({
  name: "GetItem",
  attributes: ({ key }) => ({ key: (Array.isArray(key) ? key : [key ?? null]).map(readSubscript) }),
  infer({ attributes: { key }, inputs }) {
    const x = mainInput(inputs);
    const mask = inputs.find((input) => input.name === "key");
    if (mask?.dtype === "bool" && key.length === 1) {
      return only(
        reshaped(x, (shape) => (mask.shape === null ? null : [null, ...shape.slice(mask.shape.length)])),
      );
    }
    const type = reshaped(x, (shape) => subscripted(shape, key));
    return valued(type, pickValue(listValue(x), key));
  },
});

/** x -> `size` elements along each axis from `begin` on; size -1 means up to the end. */
const slice = defineOperator<{ begin: readonly Dim[] | null; size: readonly Dim[] }>({
  name: "Slice",
  attributes: (raw) => ({
    begin: optionalDims(raw, "begin", Number.MIN_SAFE_INTEGER),
    size: optionalDims(raw, "size", -1) ?? [],
  }),
  infer: ({ attributes: { begin, size }, inputs }) =>
    only(
      reshaped(mainInput(inputs), (shape) => {
        requireRank(shape, size.length);
        return size.map((dim, axis) => {
          if (dim !== -1) return dim;
          return mapDims((total, from) => total - from, shape[axis] ?? null, begin?.[axis] ?? null);
        });
      }),
    ),
});

/** x, indices -> the axis `axis` of x replaced by the axes of the indices; without an axis just these. */
const take = defineOperator<{ axis: number | null; batchDims: number }>({
  name: "Take",
  attributes: (raw) => ({
    axis: optionalInteger(raw, "axis"),
    batchDims: optionalInteger(raw, "batchDims") ?? 0,
  }),
  infer({ attributes: { axis, batchDims }, inputs }) {
    const x = inputAt(inputs, "x", 0);
    const indices = inputAt(inputs, "indices", 1).shape;
    if (axis === null) return only({ dtype: x.dtype, shape: indices });
    return only(
      reshaped(x, (shape) => {
        if (indices === null) return null;
        const place = resolveAxis(axis, shape.length);
        const shared = batchDims < 0 ? batchDims + indices.length : batchDims;
        return [...shape.slice(0, place), ...indices.slice(shared), ...shape.slice(place + 1)];
      }),
    );
  },
});

/** x, indices (as many axes as x) -> the indices' size on `axis`, broadcast elsewhere. */
const takeAlongAxis = defineOperator<{ axis: number | null }>({
  name: "TakeAlongAxis",
  attributes: (raw) => ({ axis: optionalInteger(raw, "axis") }),
  infer({ attributes: { axis }, inputs }) {
    const x = inputAt(inputs, "x", 0);
    const indices = inputAt(inputs, "indices", 1).shape;
    return only(
      reshaped(x, (shape) => {
        if (indices === null) return null;
        const from = axis === null ? [elementsOf(shape)] : shape;
        requireRank(indices, from.length);
        const place = resolveAxis(axis ?? 0, from.length);
        return broadcastShapes(withDim(from, place, indices[place] ?? null), indices);
      }),
    );
  },
});

/** params, indices (..., k) -> the indices without their last axis, then params without its first `batchDims` + k. */
const gatherNd = defineOperator<{ batchDims: number }>({
  name: "GatherNd",
  attributes: (raw) => ({ batchDims: optionalInteger(raw, "batchDims") ?? 0 }),
  infer({ attributes: { batchDims }, inputs }) {
    const x = inputAt(inputs, "x", 0);
    const indices = inputAt(inputs, "indices", 1).shape;
    return only(
      reshaped(x, (shape) => {
        const depth = indices?.at(-1) ?? null;
        if (indices === null || typeof depth !== "number") return null;
        return [...indices.slice(0, -1), ...shape.slice(batchDims + depth)];
      }),
    );
  },
});

/** x, mask -> the elements where the mask holds: their number is unknown. */
const booleanMask = defineOperator<{ axis: number }>({
  name: "BooleanMask",
  attributes: (raw) => ({ axis: optionalInteger(raw, "axis") ?? 0 }),
  infer({ attributes: { axis }, inputs }) {
    const mask = inputAt(inputs, "mask", 1).shape;
    return only(
      reshaped(inputAt(inputs, "x", 0), (shape) =>
        mask === null ? null : [...shape.slice(0, axis), null, ...shape.slice(axis + mask.length)],
      ),
    );
  },
});

/** Position of the new axis; -1 is the end. */
function insertAt(shape: readonly Dim[], axis: number, dim: Dim): readonly Dim[] {
  return shape.toSpliced(resolveAxis(axis, shape.length + 1), 0, dim);
}

/** x (indices) -> a new axis of `numClasses` at `axis`. */
const oneHot = defineOperator<{ classes: Dim; axis: number; dtype: DType | null }>({
  name: "OneHot",
  attributes: (raw) => ({
    classes: readOptionalInteger(raw, "numClasses", { min: 0 }),
    axis: optionalInteger(raw, "axis") ?? -1,
    dtype: optionalDType(raw) ?? "float32",
  }),
  infer: ({ attributes: { classes, axis, dtype }, inputs }) =>
    only(reshaped(mainInput(inputs), (shape) => insertAt(shape, axis, classes), dtype)),
});

/** x (indices) -> an axis of `numClasses` in the place of the one the indices stand in (Keras 3.15 nn.MultiHot). */
const multiHot = defineOperator<{ classes: Dim; axis: number }>({
  name: "MultiHot",
  attributes: (raw) => ({
    classes: readOptionalInteger(raw, "numClasses", { min: 0 }),
    axis: optionalInteger(raw, "axis") ?? -1,
  }),
  infer: ({ attributes: { classes, axis }, inputs }) =>
    only(
      reshaped(mainInput(inputs), (shape) => {
        const full = insertAt(shape, axis, classes);
        return full.length === 2 ? full.slice(1) : [...full.slice(0, 1), ...full.slice(2)];
      }),
    ),
});

/** x -> the `k` largest of the last axis, and their indices. */
const topK = defineOperator<{ k: Dim }>({
  name: "TopK",
  attributes: (raw) => ({ k: readOptionalInteger(raw, "k", { min: 0 }) }),
  infer({ attributes: { k }, inputs }) {
    const values = reshaped(mainInput(inputs), (shape) => {
      requireMinimumRank(shape, 1);
      return withDim(shape, -1, k);
    });
    return tupleOf([values, { ...values, dtype: "int32" }]);
  },
});

/** x -> for each axis the places that are not zero: their number is unknown. */
const nonzero = defineOperator<null>({
  name: "Nonzero",
  attributes: () => null,
  infer: ({ inputs }) =>
    tupleOf((mainInput(inputs).shape ?? [null]).map(() => ({ dtype: "int32", shape: [null] }))),
});

interface UniqueAttributes {
  readonly axis: number | null;
  readonly size: Dim;
  readonly parts: readonly ("returnIndex" | "returnInverse" | "returnCounts")[];
}

/** x -> its different elements (slices along `axis`), and what else is asked for. */
const unique = defineOperator<UniqueAttributes>({
  name: "Unique",
  attributes: (raw) => ({
    axis: optionalInteger(raw, "axis"),
    size: readOptionalInteger(raw, "size", { min: 0 }),
    parts: (["returnIndex", "returnInverse", "returnCounts"] as const).filter((part) =>
      readFlag(raw, part, false),
    ),
  }),
  infer({ attributes: { axis, size, parts }, inputs }) {
    const x = mainInput(inputs);
    const values =
      axis === null ? { dtype: x.dtype, shape: [size] } : reshaped(x, (s) => withDim(s, axis, size));
    if (parts.length === 0) return only(values);
    const inverse: Shape = axis === null || x.shape === null ? x.shape : [dimAt(x.shape, axis)];
    const extra = parts.map(
      (part): TensorType => ({ dtype: "int32", shape: part === "returnInverse" ? inverse : [size] }),
    );
    return tupleOf([values, ...extra]);
  },
});

/** x (..., n) -> counts of whole numbers, of which there are as many as the largest: unknown. */
const binCount = simpleOperator("BinCount", (inputs) =>
  reshaped(mainInput(inputs), (shape) => [...shape.slice(0, -1), null], "int32"),
);

/** x -> counts in `bins` and the edges between them. */
const histogram = defineOperator<{ bins: number }>({
  name: "Histogram",
  attributes: (raw) => ({ bins: readInteger(raw, "bins", { min: 0, fallback: 10 }) }),
  infer({ attributes: { bins }, inputs }) {
    const { dtype } = mainInput(inputs);
    return tupleOf([
      { dtype, shape: [bins] },
      { dtype, shape: [bins + 1] },
    ]);
  },
});

/** sorted sequence, values -> for each value a place. */
const searchSorted = simpleOperator("SearchSorted", (inputs) => ({
  dtype: "int32",
  shape: inputAt(inputs, "values", 1).shape,
}));

/** x -> for each element its bin. */
const digitize = simpleOperator("Digitize", (inputs) => ({ dtype: "int32", shape: mainInput(inputs).shape }));

/** targets, predictions -> for each target whether it is among the best. */
const inTopK = simpleOperator("InTopK", (inputs) => ({ dtype: "bool", shape: mainInput(inputs).shape }));

/** indices, values -> a tensor of `shape`. */
const scatter = defineOperator<{ shape: Shape }>({
  name: "Scatter",
  attributes: (raw) => ({ shape: optionalDims(raw, "shape", 0) }),
  infer: ({ attributes, inputs }) => {
    const values = optionalInput(inputs, "values", 1);
    return only({ dtype: values?.dtype ?? null, shape: argumentValues(attributes.shape, inputs, "shape") });
  },
});

/** x, ... -> x with some elements changed. */
const update = (name: string): OperatorDef<unknown> => simpleOperator(name, mainInput);

/** data, segment ids -> one slice of the data for each of `numSegments` (as many as there are: unknown). */
const segment = defineOperator<{ segments: Dim; reduction: string }>({
  name: "SegmentReduce",
  attributes: (raw) => ({
    segments: readOptionalInteger(raw, "numSegments", { min: 0 }),
    reduction: readText(raw, "reduction"),
  }),
  infer({ attributes: { segments }, inputs }) {
    const ids = optionalInput(inputs, "segmentIds", 1)?.shape?.length ?? 1;
    return only(reshaped(mainInput(inputs), (shape) => [segments, ...shape.slice(Math.max(ids, 1))]));
  },
});

/** indices -> for each axis of a tensor the indices along it. */
const unravelIndex = defineOperator<{ shape: readonly Dim[] }>({
  name: "UnravelIndex",
  attributes: (raw) => ({ shape: optionalDims(raw, "shape", 0) ?? [] }),
  infer({ attributes: { shape }, inputs }) {
    const indices = mainInput(inputs);
    const each = shape.includes(null) ? [null] : indices.shape;
    const types = shape.map(() => ({ dtype: indices.dtype, shape: each }));
    return { types, structure: { list: types.map((_, i) => i) } };
  },
});

export const tensorIndexOperators: readonly OperatorDef<unknown>[] = [
  getItem,
  slice,
  take,
  takeAlongAxis,
  gatherNd,
  booleanMask,
  oneHot,
  multiHot,
  topK,
  nonzero,
  unique,
  binCount,
  histogram,
  searchSorted,
  digitize,
  inTopK,
  scatter,
  update("ScatterUpdate"),
  update("SliceUpdate"),
  segment,
  unravelIndex,
];
