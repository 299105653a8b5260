/** Neural-network operations of keras.ops (Keras 3.15 ops/nn.py). */

import type { JsonObject } from "../../../src/ir/graph.ts";
import { canonicalAttributes, type OperationTable, operation } from "./operation.ts";

/** Activation functions by class, under the names that the Activation layer has for them. */
const activations: Readonly<Record<string, string>> = {
  Relu6: "relu6",
  Sigmoid: "sigmoid",
  SparseSigmoid: "sparse_sigmoid",
  Softplus: "softplus",
  Softsign: "softsign",
  SoftShrink: "soft_shrink",
  SparsePlus: "sparse_plus",
  Silu: "silu",
  Squareplus: "squareplus",
  LogSigmoid: "log_sigmoid",
  HardSigmoid: "hard_sigmoid",
  HardSilu: "hard_silu",
  Selu: "selu",
  Gelu: "gelu",
  Celu: "celu",
  TanhShrink: "tanh_shrink",
  HardTanh: "hard_tanh",
  HardShrink: "hard_shrink",
  Threshold: "threshold",
  LogSoftmax: "log_softmax",
  Sparsemax: "sparsemax",
};

function activation(name: string): OperationTable[string] {
  return operation("Activation", ["x"], { function: name });
}

const pool =
  (kind: string) =>
  (stated: JsonObject): JsonObject => {
    const { pool_size: kernelSize, ...rest } = stated;
    return { ...canonicalAttributes(rest), kernelSize: kernelSize ?? null, kind };
  };

function convolution(kind: string): OperationTable[string] {
  const kernels =
    kind === "separable" ? ["depthwise_kernel:kernel", "pointwise_kernel:pointwiseKernel"] : ["kernel"];
  return operation("Convolve", ["inputs:x", ...kernels], { kind });
}

export const nnOperations: OperationTable = {
  ...Object.fromEntries(Object.entries(activations).map(([type, name]) => [type, activation(name)])),
  Relu: operation("Relu"),
  LeakyRelu: operation("LeakyRelu"),
  Elu: operation("Elu"),
  Softmax: operation("Softmax"),
  Glu: operation("Glu"),
  MaxPool: operation("PoolTensor", ["inputs"], pool("max")),
  AveragePool: operation("PoolTensor", ["inputs"], pool("average")),
  AdaptiveMaxPool: operation("AdaptiveMaxPool", ["inputs"]),
  AdaptiveAveragePool: operation("AdaptiveAveragePool", ["inputs"]),
  Conv: convolution("dense"),
  DepthwiseConv: convolution("depthwise"),
  SeparableConv: convolution("separable"),
  ConvTranspose: convolution("transpose"),
  BinaryCrossentropy: operation("CrossEntropy", ["target", "output"], {}),
  CategoricalCrossentropy: operation("CrossEntropy", ["target", "output"], () => ({ axis: -1 })),
  SparseCategoricalCrossentropy: operation("CrossEntropy", ["target", "output"]),
  BatchNorm: operation("NormalizeWithStatistics", ["x", "mean", "variance", "offset", "scale"]),
  LayerNorm: operation("NormalizeTensor", ["x", "gamma", "beta"]),
  RMSNorm: operation("NormalizeTensor", ["x", "scale"]),
  Normalize: operation("NormalizeTensor"),
  CTCLoss: operation("CtcLoss", ["target", "output", "target_length", "output_length"]),
  // The greedy strategy knows one path.
  CTCDecode: operation("CtcDecode", ["inputs", "sequence_lengths"], ({ strategy, top_paths: paths }) => ({
    paths: strategy === "greedy" ? 1 : (paths ?? 1),
  })),
  PSNR: operation("PeakSignalNoise", ["x1", "x2"]),
  DotProductAttention: operation("DotProductAttention", ["query", "key", "value", "bias", "mask", "scale"]),
  Unfold: operation("Unfold"),
  Fold: operation("Fold"),
  DepthToSpace: operation("DepthToSpace"),
  SpaceToDepth: operation("SpaceToDepth"),
};
