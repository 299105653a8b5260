/** Operators that move elements around, cut them away, repeat them or put zeros beside them. */

import { counted } from "../counted.ts";
import { addDims, type Dim, formatDim, mapDims, multiplyDims, productOfDims } from "../ir/dim.ts";
import type { Json, JsonObject } from "../ir/graph.ts";
import { formatShape } from "../ir/shape.ts";
import { mainInput, requireMinimumRank, requireRank, single } from "./arguments.ts";
import { type Layout, readInteger, readIntegers, readLayout, readPairs } from "./attributes.ts";
import { nodeResize } from "./graph-resize.ts";
import { type OperatorDef, type RuleContext, RuleError } from "./operator.ts";
import { inTwoForms } from "./two-forms.ts";
import { joinSpatial, splitSpatial } from "./windows.ts";

/** All axes after the batch become one. */
const flatten: OperatorDef<null> = {
  name: "Flatten",
  attributes: () => null,
  infer: ({ inputs }) => {
    const { shape, dtype } = mainInput(inputs);
    if (shape === null) return single([null, null], dtype);
    requireMinimumRank(shape, 1);
    return single([shape[0] ?? null, productOfDims(shape.slice(1))], dtype);
  },
};

interface ReshapeAttributes {
  /** Without the batch; -1 (at most once) for what is left, null for unknown. */
  readonly shape: readonly Dim[];
}

function readTarget(raw: JsonObject): readonly Dim[] {
  const value: Json | undefined = raw.shape;
  const items = Array.isArray(value) ? (value as readonly Json[]) : [];
  const valid = items.every(
    (item) => item === null || (typeof item === "number" && Number.isSafeInteger(item) && item >= -1),
  );
  if (!Array.isArray(value) || !valid)
    throw new RuleError('attribute "shape" should be a list of dimensions, one of them perhaps -1');
  if (items.filter((item) => item === -1).length > 1)
    throw new RuleError("a new shape can leave only one dimension open");
  return items as readonly Dim[];
}

/** The target with -1 worked out; a size that cannot be is an error. */
function reshaped(source: readonly Dim[], target: readonly Dim[]): readonly Dim[] {
  const total = productOfDims(source);
  const open = target.indexOf(-1);
  const known = productOfDims(target.filter((dim) => dim !== -1));
  const misfit = (): never => {
    throw new RuleError(`${formatShape(source)} cannot be reshaped to ${formatShape(target)}`);
  };
  if (open === -1) {
    if (total !== null && known !== null && total !== known) misfit();
    return target;
  }
  const rest = mapDims(
    (all, given) => (given === 0 || all % given !== 0 ? misfit() : all / given),
    total,
    known,
  );
  return target.map((dim) => (dim === -1 ? rest : dim));
}

const reshape: OperatorDef<ReshapeAttributes> = {
  name: "Reshape",
  attributes: (raw) => ({ shape: readTarget(raw) }),
  infer: ({ attributes, inputs }) => {
    const { shape, dtype } = mainInput(inputs);
    if (shape === null)
      return single([null, ...attributes.shape.map((dim) => (dim === -1 ? null : dim))], dtype);
    requireMinimumRank(shape, 1);
    return single([shape[0] ?? null, ...reshaped(shape.slice(1), attributes.shape)], dtype);
  },
};

/** `axes`: for each axis of the output, the axis of the input it is; the batch is axis 0. */
const permute: OperatorDef<{ readonly axes: readonly number[] }> = {
  name: "Permute",
  attributes: (raw) => {
    const axes = readIntegers(raw, "axes", { min: 0 });
    if (new Set(axes).size !== axes.length || axes.some((axis) => axis >= axes.length)) {
      throw new RuleError(`${formatShape(axes)} is not an order of ${counted(axes.length, "axis", "axes")}`);
    }
    return { axes };
  },
  infer: ({ attributes, inputs }) => {
    const { shape, dtype } = mainInput(inputs);
    if (shape === null)
      return single(
        attributes.axes.map(() => null),
        dtype,
      );
    requireRank(shape, attributes.axes.length);
    return single(
      attributes.axes.map((axis) => shape[axis] ?? null),
      dtype,
    );
  },
};

/** (batch, features) becomes (batch, count, features). */
const repeatVector: OperatorDef<{ readonly count: number }> = {
  name: "RepeatVector",
  attributes: (raw) => ({ count: readInteger(raw, "count") }),
  infer: ({ attributes, inputs }) => {
    const { shape, dtype } = mainInput(inputs);
    if (shape !== null) requireRank(shape, 2);
    return single([shape?.[0] ?? null, attributes.count, shape?.[1] ?? null], dtype);
  },
};

interface BorderAttributes {
  /** (before, after) by spatial axis. */
  readonly amounts: readonly (readonly [number, number])[];
  readonly layout: Layout;
}

/** Adds (`direction` 1) or takes away (-1) elements at both ends of each spatial axis. */
function border(name: string, direction: 1 | -1): OperatorDef<BorderAttributes> {
  return {
    name,
    attributes: (raw) => ({ amounts: readPairs(raw, "amounts"), layout: readLayout(raw) }),
    infer: (context) =>
      resized(context, context.attributes.amounts, (length, [before, after]) => {
        const result = addDims(length, direction * (before + after));
        if (typeof result === "number" && result <= 0)
          throw new RuleError(
            `${before} and ${counted(after, "element")} cannot be cut off a length of ${formatDim(length)}`,
          );
        return result;
      }),
  };
}

/** Each spatial axis is `factors` times as long. */
const upsample: OperatorDef<{ readonly factors: readonly number[]; readonly layout: Layout }> = {
  name: "Upsample",
  attributes: (raw) => ({ factors: readIntegers(raw, "factors"), layout: readLayout(raw) }),
  infer: (context) =>
    resized(context, context.attributes.factors, (length, factor) => multiplyDims(length, factor)),
};

/** Applies `change` to every spatial axis and what `amounts` has for it. */
function resized<T>(
  { attributes, inputs }: RuleContext<{ readonly layout: Layout }>,
  amounts: readonly T[],
  change: (length: Dim, amount: T) => Dim,
): ReturnType<typeof single> {
  const { shape, dtype } = mainInput(inputs);
  if (shape === null) return single(null, dtype);
  requireRank(shape, amounts.length + 2);
  const parts = splitSpatial(shape, amounts.length, attributes.layout);
  const spatial = amounts.map((amount, axis) => change(parts.spatial[axis] ?? null, amount));
  return single(joinSpatial({ ...parts, spatial }, attributes.layout), dtype);
}

export const reshapeOperators: readonly OperatorDef<unknown>[] = [
  flatten,
  reshape,
  permute,
  repeatVector,
  border("Pad", 1),
  border("Crop", -1),
  inTwoForms(upsample, nodeResize),
];
