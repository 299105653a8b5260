/** Operators that pick elements by index, or put some in. */

import { constant, type NodeView, type OnnxOps, parameter } from "../op.ts";

const axisOf = (fallback: number) => (node: NodeView) => ({ axis: node.int("axis", fallback) });
const optionalAxis = (node: NodeView) => ({ axis: node.optionalInt("axis") });

/** Without a reduction the updates take the place of what was there. */
const replaces = (node: NodeView) => ({ replaces: node.text("reduction", "none") === "none" });

const scatterElements = {
  operator: "ScatterElements",
  inputs: ["data", constant("indices"), "updates"],
  attributes: (node: NodeView) => ({ axis: node.int("axis", 0), ...replaces(node) }),
} as const;

const argExtreme = (node: NodeView) => ({
  axis: node.int("axis", 0),
  keepAxis: node.int("keepdims", 1) !== 0,
});

export const indexOps: OnnxOps = {
  Slice: {
    operator: "GraphSlice",
    inputs: ["data", constant("starts"), constant("ends"), constant("axes"), constant("steps")],
    attributes: (node) => ({
      starts: node.ints("starts"),
      ends: node.ints("ends"),
      axes: node.ints("axes"),
    }),
  },
  Gather: {
    operator: "GraphGather",
    inputs: [parameter("data"), constant("indices")],
    attributes: axisOf(0),
  },
  GatherElements: {
    operator: "GatherElements",
    inputs: [parameter("data"), constant("indices")],
    attributes: axisOf(0),
  },
  GatherND: {
    operator: "GraphGatherNd",
    inputs: [parameter("data"), constant("indices")],
    attributes: (node) => ({ batchDims: node.int("batch_dims", 0) }),
  },
  Scatter: scatterElements,
  ScatterElements: scatterElements,
  ScatterND: {
    operator: "ScatterND",
    inputs: ["data", constant("indices"), "updates"],
    attributes: replaces,
  },
  TensorScatter: { operator: "TensorScatter", inputs: ["cache", "updates", constant("indices")] },
  Trilu: { operator: "Triangle", inputs: ["input", constant("k")] },
  ReverseSequence: { operator: "ReverseSequence", inputs: ["input", constant("lengths")] },
  CumSum: { operator: "GraphCumulativeSum", inputs: ["input", constant("axis")] },
  CumProd: { operator: "GraphCumulativeProduct", inputs: ["input", constant("axis")] },
  NonZero: { operator: "GraphNonZero", inputs: ["input"] },
  Unique: { operator: "GraphUnique", inputs: ["input"], attributes: optionalAxis },
  OneHot: {
    operator: "GraphOneHot",
    inputs: ["indices", constant("depth"), constant("values")],
    attributes: axisOf(-1),
  },
  TopK: {
    operator: "GraphTopK",
    inputs: ["input", constant("k")],
    attributes: (node) => ({ axis: node.int("axis", -1), k: node.optionalInt("k") }),
  },
  ArgMax: { operator: "GraphArgMax", inputs: ["input"], attributes: argExtreme },
  ArgMin: { operator: "GraphArgMin", inputs: ["input"], attributes: argExtreme },
  Compress: { operator: "Compress", inputs: ["input", constant("condition")], attributes: optionalAxis },
};
