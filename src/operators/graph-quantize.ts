/** Quantised arithmetic: numbers with a scale and a zero point each (ONNX, ONNX Runtime). */

import { addDims, contradicts, type Dim, multiplyDims } from "../ir/dim.ts";
import type { DType } from "../ir/dtype.ts";
import { formatShape } from "../ir/shape.ts";
import { dimAt, requireMinimumRank, resolveAxis } from "./arguments.ts";
import { readFlag, readInteger, readIntegers } from "./attributes.ts";
import { broadcastAll, broadcastShapes } from "./broadcast.ts";
import { type OperatorDef, RuleError, type RuleInput } from "./operator.ts";
import { matmulShape, swapLast } from "./tensor-product.ts";
import {
  defineOperator,
  inputAt,
  inputsNamed,
  only,
  optionalDType,
  optionalInput,
  optionalInteger,
  optionalIntegers,
  reshaped,
} from "./tensor-rule.ts";
import { listValue } from "./tensor-values.ts";

/** input, scale, zero point -> whole numbers of the zero point's type, else of `dtype`, else uint8. */
const quantize = defineOperator<{ readonly dtype: DType | null }>({
  name: "QuantizeLinear",
  attributes: (raw) => ({ dtype: optionalDType(raw) }),
  infer({ attributes, inputs }) {
    const { shape } = inputAt(inputs, "input", 0);
    const zero = optionalInput(inputs, "zero-point", 2);
    return only({ dtype: zero ? zero.dtype : (attributes.dtype ?? "uint8"), shape });
  },
});

/** input, scale, zero point -> real numbers of `dtype`, else of the scale's type. */
const dequantize = defineOperator<{ readonly dtype: DType | null }>({
  name: "DequantizeLinear",
  attributes: (raw) => ({ dtype: optionalDType(raw) }),
  infer: ({ attributes, inputs }) =>
    only({
      dtype: attributes.dtype ?? inputAt(inputs, "scale", 1).dtype,
      shape: inputAt(inputs, "input", 0).shape,
    }),
});

/** input -> bytes, their scale and their zero point. */
const dynamicQuantize = defineOperator<null>({
  name: "DynamicQuantizeLinear",
  attributes: () => null,
  infer: ({ inputs }) => ({
    types: [
      { dtype: "uint8", shape: inputAt(inputs, "input", 0).shape },
      { dtype: "float32", shape: [] },
      { dtype: "uint8", shape: [] },
    ],
  }),
});

type TypeRule = (inputs: readonly RuleInput[], stated: DType | null) => DType | null;

interface MatMulAttributes {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  /** The batch axes of an operand: turned over with the last but one, so that the first axis is multiplied. */
  readonly batchA: boolean;
  readonly batchB: boolean;
  readonly dtype: DType | null;
}

/** (n, b..., k) as (b..., n, k): ONNX Runtime's transBatch. */
function turnBatch(shape: readonly Dim[], turn: boolean): readonly Dim[] {
  if (!turn || shape.length < 3) return shape;
  const [first = null, ...rest] = shape;
  return [...rest.slice(0, -1), first, dimAt(shape, -1)];
}

/** input, kernel, scales and the like -> matrix product. */
function product(name: string, type: TypeRule): OperatorDef<unknown> {
  return defineOperator<MatMulAttributes>({
    name,
    attributes: (raw) => ({
      transposeA: readFlag(raw, "transposeA", false),
      transposeB: readFlag(raw, "transposeB", false),
      batchA: readFlag(raw, "batchA", false),
      batchB: readFlag(raw, "batchB", false),
      dtype: optionalDType(raw),
    }),
    infer({ attributes: { transposeA, transposeB, batchA, batchB, dtype: stated }, inputs }) {
      const a = inputAt(inputs, "input", 0).shape;
      const b = inputAt(inputs, "kernel", 1).shape;
      const dtype = type(inputs, stated);
      if (a === null || b === null) return only({ dtype, shape: null });
      const swap = (shape: readonly Dim[], turn: boolean): readonly Dim[] =>
        shape.length < 2 ? shape : swapLast(shape, turn);
      const left = swap(turnBatch(a, batchA), transposeA);
      return only({ dtype, shape: matmulShape(left, swap(turnBatch(b, batchB), transposeB)) });
    },
  });
}

