/** Quantised operators of ONNX Runtime (core/graph/contrib_ops/quantization_defs.cc, contrib_defs.cc). */

import type { JsonObject } from "../../../src/ir/graph.ts";
import {
  constant,
  type NodeView,
  type OnnxOp,
  type OnnxOps,
  type Port,
  type PortRecord,
  parameter,
  quantization,
  variadic,
} from "../op.ts";

function transposes(node: NodeView): JsonObject {
  return { transposeA: node.int("transA", 0) !== 0, transposeB: node.int("transB", 0) !== 0 };
}

const outputScales = [quantization("output-scale"), quantization("output-zero-point")];
const inputScales = [quantization("input-scale"), quantization("input-zero-point")];

function unary(operator: string): OnnxOp {
  return { operator, inputs: ["input", ...inputScales, ...outputScales] };
}

function binary(operator: string): OnnxOp {
  return {
    operator,
    inputs: [
      "input",
      ...inputScales,
      "other",
      quantization("other-scale"),
      quantization("other-zero-point"),
      ...outputScales,
    ],
  };
}

/** Tensor, scale, zero point, over and over. */
function concatPorts(node: NodeView): readonly Port[] {
  const ports: Port[] = [...outputScales];
  for (let i = 2; node.hasInput(i); i += 3) ports.push("input", ...inputScales);
  return ports;
}

/** Widths of a packed kernel, (K, N). */
function widths(node: NodeView): JsonObject {
  return { K: node.optionalInt("K"), N: node.optionalInt("N") };
}

function logicalKernel(node: NodeView): readonly number[] | null {
  const [inputs, outputs] = [node.optionalInt("K"), node.optionalInt("N")];
  return inputs === null || outputs === null ? null : [inputs, outputs];
}

const packedKernel: Port = { ...parameter("kernel"), logical: logicalKernel };

/** Bytes that hold `8 / bits` values each along the last axis; other types are not packed. */
function packedBytes(bits: string): NonNullable<PortRecord["logical"]> {
  return (node, { dtype, shape }) => {
    const last = shape.at(-1);
    const width = node.int(bits, 4);
    if (dtype !== "uint8" || last === undefined || (width !== 1 && width !== 2 && width !== 4)) return null;
    return shape.with(-1, last * (8 / width));
  };
}

/** Without `transB` the product goes the other way: from N to K. */
function bnb4Widths(node: NodeView): JsonObject {
  const { K, N } = widths(node);
  return node.int("transB", 1) === 0 ? { K: N ?? null, N: K ?? null } : { K: K ?? null, N: N ?? null };
}

function expertPorts(names: readonly string[]): readonly Port[] {
  return names.flatMap((name) => [
    { ...parameter(`${name}-kernel`), logical: packedBytes("expert_weight_bits") },
    quantization(`${name}-kernel-scale`),
    parameter(`${name}-bias`),
  ]);
}

export const microsoftQuantizedOps: OnnxOps = {
  "com.microsoft.QLinearAdd": binary("QLinearAdd"),
  "com.microsoft.QLinearMul": binary("QLinearMul"),
  "com.microsoft.QLinearSigmoid": unary("QLinearSigmoid"),
  "com.microsoft.QLinearLeakyRelu": unary("QLinearLeakyRelu"),
  "com.microsoft.QLinearSoftmax": unary("QLinearSoftmax"),
  "com.microsoft.QLinearConcat": {
    operator: "QLinearConcat",
    inputs: concatPorts,
    attributes: (node) => ({ axis: node.int("axis", 0) }),
  },
  "com.microsoft.QGemm": {
    operator: "QGemm",
    inputs: [
      "input",
      ...inputScales,
      parameter("kernel"),
      quantization("kernel-scale"),
      quantization("kernel-zero-point"),
      parameter("bias"),
      ...outputScales,
    ],
    attributes: transposes,
  },
  "com.microsoft.DynamicQuantizeMatMul": {
    operator: "DynamicQuantizeMatMul",
    inputs: [
      "input",
      parameter("kernel"),
      quantization("kernel-scale"),
      quantization("kernel-zero-point"),
      parameter("bias"),
    ],
  },
  "com.microsoft.MatMulIntegerToFloat": {
    operator: "MatMulIntegerToFloat",
    inputs: [
      "input",
      parameter("kernel"),
      quantization("input-scale"),
      quantization("kernel-scale"),
      quantization("input-zero-point"),
      quantization("kernel-zero-point"),
      parameter("bias"),
    ],
  },
  "com.microsoft.MatMulNBits": {
    operator: "MatMulNBits",
    inputs: [
      "input",
      packedKernel,
      quantization("scale"),
      quantization("zero-point"),
      quantization("group-index"),
      parameter("bias"),
    ],
    attributes: widths,
  },
  "com.microsoft.MatMulBnb4": {
    operator: "MatMulBnb4",
    inputs: ["input", packedKernel, quantization("scale")],
    attributes: bnb4Widths,
  },
  "com.microsoft.MatMulFpQ4": {
    operator: "MatMulFpQ4",
    // How many numbers are in the blob follows from the third input.
    inputs: ["input", { ...parameter("kernel"), logical: () => null }, constant("kernel-shape")],
  },
  "com.microsoft.GatherBlockQuantized": {
    operator: "GatherBlockQuantized",
    inputs: [
      { ...parameter("embeddings"), logical: packedBytes("bits") },
      "indices",
      quantization("scale"),
      quantization("zero-point"),
    ],
    attributes: (node) => ({
      gatherAxis: node.int("gather_axis", 0),
      values: Math.max(1, Math.floor(8 / Math.max(1, node.int("bits", 4)))),
    }),
  },
  "com.microsoft.QMoE": {
    operator: "QMoE",
    inputs: [
      "input",
      "router",
      ...expertPorts(["fc1", "fc2", "fc3"]),
      ...["fc1", "fc2", "fc3"].map((name) => quantization(`${name}-kernel-zero-point`)),
      "router-weights",
      variadic("further-scales", "quantization"),
    ],
  },
};
