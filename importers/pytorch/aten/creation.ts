/** Tensors made of nothing, and random ones. */

import type { DType } from "../../../src/ir/dtype.ts";
import { type AtenOp, type AtenOps, type NodeView, operand, port } from "../aten.ts";

/**
 * Type of a tensor that is filled with a number. Without a stated one it is that of the number, whose fractions have PyTorch's
 * default type; the program does not say which that was.
 */
function filledType(node: NodeView, argument: string): DType | null {
  if (node.has("dtype")) return node.dtype("dtype");
  const kind = node.kind(argument);
  return kind === "bool" ? "bool" : kind === "int" ? "int64" : null;
}

/** `value` null: the argument `fill_value`. */
function filled(value: number | null): AtenOp {
  return {
    operator: "ConstantOfShape",
    inputs: [port("size", "shape"), operand("fill_value", "value")],
    attributes(node) {
      const dtype = value === null ? filledType(node, "fill_value") : node.dtype("dtype");
      return { sizes: node.sizes("size"), dtype, ...(value !== null && { values: [value] }) };
    },
  };
}

/** Elements that are not told: room for them, or random ones. `usual`: the type where none is stated. */
function ofShape(argument: string, usual: DType | null = null): AtenOp {
  return {
    operator: "Fill",
    inputs: [port(argument, "shape")],
    attributes: (node) => ({
      shape: node.sizes(argument),
      dtype: node.has("dtype") ? node.dtype("dtype") : usual,
    }),
  };
}

/** In the type and shape of a tensor, where no other type is stated. */
const like: AtenOp = {
  operator: "FillLike",
  inputs: [port("self", "x")],
  attributes: (node) => ({ dtype: node.dtype("dtype") }),
};

/** In the type of a tensor, where no other is stated. */
const newTensor: AtenOp = {
  operator: "Fill",
  inputs: [port("self", "like"), port("size", "shape")],
  attributes: (node) => ({ shape: node.sizes("size"), dtype: node.dtype("dtype") }),
};

const scalarTensor: AtenOp = {
  operator: "ScalarTensor",
  inputs: [operand("s", "value")],
  attributes: (node) => ({ dtype: node.dtype("dtype") }),
};

const range: AtenOp = {
  operator: "GraphRange",
  inputs: [operand("start"), operand("end", "limit"), operand("step", "delta")],
  attributes(node) {
    const whole = ["start", "end", "step"].every((name) => !node.has(name) || node.kind(name) === "int");
    return {
      ...(!node.has("start") && { start: 0 }),
      dtype: node.has("dtype") ? node.dtype("dtype") : whole ? "int64" : null,
    };
  },
};

const identity: AtenOp = {
  operator: "GraphIdentityMatrix",
  inputs: [port("n", "rows"), port("m", "columns")],
  attributes: (node) => ({
    rows: node.sizes("n"),
    columns: node.has("m") ? node.sizes("m") : null,
    dtype: node.dtype("dtype"),
  }),
};

function triangle(operator: string): AtenOp {
  return {
    operator,
    inputs: [],
    attributes: (node) => ({
      rows: node.optionalInt("row"),
      columns: node.optionalInt("col"),
      offset: node.int("offset", 0),
      dtype: node.has("dtype") ? node.dtype("dtype") : "int64",
    }),
  };
}

/** Random numbers in the type and shape of a tensor of them. */
const randomLike: AtenOp = {
  operator: "GraphRandomLike",
  inputs: [port("self", "input")],
  attributes: (node) => ({ dtype: node.dtype("dtype") }),
};

export const creationOps: AtenOps = {
  "aten.full": filled(null),
  "aten.zeros": filled(0),
  "aten.ones": filled(1),
  "aten.scalar_tensor": scalarTensor,
  "prims.scalar_tensor": scalarTensor,
  "aten.empty": ofShape("size"),
  "aten.empty_strided": ofShape("size"),
  "aten.empty_permuted": ofShape("size"),
  "aten.full_like": like,
  "aten.zeros_like": like,
  "aten.ones_like": like,
  "aten.empty_like": like,
  "aten.new_zeros": newTensor,
  "aten.new_ones": newTensor,
  "aten.new_full": newTensor,
  "aten.new_empty": newTensor,
  "aten.new_empty_strided": newTensor,
  "aten.arange": range,
  "prims.iota": {
    operator: "Fill",
    inputs: [port("length", "shape")],
    attributes: (node) => ({ shape: node.sizes("length"), dtype: node.dtype("dtype") }),
  },
  "aten.linspace": ofShape("steps"),
  "aten.logspace": ofShape("steps"),
  "aten.eye": identity,
  "aten.rand": ofShape("size"),
  "aten.randn": ofShape("size"),
  "aten.randint": ofShape("size", "int64"),
  "aten.randperm": ofShape("n", "int64"),
  "aten.rand_like": randomLike,
  "aten.randn_like": randomLike,
  "aten.randint_like": randomLike,
  "aten.normal_functional": randomLike,
  "aten.poisson": randomLike,
  "aten.normal.Tensor_float": { operator: "GraphRandomLike", inputs: [port("mean", "input")] },
  "aten.multinomial": {
    operator: "GraphMultinomial",
    inputs: [port("self", "input")],
    attributes: (node) => ({ samples: node.int("num_samples", 1), dtype: "int64" }),
    applies: (node) => node.rank("self") === 2,
  },
  "aten.tril_indices": triangle("LowerTriangleIndices"),
  "aten.triu_indices": triangle("UpperTriangleIndices"),
  "aten.histc": {
    operator: "Fill",
    inputs: [port("self", "like")],
    attributes: (node) => ({ shape: [node.int("bins", 100)] }),
  },
  "aten.hann_window": ofShape("window_length"),
  "aten.hamming_window": ofShape("window_length"),
  "aten.blackman_window": ofShape("window_length"),
  "aten.bartlett_window": ofShape("window_length"),
  "aten.kaiser_window": ofShape("window_length"),
};
