/**
 * Elementwise operations: NumPy's and TensorFlow's functions of one, two or three tensors, with NumPy broadcasting over
 * all axes (Keras 3.15 ops/numpy.py, ops/math.py; TensorFlow's math ops infer the same shapes).
 */

import { type Dim, mapDims } from "../ir/dim.ts";
import { bitsOf, type DType } from "../ir/dtype.ts";
import type { JsonObject } from "../ir/graph.ts";
import type { TensorType } from "../ir/tensor.ts";
import { mainInput } from "./arguments.ts";
import { readFlag } from "./attributes.ts";
import { alignSecond, broadcastAll, broadcastShapes } from "./broadcast.ts";
import {
  type Fold,
  foldAbs,
  foldAdd,
  foldAnd,
  foldCeil,
  foldDivide,
  foldElements,
  foldEqual,
  foldFloor,
  foldFloorDivide,
  foldGreater,
  foldGreaterEqual,
  foldLess,
  foldLessEqual,
  foldMaximum,
  foldMinimum,
  foldModulo,
  foldMultiply,
  foldNegative,
  foldNot,
  foldNotEqual,
  foldOr,
  foldPower,
  foldReciprocal,
  foldRemainder,
  foldRound,
  foldSign,
  foldSqrt,
  foldSquare,
  foldSubtract,
  foldTrunc,
  foldXor,
} from "./fold-values.ts";
import { type OperatorDef, RuleError, type RuleInput } from "./operator.ts";
import { type NumberKind, promoteInputs, promoteRanked, readNumbers } from "./promotion.ts";
import { type ResultType, readStated, resultType, type Stated, statedType } from "./result-type.ts";
import {
  defineOperator,
  inputAt,
  only,
  optionalDType,
  optionalInteger,
  simpleOperator,
  withDim,
} from "./tensor-rule.ts";
import { knownValue, valued } from "./tensor-values.ts";

/** What is worked out of elements that are known. */
const folds: Readonly<Record<string, Fold>> = {
  TensorAdd: foldAdd,
  TensorSubtract: foldSubtract,
  TensorMultiply: foldMultiply,
  TensorMaximum: foldMaximum,
  TensorMinimum: foldMinimum,
  FloorDivide: foldFloorDivide,
  Divide: foldDivide,
  Mod: foldModulo,
  Remainder: foldRemainder,
  Power: foldPower,
  Abs: foldAbs,
  Sign: foldSign,
  Negative: foldNegative,
  Round: foldRound,
  Square: foldSquare,
  Reciprocal: foldReciprocal,
  Sqrt: foldSqrt,
  Floor: foldFloor,
  Ceil: foldCeil,
  Trunc: foldTrunc,
  Equal: foldEqual,
  NotEqual: foldNotEqual,
  Greater: foldGreater,
  GreaterEqual: foldGreaterEqual,
  Less: foldLess,
  LessEqual: foldLessEqual,
  LogicalAnd: foldAnd,
  LogicalOr: foldOr,
  LogicalXor: foldXor,
  LogicalNot: foldNot,
};

/** x -> x. */
function unary(name: string, result: ResultType): OperatorDef<unknown> {
  const fold = folds[name];
  return defineOperator<Stated>({
    name,
    attributes: readStated,
    infer({ attributes, inputs }) {
      const x = mainInput(inputs);
      const type = { dtype: statedType(attributes, result, x.dtype), shape: x.shape };
      return valued(type, fold && foldElements([x], type, fold));
    },
  });
}

interface Broadcasting extends Stated {
  /** Where in the first operand's shape the second one's begins (ONNX before opset 7); null: they end together. */
  readonly axis: number | null;
  /** Which operands are plain numbers, where that changes the type of the result. */
  readonly numbers: readonly (NumberKind | null)[] | null;
  /** The result is written over the first operand, whose type it has. */
  readonly inPlace: boolean;
}

function readBroadcasting(raw: JsonObject): Broadcasting {
  return {
    ...readStated(raw),
    axis: optionalInteger(raw, "axis"),
    numbers: readNumbers(raw),
    inPlace: readFlag(raw, "inPlace", false),
  };
}

