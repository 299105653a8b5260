/** Pooling of nodes: all spatial axes behind (or between) batch and channels (ONNX). */

import { counted } from "../counted.ts";
import { addDims, type Dim, multiplyDims, subtractDims } from "../ir/dim.ts";
import { formatShape } from "../ir/shape.ts";
import type { TensorType } from "../ir/tensor.ts";
import { requireRank } from "./arguments.ts";
import { type Layout, readFlag, readIntegers, readLayout } from "./attributes.ts";
import { dividedExactly } from "./graph-values.ts";
import {
  joinNode,
  type NodeWindows,
  nodePositions,
  onBatch,
  readNodeWindows,
  requireAxes,
  splitNode,
} from "./graph-windows.ts";
import { type OperatorDef, RuleError, type RuleInput } from "./operator.ts";
import {
  defineOperator,
  inputAt,
  only,
  optionalDims,
  optionalInput,
  reshaped,
  tupleOf,
} from "./tensor-rule.ts";
import { argumentValues, listValue } from "./tensor-values.ts";
import type { NodeForm } from "./two-forms.ts";

function pooled(input: RuleInput, windows: NodeWindows): TensorType {
  return reshaped(input, (shape) => {
    const parts = splitNode(shape, windows.layout);
    requireAxes(windows, parts.spatial.length);
    const spatial = parts.spatial.map((length, axis) =>
      nodePositions(length, windows.kernelSize[axis] ?? null, windows, axis),
    );
    return joinNode({ ...parts, spatial }, windows.layout);
  });
}

/** input -> one element for each window; with `indices`, also where it stands in the input. */
export function nodePool(indices = false): NodeForm<NodeWindows> {
  return {
    attributes: readNodeWindows,
    infer: ({ attributes, inputs }) =>
      onBatch(inputs, attributes, (batched) => {
        const { dtype, shape } = pooled(inputAt(batched, "input", 0), attributes);
        return { types: [{ dtype, shape }, ...(indices ? [{ dtype: "int64" as const, shape }] : [])] };
      }),
  };
}

/** input -> one element for each channel; the spatial axes stay, with length 1. */
export function nodeGlobalPool(): NodeForm<{ readonly layout: Layout }> {
  return {
    attributes: (raw) => ({ layout: readLayout(raw) }),
    infer: ({ attributes: { layout }, inputs }) =>
      only(
        reshaped(inputAt(inputs, "input", 0), (shape) => {
          if (shape.length < 3) {
            if (shape.length < 2) throw new RuleError("the input has no channels");
            return shape;
          }
          const parts = splitNode(shape, layout);
          return joinNode({ ...parts, spatial: parts.spatial.map(() => 1) }, layout);
        }),
      ),
  };
}

/** input (..., lengths...), sizes that are worked out -> (..., outputSize...); with `indices`, also places in the input. */
export function nodeAdaptivePool(indices = false): NodeForm<{ readonly outputSize: readonly Dim[] | null }> {
  return {
    attributes: (raw) => ({ outputSize: optionalDims(raw, "outputSize", 0) }),
    infer({ attributes, inputs }) {
      const { dtype, shape } = inputAt(inputs, "input", 0);
      const size = argumentValues(attributes.outputSize, inputs, "outputSize");
      const known = shape !== null && size !== null;
      if (known && shape.length < size.length + 1)
        throw new RuleError(`${formatShape(shape)} has no ${counted(size.length, "length")} behind channels`);
      const pooled = known ? [...shape.slice(0, -size.length), ...size] : null;
      return {
        types: [{ dtype, shape: pooled }, ...(indices ? [{ dtype: "int64" as const, shape: pooled }] : [])],
      };
    },
  };
}

/** input, indices, output shape -> what a MaxPool with these windows was made from. */
const maxUnpool = defineOperator<NodeWindows>({
  name: "MaxUnpool",
  attributes: readNodeWindows,
  infer({ attributes, inputs }) {
    const input = inputAt(inputs, "input", 0);
    const target = optionalInput(inputs, "output-shape", 2);
    if (target) {
      const unknown = input.shape?.map((): Dim => null) ?? null;
      return only({ dtype: input.dtype, shape: listValue(target) ?? unknown });
    }
    return only(
      reshaped(input, (shape) => {
        const parts = splitNode(shape, "channels-first");
        requireAxes(attributes, parts.spatial.length);
        const spatial = parts.spatial.map((length, axis) => unpooled(length, attributes, axis));
        return joinNode({ ...parts, spatial }, "channels-first");
      }),
    );
  },
});

