/** Normalisation whose factors and statistics are inputs (ONNX, ONNX Runtime). */

import { contradicts, type Dim } from "../ir/dim.ts";
import type { DType } from "../ir/dtype.ts";
import { formatShape, type Shape } from "../ir/shape.ts";
import type { TensorType } from "../ir/tensor.ts";
import { dimAt, requireMinimumRank, resolveAxis } from "./arguments.ts";
import { readFlag } from "./attributes.ts";
import { broadcastShapes } from "./broadcast.ts";
import { type OperatorDef, RuleError, type RuleInput } from "./operator.ts";
import { defineOperator, inputAt, optionalDType, optionalInput, optionalInteger } from "./tensor-rule.ts";
import type { NodeForm } from "./two-forms.ts";

function typeOf({ dtype, shape }: TensorType): TensorType {
  return { dtype, shape };
}

/** One factor for each channel, which is axis 1. */
function requireChannels(input: RuleInput, factor: RuleInput | undefined): void {
  if (input.shape === null || factor?.shape?.length !== 1) return;
  requireMinimumRank(input.shape, 1);
  const channels = input.shape.length === 1 ? 1 : dimAt(input.shape, 1);
  const [count = null] = factor.shape;
  if (contradicts(channels, count))
    throw new RuleError(`${formatShape(factor.shape)} factors do not fit ${formatShape(input.shape)}`);
}

/** What behind the output comes out of a batch normalisation: the new statistics, or those of the batch before them. */
interface BatchAttributes {
  /** `batch`: of the batch, one for each channel; `none`: in their place something of unknown length. */
  readonly saved: "batch" | "none" | null;
  /** A buffer for the way back stands between the statistics of the batch and the new ones. */
  readonly reserve: boolean;
}

/** Element type of statistics: narrower ones have them in their own type or in float32, as the device has it. */
function statisticsType(dtype: DType | null): DType | null {
  return dtype === "float32" || dtype === "float64" ? dtype : null;
}

/** input, gamma, beta, moving mean and variance -> input; in training the new (and the saved) statistics too. */
export const nodeBatchNormalization: NodeForm<BatchAttributes> = {
  attributes: (raw) => ({
    saved: raw.saved === "batch" || raw.saved === "none" ? raw.saved : null,
    reserve: readFlag(raw, "reserve", false),
  }),
  infer({ attributes: { saved, reserve }, inputs }) {
    const input = inputAt(inputs, "input", 0);
    requireChannels(input, optionalInput(inputs, "gamma", 1));
    const mean = optionalInput(inputs, "moving-mean", 3) ?? { dtype: input.dtype, shape: [null] };
    const variance = optionalInput(inputs, "moving-variance", 4) ?? mean;
    if (saved === null) return { types: [typeOf(input), ...[mean, variance, mean, variance].map(typeOf)] };
    const channels = saved === "batch" ? (input.shape?.[1] ?? null) : null;
    const statistic = { dtype: statisticsType(input.dtype), shape: [channels] };
    const buffer: readonly TensorType[] = reserve ? [{ dtype: "uint8", shape: [null] }] : [];
    return { types: [typeOf(input), statistic, statistic, ...buffer, typeOf(mean), typeOf(variance)] };
  },
};

interface LayerAttributes {
  /** The first axis of those that are normalised; all after it are, too. */
  readonly axis: number;
  /** Element type of the statistics. */
  readonly statistics: DType | null;
}

function readLayer(raw: Parameters<OperatorDef["attributes"]>[0]): LayerAttributes {
  return { axis: optionalInteger(raw, "axis") ?? -1, statistics: optionalDType(raw, "statistics") };
}

/** The shape with ones in the place of the normalised axes. */
function statisticsShape(shape: Shape, axis: number): Shape {
  if (shape === null) return null;
  const first = resolveAxis(axis, shape.length);
  return shape.map((dim, i): Dim => (i < first ? dim : 1));
}

function requireFactor(input: RuleInput, factor: RuleInput | undefined, axis: number): void {
  if (input.shape === null || !factor?.shape) return;
  resolveAxis(axis, input.shape.length);
  broadcastShapes(input.shape, factor.shape);
}

