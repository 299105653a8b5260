/**
 * Images made larger or smaller along any axes (ONNX Resize, Upsample). Lengths are worked out as ONNX's own inference
 * does, in single precision: floor(length * scale).
 */

import { counted } from "../counted.ts";
import { type Dim, floorDivideDim, multiplyDims } from "../ir/dim.ts";
import type { Json, JsonObject } from "../ir/graph.ts";
import { resolveAxis } from "./arguments.ts";
import { readChoice, readFlag } from "./attributes.ts";
import { statedWithPassed } from "./graph-values.ts";
import { type OperatorDef, RuleError, type RuleInput } from "./operator.ts";
import {
  defineOperator,
  inputAt,
  only,
  optionalDims,
  optionalInput,
  optionalIntegers,
  reshaped,
} from "./tensor-rule.ts";
import { listValue } from "./tensor-values.ts";
import type { NodeForm } from "./two-forms.ts";

type Policy = "stretch" | "not-larger" | "not-smaller";

interface ResizeAttributes {
  /** Axes that scales and sizes speak of; all, in order, where null. */
  readonly axes: readonly number[] | null;
  /** Factors that stand in the attributes (early versions). */
  readonly scales: readonly number[] | null;
  readonly policy: Policy;
  /** Regions of interest may cut the input, so that scales alone do not tell. */
  readonly crops: boolean;
}

function readScales(raw: JsonObject): readonly number[] | null {
  const value = raw.scales ?? null;
  if (value === null) return null;
  const items: readonly Json[] = Array.isArray(value) ? value : [value];
  return items.map((item) => {
    if (typeof item === "number" && item > 0) return item;
    throw new RuleError("scales should be numbers above 0");
  });
}

/** The factors of an input, null for those not known; undefined where not even their count is. */
function scalesOf(input: RuleInput | undefined): readonly (number | null)[] | undefined {
  if (input === undefined || !Array.isArray(input.value)) return undefined;
  return (input.value as readonly unknown[]).map((item) => {
    if (typeof item !== "number") return null;
    if (item > 0) return item;
    throw new RuleError("scales should be numbers above 0");
  });
}

/** floor(length * scale). A factor that is no fraction of a power of two says nothing of a named length. */
function scaled(length: Dim, scale: number | null): Dim {
  if (scale === null) return null;
  const single = Math.fround(scale);
  if (typeof length === "number") return wholeNumber(Math.floor(Math.fround(Math.fround(length) * single)));
  for (let below = 1; below <= 1024; below *= 2) {
    if (Number.isSafeInteger(single * below))
      return floorDivideDim(multiplyDims(length, single * below), below);
  }
  return null;
}

function wholeNumber(value: number): Dim {
  return Number.isSafeInteger(value) ? value : null;
}

/** Lengths of the axes when the smaller (or larger) factor of the asked sizes is that of all. */
function keepRatio(lengths: readonly Dim[], sizes: readonly Dim[], policy: Policy): readonly Dim[] {
  if (policy === "stretch") return sizes;
  const factors = sizes.map((size, i) => {
    const length = lengths[i];
    return typeof size === "number" && typeof length === "number" && length > 0
      ? Math.fround(size / length)
      : null;
  });
  const known = factors.filter((factor) => factor !== null);
  if (known.length < factors.length) return sizes.map(() => null);
  const factor = known.reduce((a, b) => (policy === "not-larger" ? Math.min(a, b) : Math.max(a, b)));
  return lengths.map((length) =>
    typeof length === "number" ? wholeNumber(Math.round(Math.fround(length * factor))) : null,
  );
}

function requireCount(count: number, axes: number): void {
  if (count !== axes)
    throw new RuleError(`there are ${count} sizes or scales for ${counted(axes, "axis", "axes")}`);
}

function resizedShape(
  shape: readonly Dim[],
  { axes, scales, policy, crops }: ResizeAttributes,
  inputs: readonly RuleInput[],
): readonly Dim[] {
  const places = (axes ?? shape.map((_, i) => i)).map((axis) => resolveAxis(axis, shape.length));
  const lengths = places.map((axis) => shape[axis] ?? null);
  const sizes = optionalInput(inputs, "sizes", 3);
  const lengthsOut = (): readonly Dim[] => {
    if (sizes && sizes.shape?.[0] !== 0) {
      const known = listValue(sizes);
      if (known) requireCount(known.length, places.length);
      return known && places.length > 0 ? keepRatio(lengths, known, policy) : lengths.map(() => null);
    }
    const factors = scales ?? scalesOf(optionalInput(inputs, "scales", 2));
    if (factors === undefined) return lengths.map(() => null);
    requireCount(factors.length, places.length);
    return lengths.map((length, i) => (crops ? null : scaled(length, factors[i] ?? null)));
  };
  const result = [...shape];
  for (const [i, dim] of lengthsOut().entries()) result[places[i] ?? 0] = dim;
  return result;
}

/** input, roi, scales, sizes -> the input with other lengths. */
export const nodeResize: NodeForm<ResizeAttributes> = {
  attributes: (raw) => ({
    axes: optionalIntegers(raw, "axes"),
    scales: readScales(raw),
    policy: readChoice<Policy>(raw, "policy", ["stretch", "not-larger", "not-smaller"], "stretch"),
    crops: readFlag(raw, "crops", false),
  }),
  infer: ({ attributes, inputs }) =>
    only(reshaped(inputAt(inputs, "input", 0), (shape) => resizedShape(shape, attributes, inputs))),
};

interface SpatialAttributes {
  readonly sizes: readonly Dim[] | null;
  readonly scales: readonly number[] | null;
}

/** floor(length * scale) in double precision, as PyTorch works it out. */
function scaledTo(length: Dim, scale: number): Dim {
  if (typeof length === "number") return wholeNumber(Math.floor(length * scale));
  for (let below = 1; below <= 1024; below *= 2) {
    if (Number.isSafeInteger(scale * below))
      return floorDivideDim(multiplyDims(length, scale * below), below);
  }
  return null;
}

/** input (batch, channels, lengths...), sizes -> the input with these lengths, or its own times `scales`. */
const spatialResize = defineOperator<SpatialAttributes>({
  name: "SpatialResize",
  attributes: (raw) => ({ sizes: optionalDims(raw, "sizes", 0), scales: readScales(raw) }),
  infer({ attributes: { sizes: stated, scales }, inputs }) {
    const sizes = stated && (statedWithPassed(stated, inputs, "sizes", inputs.length) ?? null);
    return only(
      reshaped(inputAt(inputs, "input", 0), (shape) => {
        const lengths = shape.slice(2);
        for (const list of [sizes, scales]) if (list) requireCount(list.length, lengths.length);
        const resized = lengths.map((length, i): Dim => {
          if (sizes) return sizes[i] ?? null;
          return scales ? scaledTo(length, scales[i] ?? 1) : null;
        });
        return [...shape.slice(0, 2), ...resized];
      }),
    );
  },
});

export const graphResizeOperators: readonly OperatorDef<unknown>[] = [
  spatialResize,
  defineOperator({ name: "Resize", ...nodeResize }),
];
