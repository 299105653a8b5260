/** PyTorch's operations that pick elements by index, mask or order, or cut pieces out (torch 2.14, ATen). */

import { counted } from "../counted.ts";
import {
  addDims,
  ceilDivideDim,
  type Dim,
  isAtMostDim,
  multiplyDims,
  numberOf,
  productOfDims,
  subtractDims,
} from "../ir/dim.ts";
import type { DType } from "../ir/dtype.ts";
import type { JsonObject } from "../ir/graph.ts";
import { formatShape, type Shape } from "../ir/shape.ts";
import { maxOperationOutputs } from "../limits.ts";
import { dimAt } from "./arguments.ts";
import { readFlag } from "./attributes.ts";
import { broadcastAll, broadcastShapes } from "./broadcast.ts";
import { asSize, statedWithPassed, typed } from "./graph-values.ts";
import { type OperatorDef, RuleError, type RuleInput } from "./operator.ts";
import {
  defineOperator,
  inputAt,
  inputsNamed,
  listOf,
  only,
  optionalDims,
  optionalDType,
  optionalInteger,
  reshaped,
  simpleOperator,
  withDim,
} from "./tensor-rule.ts";

function isMask({ dtype }: RuleInput): boolean {
  return dtype === "bool" || dtype === "uint8";
}

/** What an index says of the axes it stands for: how many they are, and the shape of the places it picks. */
function pickedBy(index: RuleInput): { readonly axes: number; readonly shape: Shape } | null {
  if (index.dtype === null || (isMask(index) && index.shape === null)) return null;
  return isMask(index) ? { axes: index.shape?.length ?? 0, shape: [null] } : { axes: 1, shape: index.shape };
}

function indexed(shape: readonly Dim[], given: readonly boolean[], indices: readonly RuleInput[]): Shape {
  const rest: Dim[] = [];
  const picks: Shape[] = [];
  const runs: number[] = [];
  let axis = 0;
  let next = 0;
  for (const [i, present] of given.entries()) {
    const picked = present ? pickedBy(indices[next++] ?? { dtype: null, shape: null }) : undefined;
    if (picked === null) return null;
    if (picked) {
      picks.push(picked.shape);
      if (runs.length === 0 || given[i - 1] === false) runs.push(rest.length);
      axis += picked.axes;
    } else rest.push(shape[axis++] ?? null);
  }
  if (axis > shape.length) throw new RuleError(`${axis} indices for ${formatShape(shape)}`);
  const all = [...rest, ...shape.slice(axis)];
  const places = broadcastAll(picks);
  if (places === null) return null;
  // Indices that stand side by side leave their axes where they were, others go to the front.
  return all.toSpliced(runs.length === 1 ? (runs[0] ?? 0) : 0, 0, ...places);
}

/** x, indices (whole numbers or masks; `given`: which axes have one) -> their common shape in place of their axes. */
const advancedIndex = defineOperator<{ given: readonly boolean[] | null }>({
  name: "AdvancedIndex",
  attributes: ({ given }: JsonObject) => ({
    given: Array.isArray(given) ? given.map((item) => item === true) : null,
  }),
  infer({ attributes, inputs }) {
    const indices = inputs.filter((input) => input.name === "indices");
    const given = attributes.given ?? indices.map(() => true);
    return only(reshaped(inputAt(inputs, "data", 0), (shape) => indexed(shape, given, indices)));
  },
});

/** x, mask -> x with another value where the mask holds; they stretch each other. */
const maskedFill = simpleOperator("MaskedFill", (inputs) => {
  const { dtype, shape } = inputAt(inputs, "input", 0);
  return { dtype, shape: broadcastShapes(shape, inputAt(inputs, "mask", 1).shape) };
});

/** x, mask -> the elements where the mask holds: their number is unknown. */
const maskedSelect = simpleOperator("MaskedSelect", (inputs) => ({
  dtype: inputAt(inputs, "input", 0).dtype,
  shape: [null],
}));

