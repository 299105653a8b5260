/** Operations that join tensors or take one apart along an axis (Keras 3.15 ops/numpy.py, ops/core.py). */

import { counted } from "../counted.ts";
import { addDims, contradicts, type Dim, floorDivideDim, mapDims, sumOfDims } from "../ir/dim.ts";
import type { JsonObject } from "../ir/graph.ts";
import { elementsOf, formatShape, type Shape } from "../ir/shape.ts";
import { maxKnownValues, maxOperationOutputs } from "../limits.ts";
import { dimAt, mainInput, requireMinimumRank, resolveAxis } from "./arguments.ts";
import { type OperatorDef, RuleError, type RuleInput } from "./operator.ts";
import { promoteInputs } from "./promotion.ts";
import {
  defineOperator,
  inputsNamed,
  listOf,
  only,
  optionalDims,
  optionalInteger,
  simpleOperator,
  withDim,
} from "./tensor-rule.ts";
import { joinValues, scalarValue, valued } from "./tensor-values.ts";

/** Checks that shapes agree outside `axis`; the result has the first one's dimensions. */
function joinShapes(shapes: readonly Shape[], axis: number, resolve = false): Shape {
  const first = shapes[0];
  if (first === undefined) throw new RuleError("nothing to join");
  if (shapes.includes(null) || first === null) return null;
  const place = resolveAxis(axis, first.length);
  let total: Dim = 0;
  for (const shape of shapes) {
    if (shape === null) return null;
    const agree =
      shape.length === first.length &&
      shape.every((dim, i) => i === place || !contradicts(dim, first[i] ?? null));
    if (!agree)
      throw new RuleError(
        `shapes ${formatShape(first)} and ${formatShape(shape)} do not join on axis ${axis}`,
      );
    total = addDims(total, shape[place] ?? null);
  }
  return withDim(resolve ? mergeShapes(first, shapes) : first, place, total);
}

/** What one of the shapes does not know, another may. */
function mergeShapes(first: readonly Dim[], shapes: readonly Shape[]): readonly Dim[] {
  return first.map(
    (dim, i) => dim ?? shapes.map((shape) => shape?.[i] ?? null).find((other) => other !== null) ?? null,
  );
}

function shapesOf(inputs: readonly RuleInput[]): readonly Shape[] {
  return inputs.map((input) => input.shape);
}

interface JoinAttributes {
  readonly axis: number | null;
  /** A dimension unknown in the first tensor is taken from another (TensorFlow); Keras 3 leaves it unknown. */
  readonly resolveUnknown: boolean;
}

function readJoin(raw: JsonObject): JoinAttributes {
  return { axis: optionalInteger(raw, "axis"), resolveUnknown: raw.resolveUnknown === true };
}

/** xs -> one tensor, longer along `axis`; without an axis all of them flattened. */
const concat = defineOperator<JoinAttributes>({
  name: "TensorConcat",
  attributes: readJoin,
  infer({ attributes: { axis, resolveUnknown }, inputs }) {
    const xs = inputsNamed(inputs, "xs");
    const shapes = shapesOf(xs);
    const dtype = promoteInputs(xs);
    if (axis === null) return only({ dtype, shape: [sumOfDims(shapes.map(elementsOf))] });
    return valued({ dtype, shape: joinShapes(shapes, axis, resolveUnknown) }, joinValues(xs));
  },
});

/** Shape with 1s until it has three axes, as numpy.dstack adds them. */
function atLeast3d(shape: Shape): Shape {
  if (shape === null || shape.length > 2) return shape;
  if (shape.length === 2) return [...shape, 1];
  return [1, shape[0] === undefined ? 1 : shape[0], 1];
}

const depthStack = simpleOperator("DepthStack", (inputs) => ({
  dtype: promoteInputs(inputs),
  shape: joinShapes(shapesOf(inputs).map(atLeast3d), 2),
}));

/** Values of numbers that are stacked. */
function stackValues(inputs: readonly RuleInput[]): readonly Dim[] | undefined {
  if (inputs.length > maxKnownValues || inputs.some((input) => input.shape?.length !== 0)) return undefined;
  return inputs.map((input) => scalarValue(input) ?? null);
}

/** xs -> a new axis at `axis`, as long as there are tensors. */
const stack = defineOperator<JoinAttributes>({
  name: "Stack",
  attributes: readJoin,
  infer({ attributes: { axis, resolveUnknown }, inputs }) {
    const xs = inputsNamed(inputs, "xs");
    const shapes = shapesOf(xs);
    const dtype = promoteInputs(xs);
    const first = shapes[0];
    if (first === undefined) throw new RuleError("nothing to stack");
    if (first === null || shapes.includes(null)) return only({ dtype, shape: null });
    for (const shape of shapes) {
      const agrees =
        shape?.length === first.length && shape.every((dim, i) => !contradicts(dim, first[i] ?? null));
      if (!agrees) throw new RuleError(`shapes ${formatShape(first)} and ${formatShape(shape)} do not stack`);
    }
    const place = resolveAxis(axis ?? 0, first.length + 1);
    const merged = resolveUnknown ? mergeShapes(first, shapes) : first;
    return valued({ dtype, shape: merged.toSpliced(place, 0, shapes.length) }, stackValues(xs));
  },
});

