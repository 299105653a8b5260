/** ONNX's operators that join tensors, take them apart and repeat them (ONNX 1.23, opsets 1 to 28). */

import { counted } from "../counted.ts";
import {
  addDims,
  ceilDivideDim,
  contradicts,
  type Dim,
  divideProducts,
  formatDim,
  multiplyDims,
  sharperDim,
  subtractDims,
  sumOfDims,
} from "../ir/dim.ts";
import type { DType } from "../ir/dtype.ts";
import { formatShape, type Shape } from "../ir/shape.ts";
import { maxOperationOutputs } from "../limits.ts";
import { resolveAxis } from "./arguments.ts";
import { readFlag, readInteger } from "./attributes.ts";
import { broadcastAll } from "./broadcast.ts";
import {
  asSize,
  broadcastElements,
  eachElement,
  flatIndex,
  knownAxes,
  knownElements,
  movedElements,
  output,
  scalarOf,
  statedOrPassed,
  statedWithPassed,
  staticShape,
  typed,
} from "./graph-values.ts";
import { type OperatorDef, RuleError, type RuleInput } from "./operator.ts";
import { promoteInputs } from "./promotion.ts";
import {
  defineOperator,
  inputAt,
  inputsNamed,
  optionalDims,
  optionalInput,
  optionalInteger,
} from "./tensor-rule.ts";

function commonType(inputs: readonly RuleInput[]): DType | null {
  return inputs.find((input) => input.dtype !== null)?.dtype ?? null;
}

function joinedShape(shapes: readonly Shape[], axis: number): Shape {
  const ranked = shapes.find((shape) => shape !== null) ?? null;
  if (ranked === null) return null;
  const place = resolveAxis(axis, ranked.length);
  const joined: Dim[] = new Array<Dim>(ranked.length).fill(null);
  for (const shape of shapes) {
    if (shape === null) continue;
    if (shape.length !== ranked.length)
      throw new RuleError(`shapes ${formatShape(ranked)} and ${formatShape(shape)} differ in rank`);
    for (const [i, dim] of shape.entries()) {
      if (i === place) continue;
      if (contradicts(joined[i] ?? null, dim))
        throw new RuleError(`shapes ${formatShape(ranked)} and ${formatShape(shape)} differ on axis ${i}`);
      joined[i] = sharperDim(joined[i] ?? null, dim);
    }
  }
  joined[place] = sumOfDims(shapes.map((shape) => shape?.[place] ?? null));
  return joined;
}

/** Elements of tensors joined on `axis`; those of which nothing is known are unknown each. */
function joinedElements(
  inputs: readonly RuleInput[],
  shape: Shape,
  axis: number,
): readonly Dim[] | undefined {
  if (shape === null) return undefined;
  const place = resolveAxis(axis, shape.length);
  const parts = inputs.map((input) => ({ elements: knownElements(input), from: staticShape(input.shape) }));
  if (parts.every(({ elements }) => elements === undefined)) return undefined;
  return eachElement(shape, (index) => {
    let at = index[place] ?? 0;
    for (const { elements, from } of parts) {
      const size = from?.[place] ?? 0;
      if (from !== null && at < size) return elements?.[flatIndex(index.with(place, at), from)] ?? null;
      at -= size;
    }
    return null;
  });
}

/** A vector without elements, which PyTorch joins with anything. */
function isEmptyVector({ shape }: RuleInput): boolean {
  return shape?.length === 1 && shape[0] === 0;
}

/** x, ... -> all of them, one after the other on `axis`. `mixed`: of different types, and some may be empty vectors. */
const concat = defineOperator<{ axis: number; mixed: boolean }>({
  name: "GraphConcat",
  attributes: (raw) => ({ axis: optionalInteger(raw, "axis") ?? 1, mixed: readFlag(raw, "mixed", false) }),
  infer({ attributes: { axis, mixed }, inputs }) {
    const given = inputsNamed(inputs, "inputs");
    if (given.length === 0) throw new RuleError("it is called without an input");
    const filled = mixed ? given.filter((input) => !isEmptyVector(input)) : given;
    const joined = filled.length === 0 ? given : filled;
    const shape = joinedShape(
      joined.map((input) => input.shape),
      axis,
    );
    const dtype = mixed ? promoteInputs(given) : commonType(joined);
    return output(dtype, shape, joinedElements(joined, shape, axis));
  },
});

