/**
 * ONNX's operators that tell or change shapes (ONNX 1.23, opsets 1 to 28). They act on all axes; where another operator
 * has the name already, the graph's has the prefix `Graph`.
 */

import { counted } from "../counted.ts";
import { type Dim, isAtMostDim, productOfDims } from "../ir/dim.ts";
import { elementsOf, formatShape, type Shape } from "../ir/shape.ts";
import { dimAt, requireMinimumRank, resolveAxis } from "./arguments.ts";
import { readFlag } from "./attributes.ts";
import { broadcastShapes } from "./broadcast.ts";
import {
  asSize,
  broadcastElements,
  dividedExactly,
  knownAxes,
  knownElements,
  movedElements,
  output,
  statedOrPassed,
  statedWithPassed,
} from "./graph-values.ts";
import { type OperatorDef, RuleError } from "./operator.ts";
import {
  defineOperator,
  inputAt,
  optionalDims,
  optionalInput,
  optionalInteger,
  optionalIntegers,
} from "./tensor-rule.ts";

/** x -> its dimensions from axis `start` up to `end`. */
const shapeOf = defineOperator<{ start: number; end: number | null }>({
  name: "GraphShape",
  attributes: (raw) => ({ start: optionalInteger(raw, "start") ?? 0, end: optionalInteger(raw, "end") }),
  infer({ attributes: { start, end }, inputs }) {
    const { shape } = inputAt(inputs, "data", 0);
    // Negative positions count from the end, and those outside are moved to the nearest one, as slice does.
    const dims = shape?.slice(start, end ?? undefined);
    return output("int64", [dims?.length ?? null], dims);
  },
});

/** x -> how long it is along `axis`. */
const dimensionSize = defineOperator<{ axis: number }>({
  name: "DimensionSize",
  attributes: (raw) => ({ axis: optionalInteger(raw, "axis") ?? 0 }),
  infer({ attributes: { axis }, inputs }) {
    const { shape } = inputAt(inputs, "data", 0);
    return output("int64", [], shape === null ? undefined : [dimAt(shape, axis)]);
  },
});

/** x -> how many elements it has. */
const sizeOf = defineOperator<null>({
  name: "GraphSize",
  attributes: () => null,
  infer: ({ inputs }) => output("int64", [], [elementsOf(inputAt(inputs, "data", 0).shape)]),
});

/**
 * `target` with what it leaves open worked out: 0 is the size `shape` has there (unless `zeroIsZero`), -1 and a single
 * unknown size follow from the number of elements.
 */
export function reshapedTo(shape: Shape, target: readonly Dim[], zeroIsZero: boolean): readonly Dim[] {
  if (target.filter((dim) => dim === -1).length > 1) {
    throw new RuleError(`more than one -1 in the target shape ${formatShape(target)}`);
  }
  const copied = new Set(zeroIsZero ? [] : [...target.keys()].filter((axis) => target[axis] === 0));
  for (const axis of copied) {
    if (shape !== null && axis >= shape.length) {
      throw new RuleError(`0 at place ${axis} of the target shape has no axis of ${formatShape(shape)}`);
    }
  }
  const result = target.map((dim, axis) => {
    if (copied.has(axis)) return shape?.[axis] ?? null;
    return dim === -1 ? null : asSize(dim);
  });
  const rest = (dims: readonly Dim[]): Dim[] => dims.filter((_, axis) => !copied.has(axis));
  const open = [...result.keys()].filter((axis) => result[axis] === null && !copied.has(axis));
  if (shape === null || open.length > 1) return result;
  const from = rest(shape);
  const known = rest(result).filter((dim) => dim !== null);
  const [place] = open;
  if (place === undefined) {
    requireFit(shape, target, elementsOf(from), productOfDims(known));
    return result;
  }
  const size = dividedExactly(from, known);
  const [total, divisor] = [elementsOf(from), productOfDims(known)];
  if (typeof total === "number" && typeof divisor === "number" && divisor !== 0 && total % divisor !== 0)
    requireFit(shape, target, total, divisor);
  return result.with(place, size);
}