/** Any number of operands -> their broadcast shape. */
function broadcasting(name: string, result: ResultType): OperatorDef<unknown> {
  const fold = folds[name];
  return defineOperator<Broadcasting>({
    name,
    attributes: readBroadcasting,
    infer({ attributes, inputs }) {
      const operands = alignSecond(inputs, attributes.axis);
      const type = broadcastType(operands, attributes, result);
      return valued(type, fold && foldElements(operands, type, fold));
    },
  });
}

function broadcastType(inputs: readonly RuleInput[], attributes: Broadcasting, kind: ResultType): TensorType {
  const { numbers, inPlace } = attributes;
  const shape = broadcastAll(inputs.map((input) => input.shape));
  if (inPlace) return { dtype: mainInput(inputs).dtype, shape: mainInput(inputs).shape };
  const promoted = numbers ? promoteRanked(inputs, numbers) : promoteInputs(inputs);
  return { dtype: statedType(attributes, kind, promoted), shape };
}

/**
 * The first operand's shape, whatever the others are: Keras's bitwise operations and isin do not broadcast. PyTorch's do,
 * which say what of the operands are numbers.
 */
function likeFirst(name: string, result: ResultType): OperatorDef<unknown> {
  return defineOperator<Broadcasting>({
    name,
    attributes: readBroadcasting,
    infer({ attributes, inputs }) {
      if (attributes.numbers) return only(broadcastType(inputs, attributes, result));
      return only({ dtype: resultType(result, promoteInputs(inputs)), shape: mainInput(inputs).shape });
    },
  });
}

const sameNames = [
  "Abs",
  "Sign",
  "Negative",
  "Round",
  "Square",
  "Trunc",
  "Conjugate",
  "NanToNum",
  "BitwiseNot",
  "Reciprocal",
  "Erf",
  "Erfinv",
  "Rsqrt",
  "Fraction",
] as const;

const floatNames = [
  "Exp",
  "Exp2",
  "Expm1",
  "Log",
  "Log2",
  "Log10",
  "Log1p",
  "Sqrt",
  "Cbrt",
  "Floor",
  "Ceil",
  "Sin",
  "Cos",
  "Tan",
  "Arcsin",
  "Arccos",
  "Arctan",
  "Sinh",
  "Cosh",
  "Arcsinh",
  "Arccosh",
  "Arctanh",
  "Sinc",
  "I0",
  "Erfc",
  "Deg2rad",
  "Rad2deg",
  "Lgamma",
  "Digamma",
  "Ndtri",
  "SpecialFunction",
] as const;

const predicateNames = [
  "IsFinite",
  "IsInf",
  "IsNan",
  "IsNegInf",
  "IsPosInf",
  "IsReal",
  "LogicalNot",
  "Signbit",
] as const;

const realNames = ["Real", "Imag", "Angle"] as const;

const arithmeticNames = [
  "TensorAdd",
  "TensorSubtract",
  "TensorMultiply",
  "TensorMaximum",
  "TensorMinimum",
  "FloorDivide",
  "Mod",
  "Power",
  "Gcd",
  "Lcm",
  "SquaredDifference",
  "Polygamma",
  "Zeta",
  "Remainder",
  "Lerp",
  "AddProduct",
] as const;

const floatArithmeticNames = [
  "Divide",
  "DivideNoNan",
  "Arctan2",
  "Hypot",
  "LogAddExp",
  "LogAddExp2",
  "Heaviside",
  "Nextafter",
  "Ldexp",
  "Xlogy",
  "CopySign",
  "AddQuotient",
] as const;

const comparisonNames = [
  "Equal",
  "NotEqual",
  "Greater",
  "GreaterEqual",
  "Less",
  "LessEqual",
  "LogicalAnd",
  "LogicalOr",
  "LogicalXor",
  "IsClose",
] as const;

const bitwiseNames = ["BitwiseAnd", "BitwiseOr", "BitwiseXor", "LeftShift", "RightShift"] as const;

/**
 * condition, x1, x2 -> their broadcast shape. The condition alone: TensorFlow returns the places where it holds
 * (`places`), whose number is unknown; Keras 3 states the condition's shape.
 */
