/** Arithmetic, comparisons and functions of single elements. Those that write over their input have an underscore. */

import type { JsonObject } from "../../../src/ir/graph.ts";
import { type AtenOp, type AtenOps, type NodeView, operand, port } from "../aten.ts";
import { inBothForms } from "./in-place.ts";

/** Kinds of the operands that are given, by position; null for a tensor. Numbers count less in the result's type. */
function numbersOf(node: NodeView, names: readonly string[]): JsonObject {
  const kinds = names.filter((name) => node.has(name)).map((name) => node.kind(name));
  return { numbers: kinds.map((kind) => (kind === "tensor" ? null : kind)) };
}

function isInPlace(node: NodeView): boolean {
  return /_(\.|$)/.test(node.target.replace(/^torch\.ops\./, "").replace(/^aten\.__\w+__/, ""));
}

/** `names`: its operands, in order. */
function over(operator: string, names: readonly string[], attributes: JsonObject = {}): AtenOp {
  return {
    operator,
    inputs: names.map((name) => operand(name)),
    attributes: (node) => ({
      ...numbersOf(node, names),
      ...(isInPlace(node) && { inPlace: true }),
      ...attributes,
    }),
  };
}

function binary(operator: string, result?: string): AtenOp {
  return over(operator, ["self", "other"], result === undefined ? {} : { result });
}

/** `result`: what comes of whole or complex numbers, where it is not of their type. */
function unary(operator: string, result?: string): AtenOp {
  return {
    operator,
    inputs: [port("self", "x")],
    attributes: () => (result === undefined ? {} : { result }),
  };
}

const fraction = (operator: string): AtenOp => unary(operator, "float");

/** Rounded quotients of whole numbers are whole. */
const division: readonly AtenOp[] = [
  { ...binary("FloorDivide"), applies: (node) => node.text("rounding_mode") === "floor" },
  { ...binary("Divide", "same"), applies: (node) => node.text("rounding_mode") === "trunc" },
  binary("Divide"),
];

/** Bounds that are left out are no inputs. */
function clip(...bounds: readonly string[]): AtenOp {
  return over("Clip", ["self", ...bounds]);
}

function choice(condition: string, names: readonly string[]): AtenOp {
  return {
    operator: "Where",
    inputs: [port(condition, "condition"), ...names.map((name) => operand(name))],
    attributes: (node) => numbersOf(node, names),
  };
}

/** A value put in where a mask holds, whatever the mask's shape is. */
const maskedFill = choice("mask", ["self", "value"]);

const arithmetic: Readonly<Record<string, AtenOp | readonly AtenOp[]>> = {
  add: binary("TensorAdd"),
  sub: binary("TensorSubtract"),
  mul: binary("TensorMultiply"),
  multiply: binary("TensorMultiply"),
  subtract: binary("TensorSubtract"),
  div: division,
  divide: division,
  true_divide: binary("Divide"),
  floor_divide: binary("FloorDivide"),
  remainder: binary("Mod"),
  fmod: binary("Remainder"),
  pow: over("Power", ["self", "exponent"]),
  atan2: binary("Arctan2"),
  arctan2: binary("Arctan2"),
  hypot: binary("Hypot", "same"),
  copysign: binary("CopySign"),
  nextafter: binary("Nextafter"),
  xlogy: binary("Xlogy"),
  special_xlogy: binary("Xlogy"),
  lcm: binary("Lcm"),
  gcd: binary("Gcd"),
  heaviside: over("Heaviside", ["self", "values"], { result: "same" }),
  eq: binary("Equal"),
  ne: binary("NotEqual"),
  lt: binary("Less"),
  le: binary("LessEqual"),
  gt: binary("Greater"),
  ge: binary("GreaterEqual"),
  logical_and: binary("LogicalAnd"),
  logical_or: binary("LogicalOr"),
  logical_xor: binary("LogicalXor"),
  bitwise_and: binary("BitwiseAnd"),
  bitwise_or: binary("BitwiseOr"),
  bitwise_xor: binary("BitwiseXor"),
  bitwise_left_shift: binary("LeftShift"),
  bitwise_right_shift: binary("RightShift"),
  clamp: clip("min", "max"),
  clip: clip("min", "max"),
  clamp_min: clip("min"),
  clamp_max: clip("max"),
  masked_fill: maskedFill,
  lerp: over("Lerp", ["self", "end", "weight"]),
  addcmul: over("AddProduct", ["self", "tensor1", "tensor2"]),
  addcdiv: over("AddQuotient", ["self", "tensor1", "tensor2"]),
};

