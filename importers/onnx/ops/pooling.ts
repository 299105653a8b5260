/** Pooling and what undoes it; sampling at places that inputs give. */

import { type OnnxOp, type OnnxOps, quantization } from "../op.ts";
import { layoutOf, windowAttributes } from "./window-attributes.ts";

function pool(operator: string): OnnxOp {
  return { operator, inputs: ["input"], attributes: (node) => windowAttributes(node) };
}

function globalPool(operator: string): OnnxOp {
  return {
    operator,
    inputs: ["input"],
    attributes: () => ({ operands: true, layout: "channels-first" }),
  };
}

const scales = [
  quantization("input-scale"),
  quantization("input-zero-point"),
  quantization("output-scale"),
  quantization("output-zero-point"),
];

export const poolingOps: OnnxOps = {
  MaxPool: pool("MaxPool"),
  AveragePool: pool("AveragePool"),
  LpPool: pool("LpPool"),
  GlobalMaxPool: globalPool("GlobalMaxPool"),
  GlobalAveragePool: globalPool("GlobalAveragePool"),
  GlobalLpPool: globalPool("GlobalLpPool"),
  MaxUnpool: {
    operator: "MaxUnpool",
    inputs: ["input", "indices", "output-shape"],
    attributes: (node) => windowAttributes(node),
  },
  MaxRoiPool: {
    operator: "MaxRoiPool",
    inputs: ["input", "regions"],
    attributes: (node) => ({ outputSize: node.ints("pooled_shape") }),
  },
  RoiAlign: {
    operator: "RoiAlign",
    inputs: ["input", "regions", "batch-indices"],
    attributes: (node) => ({ outputSize: [node.int("output_height", 1), node.int("output_width", 1)] }),
  },
  GridSample: { operator: "GridSample", inputs: ["input", "grid"] },
  AffineGrid: { operator: "AffineGrid", inputs: ["theta", "size"] },
  "com.microsoft.NhwcMaxPool": {
    operator: "MaxPool",
    inputs: ["input"],
    attributes: (node) => windowAttributes(node, "channels-last"),
  },
  "com.microsoft.QLinearAveragePool": {
    operator: "QLinearAveragePool",
    inputs: ["input", ...scales],
    attributes: (node) => windowAttributes(node, layoutOf(node)),
  },
  "com.microsoft.QLinearGlobalAveragePool": {
    operator: "QLinearGlobalAveragePool",
    inputs: ["input", ...scales],
    attributes: (node) => ({ layout: layoutOf(node) }),
  },
};
