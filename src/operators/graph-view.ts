/** PyTorch's views and other operations that only say anew how elements stand (torch 2.14, ATen). */

import { counted } from "../counted.ts";
import { addDims, type Dim, productOfDims } from "../ir/dim.ts";
import type { DType } from "../ir/dtype.ts";
import { formatShape, type Shape } from "../ir/shape.ts";
import { resolveAxis } from "./arguments.ts";
import { broadcastShapes } from "./broadcast.ts";
import {
  asSize,
  broadcastElements,
  dividedExactly,
  knownElements,
  output,
  statedWithPassed,
} from "./graph-values.ts";
import { type OperatorDef, RuleError } from "./operator.ts";
import {
  defineOperator,
  inputAt,
  only,
  optionalDims,
  optionalDType,
  optionalInteger,
  simpleOperator,
} from "./tensor-rule.ts";

/** x -> the axes from `start` to `end`, which is among them, as one. A number is a vector of one element then. */
const mergeAxes = defineOperator<{ start: number; end: number }>({
  name: "MergeAxes",
  attributes: (raw) => ({
    start: optionalInteger(raw, "start") ?? 0,
    end: optionalInteger(raw, "end") ?? -1,
  }),
  infer({ attributes, inputs }) {
    const data = inputAt(inputs, "data", 0);
    const { shape } = data;
    if (shape === null) return output(data.dtype, null);
    if (shape.length === 0) return output(data.dtype, [1], knownElements(data));
    const [start, end] = [
      resolveAxis(attributes.start, shape.length),
      resolveAxis(attributes.end, shape.length),
    ];
    if (start > end) throw new RuleError(`axes ${start} to ${end} of ${formatShape(shape)} are none`);
    const merged = [
      ...shape.slice(0, start),
      productOfDims(shape.slice(start, end + 1)),
      ...shape.slice(end + 1),
    ];
    return output(data.dtype, merged, knownElements(data));
  },
});

/** x, sizes -> the axis `axis` taken apart into axes of these sizes, one of which may be -1. */
const splitAxis = defineOperator<{ axis: number; sizes: readonly Dim[] | null }>({
  name: "SplitAxis",
  attributes: (raw) => ({ axis: optionalInteger(raw, "axis") ?? 0, sizes: optionalDims(raw, "sizes", -1) }),
  infer({ attributes, inputs }) {
    const data = inputAt(inputs, "data", 0);
    const sizes = statedWithPassed(attributes.sizes, inputs, "sizes", 1) ?? null;
    if (data.shape === null || sizes === null) return output(data.dtype, null);
    const axis = resolveAxis(attributes.axis, data.shape.length);
    const dim = data.shape[axis] ?? null;
    const open = sizes.indexOf(-1);
    const known = sizes.filter((_, i) => i !== open).map(asSize);
    const parts = open < 0 ? known : known.toSpliced(open, 0, dividedExactly([dim], known));
    const total = productOfDims(known);
    const fits = open < 0 ? total === dim : typeof dim === "number" && dim % Number(total) === 0;
    if (typeof dim === "number" && typeof total === "number" && !fits)
      throw new RuleError(
        `${counted(dim, "element does", "elements do")} not fit into ${formatShape(sizes)}`,
      );
    return output(data.dtype, data.shape.toSpliced(axis, 1, ...parts), knownElements(data));
  },
});

/** x, target -> x in the target's shape. */
const reshapeLike = simpleOperator("ReshapeLike", (inputs) => ({
  dtype: inputAt(inputs, "data", 0).dtype,
  shape: inputAt(inputs, "target", 1).shape,
}));

/** x, target -> x broadcast to the target's shape. */
const expandLike = defineOperator<null>({
  name: "ExpandLike",
  attributes: () => null,
  infer({ inputs }) {
    const data = inputAt(inputs, "input", 0);
    const { shape } = inputAt(inputs, "target", 1);
    broadcastShapes(data.shape, shape);
    return output(data.dtype, shape, broadcastElements(data, shape));
  },
});

