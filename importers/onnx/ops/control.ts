/** Operators that run graphs. */

import { type OnnxOps, variadic } from "../op.ts";

export const controlOps: OnnxOps = {
  If: { operator: "If", inputs: ["condition"] },
  Loop: { operator: "Loop", inputs: ["count", "condition", variadic("initial")] },
  Scan: {
    operator: "Scan",
    inputs: ({ version }) => (version < 9 ? ["lengths", variadic("inputs")] : [variadic("inputs")]),
    attributes: (node) => ({
      scanned: node.int("num_scan_inputs", 0),
      inputAxes: node.ints("scan_input_axes"),
      outputAxes: node.ints("scan_output_axes"),
      batched: node.version < 9,
    }),
  },
  SequenceMap: { operator: "SequenceMap", inputs: ["sequence", variadic("others")] },
};