const typeOfInput =
  (name: string): TypeRule =>
  (inputs, stated) =>
    stated ?? optionalInput(inputs, name, inputs.length)?.dtype ?? null;

interface PackedAttributes {
  readonly inputs: number;
  readonly outputs: number;
}

/** input (..., K), packed kernel of logically (K, N) -> (..., N). */
function packedProduct(name: string): OperatorDef<unknown> {
  return defineOperator<PackedAttributes>({
    name,
    attributes: (raw) => ({ inputs: readInteger(raw, "K"), outputs: readInteger(raw, "N") }),
    infer({ attributes, inputs }) {
      const { dtype, shape } = inputAt(inputs, "input", 0);
      if (shape === null) return only({ dtype, shape });
      requireMinimumRank(shape, 1);
      if (contradicts(dimAt(shape, -1), attributes.inputs))
        throw new RuleError(`a kernel for ${attributes.inputs} does not fit ${formatShape(shape)}`);
      return only({ dtype, shape: [...shape.slice(0, -1), attributes.outputs] });
    },
  });
}

interface JointAttributes {
  /** Widths of what comes out, one for each kernel, before the sum of the input and what is added to it. */
  readonly outputs: readonly number[];
}

/** input (..., K), packed kernels, perhaps a normalization before -> (..., N) of each, and what was normalized. */
const jointProduct = defineOperator<JointAttributes>({
  name: "JointProduct",
  attributes: (raw) => ({ outputs: readIntegers(raw, "outputs") }),
  infer({ attributes, inputs }) {
    const { dtype, shape } = inputAt(inputs, "input", 0);
    const results = attributes.outputs.map((width) => ({ dtype, shape: shape?.with(-1, width) ?? null }));
    return { types: [...results, { dtype, shape }] };
  },
});

/** input (..., K), kernel (N, ...) in blocks -> (..., N). */
const rowProduct = defineOperator<null>({
  name: "RowProduct",
  attributes: () => null,
  infer({ inputs }) {
    const { dtype, shape } = inputAt(inputs, "input", 0);
    const rows = inputAt(inputs, "kernel", 1).shape?.[0] ?? null;
    return only({ dtype, shape: shape?.with(-1, rows) ?? null });
  },
});

/** Means or sums along axes of quantised tensors. */
const quantizedReduce = defineOperator<{
  axes: readonly number[] | null;
  keep: boolean;
  dtype: DType | null;
}>({
  name: "QuantizedReduce",
  attributes: (raw) => ({
    axes: optionalIntegers(raw, "axes"),
    keep: readFlag(raw, "keep", true),
    dtype: optionalDType(raw),
  }),
  infer({ attributes: { axes, keep, dtype }, inputs }) {
    const input = inputAt(inputs, "input", 0);
    return only(
      reshaped(
        input,
        (shape) => {
          const places = new Set(
            (axes ?? shape.map((_, i) => i)).map((axis) => resolveAxis(axis, shape.length)),
          );
          const kept = shape.map((dim, i) => (places.has(i) ? 1 : dim));
          return keep ? kept : kept.filter((_, i) => !places.has(i));
        },
        dtype ?? input.dtype,
      ),
    );
  },
});

/** condition, two operands -> the type of the first operand, all broadcast. */
const quantizedWhere = defineOperator<null>({
  name: "QLinearWhere",
  attributes: () => null,
  infer({ inputs }) {
    const shapes = ["condition", "input", "other"].map(
      (name, i) => inputAt(inputs, name, [0, 1, 4][i] ?? 0).shape,
    );
    return only({ dtype: inputAt(inputs, "input", 1).dtype, shape: broadcastAll(shapes) });
  },
});

