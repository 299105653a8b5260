/**
 * Arithmetic of windows whose size may be known from a kernel's shape only, with named lengths (ONNX; ONNX Runtime's
 * pool_attributes.h and conv_attributes.h agree).
 */

import { counted } from "../counted.ts";
import {
  addDims,
  ceilDivideDim,
  type Dim,
  floorDivideDim,
  isAtMostDim,
  minDims,
  multiplyDims,
  subtractDims,
} from "../ir/dim.ts";
import type { JsonObject } from "../ir/graph.ts";
import { formatShape } from "../ir/shape.ts";
import {
  type Layout,
  readChoice,
  readFlag,
  readIntegers,
  readLayout,
  readOptionalInteger,
  readPairs,
} from "./attributes.ts";
import { type Inferred, RuleError, type RuleInput } from "./operator.ts";
import { inputAt, reshaped } from "./tensor-rule.ts";

/** Windows of a node. Lists may be empty, for defaults, since the number of axes is known from the input. */
export interface NodeWindows {
  readonly kernelSize: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** "same": as much as keeps ceil(n / stride) positions. */
  readonly padding: "same" | readonly (readonly [number, number])[];
  /** A last window that reaches over the end counts, if it starts before the padding behind. */
  readonly ceil: boolean;
  readonly layout: Layout;
  /** How many axes the windows have, where an input without a batch is one of a batch of one; else null. */
  readonly spatialRank: number | null;
}

export function readNodeWindows(raw: JsonObject): NodeWindows {
  const list = (key: string, min = 1): readonly number[] => readIntegers(raw, key, { min, fallback: [] });
  return {
    kernelSize: list("kernelSize"),
    strides: list("strides"),
    dilations: list("dilations"),
    padding: readPadding(raw),
    ceil: readFlag(raw, "ceil", false),
    layout: readLayout(raw),
    spatialRank: readOptionalInteger(raw, "spatialRank"),
  };
}

/** Runs a rule on inputs of which the first has a batch; where it has none, one is made up and taken away again. */
export function onBatch(
  inputs: readonly RuleInput[],
  { spatialRank }: NodeWindows,
  rule: (inputs: readonly RuleInput[]) => Inferred,
): Inferred {
  const input = inputAt(inputs, "input", 0);
  const { shape } = input;
  if (shape === null || spatialRank === null || shape.length !== spatialRank + 1) return rule(inputs);
  const one = { ...input, shape: [1, ...shape] };
  const { types } = rule(inputs.map((other) => (other === input ? one : other)));
  return { types: types.map((type) => reshaped(type, (batched) => batched.slice(1))) };
}

function readPadding(raw: JsonObject): NodeWindows["padding"] {
  const { padding } = raw;
  if (padding === undefined || padding === null) return [];
  return typeof padding === "string"
    ? readChoice<"same">(raw, "padding", ["same"], "same")
    : readPairs(raw, "padding");
}

/** Each list has a number for every axis, or none. */
export function requireAxes(windows: NodeWindows, axes: number): void {
  const { kernelSize, strides, dilations, padding } = windows;
  for (const list of [kernelSize, strides, dilations, padding === "same" ? [] : padding]) {
    if (list.length !== 0 && list.length !== axes)
      throw new RuleError(
        `windows are given for ${counted(list.length, "axis", "axes")}, the input has ${axes}`,
      );
  }
}

/** Elements from the first to the last that one window touches. */
export function windowExtent(size: Dim, dilation: number): Dim {
  return addDims(multiplyDims(addDims(size, -1), dilation), 1);
}

/** Positions along spatial axis `axis` of a window of `size` elements on `length` elements. */
export function nodePositions(length: Dim, size: Dim, windows: NodeWindows, axis: number): Dim {
  const stride = windows.strides[axis] ?? 1;
  if (windows.padding === "same") return ceilDivideDim(length, stride);
  const extent = windowExtent(size, windows.dilations[axis] ?? 1);
  const [before, after] = windows.padding[axis] ?? [0, 0];
  const span = subtractDims(addDims(length, before, after), extent);
  if (typeof span === "number" && span < 0)
    throw new RuleError(`a window that reaches over ${extent} does not fit into a length of ${length}`);
  if (!windows.ceil) return addDims(floorDivideDim(span, stride), 1);
  const started = ceilDivideDim(addDims(length, before), stride);
  const reached = addDims(ceilDivideDim(span, stride), 1);
  if (isAtMostDim(reached, started)) return reached;
  return isAtMostDim(started, reached) ? started : minDims(reached, started);
}

/** A node's shape taken apart: batch, spatial axes (as many as there are), channels. */
export interface NodeSpatial {
  readonly batch: Dim;
  readonly spatial: readonly Dim[];
  readonly channels: Dim;
}

export function splitNode(shape: readonly Dim[], layout: Layout): NodeSpatial {
  if (shape.length < 3)
    throw new RuleError(
      `the input should have spatial axes behind batch and channels, but is ${formatShape(shape)}`,
    );
  const first = layout === "channels-first";
  return {
    batch: shape[0] ?? null,
    spatial: first ? shape.slice(2) : shape.slice(1, -1),
    channels: (first ? shape[1] : shape.at(-1)) ?? null,
  };
}

export function joinNode({ batch, spatial, channels }: NodeSpatial, layout: Layout): readonly Dim[] {
  return layout === "channels-first" ? [batch, channels, ...spatial] : [batch, ...spatial, channels];
}