interface SplitAttributes {
  /** Number of equal parts. */
  readonly sections: number | null;
  /** Places to cut at. */
  readonly indices: readonly Dim[] | null;
  /** Sizes of the parts, one of which may be -1. */
  readonly sizes: readonly Dim[] | null;
  readonly axis: number;
  /** Sections need not be equal: the first ones get one element more (numpy.array_split). */
  readonly uneven: boolean;
  /** A vector is split along its only axis, whatever `axis` is. */
  readonly firstOfVector: boolean;
}

function countParts(count: number): number {
  if (count < 1 || count > maxOperationOutputs)
    throw new RuleError(`cannot split into ${counted(count, "part")}`);
  return count;
}

function partSizes(size: Dim, attributes: SplitAttributes): readonly Dim[] {
  const { sections, indices, sizes, uneven } = attributes;
  if (indices !== null) {
    countParts(indices.length + 1);
    if (typeof size !== "number")
      return [...indices, null].map((cut, i) => difference(cut, i === 0 ? 0 : (indices[i - 1] ?? null)));
    const cuts = [0, ...indices.map((cut) => clampCut(cut, size)), size];
    return cuts.slice(1).map((cut, i) => difference(cut, cuts[i] ?? null));
  }
  if (sizes !== null) {
    countParts(sizes.length);
    const rest = sizes.includes(-1) ? difference(size, sumOfDims(sizes.filter((part) => part !== -1))) : null;
    return sizes.map((part) => (part === -1 ? rest : part));
  }
  const count = countParts(sections ?? 0);
  if (typeof size !== "number") return new Array<Dim>(count).fill(null);
  if (uneven)
    return Array.from({ length: count }, (_, i) => Math.floor(size / count) + (i < size % count ? 1 : 0));
  if (size % count !== 0) throw new RuleError(`size ${size} does not split into ${count} equal parts`);
  return new Array<Dim>(count).fill(floorDivideDim(size, count));
}

function clampCut(cut: Dim, size: number): Dim {
  return mapDims((place) => Math.max(0, Math.min(size, place < 0 ? place + size : place)), cut);
}

function difference(a: Dim, b: Dim): Dim {
  return mapDims((x, y) => Math.max(0, x - y), a, b);
}

/** x -> its parts along `axis`, in a list. */
const split = defineOperator<SplitAttributes>({
  name: "Split",
  attributes: (raw) => ({
    sections: optionalInteger(raw, "sections"),
    indices: optionalDims(raw, "indices", Number.MIN_SAFE_INTEGER),
    sizes: optionalDims(raw, "sizes", -1),
    axis: optionalInteger(raw, "axis") ?? 0,
    uneven: raw.uneven === true,
    firstOfVector: raw.firstOfVector === true,
  }),
  infer({ attributes, inputs }) {
    const x = mainInput(inputs);
    const { shape } = x;
    if (shape === null) {
      const count = attributes.sections ?? attributes.sizes?.length ?? (attributes.indices?.length ?? 0) + 1;
      return listOf(Array.from({ length: countParts(count) }, () => ({ dtype: x.dtype, shape: null })));
    }
    const axis = attributes.firstOfVector && shape.length === 1 ? 0 : attributes.axis;
    const sizes = partSizes(dimAt(shape, axis), attributes);
    return listOf(sizes.map((size) => ({ dtype: x.dtype, shape: withDim(shape, axis, size) })));
  },
});

/** x -> the slices along `axis`, without it, in a list. `num` is needed where the size is unknown. */
const unstack = defineOperator<{ num: number | null; axis: number }>({
  name: "Unstack",
  attributes: (raw) => ({ num: optionalInteger(raw, "num"), axis: optionalInteger(raw, "axis") ?? 0 }),
  infer({ attributes, inputs }) {
    const x = mainInput(inputs);
    if (x.shape !== null) requireMinimumRank(x.shape, 1);
    const num = attributes.num ?? (x.shape === null ? null : dimAt(x.shape, attributes.axis));
    if (typeof num !== "number") throw new RuleError("the number of slices is unknown");
    const place = x.shape === null ? 0 : resolveAxis(attributes.axis, x.shape.length);
    const shape = x.shape === null ? null : x.shape.toSpliced(place, 1);
    return listOf(Array.from({ length: countParts(num) }, () => ({ dtype: x.dtype, shape })));
  },
});

/** Axes x1, x2 ... -> as many grids of all their sizes; with indexing "xy" the first two are exchanged. */
const meshgrid = defineOperator<{ exchanged: boolean }>({
  name: "Meshgrid",
  attributes: (raw) => ({ exchanged: raw.indexing !== "ij" }),
  infer({ attributes, inputs }) {
    const sizes = inputs.map((input) => elementsOf(input.shape));
    const [first, second] = sizes;
    if (attributes.exchanged && first !== undefined && second !== undefined)
      sizes.splice(0, 2, second, first);
    return listOf(inputs.map((input) => ({ dtype: input.dtype, shape: sizes })));
  },
});

export const tensorJoinOperators: readonly OperatorDef<unknown>[] = [
  concat,
  depthStack,
  stack,
  split,
  unstack,
  meshgrid,
];
