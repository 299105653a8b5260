/** Decompositions and functions of matrices. */

import { type AtenOp, type AtenOps, type NodeView, port } from "../aten.ts";

/** `argument`: the schema's name for the matrices. */
function matrices(operator: string, argument: string): AtenOp {
  return { operator, inputs: [port(argument, "x")] };
}

function withStatus(op: AtenOp): AtenOp {
  return { ...op, attributes: () => ({ status: true }) };
}

function isReal(node: NodeView, argument: string): boolean {
  return /^float/.test(node.elementType(argument) ?? "");
}

/** Parts of complex matrices may be real: which, the canonical operators do not tell. */
function ofReal(op: AtenOp, argument: string): AtenOp {
  return { ...op, applies: (node) => isReal(node, argument) };
}

const svd: AtenOp = {
  operator: "Svd",
  inputs: [port("A", "x")],
  attributes: (node) => ({ fullMatrices: node.flag("full_matrices", true) }),
};

const qr: AtenOp = {
  operator: "Qr",
  inputs: [port("A", "x")],
  attributes: (node) => ({ mode: node.text("mode") ?? "reduced" }),
  // What is left out has no elements and any shape.
  applies: (node) => node.text("mode") !== "r",
};

export const matrixOps: AtenOps = {
  "aten.inverse": matrices("Inverse", "self"),
  "aten.linalg_inv": matrices("Inverse", "A"),
  "aten.linalg_inv_ex": withStatus(matrices("Inverse", "A")),
  "aten.det": matrices("Determinant", "self"),
  "aten.linalg_det": matrices("Determinant", "A"),
  "aten.cholesky": matrices("Cholesky", "self"),
  "aten.linalg_cholesky": matrices("Cholesky", "self"),
  "aten.linalg_cholesky_ex": withStatus(matrices("Cholesky", "self")),
  "aten.cholesky_inverse": matrices("CholeskyInverse", "self"),
  "aten.linalg_eigh": ofReal(matrices("Eigen", "self"), "self"),
  "aten._linalg_eigh": {
    ...matrices("Eigen", "A"),
    applies: (node) => isReal(node, "A") && node.flag("compute_v", true),
  },
  "aten.linalg_qr": qr,
  "aten.linalg_svd": ofReal(svd, "A"),
  // Without vectors there are matrices without elements in their place.
  "aten._linalg_svd": {
    ...svd,
    attributes: (node) => ({ fullMatrices: node.flag("full_matrices", false) }),
    applies: (node) => isReal(node, "A") && node.flag("compute_uv", true),
  },
  "aten.linalg_solve": {
    operator: "Solve",
    inputs: [port("A", "a"), port("B", "b")],
    // Batches broadcast, and a vector is not one for each matrix.
    applies: (node) => node.rank("A") === 2,
  },
  "aten.linalg_matrix_exp": matrices("MatrixFunction", "self"),
  "aten.matrix_exp": matrices("MatrixFunction", "self"),
  "aten.linalg_matrix_power": matrices("MatrixFunction", "self"),
  "aten.linalg_pinv": matrices("PseudoInverse", "self"),
  "aten.pinverse": matrices("PseudoInverse", "self"),
  "aten.diff": {
    operator: "Difference",
    inputs: [port("self", "x"), "prepend", "append"],
    attributes: (node) => ({ n: node.int("n", 1), axis: node.int("dim", -1) }),
  },
};
