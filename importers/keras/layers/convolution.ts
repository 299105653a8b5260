/** Convolutions (Keras 3 layers/convolutional, Keras 2 locally_connected, Keras 1 layers/convolutional.py and local.py). */

import type { Json, JsonObject } from "../../../src/ir/graph.ts";
import { asInteger, asList } from "../json-access.ts";
import type { LayerRule, LayerSource, MappedLayer } from "../layer-rule.ts";
import { biasWeight, layoutOf, loraOf, loraWeights, perAxis, usesBias } from "./config-reading.ts";

/** Window arguments in canonical names. Numbers by axis may be one number. */
function windows(config: JsonObject, rank: number): JsonObject {
  return {
    kernelSize: perAxis(config.kernel_size, rank),
    strides: config.strides ?? null,
    dilations: config.dilation_rate ?? null,
    padding: config.padding ?? "valid",
    layout: layoutOf(config),
  };
}

/** Keras 1 kept kernels in the order of its backend, and those of Conv1D as 2-D ones. */
function kernelLayout({ generation, config }: LayerSource, rank: number, newest: string): string {
  if (generation > 1) return newest;
  if (rank === 1) return "spatial-1-in-out";
  return layoutOf(config) === "channels-first" ? "out-in-spatial" : "spatial-in-out";
}

/** Conv1D, Conv2D, Conv3D; `lora_rank` since Keras 3.13. */
function conv(rank: number): LayerRule {
  return (source): MappedLayer => {
    const { config } = source;
    const lora = loraOf(config);
    return {
      operator: "Conv",
      attributes: {
        ...windows(config, rank),
        filters: config.filters ?? null,
        groups: config.groups ?? 1,
        bias: usesBias(config),
        kernelLayout: kernelLayout(source, rank, "spatial-in-out"),
        loraRank: lora,
      },
      weights: [
        { name: "kernel", role: "kernel", ...(lora !== null && { trainable: false, key: "0" }) },
        ...biasWeight(config).map((bias) => (lora === null ? bias : { ...bias, key: "1" })),
        ...loraWeights(lora, "lora_kernel"),
      ],
    };
  };
}

/** Conv1DTranspose, Conv2DTranspose, Conv3DTranspose; Deconvolution2D of Keras 1, whose config has `output_shape`. */
function convTranspose(rank: number): LayerRule {
  return (source) => {
    const { config } = source;
    return {
      operator: "ConvTranspose",
      attributes: {
        ...windows(config, rank),
        filters: config.filters ?? null,
        bias: usesBias(config),
        kernelLayout: kernelLayout(source, rank, "spatial-out-in"),
        outputPadding: config.output_padding ?? null,
        outputSize: source.generation === 1 ? statedSize(config) : null,
      },
      weights: [{ name: "kernel", role: "kernel" }, ...biasWeight(config)],
    };
  };
}

/** Spatial part of Keras 1's `output_shape`, which has the batch and the channels too. */
function statedSize(config: JsonObject): Json {
  const shape = asList(config.output_shape);
  if (shape === undefined) return null;
  return layoutOf(config) === "channels-first" ? shape.slice(2) : shape.slice(1, -1);
}

/** DepthwiseConv1D, DepthwiseConv2D: the kernel is called `depthwise_kernel` in Keras 2. */
function depthwise(rank: number): LayerRule {
  return (source) => ({
    operator: "DepthwiseConv",
    attributes: {
      ...windows(source.config, rank),
      multiplier: source.config.depth_multiplier ?? 1,
      bias: usesBias(source.config),
    },
    weights: [
      { name: source.generation === 3 ? "kernel" : "depthwise_kernel", role: "kernel" },
      ...biasWeight(source.config),
    ],
  });
}

function separable(rank: number): LayerRule {
  return (source) => ({
    operator: "SeparableConv",
    attributes: {
      ...windows(source.config, rank),
      filters: source.config.filters ?? null,
      multiplier: source.config.depth_multiplier ?? 1,
      bias: usesBias(source.config),
      kernelLayout: kernelLayout(source, rank, "spatial-in-out"),
    },
    weights: [
      { name: "depthwise_kernel", role: "depthwise-kernel" },
      { name: "pointwise_kernel", role: "pointwise-kernel" },
      ...biasWeight(source.config),
    ],
  });
}

const storages: Readonly<Record<number, string>> = { 1: "by-position", 2: "dense", 3: "sparse" };

/** LocallyConnected1D, LocallyConnected2D (Keras 1 and 2): `implementation` decides how the kernel is kept. */
function locallyConnected(rank: number): LayerRule {
  return ({ config }) => ({
    operator: "LocallyConnected",
    attributes: {
      ...windows(config, rank),
      filters: config.filters ?? null,
      bias: usesBias(config),
      storage: storages[asInteger(config.implementation) ?? 1] ?? null,
    },
    weights: [{ name: "kernel", role: "kernel" }, ...biasWeight(config)],
  });
}

export const convolutionLayers: Readonly<Record<string, LayerRule>> = {
  Conv1D: conv(1),
  Conv2D: conv(2),
  Conv3D: conv(3),
  Convolution1D: conv(1),
  Convolution2D: conv(2),
  Convolution3D: conv(3),
  AtrousConvolution1D: conv(1),
  AtrousConvolution2D: conv(2),
  Conv1DTranspose: convTranspose(1),
  Conv2DTranspose: convTranspose(2),
  Conv3DTranspose: convTranspose(3),
  Deconvolution2D: convTranspose(2),
  DepthwiseConv1D: depthwise(1),
  DepthwiseConv2D: depthwise(2),
  SeparableConv1D: separable(1),
  SeparableConv2D: separable(2),
  LocallyConnected1D: locallyConnected(1),
  LocallyConnected2D: locallyConnected(2),
};