/** Boxes, scores -> which of them stay, of those that overlap: their number is unknown. */
const suppressOverlaps = simpleOperator("SuppressOverlaps", () => ({ dtype: "int64", shape: [null] }));

/** x -> (elements that are not zero, axes): the place of each; `count`: so many, cut or filled up. */
const nonZeroPlaces = defineOperator<{ count: readonly Dim[] | null }>({
  name: "NonZeroPlaces",
  attributes: (raw) => ({ count: optionalDims(raw, "count", 0) }),
  infer({ attributes, inputs }) {
    const { shape } = inputAt(inputs, "input", 0);
    const [count = null] = statedWithPassed(attributes.count ?? [null], inputs, "count", inputs.length) ?? [];
    return only({ dtype: "int64", shape: [count, shape?.length ?? null] });
  },
});

/** x -> for each axis the places that are not zero. */
const nonZeroByAxis = defineOperator<null>({
  name: "NonZeroByAxis",
  attributes: () => null,
  infer: ({ inputs }) => {
    const { shape } = inputAt(inputs, "input", 0);
    return { types: (shape ?? []).map(() => ({ dtype: "int64" as const, shape: [null] })) };
  },
});

interface UniqueAttributes {
  readonly axis: number | null;
  readonly inverse: boolean;
  readonly counts: boolean;
}

/** x -> its different elements, which of them each element is, how often each is there; what is not asked for is empty. */
const uniqueElements = defineOperator<UniqueAttributes>({
  name: "UniqueElements",
  attributes: (raw) => ({
    axis: optionalInteger(raw, "axis"),
    inverse: readFlag(raw, "inverse", false),
    counts: readFlag(raw, "counts", false),
  }),
  infer({ attributes: { axis, inverse, counts }, inputs }) {
    const { dtype, shape } = inputAt(inputs, "input", 0);
    const along = shape && axis !== null ? [dimAt(shape, axis)] : shape;
    return {
      types: [
        typed(dtype, axis === null ? [null] : shape && withDim(shape, axis, null)),
        typed("int64", inverse ? along : [0]),
        typed("int64", [counts ? null : 0]),
      ],
    };
  },
});

/** x, start, length -> so many elements along `axis`. */
const narrow = defineOperator<{ axis: number; length: readonly Dim[] | null }>({
  name: "Narrow",
  attributes: (raw) => ({
    axis: optionalInteger(raw, "axis") ?? 0,
    length: optionalDims(raw, "length", 0),
  }),
  infer({ attributes: { axis, length }, inputs }) {
    const [size = null] = statedWithPassed(length, inputs, "length", inputs.length) ?? [];
    return only(
      reshaped(inputAt(inputs, "input", 0), (shape) =>
        withDim(shape, axis, size === null ? null : asSize(size)),
      ),
    );
  },
});

interface PartsAttributes {
  readonly axis: number;
  readonly size: readonly Dim[] | null;
  readonly count: number | null;
}

/** Elements of each part but the last. */
function partSize({ size, count }: PartsAttributes, dim: Dim, inputs: readonly RuleInput[]): Dim {
  if (count !== null) return count < 1 ? null : ceilDivideDim(dim, count);
  return statedWithPassed(size, inputs, "size", inputs.length)?.[0] ?? null;
}

/** How many parts there are, where all but the last have `each` elements. */
function partCount(dim: Dim, each: Dim, count: number | null): number | null {
  if (dim === 0) return count ?? 1;
  const parts = typeof each === "number" && each < 1 ? null : numberOf(ceilDivideDim(dim, each));
  // Of a size that is only named, no more than that.
  return parts ?? (typeof dim === "number" ? null : count);
}

