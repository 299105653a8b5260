/** Sizes and arithmetic on them: Python's functions on whole numbers, which the program works out when it runs. */

import type { JsonObject } from "../../../src/ir/graph.ts";
import { type AtenOp, type AtenOps, type NodeView, operand, port } from "../aten.ts";

const types = { int: "int64", float: "float64", bool: "bool" } as const;

/** The file says what kind of number comes out. */
function resultType(node: NodeView): JsonObject {
  const [kind] = node.outputs;
  return kind === "int" || kind === "float" || kind === "bool" ? { dtype: types[kind] } : {};
}

function binary(operator: string): AtenOp {
  return { operator, inputs: [operand("a"), operand("b")], attributes: resultType };
}

/** Of truth values; on whole numbers it works bit by bit. */
function logical(operator: string): AtenOp {
  return { ...binary(operator), applies: (node) => node.outputs[0] === "bool" };
}

/** `argument`: Python's name for it. */
function unary(operator: string, argument: string): AtenOp {
  return { operator, inputs: [operand(argument, "a")], attributes: resultType };
}

export const numberOps: AtenOps = {
  "aten.sym_size": {
    operator: "DimensionSize",
    inputs: [port("self", "data")],
    attributes: (node) => ({ axis: node.int("dim", 0) }),
  },
  "aten.sym_numel": { operator: "GraphSize", inputs: [port("self", "data")] },

  "_operator.add": binary("TensorAdd"),
  "_operator.sub": binary("TensorSubtract"),
  "_operator.mul": binary("TensorMultiply"),
  "_operator.floordiv": binary("FloorDivide"),
  "_operator.truediv": binary("Divide"),
  "_operator.mod": binary("Mod"),
  "_operator.pow": binary("Power"),
  "_operator.neg": unary("Negative", "a"),
  "_operator.abs": unary("Abs", "a"),
  "_operator.eq": binary("Equal"),
  "_operator.ne": binary("NotEqual"),
  "_operator.lt": binary("Less"),
  "_operator.le": binary("LessEqual"),
  "_operator.gt": binary("Greater"),
  "_operator.ge": binary("GreaterEqual"),
  "_operator.and_": logical("LogicalAnd"),
  "_operator.or_": logical("LogicalOr"),
  "_operator.not_": unary("LogicalNot", "a"),

  "math.floor": unary("Floor", "x"),
  "math.ceil": unary("Ceil", "x"),
  "math.trunc": unary("Trunc", "x"),
  "torch.sym_int": unary("Trunc", "a"),
  "torch.sym_float": unary("Cast", "a"),
  "torch.sym_not": unary("LogicalNot", "a"),
  "torch.sym_max": binary("TensorMaximum"),
  "torch.sym_min": binary("TensorMinimum"),
  "torch.sym_sum": { operator: "TensorAdd", inputs: [operand("args")], attributes: resultType },
};