/** input (..., K), packed kernel, its shape (K, N) -> (..., N). */
const matMulFpQ4 = defineOperator<null>({
  name: "MatMulFpQ4",
  attributes: () => null,
  infer({ inputs }) {
    const { dtype, shape } = inputAt(inputs, "input", 0);
    const width = listValue(optionalInput(inputs, "kernel-shape", 2))?.[1] ?? null;
    return only({ dtype, shape: shape === null ? null : [...shape.slice(0, -1), width] });
  },
});

/** Two operands broadcast; the type is that of the first, as quantised results are. */
function elementwise(name: string): OperatorDef<unknown> {
  return defineOperator<null>({
    name,
    attributes: () => null,
    infer({ inputs }) {
      const a = inputAt(inputs, "input", 0);
      const b = inputAt(inputs, "other", 3);
      return only({ dtype: a.dtype, shape: broadcastShapes(a.shape, b.shape) });
    },
  });
}

function sameType(name: string): OperatorDef<unknown> {
  return defineOperator<null>({
    name,
    attributes: () => null,
    infer: ({ inputs }) => only(inputAt(inputs, "input", 0)),
  });
}

/** Quantised tensors joined along `axis`. */
const concat = defineOperator<{ readonly axis: number }>({
  name: "QLinearConcat",
  attributes: (raw) => ({ axis: optionalInteger(raw, "axis") ?? 0 }),
  infer({ attributes, inputs }) {
    const parts = inputsNamed(inputs, "input");
    const dtype = parts[0]?.dtype ?? null;
    const shapes = parts.map((part) => part.shape);
    const [first] = shapes;
    if (!first) return only({ dtype, shape: null });
    const axis = resolveAxis(attributes.axis, first.length);
    const length = addDims(...shapes.map((shape) => shape?.[axis] ?? null));
    return only({ dtype, shape: first.with(axis, length) });
  },
});

interface GatherAttributes {
  readonly gatherAxis: number;
  /** Values in one stored element, along the last axis. */
  readonly values: number;
}

/** packed table, indices, scales -> real rows of the table. */
const gatherBlocks = defineOperator<GatherAttributes>({
  name: "GatherBlockQuantized",
  attributes: (raw) => ({
    gatherAxis: optionalInteger(raw, "gatherAxis") ?? 0,
    values: readInteger(raw, "values", { fallback: 1 }),
  }),
  infer({ attributes: { gatherAxis, values }, inputs }) {
    const table = inputAt(inputs, "embeddings", 0);
    const indices = inputAt(inputs, "indices", 1).shape;
    const { dtype } = inputAt(inputs, "scale", 2);
    if (table.shape === null || indices === null) return only({ dtype, shape: null });
    const packed = table.dtype === "uint8" ? values : 1;
    const last = table.shape.length - 1;
    const shape = table.shape.map((dim, i) => (i === last ? multiplyDims(dim, packed) : dim));
    const axis = resolveAxis(gatherAxis, shape.length);
    return only({ dtype, shape: [...shape.slice(0, axis), ...indices, ...shape.slice(axis + 1)] });
  },
});

export const graphQuantizeOperators: readonly OperatorDef<unknown>[] = [
  quantize,
  dequantize,
  dynamicQuantize,
  product("QLinearMatMul", typeOfInput("output-zero-point")),
  product("MatMulInteger", () => "int32"),
  product("FusedMatMul", typeOfInput("input")),
  product("FusedGemm", typeOfInput("input")),
  product("GemmFastGelu", typeOfInput("input")),
  product("QGemm", (inputs) => optionalInput(inputs, "output-zero-point", 8)?.dtype ?? "float32"),
  product("DynamicQuantizeMatMul", () => "float32"),
  product("MatMulIntegerToFloat", typeOfInput("input-scale")),
  packedProduct("MatMulNBits"),
  packedProduct("MatMulBnb4"),
  matMulFpQ4,
  jointProduct,
  rowProduct,
  quantizedReduce,
  quantizedWhere,
  elementwise("QLinearAdd"),
  elementwise("QLinearMul"),
  sameType("QLinearSigmoid"),
  sameType("QLinearLeakyRelu"),
  sameType("QLinearSoftmax"),
  concat,
  gatherBlocks,
];