/** xs -> each of them broadcast to the shape of all. */
const broadcastTogether = defineOperator<null>({
  name: "BroadcastTogether",
  attributes: () => null,
  infer({ inputs }) {
    const shape = inputs.reduce<Shape>((all, input) => broadcastShapes(all, input.shape), []);
    return { types: inputs.map(({ dtype }) => ({ dtype, shape })) };
  },
});

/** x, shape -> elements of x's storage, wherever its strides say. */
const stridedView = defineOperator<{ shape: readonly Dim[] | null }>({
  name: "StridedView",
  attributes: (raw) => ({ shape: optionalDims(raw, "shape", 0) }),
  infer({ attributes, inputs }) {
    const shape = statedWithPassed(attributes.shape, inputs, "shape", inputs.length) ?? null;
    return only({ dtype: inputAt(inputs, "data", 0).dtype, shape: shape?.map(asSize) ?? null });
  },
});

/** x with at least `rank` axes: of size 1 in front, and from the third on behind. */
const atLeastRank = defineOperator<{ rank: number }>({
  name: "AtLeastRank",
  attributes: (raw) => ({ rank: optionalInteger(raw, "rank") ?? 1 }),
  infer({ attributes: { rank }, inputs }) {
    const data = inputAt(inputs, "data", 0);
    const { shape } = data;
    if (shape === null || shape.length >= rank) return output(data.dtype, shape, knownElements(data));
    if (rank < 3) return output(data.dtype, [...new Array<Dim>(rank - shape.length).fill(1), ...shape]);
    const flat = shape.length === 2 ? shape : [1, shape.length === 0 ? 1 : (shape[0] ?? null)];
    return output(data.dtype, [...flat, 1], knownElements(data));
  },
});

/** x of one element -> that element, as a number. */
const element = defineOperator<{ dtype: DType | null }>({
  name: "ElementOf",
  attributes: (raw) => ({ dtype: optionalDType(raw) }),
  infer({ attributes: { dtype }, inputs }) {
    const data = inputAt(inputs, "data", 0);
    const elements = knownElements(data);
    return output(dtype ?? data.dtype, [], elements?.length === 1 ? elements : undefined);
  },
});

/** x -> a number that follows from where its elements stand: a stride, where the first one is. */
const layoutNumber = simpleOperator("LayoutNumber", () => ({ dtype: "int64", shape: [] }));

/** Anything -> nothing: the program stops where it does not hold. */
const assertion = defineOperator<null>({
  name: "Assert",
  attributes: () => null,
  infer: () => ({ types: [] }),
});

/** x (..., n) -> (..., n + |offset|, n + |offset|), x on a diagonal; the two axes at `axis1` and `axis2`. */
const embedDiagonal = defineOperator<{ offset: number; axes: readonly [number, number] }>({
  name: "EmbedDiagonal",
  attributes: (raw) => ({
    offset: optionalInteger(raw, "offset") ?? 0,
    axes: [optionalInteger(raw, "axis1") ?? -2, optionalInteger(raw, "axis2") ?? -1],
  }),
  infer({ attributes: { offset, axes }, inputs }) {
    const { dtype, shape } = inputAt(inputs, "data", 0);
    if (shape === null) return only({ dtype, shape });
    const places = axes.map((axis) => resolveAxis(axis, shape.length + 1));
    if (places[0] === places[1]) throw new RuleError("a diagonal needs two different axes");
    const side = addDims(shape.at(-1) ?? null, Math.abs(offset));
    const rest = shape.slice(0, -1);
    const result = Array.from(
      { length: shape.length + 1 },
      (_, axis): Dim => (places.includes(axis) ? side : (rest.shift() ?? null)),
    );
    return only({ dtype, shape: result });
  },
});

export const graphViewOperators: readonly OperatorDef<unknown>[] = [
  mergeAxes,
  splitAxis,
  reshapeLike,
  expandLike,
  broadcastTogether,
  stridedView,
  atLeastRank,
  element,
  layoutNumber,
  assertion,
  embedDiagonal,
];
