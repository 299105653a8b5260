/** Normalisation: the output has the shape of the input, the weights that of the axes which are told apart. */

import { counted } from "../counted.ts";
import type { Dim } from "../ir/dim.ts";
import type { JsonObject } from "../ir/graph.ts";
import type { Shape } from "../ir/shape.ts";
import { dimAt, mainInput, realType, resolveAxis, single } from "./arguments.ts";
import { readFlag, readInteger, readIntegers } from "./attributes.ts";
import {
  nodeBatchNormalization,
  nodeGroupNormalization,
  nodeLayerNormalization,
  nodeRmsNormalization,
} from "./graph-normalize.ts";
import { type Inferred, type OperatorDef, type RuleContext, RuleError } from "./operator.ts";
import { inTwoForms } from "./two-forms.ts";

type Weights = Readonly<Record<string, Shape>>;

interface Affine {
  /** May count from the end. */
  readonly axes: readonly number[];
  /** Has a learned factor (gamma). */
  readonly scale: boolean;
  /** Has a learned summand (beta). */
  readonly center: boolean;
}

function readAxes(raw: JsonObject): readonly number[] {
  return readIntegers(raw, "axes", { min: Number.MIN_SAFE_INTEGER, fallback: [-1] });
}

function readAffine(raw: JsonObject): Affine {
  return { axes: readAxes(raw), scale: readFlag(raw, "scale", true), center: readFlag(raw, "center", true) };
}

/** Dimensions of the axes, in the order given. */
function dimsOf(shape: Shape, axes: readonly number[]): Shape {
  return shape === null ? null : axes.map((axis) => dimAt(shape, axis));
}

function affineWeights({ scale, center }: Affine, shape: Shape): Weights {
  return { ...(scale && { gamma: shape }), ...(center && { beta: shape }) };
}

function unchanged({ inputs }: RuleContext<unknown>): Inferred {
  const { shape, dtype } = mainInput(inputs);
  return single(shape, realType(dtype));
}

/** Also checks that the axes exist. */
function unchangedAlong(context: RuleContext<{ readonly axes: readonly number[] }>): Inferred {
  dimsOf(mainInput(context.inputs).shape, context.attributes.axes);
  return unchanged(context);
}

interface BatchAttributes extends Affine {
  /** Keeps the statistics of batch renormalisation. */
  readonly renorm: boolean;
  /** Splits the batch (Keras 2: `virtual_batch_size`), which gives the weights one more axis. */
  readonly virtualBatches: boolean;
}

/** (c) for one axis; several axes (Keras 2) or virtual batches keep the rank of the input, with 1 elsewhere. */
function batchShape({ axes, virtualBatches }: BatchAttributes, shape: Shape): Shape {
  if (axes.length === 1 && !virtualBatches) return shape === null ? [null] : dimsOf(shape, axes);
  if (shape === null) return null;
  const kept = axes.map((axis) => resolveAxis(axis, shape.length));
  const full = shape.map((dim, axis): Dim => (kept.includes(axis) ? dim : 1));
  return virtualBatches ? [1, 1, ...full.slice(1)] : full;
}

/** gamma, beta, moving mean and variance, all (c). */
const batchNormalization: OperatorDef<BatchAttributes> = {
  name: "BatchNormalization",
  attributes: (raw) => ({
    ...readAffine(raw),
    renorm: readFlag(raw, "renorm", false),
    virtualBatches: readFlag(raw, "virtualBatches", false),
  }),
  weights: ({ attributes, inputs }) => {
    const shape = batchShape(attributes, mainInput(inputs).shape);
    return {
      ...affineWeights(attributes, shape),
      "moving-mean": shape,
      "moving-variance": shape,
      ...(attributes.renorm && {
        "moving-deviation": shape,
        "renorm-mean": shape,
        "renorm-deviation": shape,
      }),
    };
  },
  infer: unchangedAlong,
};

