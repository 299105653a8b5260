/** Arithmetic, comparisons and functions of single elements. */

import type { JsonObject } from "../../../src/ir/graph.ts";
import { constant, type NodeView, type OnnxOp, type OnnxOps, type Port, variadic } from "../op.ts";

/** Before opset 7 shapes are only broadcast when `broadcast` says so, from `axis` on where that is given. */
function legacyAxis(node: NodeView): JsonObject {
  const axis = node.version < 7 && node.int("broadcast", 0) === 1 ? node.optionalInt("axis") : null;
  return axis === null ? {} : { axis };
}

function binary(operator: string): OnnxOp {
  return { operator, inputs: ["a", "b"], attributes: legacyAxis };
}

function unary(operator: string): OnnxOp {
  return { operator, inputs: ["input"] };
}

function many(operator: string): OnnxOp {
  return { operator, inputs: [variadic("inputs")] };
}

/** Bounds are inputs from opset 11 on. */
function clipPorts(node: NodeView): readonly Port[] {
  return node.version < 11 ? ["input"] : ["input", constant("min"), constant("max")];
}

function clipAttributes(node: NodeView): JsonObject {
  if (node.version >= 11) return {};
  return {
    ...(node.has("min") && { min: finite(node.float("min", 0)) }),
    ...(node.has("max") && { max: finite(node.float("max", 0)) }),
  };
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

export const elementwiseOps: OnnxOps = {
  Add: binary("TensorAdd"),
  Sub: binary("TensorSubtract"),
  Mul: binary("TensorMultiply"),
  Div: binary("GraphDivide"),
  Pow: binary("GraphPower"),
  Mod: {
    operator: "GraphModulo",
    inputs: ["a", "b"],
    attributes: (node) => ({ truncated: node.int("fmod", 0) === 1 }),
  },
  Max: many("TensorMaximum"),
  Min: many("TensorMinimum"),
  Sum: many("TensorAdd"),
  Mean: many("GraphMean"),

  Equal: binary("Equal"),
  Greater: binary("Greater"),
  GreaterOrEqual: binary("GreaterEqual"),
  Less: binary("Less"),
  LessOrEqual: binary("LessEqual"),
  And: binary("LogicalAnd"),
  Or: binary("LogicalOr"),
  Xor: binary("LogicalXor"),
  Not: unary("LogicalNot"),
  BitwiseAnd: binary("GraphBitwise"),
  BitwiseOr: binary("GraphBitwise"),
  BitwiseXor: binary("GraphBitwise"),
  BitwiseNot: unary("BitwiseNot"),
  BitShift: binary("GraphBitwise"),

  Neg: unary("Negative"),
  Abs: unary("Abs"),
  Sign: unary("Sign"),
  Floor: unary("Floor"),
  Ceil: unary("Ceil"),
  Round: unary("Round"),
  Sqrt: unary("Sqrt"),
  Reciprocal: unary("Reciprocal"),
  Exp: unary("Exp"),
  Log: unary("Log"),
  Erf: unary("Erf"),
  Sin: unary("Sin"),
  Cos: unary("Cos"),
  Tan: unary("Tan"),
  Asin: unary("Arcsin"),
  Acos: unary("Arccos"),
  Atan: unary("Arctan"),
  Sinh: unary("Sinh"),
  Cosh: unary("Cosh"),
  Asinh: unary("Arcsinh"),
  Acosh: unary("Arccosh"),
  Atanh: unary("Arctanh"),
  IsInf: unary("IsInf"),
  IsNaN: unary("IsNan"),
  Clip: { operator: "GraphClip", inputs: clipPorts, attributes: clipAttributes },

  // Experimental, in opset 1 alone.
  Affine: unary("LikeFirst"),
  Scale: unary("LikeFirst"),
  Crop: {
    operator: "GraphCrop",
    inputs: ["input"],
    attributes: (node) => ({ border: node.ints("border"), scale: node.ints("scale") }),
  },
};