/** x -> parts along `axis`, of `size` elements each or about a `count`-th of all; the last may be smaller. */
const splitEvery = defineOperator<PartsAttributes>({
  name: "SplitEvery",
  attributes: (raw) => ({
    axis: optionalInteger(raw, "axis") ?? 0,
    size: optionalDims(raw, "size", 0),
    count: optionalInteger(raw, "count"),
  }),
  infer({ attributes, inputs }) {
    const { dtype, shape } = inputAt(inputs, "input", 0);
    if (shape === null) return { types: [] };
    const dim = dimAt(shape, attributes.axis);
    const each = partSize(attributes, dim, inputs);
    const count = partCount(dim, each, attributes.count);
    if (count === null) return { types: [] };
    if (count > maxOperationOutputs) throw new RuleError(`cannot split into ${counted(count, "part")}`);
    const last = subtractDims(dim, multiplyDims(each, count - 1));
    const sizes = [...new Array<Dim>(count - 1).fill(each), isAtMostDim(0, last) ? last : null];
    return listOf(sizes.map((size) => ({ dtype, shape: withDim(shape, attributes.axis, size) })));
  },
});

interface TriangleAttributes {
  readonly rows: number | null;
  readonly columns: number | null;
  readonly offset: number;
  readonly dtype: DType | null;
}

/** Places below (`lower`) or above a diagonal of a matrix: (2, how many). */
function triangleIndices(name: string, lower: boolean): OperatorDef<unknown> {
  return defineOperator<TriangleAttributes>({
    name,
    attributes: (raw) => ({
      rows: optionalInteger(raw, "rows"),
      columns: optionalInteger(raw, "columns"),
      offset: optionalInteger(raw, "offset") ?? 0,
      dtype: optionalDType(raw),
    }),
    infer({ attributes: { rows, columns, offset, dtype } }) {
      const known = rows !== null && columns !== null;
      return only({ dtype, shape: [2, known ? triangleSize(rows, columns, offset, lower) : null] });
    },
  });
}

function triangleSize(rows: number, columns: number, offset: number, lower: boolean): Dim {
  if (rows < 0 || columns < 0)
    throw new RuleError(`no matrix has ${counted(rows, "row")} and ${counted(columns, "column")}`);
  const below = below_(rows, columns, lower ? offset : offset - 1);
  const count = lower ? below : rows * columns - below;
  return Number.isSafeInteger(count) ? count : null;
}

/** Elements on the diagonal `offset` and below: rows that have none, then ever one more, then whole ones. */
function below_(rows: number, columns: number, offset: number): number {
  const first = Math.max(0, Math.min(rows, -offset));
  const full = Math.max(0, Math.min(rows, columns - offset - 1));
  const growing = Math.max(0, full - first);
  const start = Math.max(0, Math.min(columns, first + offset + 1));
  return (growing * (2 * start + growing - 1)) / 2 + Math.max(0, rows - Math.max(full, first)) * columns;
}

/** xs (vectors) -> all their combinations: (how many, vectors). */
const cartesianProduct = defineOperator<null>({
  name: "CartesianProduct",
  attributes: () => null,
  infer({ inputs }) {
    const xs = inputsNamed(inputs, "inputs");
    const count = productOfDims(xs.map(({ shape }) => (shape === null ? null : (shape[0] ?? 1))));
    const dtype = xs[0]?.dtype ?? null;
    return only({ dtype, shape: xs.length === 1 ? [count] : [count, xs.length] });
  },
});

/** xs (matrices) -> one with them on its diagonal. */
const blockDiagonal = defineOperator<null>({
  name: "BlockDiagonal",
  attributes: () => null,
  infer({ inputs }) {
    const xs = inputsNamed(inputs, "inputs");
    const side = (back: number): Dim =>
      addDims(...xs.map(({ shape }): Dim => (shape === null ? null : (shape[shape.length - back] ?? 1))));
    const [first] = xs;
    const dtype = xs.every((input) => input.dtype === first?.dtype) ? (first?.dtype ?? null) : null;
    return only({ dtype, shape: [side(2), side(1)] });
  },
});

export const graphPickOperators: readonly OperatorDef<unknown>[] = [
  advancedIndex,
  maskedFill,
  maskedSelect,
  suppressOverlaps,
  nonZeroPlaces,
  nonZeroByAxis,
  uniqueElements,
  narrow,
  splitEvery,
  triangleIndices("LowerTriangleIndices", true),
  triangleIndices("UpperTriangleIndices", false),
  cartesianProduct,
  blockDiagonal,
];
