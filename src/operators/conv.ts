/** Convolutions. All weights have the spatial axes first unless `kernelLayout` says otherwise. */

import { counted } from "../counted.ts";
import { type Dim, floorDivideDim, multiplyDims } from "../ir/dim.ts";
import type { JsonObject } from "../ir/graph.ts";
import type { Shape } from "../ir/shape.ts";
import { mainInput, realType, single } from "./arguments.ts";
import { readChoice, readFlag, readInteger, readOptionalInteger, readPerAxis } from "./attributes.ts";
import { nodeConv, nodeConvTranspose } from "./graph-conv.ts";
import { type Inferred, type OperatorDef, type RuleContext, RuleError } from "./operator.ts";
import { inTwoForms } from "./two-forms.ts";
import {
  joinSpatial,
  readWindows,
  splitSpatial,
  transposedLength,
  type Windows,
  windowPositions,
} from "./windows.ts";

/**
 * Order of a kernel's axes, as stored. Keras 2 and 3 have "spatial-in-out", their transposed convolutions
 * "spatial-out-in". Keras 1 has "spatial-in-out" for both, "out-in-spatial" with Theano ordering, and
 * "spatial-1-in-out" for Convolution1D, which is a 2-D convolution inside.
 */
type KernelLayout = "spatial-in-out" | "spatial-out-in" | "out-in-spatial" | "spatial-1-in-out";
const kernelLayouts: readonly KernelLayout[] = [
  "spatial-in-out",
  "spatial-out-in",
  "out-in-spatial",
  "spatial-1-in-out",
];

interface Common extends Windows {
  readonly bias: boolean;
  readonly kernelLayout: KernelLayout;
}

interface ConvAttributes extends Common {
  readonly filters: number;
  readonly groups: number;
  /** Rank of a low-rank update beside the kernel (LoRA), null without one. */
  readonly loraRank: number | null;
}

type Weights = Readonly<Record<string, Shape>>;

function readCommon(raw: JsonObject, kernelLayout: KernelLayout = "spatial-in-out"): Common {
  return {
    ...readWindows(raw),
    bias: readFlag(raw, "bias", true),
    kernelLayout: readChoice(raw, "kernelLayout", kernelLayouts, kernelLayout),
  };
}

/** Channels of the input; unknown where its shape is. */
function channelsOf(context: RuleContext<Windows>): Dim {
  const { shape } = mainInput(context.inputs);
  const { kernelSize, layout } = context.attributes;
  return shape === null ? null : splitSpatial(shape, kernelSize.length, layout).channels;
}

function arrangeKernel({ kernelLayout, kernelSize }: Common, inputs: Dim, outputs: Dim): readonly Dim[] {
  if (kernelLayout === "spatial-out-in") return [...kernelSize, outputs, inputs];
  if (kernelLayout === "out-in-spatial") return [outputs, inputs, ...kernelSize];
  if (kernelLayout === "spatial-1-in-out") return [...kernelSize, 1, inputs, outputs];
  return [...kernelSize, inputs, outputs];
}

/** Type of the output with `channels` channels. */
function convolved(context: RuleContext<Windows>, channels: Dim): Inferred {
  const { attributes } = context;
  const { shape, dtype } = mainInput(context.inputs);
  if (shape === null) return single(null, realType(dtype));
  const { leading, spatial } = splitSpatial(shape, attributes.kernelSize.length, attributes.layout);
  const positions = spatial.map((length, axis) => windowPositions(length, attributes, axis));
  return single(joinSpatial({ leading, spatial: positions, channels }, attributes.layout), realType(dtype));
}

/** Kernel (k..., channels / groups, filters), bias (filters). */
const conv: OperatorDef<ConvAttributes> = {
  name: "Conv",
  attributes: (raw) => {
    const filters = readInteger(raw, "filters");
    const groups = readInteger(raw, "groups", { fallback: 1 });
    if (filters % groups !== 0)
      throw new RuleError(`${filters} filters cannot be divided into ${counted(groups, "group")}`);
    return { ...readCommon(raw), filters, groups, loraRank: readOptionalInteger(raw, "loraRank") };
  },
  weights: (context): Weights => {
    const { attributes } = context;
    const channels = channelsOf(context);
    if (typeof channels === "number" && channels % attributes.groups !== 0) {
      throw new RuleError(
        `${counted(channels, "channel")} cannot be divided into ${counted(attributes.groups, "group")}`,
      );
    }
    const kernel = arrangeKernel(attributes, floorDivideDim(channels, attributes.groups), attributes.filters);
    const { loraRank, filters } = attributes;
    return {
      kernel,
      ...(attributes.bias && { bias: [filters] }),
      ...(loraRank !== null && {
        "lora-a": [...kernel.slice(0, -1), loraRank],
        "lora-b": [loraRank, filters],
      }),
    };
  },
  infer: (context) => convolved(context, context.attributes.filters),
};