/** gamma and beta over the normalised axes. */
const layerNormalization: OperatorDef<Affine> = {
  name: "LayerNormalization",
  attributes: readAffine,
  weights: ({ attributes, inputs }) =>
    affineWeights(attributes, dimsOf(mainInput(inputs).shape, attributes.axes)),
  infer: unchangedAlong,
};

/** gamma over the normalised axes. */
const rmsNormalization: OperatorDef<{ readonly axes: readonly number[] }> = {
  name: "RMSNormalization",
  attributes: (raw) => ({ axes: readAxes(raw) }),
  weights: ({ attributes, inputs }) => ({ gamma: dimsOf(mainInput(inputs).shape, attributes.axes) }),
  infer: unchangedAlong,
};

interface GroupAttributes extends Affine {
  /** -1: as many as channels. */
  readonly groups: number;
}

/** gamma and beta (c). */
/** A learned factor a channel, the last axis: LayerScale of ConvNeXt and vision transformers. */
const channelScale: OperatorDef<{ readonly channels: number }> = {
  name: "ChannelScale",
  attributes: (raw) => ({ channels: readInteger(raw, "channels", { min: 1 }) }),
  weights: ({ attributes }) => ({ gamma: [attributes.channels] }),
  infer: ({ inputs }) => {
    const input = mainInput(inputs);
    return single(input.shape, realType(input.dtype));
  },
};

const groupNormalization: OperatorDef<GroupAttributes> = {
  name: "GroupNormalization",
  attributes: (raw) => ({
    ...readAffine(raw),
    groups: readInteger(raw, "groups", { min: -1, fallback: 32 }),
  }),
  weights: ({ attributes, inputs }) => {
    const shape = dimsOf(mainInput(inputs).shape, attributes.axes) ?? [null];
    const { groups } = attributes;
    const channels = shape[0] ?? null;
    if (groups > 0 && typeof channels === "number" && channels % groups !== 0) {
      throw new RuleError(
        `${counted(channels, "channel")} cannot be divided into ${counted(groups, "group")}`,
      );
    }
    return affineWeights(attributes, shape);
  },
  infer: unchangedAlong,
};

interface StandardizationAttributes {
  readonly axes: readonly number[];
  /** Mean and variance are gathered and stored; otherwise they are fixed numbers of the configuration. */
  readonly adapted: boolean;
}

/** Subtracts a mean and divides by a deviation, both (dims of the kept axes), gathered over `count` () elements. */
const standardization: OperatorDef<StandardizationAttributes> = {
  name: "Standardization",
  attributes: (raw) => ({ axes: readAxes(raw), adapted: readFlag(raw, "adapted", true) }),
  weights: ({ attributes, inputs }): Weights => {
    if (!attributes.adapted) return {};
    const { shape } = mainInput(inputs);
    const kept = shape === null ? attributes.axes : sortedAxes(attributes.axes, shape.length);
    const statistics = dimsOf(shape, kept);
    return { mean: statistics, variance: statistics, count: [] };
  },
  infer: unchangedAlong,
};

function sortedAxes(axes: readonly number[], rank: number): readonly number[] {
  return axes.map((axis) => resolveAxis(axis, rank)).sort((a, b) => a - b);
}

/** Scales vectors to length one. */
const unitNormalization: OperatorDef<{ readonly axes: readonly number[] }> = {
  name: "UnitNormalization",
  attributes: (raw) => ({ axes: readAxes(raw) }),
  infer: unchangedAlong,
};

export const normalizeOperators: readonly OperatorDef<unknown>[] = [
  inTwoForms(batchNormalization, nodeBatchNormalization),
  inTwoForms(layerNormalization, nodeLayerNormalization),
  inTwoForms(rmsNormalization, nodeRmsNormalization),
  channelScale,
  inTwoForms(groupNormalization, nodeGroupNormalization),
  standardization,
  unitNormalization,
];
