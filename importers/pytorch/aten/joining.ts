/** Tensors joined, and combined with one another. */

import { type AtenOp, type AtenOps, port } from "../aten.ts";

const concat: AtenOp = {
  operator: "GraphConcat",
  inputs: [port("tensors", "inputs")],
  attributes: (node) => ({ axis: node.int("dim", 0), mixed: true }),
};

const grids: AtenOp = {
  operator: "Meshgrid",
  inputs: [port("tensors", "inputs")],
  attributes: (node) => ({ indexing: node.text("indexing") ?? "ij" }),
};

/** Tensors of lower rank than `rank` have other axes added. */
function stacked(axis: number, rank: number): AtenOp {
  return {
    operator: "GraphConcat",
    inputs: [port("tensors", "inputs")],
    attributes: () => ({ axis, mixed: true }),
    applies: (node) => (node.rank("tensors") ?? 0) >= rank,
  };
}

export const joiningOps: AtenOps = {
  "aten.cat": concat,
  "aten.concat": concat,
  "aten.concatenate": concat,
  "aten.hstack": {
    operator: "GraphConcat",
    inputs: [port("tensors", "inputs")],
    attributes: (node) => ({ axis: node.rank("tensors") === 1 ? 0 : 1, mixed: true }),
    applies: (node) => (node.rank("tensors") ?? 0) >= 1,
  },
  "aten.vstack": stacked(0, 2),
  "aten.dstack": { operator: "DepthStack", inputs: [port("tensors", "inputs")] },
  "aten.column_stack": stacked(1, 2),
  "aten.stack": {
    operator: "Stack",
    inputs: [port("tensors", "xs")],
    attributes: (node) => ({ axis: node.int("dim", 0) }),
  },
  "aten.block_diag": { operator: "BlockDiagonal", inputs: [port("tensors", "inputs")] },
  "aten.meshgrid": grids,
  "aten.cartesian_prod": { operator: "CartesianProduct", inputs: [port("tensors", "inputs")] },
};
