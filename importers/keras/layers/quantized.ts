/**
 * Kernels that may be quantised or adapted by low rank: their variables in the order Keras 3.15 creates them, which is
 * not the order in which it saves them (`variable_serialization_spec` of dense.py, einsum_dense.py). Where the two
 * differ, `key` is the place in the file.
 */

import type { DType } from "../../../src/ir/dtype.ts";
import type { LayerSource, WeightDeclaration } from "../layer-rule.ts";
import { loraOf, loraWeights } from "./config-reading.ts";

interface KernelOptions {
  readonly bias: boolean;
  /** Name of the zero points of GPTQ and AWQ, which differs by class. */
  readonly zeroName: string;
  /** Logical axis of the kernel along which 4-bit values are packed. */
  readonly columnAxis: number;
}

/** A variable that quantisation brings along. */
export function quantizer(name: string, role: string, dtype?: DType): WeightDeclaration {
  return { name, role, class: "quantization", trainable: false, ...(dtype !== undefined && { dtype }) };
}

/** Order in which each mode saves its variables, by role. */
const savedOrder: Readonly<Record<string, readonly string[]>> = {
  int8: ["kernel", "bias", "kernel-scale"],
  int4: ["kernel", "bias", "kernel-scale", "kernel-zero", "group-index"],
  float8: [
    "kernel",
    "bias",
    "inputs-scale",
    "inputs-maxima",
    "kernel-scale",
    "kernel-maxima",
    "outputs-gradient-scale",
    "outputs-gradient-maxima",
  ],
  gptq: ["bias", "kernel", "kernel-scale", "kernel-zero", "group-index"],
  awq: ["bias", "kernel", "kernel-scale", "kernel-zero", "input-scale", "group-index"],
  ternary: ["kernel", "bias", "kernel-scale"],
};

/** Gives each weight the key it is saved under: its place among those present. */
export function withKeys(
  weights: readonly WeightDeclaration[],
  order: readonly string[],
): readonly WeightDeclaration[] {
  const saved = order.filter((role) => weights.some((weight) => weight.role === role));
  return weights.map((weight) => {
    const place = saved.indexOf(weight.role);
    return place === -1 ? weight : { ...weight, key: String(place) };
  });
}

/** Kernel, bias and all that belongs to them. */
export function kernelWeights(source: LayerSource, options: KernelOptions): readonly WeightDeclaration[] {
  const { quantization } = source;
  const rank = loraOf(source.config);
  const bias: readonly WeightDeclaration[] = options.bias ? [{ name: "bias", role: "bias" }] : [];
  const lora = loraWeights(rank, "lora_kernel");
  const plain: WeightDeclaration = { name: "kernel", role: "kernel" };
  if (quantization === null) {
    if (rank === null) return [plain, ...bias];
    return withKeys([{ ...plain, trainable: false }, ...bias, ...lora], ["kernel", "bias"]);
  }
  const order = savedOrder[quantization.mode] ?? ["kernel", "bias"];
  if (quantization.mode === "float8") return withKeys([...float8Weights(), plain, ...bias, ...lora], order);
  return withKeys([...integerKernel(quantization, options), ...bias, ...lora], order);
}

function integerKernel(
  quantization: NonNullable<LayerSource["quantization"]>,
  options: KernelOptions,
): readonly WeightDeclaration[] {
  const kernel = { name: "kernel", role: "kernel", trainable: false } as const;
  const scale = quantizer("kernel_scale", "kernel-scale");
  const axis = options.columnAxis;
  switch (quantization.mode) {
    case "int4":
      return [
        { ...kernel, dtype: "int8", packing: { values: 2, axis } },
        scale,
        ...(quantization.blockSize > 0
          ? [quantizer("kernel_zero", "kernel-zero", "int8"), quantizer("g_idx", "group-index", "float32")]
          : []),
      ];
    case "gptq":
    case "awq": {
      const values = quantization.mode === "awq" || quantization.bits === 4 ? 2 : 1;
      return [
        { ...kernel, dtype: "uint8", packing: { values, axis, transposed: true } },
        scale,
        quantizer(options.zeroName, "kernel-zero", "uint8"),
        ...(quantization.mode === "awq" ? [quantizer("awq_scales", "input-scale")] : []),
        quantizer("g_idx", "group-index", "float32"),
      ];
    }
    case "ternary":
      return [{ ...kernel, dtype: "uint8", packing: { values: 5, axis: 0 } }, scale];
    default:
      return [{ ...kernel, dtype: "int8" }, scale];
  }
}

/** Scales and the maxima they are taken from; updated with the gradients, so Keras counts them as trainable. */
function float8Weights(): readonly WeightDeclaration[] {
  const pairs = [
    ["inputs", "inputs"],
    ["kernel", "kernel"],
    ["outputs_grad", "outputs-gradient"],
  ] as const;
  return pairs.flatMap(([name, role]): WeightDeclaration[] => [
    { ...quantizer(`${name}_scale`, `${role}-scale`, "float32"), trainable: true },
    { ...quantizer(`${name}_amax_history`, `${role}-maxima`, "float32"), trainable: true },
  ]);
}
