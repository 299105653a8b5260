/** ONNX's operators that pick elements by index, or put some in (ONNX 1.23, opsets 1 to 28). */

import { type Dim, numberOf, sharperDim } from "../ir/dim.ts";
import { elementsOf, formatShape, type Shape } from "../ir/shape.ts";
import { dimAt, requireMinimumRank, resolveAxis } from "./arguments.ts";
import { readFlag } from "./attributes.ts";
import {
  asSize,
  eachElement,
  flatIndex,
  knownElements,
  movedElements,
  output,
  scalarOf,
  staticShape,
  typed,
} from "./graph-values.ts";
import { type OperatorDef, RuleError, type RuleInput } from "./operator.ts";
import { defineOperator, inputAt, optionalInput, optionalInteger, withDim } from "./tensor-rule.ts";

/** The index that stands at a place of `indices`, from the front of an axis; null when it is unknown or outside. */
type ReadIndex = (place: readonly number[], size: number) => number | null;

function indexReader(indices: RuleInput): ReadIndex {
  const from = staticShape(indices.shape);
  const elements = knownElements(indices);
  return (place, size) => {
    const index = from === null ? null : elements?.[flatIndex(place, from)];
    if (typeof index !== "number" || index >= size || index < -size) return null;
    return index < 0 ? index + size : index;
  };
}

interface OneAxis {
  readonly axis: number;
}

function readAxis(fallback: number): (raw: Parameters<typeof optionalInteger>[0]) => OneAxis {
  return (raw) => ({ axis: optionalInteger(raw, "axis") ?? fallback });
}

/** data, indices -> the axis `axis` of the data replaced by the axes of the indices. */
const gather = defineOperator<OneAxis>({
  name: "GraphGather",
  attributes: readAxis(0),
  infer({ attributes: { axis }, inputs }) {
    const data = inputAt(inputs, "data", 0);
    const indices = inputAt(inputs, "indices", 1);
    if (data.shape === null || indices.shape === null) return output(data.dtype, null);
    const place = resolveAxis(axis, data.shape.length);
    const depth = indices.shape.length;
    const shape = [...data.shape.slice(0, place), ...indices.shape, ...data.shape.slice(place + 1)];
    const indexAt = indexReader(indices);
    const elements = movedElements(data, shape, (index, from) => {
      const picked = indexAt(index.slice(place, place + depth), from[place] ?? 0);
      return picked === null ? null : [...index.slice(0, place), picked, ...index.slice(place + depth)];
    });
    return output(data.dtype, shape, elements);
  },
});

/** data, indices (as many axes) -> for each place of the indices the element with that index on `axis`. */
const gatherElements = defineOperator<OneAxis>({
  name: "GatherElements",
  attributes: readAxis(0),
  infer({ attributes: { axis }, inputs }) {
    const data = inputAt(inputs, "data", 0);
    const indices = inputAt(inputs, "indices", 1);
    const { shape } = indices;
    const rank = data.shape?.length ?? shape?.length;
    if (shape === null || rank === undefined)
      return output(data.dtype, rank === undefined ? null : new Array<Dim>(rank).fill(null));
    if (shape.length !== rank)
      throw new RuleError(`indices ${formatShape(shape)} for a tensor ${formatShape(data.shape)}`);
    const place = resolveAxis(axis, rank);
    const indexAt = indexReader(indices);
    const elements = movedElements(data, shape, (index, from) => {
      const picked = indexAt(index, from[place] ?? 0);
      return picked === null ? null : index.with(place, picked);
    });
    return output(data.dtype, shape, elements);
  },
});

/** data, indices (..., k) -> the indices without their last axis, then the data without its first `batchDims` + k. */
const gatherSlices = defineOperator<{ batchDims: number }>({
  name: "GraphGatherNd",
  attributes: (raw) => ({ batchDims: optionalInteger(raw, "batchDims") ?? 0 }),
  infer({ attributes: { batchDims }, inputs }) {
    const data = inputAt(inputs, "data", 0);
    const indices = inputAt(inputs, "indices", 1);
    if (data.shape === null || indices.shape === null) return output(data.dtype, null);
    requireMinimumRank(indices.shape, Math.max(1, batchDims + 1));
    const depth = numberOf(dimAt(indices.shape, -1));
    if (depth === null) return output(data.dtype, null);
    const rank = data.shape.length;
    if (batchDims < 0 || batchDims + depth > rank)
      throw new RuleError(`indices of ${depth} numbers for a tensor ${formatShape(data.shape)}`);
    const outer = indices.shape.slice(0, -1);
    const shared = outer.map((dim, axis) =>
      axis < batchDims ? sharperDim(dim, data.shape?.[axis] ?? null) : dim,
    );
    const shape = [...shared, ...data.shape.slice(batchDims + depth)];
    const indexAt = indexReader(indices);
    const elements = movedElements(data, shape, (index, from) => {
      const at = index.slice(0, outer.length);
      const picked = Array.from({ length: depth }, (_, i) => indexAt([...at, i], from[batchDims + i] ?? 0));
      const known = picked.filter((place) => place !== null);
      return known.length < depth
        ? null
        : [...at.slice(0, batchDims), ...known, ...index.slice(outer.length)];
    });
    return output(data.dtype, shape, elements);
  },
});

