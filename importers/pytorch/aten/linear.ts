/** Matrix products. */

import { type AtenOp, type AtenOps, port } from "../aten.ts";

function matmul(a: string, b: string): AtenOp {
  return { operator: "GraphMatmul", inputs: [port(a, "a"), port(b, "b")] };
}

function outer(a: string, b: string): AtenOp {
  return { operator: "Outer", inputs: [port(a, "x1"), port(b, "x2")] };
}

export const linearOps: AtenOps = {
  "aten.linear": {
    operator: "Linear",
    inputs: [port("input", "input"), port("weight", "kernel"), port("bias", "bias")],
    attributes: () => ({ operands: true }),
  },
  "aten.addmm": {
    operator: "Gemm",
    inputs: [port("mat1", "input"), port("mat2", "kernel"), port("self", "bias")],
  },
  "aten.mm": matmul("self", "mat2"),
  "aten.bmm": matmul("self", "mat2"),
  "aten.baddbmm": matmul("batch1", "batch2"),
  "aten.addmv": matmul("mat", "vec"),
  "aten.matmul": matmul("self", "other"),
  "aten.mv": matmul("self", "vec"),
  "aten.dot": matmul("self", "tensor"),
  "aten.vdot": matmul("self", "other"),
  "aten.outer": outer("self", "vec2"),
  "aten.ger": outer("self", "vec2"),
  "aten.addr": outer("vec1", "vec2"),
  "aten.inner": { operator: "Inner", inputs: [port("self", "x1"), port("other", "x2")] },
  "aten.kron": {
    operator: "Kronecker",
    inputs: [port("self", "x1"), port("other", "x2")],
    applies: (node) => node.rank("self") === node.rank("other"),
  },
  "aten.tensordot": {
    operator: "Tensordot",
    inputs: [port("self", "x1"), port("other", "x2")],
    attributes: (node) => ({ left: node.ints("dims_self"), right: node.ints("dims_other") }),
  },
  "aten.einsum": {
    operator: "Einsum",
    inputs: [port("tensors", "operands")],
    attributes: (node) => ({ equation: node.text("equation") ?? "" }),
  },
  "aten.cdist": { operator: "PairwiseDistance", inputs: [port("x1", "x1"), port("x2", "x2")] },
  "aten._cdist_forward": { operator: "PairwiseDistance", inputs: [port("x1", "x1"), port("x2", "x2")] },
  "aten._int_mm": { operator: "MatMulInteger", inputs: [port("self", "input"), port("mat2", "kernel")] },
};