/** input, gamma, beta -> input, mean and inverse deviation with ones for the normalised axes. */
export const nodeLayerNormalization: NodeForm<LayerAttributes> = {
  attributes: readLayer,
  infer({ attributes: { axis, statistics }, inputs }) {
    const input = inputAt(inputs, "input", 0);
    requireFactor(input, optionalInput(inputs, "gamma", 1), axis);
    const statistic = {
      dtype: statistics ?? statisticsType(input.dtype),
      shape: statisticsShape(input.shape, axis),
    };
    return { types: [typeOf(input), statistic, statistic] };
  },
};

/** input, gamma -> input with gamma's element type, and the inverse deviation. */
export const nodeRmsNormalization: NodeForm<LayerAttributes> = {
  attributes: readLayer,
  infer({ attributes: { axis, statistics }, inputs }) {
    const input = inputAt(inputs, "input", 0);
    const gamma = optionalInput(inputs, "gamma", 1);
    requireFactor(input, gamma, axis);
    const output = { dtype: gamma?.dtype ?? input.dtype, shape: input.shape };
    return { types: [output, { dtype: statistics, shape: statisticsShape(input.shape, axis) }] };
  },
};

/** input, gamma, beta -> input, mean and inverse deviation of every group (batch, groups). */
export const nodeGroupNormalization: NodeForm<{ readonly groups: number | null }> = {
  attributes: (raw) => ({ groups: optionalInteger(raw, "groups") }),
  infer({ attributes: { groups }, inputs }) {
    const input = inputAt(inputs, "input", 0);
    const statistic: TensorType = {
      dtype: statisticsType(input.dtype),
      shape: [input.shape?.[0] ?? null, groups],
    };
    return { types: [typeOf(input), statistic, statistic] };
  },
};

/** input, further operands -> input: what only changes numbers. */
function unchanged(name: string): OperatorDef<unknown> {
  return defineOperator<null>({
    name,
    attributes: () => null,
    infer: ({ inputs }) => ({ types: [typeOf(inputAt(inputs, "input", 0))] }),
  });
}

/** input, skip, gamma, ... -> sum normalised, mean, inverse deviation, sum. */
function skipNormalization(name: string): OperatorDef<unknown> {
  return defineOperator<null>({
    name,
    attributes: () => null,
    infer({ inputs }) {
      const input = typeOf(inputAt(inputs, "input", 0));
      const statistic: TensorType = { dtype: "float32", shape: statisticsShape(input.shape, -1) };
      return { types: [input, statistic, statistic, input] };
    },
  });
}

/** input, skip, ... -> sum normalised, sum. */
const skipGroupNorm = defineOperator<null>({
  name: "SkipGroupNorm",
  attributes: () => null,
  infer({ inputs }) {
    const input = typeOf(inputAt(inputs, "input", 0));
    return { types: [input, input] };
  },
});

/**
 * Tables of words, positions and segments, added and normalised: ids (batch, positions) -> (batch, positions, width), mask
 * index (batch), and the sum.
 */
function embedNormalization(name: string): OperatorDef<unknown> {
  return defineOperator<{ readonly quantized: boolean }>({
    name,
    attributes: (raw) => ({ quantized: readFlag(raw, "quantized", false) }),
    infer({ attributes: { quantized }, inputs }) {
      const ids = inputAt(inputs, "input", 0).shape;
      const table = inputAt(inputs, "embeddings", 2);
      const width = table.shape?.[1] ?? null;
      const dtype = quantized ? (optionalInput(inputs, "embeddings-scale", 8)?.dtype ?? null) : table.dtype;
      const output: TensorType = { dtype, shape: ids && [...ids, width] };
      return { types: [output, { dtype: "int32", shape: [ids?.[0] ?? null] }, output] };
    },
  });
}

export const graphNormalizeOperators: readonly OperatorDef<unknown>[] = [
  unchanged("InstanceNormalization"),
  unchanged("LocalResponseNormalization"),
  unchanged("MeanVarianceNormalization"),
  unchanged("LpNormalization"),
  skipNormalization("SkipLayerNormalization"),
  skipNormalization("SkipRMSNormalization"),
  skipGroupNorm,
  embedNormalization("EmbedLayerNormalization"),
];
