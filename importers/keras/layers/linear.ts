/** Layers that multiply by a matrix (Keras 3 core/dense.py, core/einsum_dense.py; Keras 2 kernelized.py; Keras 1 core.py). */

import type { Json, JsonObject } from "../../../src/ir/graph.ts";
import { asString } from "../json-access.ts";
import type { LayerRule, LayerSource, WeightDeclaration } from "../layer-rule.ts";
import { loraOf, usesBias } from "./config-reading.ts";
import { kernelWeights } from "./quantized.ts";

/** Dense; TimeDistributedDense of Keras 1, which is a Dense on rank 3; TernaryDense (3.16). */
const dense: LayerRule = (source) => {
  const { config } = source;
  return {
    operator: "Linear",
    attributes: {
      units: config.units ?? config.output_dim ?? null,
      bias: usesBias(config),
      quantization: quantizationOf(source),
      loraRank: loraOf(config),
    },
    weights: kernelWeights(source, { bias: usesBias(config), zeroName: "kernel_zero", columnAxis: 1 }),
  };
};

function quantizationOf({ quantization }: LayerSource): JsonObject | null {
  return quantization === null ? null : { ...quantization };
}

/** The bias exists where `bias_axes` is set; `use_bias` is unknown here. */
const einsumDense: LayerRule = (source) => {
  const { config } = source;
  const biasAxes = config.bias_axes ?? null;
  return {
    operator: "EinsumLinear",
    attributes: {
      equation: config.equation ?? null,
      outputShape: config.output_shape ?? null,
      biasAxes,
      quantization: quantizationOf(source),
      loraRank: loraOf(config),
      outputFrom: source.generation === 3 ? "output-shape" : "equation",
    },
    weights: kernelWeights(source, {
      bias: biasAxes !== null,
      zeroName: "zero_point",
      columnAxis: columnAxis(config.equation),
    }),
  };
};

/** Last axis of the kernel. */
function columnAxis(equation: Json | undefined): number {
  const kernel = /,([a-zA-Z]+)->/.exec(asString(equation) ?? "")?.[1] ?? "";
  return Math.max(kernel.length - 1, 0);
}

/** Keras 1 and the legacy layers of Keras 2: W (nb_feature, in, out), b (nb_feature, out). */
const maxoutDense: LayerRule = ({ config }) => ({
  operator: "MaxoutLinear",
  attributes: {
    units: config.units ?? config.output_dim ?? null,
    pieces: config.nb_feature ?? 4,
    bias: usesBias(config),
  },
  weights: [{ name: "W", role: "kernel" }, ...(usesBias(config) ? [{ name: "b", role: "bias" }] : [])],
});

/** Keras 1 and the legacy layers of Keras 2: W, W_carry (n, n), b, b_carry (n). */
const highway: LayerRule = ({ config }) => ({
  operator: "Highway",
  attributes: { bias: usesBias(config) },
  weights: [
    { name: "W", role: "kernel" },
    { name: "W_carry", role: "carry-kernel" },
    ...(usesBias(config)
      ? [
          { name: "b", role: "bias" },
          { name: "b_carry", role: "carry-bias" },
        ]
      : []),
  ],
});

/**
 * Kernel and bias are random numbers that never change; only the scale is learned, where the layer is trainable. It is
 * created last, but saved first.
 */
const randomFourierFeatures: LayerRule = ({ config }) => {
  const fixed: Partial<WeightDeclaration> = { class: "constant", trainable: false, dtype: "float32" };
  return {
    operator: "RandomFourierFeatures",
    attributes: { units: config.output_dim ?? config.units ?? null },
    weights: [
      { name: "unscaled_kernel", role: "kernel", key: "1", ...fixed },
      { name: "bias", role: "bias", key: "2", ...fixed },
      { name: "kernel_scale", role: "kernel-scale", key: "0", dtype: "float32" },
    ],
  };
};

export const linearLayers: Readonly<Record<string, LayerRule>> = {
  Dense: dense,
  TernaryDense: dense,
  TimeDistributedDense: dense,
  EinsumDense: einsumDense,
  MaxoutDense: maxoutDense,
  Highway: highway,
  RandomFourierFeatures: randomFourierFeatures,
};
