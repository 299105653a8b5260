/** Operators that join tensors, take them apart and repeat them. */

import { constant, type OnnxOps, variadic } from "../op.ts";

export const joinOps: OnnxOps = {
  Concat: {
    operator: "GraphConcat",
    inputs: [variadic("inputs")],
    attributes: (node) => ({ axis: node.int("axis", 1) }),
  },
  Split: {
    operator: "GraphSplit",
    inputs: ["input", constant("sizes")],
    attributes: (node) => ({
      axis: node.int("axis", 0),
      sizes: node.ints("split"),
      outputs: node.optionalInt("num_outputs") ?? node.outputs,
      // Since opset 18 the last part may be shorter; before, the parts have to be equal.
      uneven: node.version >= 18,
    }),
  },
  Tile: {
    operator: "GraphTile",
    inputs: (node) =>
      node.version < 6 ? ["input", constant("tiles"), constant("axis")] : ["input", constant("repeats")],
  },
  Pad: {
    operator: "GraphPad",
    inputs: ["data", constant("pads"), constant("value"), constant("axes")],
    attributes: (node) => ({ pads: node.ints("pads") ?? node.ints("paddings") }),
  },
  Where: { operator: "GraphWhere", inputs: ["condition", "x", "y"] },
};