function requireFit(shape: Shape, target: readonly Dim[], total: Dim, wanted: Dim): void {
  if (typeof total === "number" && typeof wanted === "number" && total !== wanted)
    throw new RuleError(`shape ${formatShape(shape)} does not fit into ${formatShape(target)}`);
}

/** x, shape -> x as `shape`. */
const reshape = defineOperator<{ shape: readonly Dim[] | null; allowZero: boolean }>({
  name: "GraphReshape",
  attributes: (raw) => ({
    shape: optionalDims(raw, "shape", -1),
    allowZero: readFlag(raw, "allowZero", false),
  }),
  infer({ attributes: { shape, allowZero }, inputs }) {
    const data = inputAt(inputs, "data", 0);
    const target = statedWithPassed(shape, inputs, "shape", 1) ?? null;
    if (target === null) return output(data.dtype, null);
    return output(data.dtype, reshapedTo(data.shape, target, allowZero), knownElements(data));
  },
});

interface Axes {
  readonly axes: readonly number[] | null;
}

function mayBeOne(dim: Dim): boolean {
  return !isAtMostDim(2, dim);
}

/** Without those of `axes` that have size 1. */
function withoutOnes(shape: readonly Dim[], axes: readonly Dim[] | null | undefined): Shape {
  const places = axes && knownAxes(axes, shape.length);
  if (!places || places.some((axis) => shape[axis] !== 1 && mayBeOne(shape[axis] ?? null))) return null;
  return shape.filter((dim, axis) => dim !== 1 || !places.includes(axis));
}

function squeezed(shape: readonly Dim[], axes: readonly Dim[] | null | undefined): Shape {
  if (axes === null) return null;
  if (axes === undefined) {
    if (shape.some((dim) => typeof dim !== "number" && mayBeOne(dim))) return null;
    return shape.filter((dim) => dim !== 1);
  }
  const places = knownAxes(axes, shape.length);
  if (places === null) return new Array<Dim>(Math.max(0, shape.length - axes.length)).fill(null);
  for (const axis of places) {
    const dim = dimAt(shape, axis);
    if (dim !== null && dim !== 1 && !mayBeOne(dim))
      throw new RuleError(`axis ${axis} of ${formatShape(shape)} is not 1`);
    if (dim === 0) throw new RuleError(`axis ${axis} of ${formatShape(shape)} is not 1`);
  }
  return shape.filter((_, axis) => !places.includes(axis));
}

/**
 * x, axes -> x without these axes, which have size 1 (`onlyOnes`: those of them that have); without all such axes where none
 * are named.
 */
const squeeze = defineOperator<Axes & { readonly onlyOnes: boolean }>({
  name: "GraphSqueeze",
  attributes: (raw) => ({
    axes: optionalIntegers(raw, "axes"),
    onlyOnes: readFlag(raw, "onlyOnes", false),
  }),
  infer({ attributes, inputs }) {
    const data = inputAt(inputs, "data", 0);
    const axes = statedOrPassed(attributes.axes, optionalInput(inputs, "axes", 1));
    const remove = attributes.onlyOnes ? withoutOnes : squeezed;
    // A list of no axes is none to onnx's reference and all of size 1 to onnxruntime.
    const contested =
      !attributes.onlyOnes &&
      axes?.length === 0 &&
      data.shape?.some((dim) => dim !== 0 && mayBeOne(dim)) === true;
    const shape = data.shape === null || contested ? null : remove(data.shape, axes);
    return output(data.dtype, shape, knownElements(data));
  },
});