interface SplitAttributes {
  readonly axis: number;
  readonly sizes: readonly Dim[] | null;
  readonly outputs: number;
  /** The parts are as equal as can be, the last one shorter; else all are equal. */
  readonly uneven: boolean;
}

function partSizes({ outputs, uneven }: SplitAttributes, dim: Dim): readonly Dim[] {
  const each = uneven ? ceilDivideDim(dim, outputs) : divideProducts([dim], [outputs]);
  if (!uneven) return new Array<Dim>(outputs).fill(each);
  const last = subtractDims(dim, multiplyDims(each, outputs - 1));
  if (typeof last === "number" && last < 0)
    throw new RuleError(`${counted(outputs, "part")} of ${formatDim(dim)} elements`);
  return [...new Array<Dim>(outputs - 1).fill(each), last];
}

/** x, sizes -> parts of x along `axis`: of these sizes, or as many as there are outputs. */
const split = defineOperator<SplitAttributes>({
  name: "GraphSplit",
  attributes: (raw) => ({
    axis: optionalInteger(raw, "axis") ?? 0,
    sizes: optionalDims(raw, "sizes", 0),
    outputs: readInteger(raw, "outputs", { min: 1 }),
    uneven: raw.uneven === true,
  }),
  infer({ attributes, inputs }) {
    const data = inputAt(inputs, "input", 0);
    const stated = statedWithPassed(attributes.sizes, inputs, "sizes", 1);
    const { shape } = data;
    if (attributes.outputs > maxOperationOutputs)
      throw new RuleError(`cannot split into ${counted(attributes.outputs, "part")}`);
    const unknown = new Array<Dim>(attributes.outputs).fill(null);
    if (shape === null) return { types: unknown.map(() => typed(data.dtype, null)) };
    const axis = resolveAxis(attributes.axis, shape.length);
    const dim = shape[axis] ?? null;
    const sizes = stated === undefined ? partSizes(attributes, dim) : (stated ?? unknown).map(asSize);
    const total = sumOfDims(sizes);
    if (contradicts(total, dim))
      throw new RuleError(`parts of ${formatDim(total)} elements in all, where there are ${formatDim(dim)}`);
    let offset: Dim = knownElements(data) === undefined ? null : 0;
    const types = unknown.map((_, part) => {
      const size = sizes[part] ?? null;
      const partShape = shape.with(axis, size);
      const start = offset;
      offset = addDims(offset, size);
      const elements =
        typeof start === "number"
          ? movedElements(data, partShape, (index) => index.with(axis, (index[axis] ?? 0) + start))
          : undefined;
      return typed(data.dtype, partShape, elements);
    });
    return { types };
  },
});

/** x, repeats -> x so many times along each axis. In opset 1: x, tiles, axis -> x so many times along one axis. */
const tile = defineOperator<null>({
  name: "GraphTile",
  attributes: () => null,
  infer({ inputs }) {
    const data = inputAt(inputs, "input", 0);
    const { shape } = data;
    const tiles = inputs.find((input) => input.name === "tiles");
    let repeats: readonly Dim[] | null;
    if (tiles) {
      const axis = scalarOf(inputAt(inputs, "axis", 2));
      if (shape === null || typeof axis !== "number")
        return output(data.dtype, shape?.map(() => null) ?? null);
      repeats = shape.map((_, i) => (i === resolveAxis(axis, shape.length) ? scalarOf(tiles) : 1));
    } else repeats = statedOrPassed(null, optionalInput(inputs, "repeats", 1)) ?? null;
    const count = shape?.length ?? repeats?.length;
    if (count === undefined) return output(data.dtype, null);
    if (repeats !== null && repeats.length !== count)
      throw new RuleError(`${counted(repeats.length, "repeat")} for ${formatShape(shape)}`);
    const tiled = Array.from({ length: count }, (_, axis) =>
      multiplyDims(shape?.[axis] ?? null, asSize(repeats?.[axis] ?? null)),
    );
    const elements = movedElements(data, tiled, (index, from) =>
      index.map((at, axis) => at % (from[axis] ?? 1)),
    );
    return output(data.dtype, tiled, elements);
  },
});

