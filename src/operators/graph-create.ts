/** ONNX's operators that make tensors or give their elements another type (ONNX 1.23, opsets 1 to 28). */

import {
  addDims,
  ceilDivideDim,
  type Dim,
  floorDim,
  isAtMostDim,
  isWholeDim,
  maxDims,
  multiplyDims,
  subtractDims,
} from "../ir/dim.ts";
import { bitsOf, type DType } from "../ir/dtype.ts";
import type { JsonObject } from "../ir/graph.ts";
import type { Shape } from "../ir/shape.ts";
import { readShape } from "./attributes.ts";
import {
  asSize,
  dividedExactly,
  eachElement,
  knownElements,
  output,
  scalarOf,
  statedWithPassed,
} from "./graph-values.ts";
import { type OperatorDef, RuleError, type RuleInput } from "./operator.ts";
import {
  defineOperator,
  inputAt,
  optionalDims,
  optionalDType,
  optionalInput,
  optionalInteger,
} from "./tensor-rule.ts";

interface Stored {
  readonly dtype: DType | null;
  readonly shape: Shape;
  readonly values: readonly Dim[] | undefined;
}

function readStored(raw: JsonObject): Stored {
  const values = Array.isArray(raw.values)
    ? knownElements({ dtype: null, shape: null, value: raw.values })
    : undefined;
  return { dtype: optionalDType(raw), shape: readShape(raw, "shape"), values };
}

/** -> a tensor that stands in the graph itself: `dtype`, `shape` and, of a small one, its `values` in C order. */
const constant = defineOperator<Stored>({
  name: "Constant",
  attributes: readStored,
  infer: ({ attributes: { dtype, shape, values } }) => output(dtype, shape, values),
});

/** shape (or `sizes`), value -> a tensor of that shape, filled with the value or the one of `values`. */
const constantOfShape = defineOperator<Stored & { readonly target: readonly Dim[] | null }>({
  name: "ConstantOfShape",
  attributes: (raw) => ({ ...readStored(raw), target: optionalDims(raw, "sizes", 0) }),
  infer({ attributes: { dtype, values, target: stated }, inputs }) {
    const target = statedWithPassed(stated, inputs, "shape", 0) ?? null;
    const shape = target === null ? null : target.map(asSize);
    const element = values ? (values[0] ?? null) : scalarOf(inputs.find((input) => input.name === "value"));
    return output(dtype, shape, element === null ? undefined : eachElement(shape, () => element));
  },
});

/** x -> x, whatever it is. */
const same = defineOperator<null>({
  name: "GraphIdentity",
  attributes: () => null,
  infer({ inputs }) {
    const { dtype, shape, value, of } = inputAt(inputs, "input", 0);
    return { types: [{ dtype, shape, ...(of && { of }), ...(value !== undefined && { value }) }] };
  },
});

/** Significant bits of real numbers: whole numbers of as many bits are exact. */
const precisions: Readonly<Partial<Record<DType, number>>> = {
  float64: 53,
  float32: 24,
  float16: 11,
  bfloat16: 8,
};

function wholeRange(dtype: DType): readonly [number, number] | null {
  const match = /^(u?)int(\d+)$/.exec(dtype);
  if (!match) return null;
  const bits = Number(match[2]);
  return match[1] === "u" ? [0, 2 ** bits - 1] : [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1];
}

/** A size that is only named is taken to fit the types that shapes are computed in. */
function castNamed(element: Dim, dtype: DType, range: readonly [number, number] | null): Dim {
  if (!range) return (precisions[dtype] ?? 0) >= 24 ? element : null;
  if (range[1] < 2 ** 31 - 1) return null;
  // Toward zero, which is down for what is not negative.
  return isWholeDim(element) || isAtMostDim(0, element) ? floorDim(element) : null;
}

/** An element in another type; unknown where it does not fit the type, or loses more than its fraction. */
function castElement(element: Dim, dtype: DType): Dim {
  if (element === null) return null;
  if (dtype === "bool") {
    if (typeof element === "number") return element === 0 ? 0 : 1;
    return isAtMostDim(1, element) ? 1 : null;
  }
  const range = wholeRange(dtype);
  if (typeof element !== "number") return castNamed(element, dtype, range);
  if (range) {
    const whole = Math.trunc(element) + 0;
    return whole >= range[0] && whole <= range[1] ? whole : null;
  }
  const precision = precisions[dtype];
  if (precision === undefined) return null;
  if (dtype === "float32") return Math.fround(element);
  return dtype === "float64" || (Number.isInteger(element) && Math.abs(element) <= 2 ** precision)
    ? element
    : null;
}

function castTo(input: RuleInput, dtype: DType | null) {
  const elements =
    dtype === null ? undefined : knownElements(input)?.map((element) => castElement(element, dtype));
  return output(dtype, input.shape, elements);
}

/** x -> x in type `dtype`. */
const cast = defineOperator<{ dtype: DType | null }>({
  name: "GraphCast",
  attributes: (raw) => ({ dtype: optionalDType(raw) }),
  infer: ({ attributes: { dtype }, inputs }) => castTo(inputAt(inputs, "input", 0), dtype),
});