/** x, axes -> x with axes of size 1 at these places of the result. */
const unsqueeze = defineOperator<Axes>({
  name: "Unsqueeze",
  attributes: (raw) => ({ axes: optionalIntegers(raw, "axes") }),
  infer({ attributes, inputs }) {
    const data = inputAt(inputs, "data", 0);
    const axes = statedOrPassed(attributes.axes, optionalInput(inputs, "axes", 1)) ?? null;
    if (data.shape === null || axes === null) return output(data.dtype, null);
    const rank = data.shape.length + axes.length;
    const places = knownAxes(axes, rank);
    const rest = [...data.shape];
    const shape = Array.from({ length: rank }, (_, axis): Dim => {
      if (places === null) return null;
      return places.includes(axis) ? 1 : (rest.shift() ?? null);
    });
    return output(data.dtype, shape, knownElements(data));
  },
});

/** x -> two axes: those before `axis` in one, the others in the second. */
const flatten = defineOperator<{ axis: number }>({
  name: "GraphFlatten",
  attributes: (raw) => ({ axis: optionalInteger(raw, "axis") ?? 1 }),
  infer({ attributes: { axis }, inputs }) {
    const data = inputAt(inputs, "data", 0);
    if (data.shape === null) return output(data.dtype, [null, null]);
    const at = axis === data.shape.length ? axis : resolveAxis(axis, data.shape.length);
    const shape = [productOfDims(data.shape.slice(0, at)), productOfDims(data.shape.slice(at))];
    return output(data.dtype, shape, knownElements(data));
  },
});

/** x -> its axes in the order `axes`; reversed without it. */
const transpose = defineOperator<Axes>({
  name: "GraphTranspose",
  attributes: (raw) => ({ axes: optionalIntegers(raw, "axes") }),
  infer({ attributes: { axes }, inputs }) {
    const data = inputAt(inputs, "data", 0);
    const rank = data.shape?.length ?? axes?.length;
    if (rank === undefined) return output(data.dtype, null);
    const order = knownAxes(axes ?? [...new Array(rank).keys()].reverse(), rank) ?? [];
    if (order.length !== rank) {
      throw new RuleError(
        `${counted(order.length, "axis", "axes")} in another order for ${formatShape(data.shape)}`,
      );
    }
    const shape = order.map((axis) => data.shape?.[axis] ?? null);
    const elements = movedElements(data, shape, (index, from) => {
      const place = [...from];
      for (const [i, axis] of order.entries()) place[axis] = index[i] ?? 0;
      return place;
    });
    return output(data.dtype, shape, elements);
  },
});

/** A size that is not -1 is that of the result. */
function expandedTo(shape: Shape, target: readonly Dim[] | null): Shape {
  if (target === null) return null;
  const added = target.length - (shape?.length ?? target.length);
  broadcastShapes(
    shape,
    target.map((dim) => (dim === -1 ? 1 : asSize(dim))),
  );
  return target.map((dim, axis) => (dim === -1 ? (shape?.[axis - added] ?? null) : dim));
}

/**
 * x, shape -> x broadcast with that shape (both ways: a 1 in `shape` leaves the axis alone). `exact`: to that shape, in which
 * -1 leaves an axis alone.
 */
const expand = defineOperator<{ shape: readonly Dim[] | null; exact: boolean }>({
  name: "Expand",
  attributes: (raw) => ({ shape: optionalDims(raw, "shape", -1), exact: readFlag(raw, "exact", false) }),
  infer({ attributes, inputs }) {
    const data = inputAt(inputs, "input", 0);
    const target = statedWithPassed(attributes.shape, inputs, "shape", 1) ?? null;
    if (attributes.exact) {
      const shape = expandedTo(data.shape, target);
      return output(data.dtype, shape, broadcastElements(data, shape));
    }
    const shape = broadcastShapes(data.shape, target === null ? null : target.map(asSize));
    return output(data.dtype, shape, broadcastElements(data, shape));
  },
});

