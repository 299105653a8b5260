/**
 * Layouts of ONNX Runtime: channels in blocks (com.microsoft.nchwc, what its strongest optimization makes on a CPU) and
 * channels last (com.ms.internal.nhwc, on some devices). A kernel of the former is filled up with zeros to whole blocks.
 */

import type { JsonObject } from "../../../src/ir/graph.ts";
import { type NodeView, type OnnxOp, type OnnxOps, parameter } from "../op.ts";
import { layoutOf, windowAttributes } from "./window-attributes.ts";

type Layout = "channels-first" | "channels-last";

function conv(layout: Layout, blocked: boolean): OnnxOp {
  return {
    operator: "Conv",
    inputs: ["input", parameter("kernel"), parameter("bias"), "residual"],
    attributes: (node) => ({
      ...windowAttributes(node, layout),
      groups: node.int("group", 1),
      ...(blocked && { blocked }),
    }),
  };
}

function pool(operator: string, layout: Layout): OnnxOp {
  return { operator, inputs: ["input"], attributes: (node) => windowAttributes(node, layout) };
}

function globalPool(operator: string, layout: Layout): OnnxOp {
  return { operator, inputs: ["input"], attributes: () => ({ operands: true, layout }) };
}

function reorder(operator: string): OnnxOp {
  const attributes = (node: NodeView): JsonObject => ({
    layout: layoutOf(node),
    channels: node.optionalInt("channels"),
  });
  return { operator, inputs: ["input"], attributes, plumbing: true };
}

const blocks = "com.microsoft.nchwc";
const last = "com.ms.internal.nhwc";

export const microsoftLayoutOps: OnnxOps = {
  [`${blocks}.Conv`]: conv("channels-first", true),
  [`${blocks}.MaxPool`]: pool("MaxPool", "channels-first"),
  [`${blocks}.AveragePool`]: pool("AveragePool", "channels-first"),
  [`${blocks}.GlobalMaxPool`]: globalPool("GlobalMaxPool", "channels-first"),
  [`${blocks}.GlobalAveragePool`]: globalPool("GlobalAveragePool", "channels-first"),
  [`${blocks}.Upsample`]: {
    operator: "Upsample",
    inputs: ["input"],
    attributes: (node) => ({ operands: true, scales: node.ints("scales") }),
  },
  [`${blocks}.ReorderInput`]: reorder("ReorderInput"),
  [`${blocks}.ReorderOutput`]: reorder("ReorderOutput"),
  [`${last}.Conv`]: conv("channels-last", false),
  [`${last}.MaxPool`]: pool("MaxPool", "channels-last"),
  [`${last}.AveragePool`]: pool("AveragePool", "channels-last"),
  [`${last}.GlobalMaxPool`]: globalPool("GlobalMaxPool", "channels-last"),
  [`${last}.GlobalAveragePool`]: globalPool("GlobalAveragePool", "channels-last"),
};
