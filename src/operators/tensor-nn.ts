/**
 * Neural-network operations on tensors, with their kernels among the inputs (Keras 3.15 ops/nn.py). Activations and
 * pooling have the operators of the layers.
 */

import { addDims, type Dim, floorDivideDim, multiplyDims } from "../ir/dim.ts";
import type { JsonObject } from "../ir/graph.ts";
import { formatShape, type Shape } from "../ir/shape.ts";
import type { TensorType } from "../ir/tensor.ts";
import { dimAt, mainInput, requireMinimumRank, requireRank, resolveAxis } from "./arguments.ts";
import { type Layout, readChoice, readFlag, readInteger, readLayout, readPerAxis } from "./attributes.ts";
import { type OperatorDef, RuleError, type RuleInput } from "./operator.ts";
import {
  defineOperator,
  inputAt,
  only,
  optionalInteger,
  optionalIntegers,
  reshaped,
  simpleOperator,
  tupleOf,
  withDim,
} from "./tensor-rule.ts";
import {
  joinSpatial,
  readWindows,
  splitSpatial,
  transposedLength,
  type Windows,
  windowPositions,
} from "./windows.ts";

interface ConvAttributes {
  readonly raw: JsonObject;
  readonly layout: Layout;
  readonly kind: "dense" | "depthwise" | "separable" | "transpose";
  readonly outputPadding: readonly number[] | null;
}

/** A kernel of unknown size gives windows nothing to start from. */
function windowsOf(raw: JsonObject, kernel: readonly Dim[]): Windows | null {
  const kernelSize = kernel.slice(0, -2).filter((dim) => typeof dim === "number");
  return kernelSize.length === kernel.length - 2 ? readWindows({ ...raw, kernelSize }) : null;
}

function filtersOf(kind: ConvAttributes["kind"], kernel: readonly Dim[], pointwise: Shape | undefined): Dim {
  if (kind === "depthwise") return multiplyDims(dimAt(kernel, -1), dimAt(kernel, -2));
  if (kind === "transpose") return dimAt(kernel, -2);
  if (kind === "separable") return pointwise ? dimAt(pointwise, -1) : null;
  return dimAt(kernel, -1);
}

/** x, kernel (k..., in, out) -> x with other spatial sizes and as many channels as the kernel says. */
const convolve = defineOperator<ConvAttributes>({
  name: "Convolve",
  attributes: (raw) => ({
    raw,
    layout: readLayout(raw),
    kind: readChoice(raw, "kind", ["dense", "depthwise", "separable", "transpose"], "dense"),
    outputPadding: optionalIntegers(raw, "outputPadding"),
  }),
  infer({ attributes: { raw, layout, kind, outputPadding }, inputs }) {
    const x = inputAt(inputs, "x", 0);
    const kernel = inputAt(inputs, "kernel", 1).shape;
    if (kernel === null) return only({ dtype: x.dtype, shape: null });
    requireMinimumRank(kernel, 3);
    const windows = windowsOf(raw, kernel);
    const filters = filtersOf(kind, kernel, inputs.find((input) => input.name === "pointwiseKernel")?.shape);
    return only(
      reshaped(x, (shape) => {
        requireRank(shape, kernel.length);
        const parts = splitSpatial(shape, kernel.length - 2, layout);
        const spatial = parts.spatial.map((length, axis): Dim => {
          if (windows === null) return null;
          if (kind !== "transpose") return windowPositions(length, windows, axis);
          return transposedLength(length, windows, axis, outputPadding?.[axis] ?? outputPadding?.[0] ?? null);
        });
        return joinSpatial({ ...parts, spatial, channels: filters }, layout);
      }),
    );
  },
});

/** x -> half of `axis`: gated linear unit. */
const glu = defineOperator<{ axis: number }>({
  name: "Glu",
  attributes: (raw) => ({ axis: optionalInteger(raw, "axis") ?? -1 }),
  infer: ({ attributes: { axis }, inputs }) =>
    only(
      reshaped(mainInput(inputs), (shape) => {
        const size = dimAt(shape, axis);
        if (typeof size === "number" && size % 2 !== 0)
          throw new RuleError(`axis ${axis} of ${formatShape(shape)} is odd`);
        return withDim(shape, axis, floorDivideDim(size, 2));
      }),
    ),
});

