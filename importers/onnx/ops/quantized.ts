/** Quantisation and products of quantised numbers, as ONNX itself has them. */

import { type OnnxOp, type OnnxOps, type Port, parameter, quantization } from "../op.ts";

/** What products of quantized operands take: each with its scale and zero point, then those of the result. */
export const quantizedProductInputs: readonly Port[] = [
  "input",
  quantization("input-scale"),
  quantization("input-zero-point"),
  parameter("kernel"),
  quantization("kernel-scale"),
  quantization("kernel-zero-point"),
  quantization("output-scale"),
  quantization("output-zero-point"),
];

const quantize: OnnxOp = {
  operator: "QuantizeLinear",
  inputs: [parameter("input"), quantization("scale"), quantization("zero-point")],
  attributes: (node) => ({ dtype: node.dtype("output_dtype") }),
};

const dequantize: OnnxOp = { ...quantize, operator: "DequantizeLinear" };

export const quantizedOps: OnnxOps = {
  QuantizeLinear: quantize,
  DequantizeLinear: dequantize,
  "com.microsoft.QuantizeLinear": quantize,
  "com.microsoft.DequantizeLinear": dequantize,
  DynamicQuantizeLinear: { operator: "DynamicQuantizeLinear", inputs: ["input"] },
  QLinearMatMul: {
    operator: "QLinearMatMul",
    inputs: quantizedProductInputs,
  },
  MatMulInteger: {
    operator: "MatMulInteger",
    inputs: [
      "input",
      parameter("kernel"),
      quantization("input-zero-point"),
      quantization("kernel-zero-point"),
    ],
  },
};