/** Elements of `data` with those of `updates` in the places that `target` says; undefined when not all are known. */
function scattered(
  data: RuleInput,
  updates: RuleInput,
  target: (index: readonly number[], shape: readonly number[]) => readonly number[] | null,
): readonly Dim[] | undefined {
  const shape = staticShape(data.shape);
  const before = knownElements(data);
  if (shape === null || !before) return undefined;
  const after = [...before];
  let lost = false;
  const values = knownElements(updates);
  const visited = eachElement(updates.shape, (index, i) => {
    const place = target(index, shape);
    if (place === null) lost = true;
    else after[flatIndex(place, shape)] = values?.[i] ?? null;
    return null;
  });
  return visited && !lost ? after : undefined;
}

interface ScatterAttributes extends OneAxis {
  /** Updates take the place of what was there, and are not added to it or the like. */
  readonly replaces: boolean;
}

/** data, indices, updates -> the data with the updates at these indices on `axis`. */
const scatterElements = defineOperator<ScatterAttributes>({
  name: "ScatterElements",
  attributes: (raw) => ({ ...readAxis(0)(raw), replaces: readFlag(raw, "replaces", true) }),
  infer({ attributes: { axis, replaces }, inputs }) {
    const [data, indices, updates] = scatterInputs(inputs);
    if (!replaces || data.shape === null) return output(data.dtype, data.shape);
    const place = resolveAxis(axis, data.shape.length);
    const indexAt = indexReader(indices);
    const elements = scattered(data, updates, (index, shape) => {
      const to = indexAt(index, shape[place] ?? 0);
      return to === null || index.length !== shape.length ? null : index.with(place, to);
    });
    return output(data.dtype, data.shape, elements);
  },
});

/** data, indices (..., k), updates -> the data with slices of the updates at places of k indices each. */
const scatterSlices = defineOperator<{ replaces: boolean }>({
  name: "ScatterND",
  attributes: (raw) => ({ replaces: readFlag(raw, "replaces", true) }),
  infer({ attributes: { replaces }, inputs }) {
    const [data, indices, updates] = scatterInputs(inputs);
    const depth = numberOf(indices.shape?.at(-1));
    if (!replaces || depth === null || indices.shape === null || data.shape === null)
      return output(data.dtype, data.shape);
    if (depth > data.shape.length)
      throw new RuleError(`indices of ${depth} numbers for a tensor ${formatShape(data.shape)}`);
    const outer = indices.shape.length - 1;
    const indexAt = indexReader(indices);
    const elements = scattered(data, updates, (index, shape) => {
      const at = index.slice(0, outer);
      const to = Array.from({ length: depth }, (_, i) => indexAt([...at, i], shape[i] ?? 0));
      const place = [...to.filter((i) => i !== null), ...index.slice(outer)];
      return to.includes(null) || place.length !== shape.length ? null : place;
    });
    return output(data.dtype, data.shape, elements);
  },
});

function scatterInputs(inputs: readonly RuleInput[]): readonly [RuleInput, RuleInput, RuleInput] {
  return [inputAt(inputs, "data", 0), inputAt(inputs, "indices", 1), inputAt(inputs, "updates", 2)];
}

/** x, ... -> a tensor of x's type and shape. */
const unchanged = (name: string, input: string): OperatorDef<unknown> =>
  defineOperator<null>({
    name,
    attributes: () => null,
    infer({ inputs }) {
      const { dtype, shape } = inputAt(inputs, input, 0);
      return output(dtype, shape);
    },
  });

