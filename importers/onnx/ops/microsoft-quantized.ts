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

const twoOperands: readonly Port[] = [
  "input",
  ...inputScales,
  "other",
  quantization("other-scale"),
  quantization("other-zero-point"),
  ...outputScales,
];

function binary(operator: string): OnnxOp {
  return {
    operator,
    inputs: twoOperands,
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

/** Sizes that a file lists; null where one is none. */
function sizesOf(values: readonly number[] | null): readonly number[] | null {
  return values?.every((size) => Number.isSafeInteger(size) && size >= 0) ? values : null;
}

function logicalKernel(node: NodeView): readonly number[] | null {
  return sizesOf([node.int("K", -1), node.int("N", -1)]);
}

const packedKernel: Port = { ...parameter("kernel"), logical: logicalKernel };

/** Bytes that hold values of some bits each along the last axis, one after the other; other types are not packed. */
function packedBytes(bits: (node: NodeView) => number): NonNullable<PortRecord["logical"]> {
  return (node, { dtype, shape }) => {
    const last = shape.at(-1);
    const width = bits(node);
    if (dtype !== "uint8" || last === undefined || width < 1 || width >= 8) return null;
    const values = (last * 8) / width;
    return Number.isSafeInteger(values) ? shape.with(-1, values) : null;
  };
}

/** Without `transB` the product goes the other way: from N to K. */
function bnb4Widths(node: NodeView): JsonObject {
  const { K, N } = widths(node);
  return node.int("transB", 1) === 0 ? { K: N ?? null, N: K ?? null } : { K: K ?? null, N: N ?? null };
}

/** Floating-point kinds of 4 bits are packed as whole numbers of 4 bits are. */
function expertBits(node: NodeView, name: string): number {
  const kind = node.text("quant_type", "int");
  if (kind !== "int") return /^w?(nv|mx)?fp4/.test(kind) ? 4 : 8;
  return node.optionalInt(`${name}_expert_weight_bits`) ?? node.int("expert_weight_bits", 4);
}

function expertPorts(names: readonly string[]): readonly Port[] {
  return names.flatMap((name) => [
    { ...parameter(`${name}-kernel`), logical: packedBytes((node) => expertBits(node, name)) },
    quantization(`${name}-kernel-scale`),
    parameter(`${name}-bias`),
  ]);
}

/** A packed kernel for several results, with its scales and bias. */
function packedBranch(name: string, outputs: string): readonly Port[] {
  const logical: PortRecord["logical"] = (node) => sizesOf([node.int("K", -1), node.int(outputs, -1)]);
  return [
    { ...parameter(`${name}-kernel`), logical },
    quantization(`${name}-kernel-scale`),
    parameter(`${name}-bias`),
  ];
}

const normalizedInput: readonly Port[] = ["input", "residual", parameter("gamma")];

function reduction(dtype: "int32" | null): OnnxOp {
  return {
    operator: "QuantizedReduce",
    inputs: ["input", ...inputScales, ...outputScales],
    attributes: (node) => ({
      axes: node.ints("axes"),
      keep: node.int("keepdims", 1) !== 0,
      ...(dtype && { dtype }),
    }),
  };
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
    inputs: [
      "input",
      { ...parameter("kernel"), logical: (_, __, valuesOf) => sizesOf(valuesOf("kernel-shape")) },
      constant("kernel-shape"),
    ],
  },
  "com.microsoft.GatherBlockQuantized": {
    operator: "GatherBlockQuantized",
    inputs: [
      { ...parameter("embeddings"), logical: packedBytes((node) => node.int("bits", 4)) },
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
  "com.microsoft.MatMulNBitsMlp": {
    operator: "JointProduct",
    inputs: [...normalizedInput, ...packedBranch("gate", "N"), ...packedBranch("up", "N")],
    attributes: (node) => ({ outputs: [node.int("N", 0)] }),
  },
  "com.microsoft.MatMulNBitsQkv": {
    operator: "JointProduct",
    inputs: [
      ...normalizedInput,
      ...packedBranch("query", "Nq"),
      ...packedBranch("key", "Nkv"),
      ...packedBranch("value", "Nkv"),
    ],
    attributes: (node) => ({ outputs: [node.int("Nq", 0), node.int("Nkv", 0), node.int("Nkv", 0)] }),
  },
  "com.microsoft.MatMulBlockQuantizedFp8Weight": {
    operator: "RowProduct",
    inputs: [
      "input",
      parameter("kernel"),
      quantization("kernel-scale"),
      quantization("input-scale"),
      parameter("bias"),
    ],
  },
  "com.microsoft.MatMulBlockQuantizedFp4Weight": {
    operator: "RowProduct",
    inputs: [
      "input",
      { ...parameter("kernel"), logical: packedBytes(() => 4) },
      quantization("kernel-scale"),
      quantization("kernel-scale"),
      quantization("input-scale"),
      parameter("bias"),
    ],
  },
  "com.microsoft.GemmFloat8": {
    operator: "FusedGemm",
    inputs: [
      "input",
      parameter("kernel"),
      parameter("bias"),
      quantization("input-scale"),
      quantization("kernel-scale"),
      quantization("output-scale"),
    ],
    attributes: (node) => ({
      ...transposes(node),
      dtype: node.has("dtype") ? node.dtype("dtype") : "float32",
    }),
  },
  "com.microsoft.MatMulInteger16": {
    operator: "MatMulInteger",
    inputs: ["input", parameter("kernel")],
  },
  "com.microsoft.QLinearReduceMean": reduction(null),
  "com.microsoft.ReduceSumInteger": reduction("int32"),
  "com.microsoft.QLinearWhere": {
    operator: "QLinearWhere",
    inputs: ["condition", ...twoOperands],
  },
  "com.microsoft.MulInteger": {
    operator: "MulInteger",
    inputs: ["a", quantization("a-zero-point"), "b", quantization("b-zero-point")],
  },
  "com.microsoft.QuantizeBFP": { operator: "QuantizeBlockFloat", inputs: ["x"] },
  "com.microsoft.DequantizeBFP": {
    operator: "DequantizeBlockFloat",
    inputs: [parameter("x"), constant("shape"), constant("strides")],
    attributes: (node) => ({ dtype: node.dtype("dtype") }),
  },
  "com.microsoft.QuantizeWithOrder": {
    operator: "GraphCast",
    inputs: ["input", quantization("scale")],
    attributes: () => ({ dtype: "int8" }),
  },
  "com.microsoft.DequantizeWithOrder": {
    operator: "GraphCast",
    inputs: ["input", quantization("scale")],
    attributes: (node) => ({ dtype: node.dtype("to") ?? "float32" }),
  },
  "com.microsoft.QOrderedMatMul": {
    operator: "GraphMatmul",
    inputs: [
      "a",
      quantization("input-scale"),
      parameter("b"),
      quantization("kernel-scale"),
      quantization("output-scale"),
      parameter("bias"),
      "residual",
      quantization("residual-scale"),
    ],
  },
  "com.microsoft.QOrderedGelu": {
    operator: "LikeInput",
    inputs: ["input", quantization("input-scale"), quantization("output-scale")],
  },
  "com.microsoft.QOrderedLayerNormalization": {
    operator: "LikeInput",
    inputs: [
      "input",
      quantization("input-scale"),
      parameter("gamma"),
      parameter("beta"),
      quantization("output-scale"),
    ],
  },
};