/** A number -> a tensor without axes. */
const scalarTensor = defineOperator<{ dtype: DType | null }>({
  name: "ScalarTensor",
  attributes: (raw) => ({ dtype: optionalDType(raw) }),
  infer: ({ attributes: { dtype }, inputs }) =>
    castTo({ ...inputAt(inputs, "value", 0), dtype: null, shape: [] }, dtype),
});

/** x, target -> x in the type of the target. */
const castLike = defineOperator<null>({
  name: "CastLike",
  attributes: () => null,
  infer: ({ inputs }) => castTo(inputAt(inputs, "input", 0), inputAt(inputs, "target", 1).dtype),
});

/** x -> the same bits read as another type; of another size: more or fewer elements along the last axis. */
const bitCast = defineOperator<{ dtype: DType | null }>({
  name: "BitCast",
  attributes: (raw) => ({ dtype: optionalDType(raw) }),
  infer({ attributes: { dtype }, inputs }) {
    const input = inputAt(inputs, "input", 0);
    if (dtype === input.dtype) return output(dtype, input.shape, knownElements(input));
    const [from, to] = [input.dtype && bitsOf(input.dtype), dtype && bitsOf(dtype)];
    if (input.shape === null || from === to) return output(dtype, input.shape);
    const last = from && to ? dividedExactly([input.shape.at(-1) ?? null, from], [to]) : null;
    if (input.shape.length === 0) throw new RuleError("a number cannot be read as one of another size");
    return output(dtype, input.shape.with(-1, last));
  },
});

function rangeLength(start: Dim, limit: Dim, delta: Dim, dtype: DType | null): Dim {
  if (typeof delta !== "number" || delta === 0) return null;
  if (typeof start === "number" && typeof limit === "number") {
    const span = dtype === "float32" ? Math.fround(limit - start) : limit - start;
    const length = Math.max(0, Math.ceil(span / delta));
    return Number.isSafeInteger(length) ? length : null;
  }
  if (![start, limit, delta].every(isWholeDim)) return null;
  const [from, to] = delta > 0 ? [start, limit] : [limit, start];
  return maxDims(0, ceilDivideDim(subtractDims(to, from), Math.abs(delta)));
}

/** start (or the attribute), limit, delta (1) -> numbers from `start` up to `limit`, without it. */
const range = defineOperator<{ start: number | null; dtype: DType | null }>({
  name: "GraphRange",
  attributes: (raw) => ({ start: optionalInteger(raw, "start"), dtype: optionalDType(raw) }),
  infer({ attributes, inputs }) {
    const stated = attributes.start === null ? null : { dtype: null, shape: [], value: attributes.start };
    const first = stated ?? inputAt(inputs, "start", 0);
    const start = scalarOf(first);
    const step = optionalInput(inputs, "delta", 2);
    const delta = step ? scalarOf(step) : 1;
    if (delta === 0) throw new RuleError("steps of 0");
    const shape = [rangeLength(start, scalarOf(inputAt(inputs, "limit", 1)), delta, first.dtype)];
    return output(
      attributes.dtype ?? first.dtype,
      shape,
      eachElement(shape, ([i = 0]) => addDims(start, multiplyDims(delta, i))),
    );
  },
});

/** x -> ones on a diagonal, in x's shape. */
const eyeLike = defineOperator<{ dtype: DType | null }>({
  name: "EyeLike",
  attributes: (raw) => ({ dtype: optionalDType(raw) }),
  infer({ attributes: { dtype }, inputs }) {
    const input = inputAt(inputs, "input", 0);
    return output(dtype ?? input.dtype, input.shape);
  },
});

interface IdentityAttributes {
  readonly rows: readonly Dim[] | null;
  readonly columns: readonly Dim[] | null;
  readonly dtype: DType | null;
}

/** rows, columns (as many) -> ones on the diagonal of a matrix. */
const identityMatrix = defineOperator<IdentityAttributes>({
  name: "GraphIdentityMatrix",
  attributes: (raw) => ({
    rows: optionalDims(raw, "rows", 0),
    columns: optionalDims(raw, "columns", 0),
    dtype: optionalDType(raw),
  }),
  infer({ attributes: { rows: statedRows, columns: statedColumns, dtype }, inputs }) {
    const [rows = null] = statedWithPassed(statedRows, inputs, "rows", inputs.length) ?? [];
    const columns =
      statedColumns && (statedWithPassed(statedColumns, inputs, "columns", inputs.length)?.[0] ?? null);
    return output(dtype, [asSize(rows), statedColumns === null ? asSize(rows) : asSize(columns)]);
  },
});

export const graphCreateOperators: readonly OperatorDef<unknown>[] = [
  constant,
  constantOfShape,
  same,
  cast,
  castLike,
  scalarTensor,
  bitCast,
  range,
  eyeLike,
  identityMatrix,
];