const where = defineOperator<{ places: boolean; numbers: Broadcasting["numbers"] }>({
  name: "Where",
  attributes: (raw) => ({ places: readFlag(raw, "places", false), numbers: readNumbers(raw) }),
  infer({ attributes: { places, numbers }, inputs }) {
    const condition = inputAt(inputs, "condition", 0);
    const choices = inputs.filter((input) => input !== condition);
    if (places && choices.length === 0) {
      return only({ dtype: "int64", shape: [null, condition.shape?.length ?? null] });
    }
    const promoted = numbers ? promoteRanked(choices, numbers) : promoteInputs(choices);
    const dtype = choices.length === 0 ? "int64" : promoted;
    return only({ dtype, shape: broadcastAll(inputs.map((input) => input.shape)) });
  },
});

/** x, min, max -> x's shape broadcast with the bounds'. */
const clip = defineOperator<Broadcasting>({
  name: "Clip",
  attributes: readBroadcasting,
  infer({ attributes, inputs }) {
    if (attributes.numbers) return only(broadcastType(inputs, attributes, "same"));
    const x = mainInput(inputs);
    const shape = broadcastAll(inputs.map((input) => input.shape));
    return only({ dtype: x.dtype === "bool" ? "int32" : x.dtype, shape });
  },
});

/** x -> x with `dtype`. */
const cast = defineOperator<{ dtype: DType | null }>({
  name: "Cast",
  attributes: (raw) => ({ dtype: optionalDType(raw) }),
  infer: ({ attributes: { dtype }, inputs }) => {
    const x = mainInput(inputs);
    const exact = dtype?.includes("int") || dtype === "float64";
    return valued({ dtype, shape: x.shape }, exact ? knownValue(x) : undefined);
  },
});

function viewShape(x: RuleInput, dtype: DType): TensorType {
  const from = x.dtype === null ? null : bitsOf(x.dtype);
  const to = bitsOf(dtype);
  if (x.shape === null || from === to) return { dtype, shape: x.shape };
  const last = x.shape.at(-1);
  if (last === undefined) throw new RuleError("a scalar cannot be viewed as elements of another size");
  const size: Dim = mapDims((dim, a, b) => (dim * a) / b, last, from, to);
  return { dtype, shape: withDim(x.shape, -1, size) };
}

/** x -> the same bytes as elements of `dtype`; the last dimension changes with their size. */
const view = defineOperator<{ dtype: DType | null }>({
  name: "View",
  attributes: (raw) => ({ dtype: optionalDType(raw) }),
  infer({ attributes, inputs }) {
    const x = mainInput(inputs);
    return only(attributes.dtype === null ? x : viewShape(x, attributes.dtype));
  },
});

/** Tensors of one shape -> their sum; what one does not know of the shape another may (tf.add_n). */
const addMany = simpleOperator("AddMany", (inputs) => ({
  dtype: promoteInputs(inputs),
  shape: inputs.map((input) => input.shape).reduce((a, b) => broadcastShapes(a, b), inputs[0]?.shape ?? []),
}));

/** Tensors -> one truth value. */
const scalarTest = simpleOperator("ScalarTest", () => ({ dtype: "bool", shape: [] }));

/** Texts -> texts joined element by element. */
const stringJoin = simpleOperator("StringJoin", (inputs) => ({
  dtype: "string",
  shape: broadcastAll(inputs.map((input) => input.shape)),
}));

/** condlist, choicelist -> the first choice's type (numpy.select). */
const select = simpleOperator("Select", (inputs) => inputAt(inputs, "choicelist", 1));

export const elementwiseOperators: readonly OperatorDef<unknown>[] = [
  ...sameNames.map((name) => unary(name, "same")),
  ...floatNames.map((name) => unary(name, "float")),
  ...predicateNames.map((name) => unary(name, "bool")),
  ...realNames.map((name) => unary(name, "real")),
  ...arithmeticNames.map((name) => broadcasting(name, "same")),
  ...floatArithmeticNames.map((name) => broadcasting(name, "float")),
  ...comparisonNames.map((name) => broadcasting(name, "bool")),
  ...bitwiseNames.map((name) => likeFirst(name, "same")),
  likeFirst("IsIn", "bool"),
  where,
  clip,
  cast,
  view,
  addMany,
  scalarTest,
  stringJoin,
  select,
];