/** x -> for each of `axes` the size that `shape` has: more is cut off on both sides, less is padded. */
const centerCropPad = defineOperator<Axes>({
  name: "CenterCropPad",
  attributes: (raw) => ({ axes: optionalIntegers(raw, "axes") }),
  infer({ attributes, inputs }) {
    const data = inputAt(inputs, "input", 0);
    if (data.shape === null) return output(data.dtype, null);
    const axes = knownAxes(attributes.axes ?? [...data.shape.keys()], data.shape.length) ?? [];
    const sizes = statedOrPassed(null, optionalInput(inputs, "shape", 1)) ?? null;
    if (sizes !== null && sizes.length !== axes.length)
      throw new RuleError(`${sizes.length} sizes for ${counted(axes.length, "axis", "axes")}`);
    const shape = data.shape.map((dim, axis) => {
      const place = axes.indexOf(axis);
      return place < 0 ? dim : asSize(sizes?.[place] ?? null);
    });
    return output(data.dtype, shape);
  },
});

function blocks(shape: readonly Dim[], blockSize: number, toSpace: boolean): readonly Dim[] {
  requireMinimumRank(shape, 3);
  const [channels = null, height = null, width = null] = shape.slice(-3);
  const outer = shape.slice(0, -3);
  const area = blockSize * blockSize;
  const grown = (dim: Dim, by: number): Dim => productOfDims([dim, by]);
  const shrunk = (dim: Dim, by: number): Dim => dividedExactly([dim], [by]);
  return toSpace
    ? [...outer, shrunk(channels, area), grown(height, blockSize), grown(width, blockSize)]
    : [...outer, grown(channels, area), shrunk(height, blockSize), shrunk(width, blockSize)];
}

/** (..., C, H, W) -> blocks of `blockSize` x `blockSize` pixels moved between the channels and the two last axes. */
const moveBlocks = (name: string, toSpace: boolean): OperatorDef<unknown> =>
  defineOperator<{ blockSize: number }>({
    name,
    attributes: (raw) => ({ blockSize: optionalInteger(raw, "blockSize") ?? 1 }),
    infer({ attributes: { blockSize }, inputs }) {
      if (blockSize < 1) throw new RuleError(`a block of ${blockSize} pixels`);
      const data = inputAt(inputs, "input", 0);
      return output(data.dtype, data.shape === null ? null : blocks(data.shape, blockSize, toSpace));
    },
  });

interface ColumnAttributes {
  readonly image: readonly Dim[] | null;
  readonly block: readonly Dim[] | null;
}

/** (N, C * block elements, L), image shape, block shape -> (N, C, ...image shape); `N` may be left out of both. */
const colToImage = defineOperator<ColumnAttributes>({
  name: "Col2Im",
  attributes: (raw) => ({
    image: optionalDims(raw, "imageShape", 0),
    block: optionalDims(raw, "blockShape", 1),
  }),
  infer({ attributes, inputs }) {
    const data = inputAt(inputs, "input", 0);
    const image = statedWithPassed(attributes.image, inputs, "imageShape", 1) ?? null;
    const block = statedWithPassed(attributes.block, inputs, "blockShape", 2) ?? null;
    if (image === null) return output(data.dtype, null);
    const [batch = null, columns = null] =
      data.shape?.length === 2 ? [undefined, data.shape[0]] : (data.shape ?? []);
    const channels = block === null ? null : dividedExactly([columns], block);
    const outer = data.shape?.length === 2 ? [] : [batch];
    return output(data.dtype, [...outer, channels, ...image.map(asSize)]);
  },
});

export const graphShapeOperators: readonly OperatorDef<unknown>[] = [
  shapeOf,
  dimensionSize,
  sizeOf,
  reshape,
  squeeze,
  unsqueeze,
  flatten,
  transpose,
  expand,
  centerCropPad,
  moveBlocks("GraphDepthToSpace", true),
  moveBlocks("GraphSpaceToDepth", false),
  colToImage,
];