/** x -> twice as many elements along the last axis (tf.nn.crelu). */
const concatRelu = simpleOperator("ConcatRelu", (inputs) =>
  reshaped(mainInput(inputs), (shape) => withDim(shape, -1, multiplyDims(dimAt(shape, -1), 2))),
);

/** x, and statistics, scale or offset of it -> x. */
const normalized = (name: string): OperatorDef<unknown> => simpleOperator(name, mainInput);

/** target, output -> a loss for each element (`axis` null) or without the class axis. */
const crossEntropy = defineOperator<{ axis: number | null }>({
  name: "CrossEntropy",
  attributes: (raw) => ({ axis: optionalInteger(raw, "axis") }),
  infer: ({ attributes: { axis }, inputs }) =>
    only(
      reshaped(inputAt(inputs, "output", 1), (shape) =>
        axis === null ? shape : shape.toSpliced(resolveAxis(axis, shape.length), 1),
      ),
    ),
});

/** One number for each element of the batch. */
const perExample = (name: string): OperatorDef<unknown> =>
  simpleOperator(name, (inputs) => reshaped(mainInput(inputs), (shape) => shape.slice(0, 1)));

/** inputs (batch, time, classes) -> labels (paths, batch, time) and scores (batch, paths). */
const ctcDecode = defineOperator<{ paths: number }>({
  name: "CtcDecode",
  attributes: (raw) => ({ paths: readInteger(raw, "paths", { fallback: 1 }) }),
  infer({ attributes: { paths }, inputs }) {
    const x = mainInput(inputs);
    const labels: TensorType = reshaped(x, (shape) => [paths, dimAt(shape, 0), dimAt(shape, 1)], "int32");
    return tupleOf([labels, reshaped(x, (shape) => [dimAt(shape, 0), paths])]);
  },
});

interface UnfoldAttributes {
  readonly kernelSize: readonly number[];
  readonly dilations: readonly number[];
  readonly padding: readonly number[];
  readonly strides: readonly number[];
}

/** x (batch, C, H, W) -> (batch, C k k, positions); `batch` may be left out of both. */
const unfold = defineOperator<UnfoldAttributes>({
  name: "Unfold",
  attributes: (raw) => ({
    kernelSize: readPerAxis(raw, "kernelSize", 2),
    dilations: readPerAxis(raw, "dilation", 2, { fallback: 1 }),
    padding: readPerAxis(raw, "padding", 2, { min: 0, fallback: 0 }),
    strides: readPerAxis(raw, "stride", 2, { fallback: 1 }),
  }),
  infer: ({ attributes: { kernelSize, dilations, padding, strides }, inputs }) =>
    only(
      reshaped(mainInput(inputs), (shape) => {
        requireMinimumRank(shape, 3);
        const positions = kernelSize.map((k, i) => {
          const [d, p, s] = [dilations[i] ?? 1, padding[i] ?? 0, strides[i] ?? 1];
          return addDims(floorDivideDim(addDims(dimAt(shape, i - 2), 2 * p - d * (k - 1) - 1), s), 1);
        });
        const columns = multiplyDims(dimAt(shape, -3), ...kernelSize);
        return [...shape.slice(0, -3), columns, multiplyDims(...positions)];
      }),
    ),
});

/** x (batch, C k k, positions) -> (batch, C, H, W). */
const fold = defineOperator<{ outputSize: readonly number[]; kernelSize: readonly number[] }>({
  name: "Fold",
  attributes: (raw) => ({
    outputSize: readPerAxis(raw, "outputSize", 2),
    kernelSize: readPerAxis(raw, "kernelSize", 2),
  }),
  infer: ({ attributes: { outputSize, kernelSize }, inputs }) =>
    only(
      reshaped(mainInput(inputs), (shape) => {
        requireRank(shape, 3);
        const window = kernelSize.reduce((a, b) => a * b, 1);
        return [dimAt(shape, 0), floorDivideDim(dimAt(shape, 1), window), ...outputSize];
      }),
    ),
});

interface BlockAttributes {
  readonly block: number;
  readonly layout: Layout;
}

