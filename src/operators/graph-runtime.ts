/** Operators of ONNX Runtime on single elements and on pairs of real and imaginary parts, and products of unusual operands. */

import { addDims, ceilDivideDim, type Dim, floorDivideDim, multiplyDims, productOfDims } from "../ir/dim.ts";
import type { DType } from "../ir/dtype.ts";
import type { Shape } from "../ir/shape.ts";
import type { TensorType } from "../ir/tensor.ts";
import { requireMinimumRank } from "./arguments.ts";
import { readFlag } from "./attributes.ts";
import { broadcastShapes } from "./broadcast.ts";
import { type OperatorDef, RuleError } from "./operator.ts";
import { matmulShape } from "./tensor-product.ts";
import {
  defineOperator,
  inputAt,
  only,
  optionalDType,
  optionalInput,
  reshaped,
  simpleOperator,
} from "./tensor-rule.ts";
import { listValue } from "./tensor-values.ts";

/** input -> the same, and a bit for each element, 32 to a number. */
const bitmaskDropout = defineOperator<null>({
  name: "BitmaskDropout",
  attributes: () => null,
  infer({ inputs }) {
    const { dtype, shape } = inputAt(inputs, "input", 0);
    const words = shape === null ? null : ceilDivideDim(productOfDims(shape), 32);
    return {
      types: [
        { dtype, shape },
        { dtype: "uint32", shape: [words] },
      ],
    };
  },
});

/** input (..., n), or (..., n / 2 + 1, 2) backward -> its spectrum, or what it is the spectrum of. */
const pairedFourier = defineOperator<{ inverse: boolean }>({
  name: "PairedFourier",
  attributes: (raw) => ({ inverse: readFlag(raw, "inverse", false) }),
  infer({ attributes: { inverse }, inputs }) {
    return only(
      reshaped(inputAt(inputs, "input", 0), (shape) => {
        requireMinimumRank(shape, inverse ? 2 : 1);
        if (inverse && shape.at(-2) === 0)
          throw new RuleError("a spectrum without any frequency is of nothing");
        if (inverse) return [...shape.slice(0, -2), multiplyDims(2, addDims(shape.at(-2) ?? null, -1))];
        return [...shape.slice(0, -1), addDims(floorDivideDim(shape.at(-1) ?? null, 2), 1), 2];
      }),
    );
  },
});

/** a, b of 8 bits -> their products in 32. */
const integerProduct = simpleOperator("MulInteger", (inputs) => ({
  dtype: "int32",
  shape: broadcastShapes(inputAt(inputs, "a", 0).shape, inputAt(inputs, "b", 2).shape),
}));

const allFinite = simpleOperator("AllFinite", () => ({ dtype: "bool", shape: [] }));

function turned(shape: Shape, turn: boolean): Shape {
  if (shape === null || !turn || shape.length < 2) return shape;
  return [...shape.slice(0, -2), shape.at(-1) ?? null, shape.at(-2) ?? null];
}

/** sparse (n, k), dense (..., k, m), either turned over -> (..., n, m). */
const sparseProduct = defineOperator<{ transposeA: boolean; transposeB: boolean }>({
  name: "SparseMatMul",
  attributes: (raw) => ({
    transposeA: readFlag(raw, "transposeA", false),
    transposeB: readFlag(raw, "transposeB", false),
  }),
  infer({ attributes: { transposeA, transposeB }, inputs }) {
    const left = inputAt(inputs, "sparse", 0);
    const right = inputAt(inputs, "dense", 1);
    const a = turned((left.of?.element ?? left).shape, transposeA);
    const b = turned(right.shape, transposeB);
    return only({ dtype: right.dtype, shape: a === null || b === null ? null : matmulShape(a, b) });
  },
});

/** x -> bytes of blocks that share an exponent, the shape of x, its strides. */
const toBlocks = defineOperator<null>({
  name: "QuantizeBlockFloat",
  attributes: () => null,
  infer({ inputs }) {
    const list: TensorType = { dtype: "int64", shape: [inputAt(inputs, "x", 0).shape?.length ?? null] };
    return { types: [{ dtype: "uint8", shape: [null] }, list, list] };
  },
});

/** bytes, shape, strides -> numbers of that shape. */
const fromBlocks = defineOperator<{ dtype: DType | null }>({
  name: "DequantizeBlockFloat",
  attributes: (raw) => ({ dtype: optionalDType(raw) }),
  infer({ attributes: { dtype }, inputs }) {
    const stated = optionalInput(inputs, "shape", 1);
    const rank = stated?.shape?.[0] ?? null;
    const shape: Shape = listValue(stated) ?? (typeof rank === "number" ? unknownSizes(rank) : null);
    return only({ dtype, shape });
  },
});

function unknownSizes(rank: number): readonly Dim[] | null {
  return rank >= 0 && rank <= 64 ? new Array<Dim>(rank).fill(null) : null;
}

export const graphRuntimeOperators: readonly OperatorDef<unknown>[] = [
  bitmaskDropout,
  pairedFourier,
  integerProduct,
  allFinite,
  sparseProduct,
  toBlocks,
  fromBlocks,
];
