/** Arithmetic of windows that slide over spatial axes: convolution, pooling and what is like them. */

import { counted } from "../counted.ts";
import { addDims, ceilDivideDim, type Dim, floorDivideDim, formatDim, mapDims } from "../ir/dim.ts";
import type { JsonObject } from "../ir/graph.ts";
import { formatShape } from "../ir/shape.ts";
import { type Layout, readIntegers, readLayout, readPairs, readPerAxis } from "./attributes.ts";
import { RuleError } from "./operator.ts";

/**
 * What is put around the input: nothing ("valid"), as much as keeps ceil(n / stride) positions ("same"; "causal" puts
 * all of it in front), a whole window less one on each side ("full"), or numbers by axis.
 */
export type Padding = PaddingName | readonly (readonly [number, number])[];
type PaddingName = "valid" | "same" | "causal" | "full";

/** A window along its spatial axes. */
export interface Windows {
  readonly kernelSize: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly padding: Padding;
  readonly layout: Layout;
}

const paddingNames: readonly PaddingName[] = ["valid", "same", "causal", "full"];

/** Reads `kernelSize`, `strides` (default: `defaultStrides`, else 1), `dilations` (1), `padding` ("valid"), `layout`. */
export function readWindows(raw: JsonObject, defaultStrides?: "kernel"): Windows {
  const kernelSize = readIntegers(raw, "kernelSize");
  const rank = kernelSize.length;
  const hasStrides = raw.strides !== undefined && raw.strides !== null;
  return {
    kernelSize,
    strides:
      hasStrides || defaultStrides === undefined
        ? readPerAxis(raw, "strides", rank, { fallback: 1 })
        : kernelSize,
    dilations: readPerAxis(raw, "dilations", rank, { fallback: 1 }),
    padding: readPadding(raw, rank),
    layout: readLayout(raw),
  };
}

function readPadding(raw: JsonObject, rank: number): Padding {
  const value = raw.padding ?? "valid";
  if (typeof value === "string") {
    const name = paddingNames.find((known) => known === value.toLowerCase());
    if (name === undefined) throw new RuleError(`padding "${value.slice(0, 40)}" is not known`);
    return name;
  }
  const pairs = readPairs(raw, "padding");
  if (pairs.length !== rank)
    throw new RuleError(
      `padding is given for ${counted(pairs.length, "axis", "axes")}, the window has ${rank}`,
    );
  return pairs;
}

/** Positions of the window along spatial axis `axis` of length `length`. */
export function windowPositions(length: Dim, windows: Windows, axis: number): Dim {
  const extent = extentOf(windows, axis);
  const stride = windows.strides[axis] ?? 1;
  const { padding } = windows;
  if (padding === "same" || padding === "causal") return ceilDivideDim(length, stride);
  if (padding === "full") return ceilDivideDim(addDims(length, extent - 1), stride);
  const [before, after] = padding === "valid" ? [0, 0] : (padding[axis] ?? [0, 0]);
  const positions = addDims(floorDivideDim(addDims(length, before + after - extent), stride), 1);
  if (typeof positions === "number" && positions <= 0) {
    throw new RuleError(
      `a window that reaches over ${extent} does not fit into a length of ${formatDim(addDims(length, before + after))}`,
    );
  }
  return positions;
}

/**
 * Length that a transposed convolution makes of `length`. Without `outputPadding` it is the shortest that a
 * convolution would bring back to `length` (Keras: `n * s` for "same", at least the stride per position for "valid").
 */
export function transposedLength(
  length: Dim,
  windows: Windows,
  axis: number,
  outputPadding: number | null,
): Dim {
  const extent = extentOf(windows, axis);
  const stride = windows.strides[axis] ?? 1;
  const { padding } = windows;
  return mapDims((n) => {
    const result = transposed(
      n,
      extent,
      stride,
      typeof padding === "string" ? padding : (padding[axis] ?? [0, 0]),
      outputPadding,
    );
    if (result > 0) return result;
    throw new RuleError(`a transposed convolution makes nothing of a length of ${n}`);
  }, length);
}

function transposed(
  n: number,
  extent: number,
  stride: number,
  padding: PaddingName | readonly [number, number],
  outputPadding: number | null,
): number {
  if (typeof padding !== "string")
    return (n - 1) * stride + extent - padding[0] - padding[1] + (outputPadding ?? 0);
  if (outputPadding !== null) {
    const pad = padding === "valid" ? 0 : padding === "full" ? extent - 1 : Math.floor(extent / 2);
    return (n - 1) * stride + extent - 2 * pad + outputPadding;
  }
  if (padding === "valid") return n * stride + Math.max(extent - stride, 0);
  if (padding === "full") return n * stride - (stride + extent - 2);
  return n * stride;
}

/** Elements from the first to the last that one window touches. */
function extentOf(windows: Windows, axis: number): number {
  return ((windows.kernelSize[axis] ?? 1) - 1) * (windows.dilations[axis] ?? 1) + 1;
}

/** A shape taken apart: axes before (the batch; several are allowed), spatial axes, channels. */
export interface SpatialShape {
  readonly leading: readonly Dim[];
  readonly spatial: readonly Dim[];
  readonly channels: Dim;
}

export function splitSpatial(shape: readonly Dim[], spatialRank: number, layout: Layout): SpatialShape {
  const lead = shape.length - spatialRank - 1;
  if (lead < 1) {
    const rank = spatialRank + 2;
    throw new RuleError(
      `the input should have rank ${rank} (batch, ${spatialRank} spatial, channels), but is ${formatShape(shape)}`,
    );
  }
  const first = layout === "channels-first";
  return {
    leading: shape.slice(0, lead),
    spatial: first ? shape.slice(lead + 1) : shape.slice(lead, -1),
    channels: (first ? shape[lead] : shape.at(-1)) ?? null,
  };
}

export function joinSpatial({ leading, spatial, channels }: SpatialShape, layout: Layout): readonly Dim[] {
  return layout === "channels-first"
    ? [...leading, channels, ...spatial]
    : [...leading, ...spatial, channels];
}
