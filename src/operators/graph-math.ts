/**
 * ONNX's elementwise operators where they differ from NumPy's: whole numbers stay whole, the result has the first
 * operand's type, and bitwise operators broadcast (onnx/defs/math, onnx/defs/logical).
 */

import type { Dim } from "../ir/dim.ts";
import type { DType } from "../ir/dtype.ts";
import type { JsonObject } from "../ir/graph.ts";
import type { TensorType } from "../ir/tensor.ts";
import { mainInput } from "./arguments.ts";
import { readFlag } from "./attributes.ts";
import { alignSecond, broadcastAll } from "./broadcast.ts";
import {
  type Fold,
  foldAdd,
  foldDivide,
  foldElements,
  foldMaximum,
  foldMinimum,
  foldModulo,
  foldPower,
  foldRemainder,
  foldTruncatingDivide,
} from "./fold-values.ts";
import type { Inferred, OperatorDef, RuleInput } from "./operator.ts";
import {
  defineOperator,
  only,
  optionalDType,
  optionalInteger,
  simpleOperator,
  tupleOf,
} from "./tensor-rule.ts";
import { valued } from "./tensor-values.ts";

/** Broadcast shape and the first operand's dtype; all have the same one, except for the exponent of a power. */
function broadcastType(inputs: readonly RuleInput[]): TensorType {
  return { dtype: mainInput(inputs).dtype, shape: broadcastAll(inputs.map((input) => input.shape)) };
}

interface BinaryAttributes {
  readonly axis: number | null;
  /** The remainder has the sign of the dividend (`fmod`). */
  readonly truncated: boolean;
}

function readBinary(raw: JsonObject): BinaryAttributes {
  return { axis: optionalInteger(raw, "axis"), truncated: readFlag(raw, "truncated", false) };
}

type ChooseFold = (dtype: DType | null, attributes: BinaryAttributes) => Fold | undefined;

/** Two operands, the second one aligned at `axis` where that is given. */
function binary(name: string, choose: ChooseFold): OperatorDef<unknown> {
  return defineOperator<BinaryAttributes>({
    name,
    attributes: readBinary,
    infer({ attributes, inputs }) {
      const operands = alignSecond(inputs, attributes.axis);
      const type = broadcastType(operands);
      const fold = choose(type.dtype, attributes);
      return valued(type, fold && foldElements(operands, type, fold));
    },
  });
}

/** Of a type that is not known it is not known how it divides. */
function chooseDivision(dtype: DType | null): Fold | undefined {
  if (dtype === null) return undefined;
  return dtype.includes("int") ? foldTruncatingDivide : foldDivide;
}

/** a + ... over the number of operands. */
const mean = simpleOperatorWithValue("GraphMean", (...elements) => {
  return foldDivide(foldAdd(...elements), elements.length);
});

function simpleOperatorWithValue(name: string, fold: Fold): OperatorDef<unknown> {
  return defineOperator<null>({
    name,
    attributes: () => null,
    infer({ inputs }) {
      const type = broadcastType(inputs);
      return valued(type, foldElements(inputs, type, fold));
    },
  });
}

interface ClipAttributes {
  readonly min: number | null;
  readonly max: number | null;
}

function readNumber(raw: JsonObject, key: string): number | null {
  const value = raw[key];
  return typeof value === "number" ? value : null;
}

/** x, min, max -> x; the bounds are scalars, before opset 11 attributes. */
const clip = defineOperator<ClipAttributes>({
  name: "GraphClip",
  attributes: (raw) => ({ min: readNumber(raw, "min"), max: readNumber(raw, "max") }),
  infer({ attributes, inputs }): Inferred {
    const x = mainInput(inputs);
    const low = bound(inputs, "min", attributes.min);
    const high = bound(inputs, "max", attributes.max);
    const value = foldElements([x, ...low, ...high], x, (element, ...bounds) => {
      const raised = low.length > 0 ? foldMaximum(element ?? null, bounds[0] ?? null) : (element ?? null);
      return high.length > 0 ? foldMinimum(raised, bounds[low.length] ?? null) : raised;
    });
    return valued({ dtype: x.dtype, shape: x.shape }, value);
  },
});

function bound(inputs: readonly RuleInput[], name: string, stated: number | null): readonly RuleInput[] {
  const passed = inputs.find((input) => input.name === name);
  if (passed) return [{ ...passed, shape: [] }];
  return stated === null ? [] : [{ dtype: null, shape: [], value: stated }];
}

/** x and more -> x's type, whatever the others are (a slope, a scale, the other half of a gate). */
const likeFirst = simpleOperator("LikeFirst", (inputs) => mainInput(inputs));

/** x, ratio, training mode -> x, and what was kept. */
const dropout = defineOperator<{ mask: DType | null }>({
  name: "GraphDropout",
  attributes: (raw) => ({ mask: optionalDType(raw, "mask") }),
  infer({ attributes: { mask }, inputs }) {
    const x = mainInput(inputs);
    return tupleOf([typeOf(x, x.dtype), typeOf(x, mask ?? x.dtype)]);
  },
});

function typeOf(x: RuleInput, dtype: DType | null): TensorType {
  return { dtype, shape: x.shape };
}

/** x -> x without a border of (left, top, right, bottom) elements of its last two axes (opset 1). */
const crop = defineOperator<{ border: readonly number[] | null; size: readonly number[] | null }>({
  name: "GraphCrop",
  attributes: (raw) => ({ border: integers(raw, "border"), size: integers(raw, "scale") }),
  infer({ attributes: { border, size }, inputs }) {
    const { dtype, shape } = mainInput(inputs);
    if (shape?.length !== 4 || border?.length !== 4) return only({ dtype, shape: null });
    const [left = 0, top = 0, right = 0, bottom = 0] = border;
    const rest = (dim: Dim, cut: number): Dim => foldAdd(dim, -cut);
    const area: Dim[] =
      size?.length === 2
        ? [...size]
        : [rest(shape[2] ?? null, top + bottom), rest(shape[3] ?? null, left + right)];
    return only({ dtype, shape: [...shape.slice(0, 2), ...area] });
  },
});

function integers(raw: JsonObject, key: string): readonly number[] | null {
  const value = raw[key];
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item)) ? value : null;
}

export const graphMathOperators: readonly OperatorDef<unknown>[] = [
  binary("GraphDivide", chooseDivision),
  binary("GraphModulo", (_, { truncated }) => (truncated ? foldRemainder : foldModulo)),
  binary("GraphPower", () => foldPower),
  binary("GraphBitwise", () => undefined),
  mean,
  clip,
  likeFirst,
  dropout,
  crop,
];
