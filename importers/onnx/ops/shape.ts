/** Operators that tell or change shapes. */

import { constant, type NodeView, type OnnxOps } from "../op.ts";

const axesOf = (node: NodeView) => ({ axes: node.ints("axes") });
const blockOf = (node: NodeView) => ({ blockSize: node.optionalInt("blocksize") });

export const shapeOps: OnnxOps = {
  Shape: {
    operator: "GraphShape",
    inputs: ["data"],
    attributes: (node) => ({ start: node.optionalInt("start"), end: node.optionalInt("end") }),
    plumbing: true,
  },
  Size: { operator: "GraphSize", inputs: ["data"], plumbing: true },
  Reshape: {
    operator: "GraphReshape",
    inputs: ["data", constant("shape")],
    attributes: (node) => ({ shape: node.ints("shape"), allowZero: node.int("allowzero", 0) !== 0 }),
  },
  Squeeze: { operator: "GraphSqueeze", inputs: ["data", constant("axes")], attributes: axesOf },
  Unsqueeze: { operator: "Unsqueeze", inputs: ["data", constant("axes")], attributes: axesOf },
  Flatten: {
    operator: "GraphFlatten",
    inputs: ["data"],
    attributes: (node) => ({ axis: node.int("axis", 1) }),
  },
  Transpose: {
    operator: "GraphTranspose",
    inputs: ["data"],
    attributes: (node) => ({ axes: node.ints("perm") }),
  },
  Expand: { operator: "Expand", inputs: ["input", constant("shape")] },
  CenterCropPad: { operator: "CenterCropPad", inputs: ["input", constant("shape")], attributes: axesOf },
  DepthToSpace: { operator: "GraphDepthToSpace", inputs: ["input"], attributes: blockOf },
  SpaceToDepth: { operator: "GraphSpaceToDepth", inputs: ["input"], attributes: blockOf },
  Col2Im: { operator: "Col2Im", inputs: ["input", constant("imageShape"), constant("blockShape")] },
};
