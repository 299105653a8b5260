/** Convolutions. */

import type { JsonObject } from "../../../src/ir/graph.ts";
import { type AtenOp, type AtenOps, type NodeView, port } from "../aten.ts";
import { expanded, padPairs } from "./windows.ts";

const inputs = [port("input", "input"), port("weight", "kernel"), port("bias", "bias")];

/** `spatialRank`: axes of the windows; of operators for any number it is that of the longest list, or of the kernel. */
function convAttributes(node: NodeView, spatialRank: number): JsonObject {
  const list = (key: string, name: string): JsonObject => {
    const values = expanded(node.ints(name), spatialRank);
    return values === null ? {} : { [key]: values };
  };
  return {
    operands: true,
    spatialRank,
    layout: "channels-first",
    ...list("strides", "stride"),
    ...list("dilations", "dilation"),
    ...padding(node, spatialRank),
    groups: node.int("groups", 1),
  };
}

/** A text says "same" or "valid". */
function padding(node: NodeView, spatialRank: number): JsonObject {
  const text = node.text("padding");
  if (text !== null) return text === "same" ? { padding: "same" } : {};
  const pads = expanded(node.ints("padding"), spatialRank);
  return pads === null ? {} : { padding: padPairs(pads) };
}

function transposedAttributes(node: NodeView, spatialRank: number): JsonObject {
  const outputPadding = expanded(node.ints("output_padding"), spatialRank);
  return { ...convAttributes(node, spatialRank), ...(outputPadding && { outputPadding }) };
}

function conv(spatialRank: number): AtenOp {
  return { operator: "Conv", inputs, attributes: (node) => convAttributes(node, spatialRank) };
}

function convTranspose(spatialRank: number): AtenOp {
  return {
    operator: "ConvTranspose",
    inputs,
    attributes: (node) => transposedAttributes(node, spatialRank),
  };
}

function rankOf(node: NodeView): number {
  const rank = node.rank("weight");
  return rank === null ? Math.max(1, node.ints("stride")?.length ?? 1) : rank - 2;
}

const anyConv: readonly AtenOp[] = [
  {
    operator: "Conv",
    inputs,
    attributes: (node) => convAttributes(node, rankOf(node)),
    applies: (node) => !node.flag("transposed", false),
  },
  {
    operator: "ConvTranspose",
    inputs,
    attributes: (node) => transposedAttributes(node, rankOf(node)),
  },
];

export const convolutionOps: AtenOps = {
  "aten.conv1d": conv(1),
  "aten.conv2d": conv(2),
  "aten.conv3d": conv(3),
  "aten.conv_transpose1d": convTranspose(1),
  "aten.conv_transpose2d": convTranspose(2),
  "aten.conv_transpose3d": convTranspose(3),
  "aten.convolution": anyConv,
  "aten._convolution": anyConv,
  "aten._conv_depthwise2d": conv(2),
  "aten.conv_depthwise3d": conv(3),
  "aten.mkldnn_convolution": { ...conv(0), attributes: (node) => convAttributes(node, rankOf(node)) },
};