/** The sizes to add before and after each axis of a tensor of that rank; null where unknown. */
function padding(
  pads: readonly Dim[] | null,
  axes: readonly Dim[] | undefined,
  rank: number,
): readonly Dim[] {
  if (pads === null) return new Array<Dim>(rank).fill(null);
  const places = axes === undefined ? [...new Array(rank).keys()] : knownAxes(axes, rank);
  if (places === null) return new Array<Dim>(rank).fill(null);
  if (pads.length !== 2 * places.length)
    throw new RuleError(`${counted(pads.length, "pad")} for ${counted(places.length, "axis", "axes")}`);
  const total = new Array<Dim>(rank).fill(0);
  for (const [i, axis] of places.entries()) {
    total[axis] = addDims(pads[i] ?? null, pads[i + places.length] ?? null);
  }
  return total;
}

/** Pads in pairs, before and after, those of the last axis first; of the axes before no more is said. */
function paddedFromLast(shape: Shape, pads: readonly Dim[] | null): Shape {
  if (shape === null) return null;
  if (pads === null) return shape.map(() => null);
  if (pads.length % 2 !== 0 || pads.length > 2 * shape.length)
    throw new RuleError(`${counted(pads.length, "pad")} for ${formatShape(shape)}`);
  return shape.map((dim, axis) => {
    const pair = 2 * (shape.length - 1 - axis);
    return pair < pads.length ? asSize(addDims(dim, pads[pair] ?? null, pads[pair + 1] ?? null)) : dim;
  });
}

/**
 * x, pads, axes -> x with so much before (all axes), then so much after each of `axes`; negative: less. `lastFirst`: the pads
 * are pairs, the last axis first.
 */
const pad = defineOperator<{ pads: readonly Dim[] | null; lastFirst: boolean }>({
  name: "GraphPad",
  attributes: (raw) => ({
    pads: optionalDims(raw, "pads", Number.MIN_SAFE_INTEGER),
    lastFirst: readFlag(raw, "lastFirst", false),
  }),
  infer({ attributes, inputs }) {
    const data = inputAt(inputs, "data", 0);
    const pads = statedWithPassed(attributes.pads, inputs, "pads", 1) ?? null;
    if (attributes.lastFirst) return output(data.dtype, paddedFromLast(data.shape, pads));
    const passed = inputs.find((input) => input.name === "axes");
    const axes = statedOrPassed(null, passed);
    const rank = data.shape?.length ?? (passed === undefined && pads !== null ? pads.length / 2 : undefined);
    if (rank === undefined || !Number.isInteger(rank)) return output(data.dtype, null);
    const added = padding(axes === null ? null : pads, axes ?? undefined, rank);
    const shape = added.map((by, axis) => asSize(addDims(data.shape?.[axis] ?? null, by)));
    return output(data.dtype, shape);
  },
});

/** condition, x, y -> elements of x where the condition holds, else of y, all broadcast. */
const where = defineOperator<null>({
  name: "GraphWhere",
  attributes: () => null,
  infer({ inputs }) {
    const [condition, x, y] = [
      inputAt(inputs, "condition", 0),
      inputAt(inputs, "x", 1),
      inputAt(inputs, "y", 2),
    ];
    const shape = broadcastAll([condition.shape, x.shape, y.shape]);
    const [test, yes, no] = [condition, x, y].map((input) => broadcastElements(input, shape));
    const elements =
      test &&
      eachElement(shape, (_, i) => {
        const holds = test[i];
        return typeof holds === "number" ? ((holds === 0 ? no : yes)?.[i] ?? null) : null;
      });
    return output(x.dtype ?? y.dtype, shape, elements);
  },
});

export const graphJoinOperators: readonly OperatorDef<unknown>[] = [concat, split, tile, pad, where];