function unpooled(length: Dim, { kernelSize, strides, padding }: NodeWindows, axis: number): Dim {
  const [before, after] = padding === "same" ? [0, 0] : (padding[axis] ?? [0, 0]);
  const reach = addDims(multiplyDims(addDims(length, -1), strides[axis] ?? 1), kernelSize[axis] ?? null);
  return subtractDims(reach, before + after);
}

interface RegionAttributes {
  readonly outputSize: readonly number[];
  /** Each place of the output has channels of its own. */
  readonly ownChannels: boolean;
  /** Where each element was found, as a second output. */
  readonly places: boolean;
}

/** input (batch, channels, h, w), regions (n, ...) -> (n, channels, outputSize). */
function regionPool(name: string): OperatorDef<unknown> {
  return defineOperator<RegionAttributes>({
    name,
    attributes: (raw) => ({
      outputSize: readIntegers(raw, "outputSize"),
      ownChannels: readFlag(raw, "ownChannels", false),
      places: readFlag(raw, "places", false),
    }),
    infer({ attributes: { outputSize, ownChannels, places }, inputs }) {
      const { dtype, shape } = inputAt(inputs, "input", 0);
      const regions = inputAt(inputs, "regions", 1).shape;
      if (shape !== null) requireRank(shape, outputSize.length + 2);
      if (regions !== null) requireRank(regions, 2);
      const all = shape?.[1] ?? null;
      const channels = ownChannels ? dividedExactly([all], outputSize) : all;
      const pooled: readonly Dim[] = [regions?.[0] ?? null, channels, ...outputSize];
      if (!places) return only({ dtype, shape: pooled });
      return tupleOf([
        { dtype, shape: pooled },
        { dtype: "int32", shape: pooled },
      ]);
    },
  });
}

/** input (batch, channels, lengths...), and where to look: (batch, places..., axes) -> (batch, channels, places...). */
const gridSample = defineOperator<null>({
  name: "GridSample",
  attributes: () => null,
  infer({ inputs }) {
    const { dtype, shape } = inputAt(inputs, "input", 0);
    const grid = inputAt(inputs, "grid", 1).shape;
    const rank = shape?.length ?? grid?.length;
    if (rank === undefined) return only({ dtype, shape: null });
    if (shape !== null && grid !== null && shape.length !== grid.length)
      throw new RuleError(`a grid of rank ${grid.length} does not fit an input of rank ${shape.length}`);
    const places = grid?.slice(1, -1) ?? Array.from({ length: rank - 2 }, () => null);
    return only({ dtype, shape: [shape?.[0] ?? grid?.[0] ?? null, shape?.[1] ?? null, ...places] });
  },
});

/** theta (batch, axes, axes + 1), size (batch, channels, lengths...) -> (batch, lengths..., axes). */
const affineGrid = defineOperator<null>({
  name: "AffineGrid",
  attributes: () => null,
  infer({ inputs }) {
    const theta = inputAt(inputs, "theta", 0);
    const size = inputAt(inputs, "size", 1);
    const count = size.shape?.[0];
    const known =
      listValue(size) ?? (typeof count === "number" ? new Array<Dim>(Math.min(count, 5)).fill(null) : null);
    if (known === null) return only({ dtype: theta.dtype, shape: null });
    if (known.length < 4) throw new RuleError("the size has no two lengths");
    const [batch = null, , ...lengths] = known;
    return only({
      dtype: theta.dtype,
      shape: [batch ?? theta.shape?.[0] ?? null, ...lengths, lengths.length],
    });
  },
});

export const graphPoolOperators: readonly OperatorDef<unknown>[] = [
  defineOperator({ name: "LpPool", ...nodePool() }),
  defineOperator({ name: "GlobalLpPool", ...nodeGlobalPool() }),
  defineOperator({ name: "QLinearGlobalAveragePool", ...nodeGlobalPool() }),
  defineOperator({ name: "QLinearAveragePool", ...nodePool() }),
  maxUnpool,
  regionPool("MaxRoiPool"),
  regionPool("RoiAlign"),
  gridSample,
  affineGrid,
];
