/**
 * Simulated quantization to any number of bits (QONNX, and Brevitas and FINN before it, under domains of their own). The
 * values stay real numbers.
 */

import { constant, type OnnxOp, type OnnxOps, quantization } from "../op.ts";

const scale = quantization("scale");
const zeroPoint = quantization("zeroPoint");

const integer: OnnxOp = {
  operator: "SimulateQuantization",
  inputs: ["x", scale, zeroPoint, constant("bits")],
};

const ops: OnnxOps = {
  Quant: integer,
  IntQuant: integer,
  BipolarQuant: { operator: "SimulateQuantization", inputs: ["x", scale] },
  FloatQuant: {
    operator: "SimulateQuantization",
    inputs: [
      "x",
      scale,
      constant("exponentBits"),
      constant("mantissaBits"),
      constant("exponentBias"),
      constant("maximum"),
    ],
  },
  Trunc: {
    operator: "SimulateQuantization",
    // Its second version has the scale of what comes out before its number of bits.
    inputs: (node) => {
      const common = ["x", scale, zeroPoint, constant("bits")];
      const output = constant("outputBits");
      return node.hasInput(5) ? [...common, quantization("outputScale"), output] : [...common, output];
    },
  },
};

const domains = ["onnx.brevitas", "qonnx.custom_op.general", "finn.custom_op.general"];

export const qonnxOps: OnnxOps = Object.fromEntries(
  domains.flatMap((domain) => Object.entries(ops).map(([name, op]) => [`${domain}.${name}`, op])),
);