/** Moves blocks of `blockSize` x `blockSize` between the image axes and the channels. */
function blocks(name: string, toSpace: boolean): OperatorDef<unknown> {
  return defineOperator<BlockAttributes>({
    name,
    attributes: (raw) => ({ block: readInteger(raw, "blockSize"), layout: readLayout(raw) }),
    infer: ({ attributes: { block, layout }, inputs }) =>
      only(
        reshaped(mainInput(inputs), (shape) => {
          requireRank(shape, 4);
          const parts = splitSpatial(shape, 2, layout);
          const shrink = (dim: Dim, by: number): Dim => {
            if (typeof dim === "number" && dim % by !== 0)
              throw new RuleError(`${dim} is no multiple of ${by}`);
            return floorDivideDim(dim, by);
          };
          const spatial = parts.spatial.map((dim) =>
            toSpace ? multiplyDims(dim, block) : shrink(dim, block),
          );
          const channels = toSpace
            ? shrink(parts.channels, block * block)
            : multiplyDims(parts.channels, block * block);
          return joinSpatial({ ...parts, spatial, channels }, layout);
        }),
      ),
  });
}

/** x1, x2 -> one number. */
const similarity = simpleOperator("PeakSignalNoise", () => ({ dtype: "float32", shape: [] }));

/** Windows of a size that one number may give for all spatial axes. */
function poolWindows(raw: JsonObject, shape: readonly Dim[]): Windows {
  const rank = shape.length - 2;
  return readWindows({ ...raw, kernelSize: readPerAxis(raw, "kernelSize", rank) }, "kernel");
}

/** x (batch, spatial..., C) -> the largest element or the mean of each window (Keras 3.15 nn.MaxPool, AveragePool). */
const pool = defineOperator<JsonObject>({
  name: "PoolTensor",
  attributes: (raw) => raw,
  infer({ attributes, inputs }) {
    const x = mainInput(inputs);
    if (x.shape !== null) requireMinimumRank(x.shape, 3);
    return only(x.shape === null ? x : pooledTypes(x, poolWindows(attributes, x.shape)));
  },
});

function pooledTypes(x: RuleInput, windows: Windows): TensorType {
  return reshaped(x, (shape) => {
    const parts = splitSpatial(shape, windows.kernelSize.length, windows.layout);
    const spatial = parts.spatial.map((length, axis) => windowPositions(length, windows, axis));
    return joinSpatial({ ...parts, spatial }, windows.layout);
  });
}

/** x -> the largest of each window and where it stands (tf.nn.max_pool_with_argmax). */
const maxPoolWithIndices = defineOperator<Windows>({
  name: "MaxPoolWithIndices",
  attributes: (raw) => readWindows(raw, "kernel"),
  infer({ attributes, inputs }) {
    const type = pooledTypes(mainInput(inputs), attributes);
    return tupleOf([type, { ...type, dtype: "int64" }]);
  },
});

/** indices, table(s) -> indices with the table's last axis behind them (tf.nn.embedding_lookup). */
const embeddingLookup = defineOperator<{ partitioned: boolean }>({
  name: "EmbeddingLookup",
  // A list of tables has one axis more.
  attributes: (raw) => ({ partitioned: readFlag(raw, "partitioned", false) }),
  infer: ({ attributes: { partitioned }, inputs }) => {
    const table = inputAt(inputs, "x", 0);
    const indices = inputAt(inputs, "indices", 1).shape;
    const row = table.shape?.slice(partitioned ? 2 : 1) ?? null;
    return only({ dtype: table.dtype, shape: indices && row && [...indices, ...row] });
  },
});

export const tensorNnOperators: readonly OperatorDef<unknown>[] = [
  convolve,
  glu,
  concatRelu,
  normalized("NormalizeWithStatistics"),
  normalized("NormalizeTensor"),
  normalized("AddBias"),
  crossEntropy,
  perExample("CtcLoss"),
  perExample("PerExample"),
  ctcDecode,
  unfold,
  fold,
  blocks("DepthToSpace", true),
  blocks("SpaceToDepth", false),
  similarity,
  pool,
  maxPoolWithIndices,
  embeddingLookup,
];