interface ConvTransposeAttributes extends Common {
  readonly filters: number;
  readonly outputPadding: readonly number[] | null;
  /** Spatial lengths stated outright (Keras 1). */
  readonly outputSize: readonly number[] | null;
}

/** Kernel (k..., filters, channels), unlike an ordinary convolution; bias (filters). */
const convTranspose: OperatorDef<ConvTransposeAttributes> = {
  name: "ConvTranspose",
  attributes: (raw) => {
    const common = readCommon(raw, "spatial-out-in");
    const rank = common.kernelSize.length;
    const has = (key: string): boolean => raw[key] !== undefined && raw[key] !== null;
    return {
      ...common,
      filters: readInteger(raw, "filters"),
      outputPadding: has("outputPadding") ? readPerAxis(raw, "outputPadding", rank, { min: 0 }) : null,
      outputSize: has("outputSize") ? readPerAxis(raw, "outputSize", rank) : null,
    };
  },
  weights: (context): Weights => {
    const { attributes } = context;
    return {
      kernel: arrangeKernel(attributes, channelsOf(context), attributes.filters),
      ...(attributes.bias && { bias: [attributes.filters] }),
    };
  },
  infer: ({ attributes, inputs }) => {
    const { shape, dtype } = mainInput(inputs);
    if (shape === null) return single(null, realType(dtype));
    const { leading, spatial } = splitSpatial(shape, attributes.kernelSize.length, attributes.layout);
    const lengths = spatial.map(
      (length, axis) =>
        attributes.outputSize?.[axis] ??
        transposedLength(length, attributes, axis, attributes.outputPadding?.[axis] ?? null),
    );
    return single(
      joinSpatial({ leading, spatial: lengths, channels: attributes.filters }, attributes.layout),
      realType(dtype),
    );
  },
};

interface DepthwiseAttributes extends Common {
  readonly multiplier: number;
}

/** Kernel (k..., channels, multiplier), bias (channels * multiplier). */
const depthwiseConv: OperatorDef<DepthwiseAttributes> = {
  name: "DepthwiseConv",
  attributes: (raw) => ({ ...readCommon(raw), multiplier: readInteger(raw, "multiplier", { fallback: 1 }) }),
  weights: (context): Weights => {
    const { attributes } = context;
    const channels = channelsOf(context);
    return {
      kernel: arrangeKernel(attributes, channels, attributes.multiplier),
      ...(attributes.bias && { bias: [multiplyDims(channels, attributes.multiplier)] }),
    };
  },
  infer: (context) => convolved(context, multiplyDims(channelsOf(context), context.attributes.multiplier)),
};

interface SeparableAttributes extends DepthwiseAttributes {
  readonly filters: number;
}

/** Depthwise kernel (k..., channels, multiplier), pointwise kernel (1..., channels * multiplier, filters), bias (filters). */
const separableConv: OperatorDef<SeparableAttributes> = {
  name: "SeparableConv",
  attributes: (raw) => ({
    ...readCommon(raw),
    multiplier: readInteger(raw, "multiplier", { fallback: 1 }),
    filters: readInteger(raw, "filters"),
  }),
  weights: (context): Weights => {
    const { attributes } = context;
    const channels = channelsOf(context);
    const point: Common = { ...attributes, kernelSize: attributes.kernelSize.map(() => 1) };
    return {
      "depthwise-kernel": arrangeKernel(attributes, channels, attributes.multiplier),
      "pointwise-kernel": arrangeKernel(
        point,
        multiplyDims(channels, attributes.multiplier),
        attributes.filters,
      ),
      ...(attributes.bias && { bias: [attributes.filters] }),
    };
  },
  infer: (context) => convolved(context, context.attributes.filters),
};

export const convOperators: readonly OperatorDef<unknown>[] = [
  inTwoForms(conv, nodeConv),
  inTwoForms(convTranspose, nodeConvTranspose),
  depthwiseConv,
  separableConv,
];