const functions: Readonly<Record<string, AtenOp>> = {
  abs: unary("Abs", "real"),
  neg: unary("Negative"),
  negative: unary("Negative"),
  sign: unary("Sign"),
  sgn: unary("Sign"),
  floor: unary("Floor", "same"),
  ceil: unary("Ceil", "same"),
  round: unary("Round"),
  trunc: unary("Trunc"),
  fix: unary("Trunc"),
  frac: unary("Fraction"),
  square: unary("Square"),
  nan_to_num: unary("NanToNum"),
  bitwise_not: unary("BitwiseNot"),
  conj_physical: unary("Conjugate"),
  logical_not: unary("LogicalNot"),
  sqrt: fraction("Sqrt"),
  rsqrt: fraction("Rsqrt"),
  reciprocal: fraction("Reciprocal"),
  exp: fraction("Exp"),
  exp2: fraction("Exp2"),
  expm1: fraction("Expm1"),
  log: fraction("Log"),
  log2: fraction("Log2"),
  log10: fraction("Log10"),
  log1p: fraction("Log1p"),
  sin: fraction("Sin"),
  cos: fraction("Cos"),
  tan: fraction("Tan"),
  asin: fraction("Arcsin"),
  acos: fraction("Arccos"),
  atan: fraction("Arctan"),
  sinh: fraction("Sinh"),
  cosh: fraction("Cosh"),
  asinh: fraction("Arcsinh"),
  acosh: fraction("Arccosh"),
  atanh: fraction("Arctanh"),
  erf: fraction("Erf"),
  erfc: fraction("Erfc"),
  erfinv: fraction("Erfinv"),
  lgamma: fraction("Lgamma"),
  digamma: fraction("Digamma"),
  sinc: fraction("Sinc"),
  i0: fraction("I0"),
  deg2rad: fraction("Deg2rad"),
  rad2deg: fraction("Rad2deg"),
};

/** Functions of one number that have no name elsewhere. */
const special = [
  "entr",
  "erfcx",
  "i0e",
  "i1",
  "i1e",
  "log_ndtr",
  "ndtr",
  "bessel_j0",
  "bessel_j1",
  "bessel_y0",
  "bessel_y1",
];

export const elementwiseOps: AtenOps = {
  ...inBothForms(arithmetic),
  ...inBothForms(functions),
  "aten.rsub": over("TensorSubtract", ["other", "self"]),
  "aten.maximum": binary("TensorMaximum"),
  "aten.minimum": binary("TensorMinimum"),
  "aten.max.other": binary("TensorMaximum"),
  "aten.min.other": binary("TensorMinimum"),
  "aten.fmax": binary("TensorMaximum"),
  "aten.fmin": binary("TensorMinimum"),
  "aten.logaddexp": binary("LogAddExp", "same"),
  "aten.logaddexp2": binary("LogAddExp2", "same"),
  "aten.isclose": binary("IsClose"),
  "aten.__and__": binary("BitwiseAnd"),
  "aten.__or__": binary("BitwiseOr"),
  "aten.__xor__": binary("BitwiseXor"),
  "aten.__lshift__": binary("LeftShift"),
  "aten.__rshift__": binary("RightShift"),
  "aten.where": [
    { ...choice("condition", ["self", "other"]), applies: (node) => node.has("self") },
    { operator: "NonZeroByAxis", inputs: [port("condition", "input")] },
  ],

  "aten.isfinite": unary("IsFinite"),
  "aten.isinf": unary("IsInf"),
  "aten.isnan": unary("IsNan"),
  "aten.isneginf": unary("IsNegInf"),
  "aten.isposinf": unary("IsPosInf"),
  "aten.isreal": unary("IsReal"),
  "aten.signbit": unary("Signbit"),
  "aten.real": unary("Real"),
  "aten.imag": unary("Imag"),
  "aten.angle": unary("Angle", "real-fraction"),
  "aten._conj": unary("Conjugate"),
  "aten._conj_physical": unary("Conjugate"),
  "aten.special_ndtri": fraction("Ndtri"),
  ...Object.fromEntries(
    special.map((name) => [
      `aten.special_${name}`,
      {
        ...fraction("SpecialFunction"),
        attributes: () => ({ function: name, result: "float" }),
      } satisfies AtenOp,
    ]),
  ),
  "aten.polygamma": fraction("Polygamma"),
  "aten.isin": { operator: "IsIn", inputs: [port("elements", "elements"), port("test_elements", "tested")] },
};