/** x -> for each element that is not zero its index: (axes, elements). */
const nonZero = defineOperator<null>({
  name: "GraphNonZero",
  attributes: () => null,
  infer({ inputs }) {
    const data = inputAt(inputs, "input", 0);
    // ONNX and onnxruntime do not agree on what a scalar gives.
    const axes = data.shape === null || data.shape.length === 0 ? null : data.shape.length;
    const elements = knownElements(data);
    const counted = elements?.every((element) => typeof element === "number");
    const count = counted ? (elements?.filter((element) => element !== 0).length ?? null) : null;
    const shape: Shape = [axes, count];
    const [first] = data.shape?.length === 1 && counted ? [elements ?? []] : [];
    return output(
      "int64",
      shape,
      first?.flatMap((element, i) => (element === 0 ? [] : [i])),
    );
  },
});

/** x -> its different elements (or slices along `axis`), where each first stands, which each is, how often it is there. */
const unique = defineOperator<{ axis: number | null }>({
  name: "GraphUnique",
  attributes: (raw) => ({ axis: optionalInteger(raw, "axis") }),
  infer({ attributes: { axis }, inputs }) {
    const { dtype, shape } = inputAt(inputs, "input", 0);
    const values: Shape = axis === null ? [null] : shape && withDim(shape, axis, null);
    const all = axis === null ? elementsOf(shape) : shape && dimAt(shape, axis);
    const sizes = [null, all, null].map((size) => typed("int64", [size]));
    return { types: [typed(dtype, values), ...sizes] };
  },
});

/** indices, depth, values -> a new axis of `depth` at `axis`. */
const oneHot = defineOperator<OneAxis>({
  name: "GraphOneHot",
  attributes: readAxis(-1),
  infer({ attributes: { axis }, inputs }) {
    const { shape } = inputAt(inputs, "indices", 0);
    const depth = scalarOf(inputAt(inputs, "depth", 1));
    const { dtype } = inputAt(inputs, "values", 2);
    const size = asSize(typeof depth === "number" ? Math.trunc(depth) : depth);
    if (shape === null) return output(dtype, null);
    return output(dtype, shape.toSpliced(resolveAxis(axis, shape.length + 1), 0, size));
  },
});

/** x, k -> the k largest or smallest along `axis`, and their indices. */
const topK = defineOperator<OneAxis & { k: number | null }>({
  name: "GraphTopK",
  attributes: (raw) => ({ ...readAxis(-1)(raw), k: optionalInteger(raw, "k") }),
  infer({ attributes: { axis, k }, inputs }) {
    const { dtype, shape } = inputAt(inputs, "input", 0);
    const size = asSize(k ?? scalarOf(optionalInput(inputs, "k", 1)));
    const kept = shape && withDim(shape, axis, size);
    return { types: [typed(dtype, kept), typed("int64", kept)] };
  },
});

/** x -> the index of the largest or smallest along `axis`. */
const argExtreme = (name: string): OperatorDef<unknown> =>
  defineOperator<OneAxis & { keepAxis: boolean }>({
    name,
    attributes: (raw) => ({ ...readAxis(0)(raw), keepAxis: readFlag(raw, "keepAxis", true) }),
    infer({ attributes: { axis, keepAxis }, inputs }) {
      const { shape } = inputAt(inputs, "input", 0);
      if (shape === null) return output("int64", null);
      const place = resolveAxis(axis, shape.length);
      return output("int64", keepAxis ? shape.with(place, 1) : shape.toSpliced(place, 1));
    },
  });

/** x, condition -> the slices along `axis` (the elements without an axis) where the condition holds. */
const compress = defineOperator<{ axis: number | null }>({
  name: "Compress",
  attributes: (raw) => ({ axis: optionalInteger(raw, "axis") }),
  infer({ attributes: { axis }, inputs }) {
    const { dtype, shape } = inputAt(inputs, "input", 0);
    const holds = knownElements(inputAt(inputs, "condition", 1));
    const known = holds?.every((element) => typeof element === "number");
    const count = known ? (holds?.filter((element) => element !== 0).length ?? null) : null;
    return output(dtype, axis === null ? [count] : shape && withDim(shape, axis, count));
  },
});

export const graphIndexOperators: readonly OperatorDef<unknown>[] = [
  gather,
  gatherElements,
  gatherSlices,
  scatterElements,
  scatterSlices,
  unchanged("TensorScatter", "cache"),
  unchanged("Triangle", "input"),
  unchanged("ReverseSequence", "input"),
  unchanged("GraphCumulativeSum", "input"),
  unchanged("GraphCumulativeProduct", "input"),
  nonZero,
  unique,
  oneHot,
  topK,
  argExtreme("GraphArgMax"),
  argExtreme("GraphArgMin"),
  compress,
];
