/** Convolution whose weights are not shared between positions (Keras 1 and 2: LocallyConnected1D, LocallyConnected2D). */

import { type Dim, mapDims, multiplyDims } from "../ir/dim.ts";
import type { Shape } from "../ir/shape.ts";
import { mainInput, realType, single } from "./arguments.ts";
import { readChoice, readFlag, readInteger } from "./attributes.ts";
import type { OperatorDef, RuleContext } from "./operator.ts";
import {
  joinSpatial,
  readWindows,
  type SpatialShape,
  splitSpatial,
  type Windows,
  windowPositions,
} from "./windows.ts";

/** How the kernel is kept: a matrix for each position, one dense tensor with zeros, or the connections alone. */
type Storage = "by-position" | "dense" | "sparse";

interface LocalConvAttributes extends Windows {
  readonly filters: number;
  readonly bias: boolean;
  readonly storage: Storage;
}

function parts({
  attributes,
  inputs,
}: RuleContext<LocalConvAttributes>): { input: SpatialShape; output: readonly Dim[] } | null {
  const { shape } = mainInput(inputs);
  if (shape === null) return null;
  const input = splitSpatial(shape, attributes.kernelSize.length, attributes.layout);
  return { input, output: input.spatial.map((length, axis) => windowPositions(length, attributes, axis)) };
}

/**
 * Pairs (input, output position) along one axis that a window joins; windows are cut off at the borders. Borders are
 * summed as arithmetic series, so that the cost does not depend on the length.
 */
function connections(
  length: Dim,
  positions: Dim,
  { kernelSize, strides, padding }: Windows,
  axis: number,
): Dim {
  const size = kernelSize[axis] ?? 1;
  const stride = strides[axis] ?? 1;
  const before = padding === "valid" ? 0 : Math.floor(size / 2);
  return mapDims(
    (n, count) => {
      const after = (count - 1) * stride - before + size - n;
      return count * size - overhang(before, stride, count) - overhang(after, stride, count);
    },
    length,
    positions,
  );
}

/** Sum of first, first - stride, first - 2 * stride ... as long as positive, over at most `count` terms. */
function overhang(first: number, stride: number, count: number): number {
  if (first <= 0) return 0;
  const terms = Math.min(count, Math.ceil(first / stride));
  return terms * first - (stride * terms * (terms - 1)) / 2;
}

function kernelShape(attributes: LocalConvAttributes, input: SpatialShape, output: readonly Dim[]): Shape {
  const { filters, kernelSize, layout, storage } = attributes;
  const { spatial, channels } = input;
  if (storage === "by-position")
    return [multiplyDims(...output), multiplyDims(...kernelSize, channels), filters];
  if (storage === "sparse") {
    const joined = spatial.map((length, axis) => connections(length, output[axis] ?? null, attributes, axis));
    return [multiplyDims(...joined, channels, filters)];
  }
  return layout === "channels-first"
    ? [channels, ...spatial, filters, ...output]
    : [...spatial, channels, ...output, filters];
}

/** Kernel by `storage`; bias (positions..., filters). */
const localConv: OperatorDef<LocalConvAttributes> = {
  name: "LocallyConnected",
  attributes: (raw) => ({
    ...readWindows(raw),
    filters: readInteger(raw, "filters"),
    bias: readFlag(raw, "bias", true),
    storage: readChoice<Storage>(raw, "storage", ["by-position", "dense", "sparse"], "by-position"),
  }),
  weights: (context) => {
    const { attributes } = context;
    const known = parts(context);
    return {
      kernel: known && kernelShape(attributes, known.input, known.output),
      ...(attributes.bias && { bias: known && [...known.output, attributes.filters] }),
    };
  },
  infer: (context) => {
    const { attributes, inputs } = context;
    const dtype = realType(mainInput(inputs).dtype);
    const known = parts(context);
    if (known === null) return single(null, dtype);
    const { leading } = known.input;
    return single(
      joinSpatial({ leading, spatial: known.output, channels: attributes.filters }, attributes.layout),
      dtype,
    );
  },
};

export const localConvOperators: readonly OperatorDef<unknown>[] = [localConv];
