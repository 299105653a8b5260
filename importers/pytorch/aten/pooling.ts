/** Pooling. */

import type { JsonObject } from "../../../src/ir/graph.ts";
import { type AtenOp, type AtenOps, type NodeView, port } from "../aten.ts";
import { expanded, padPairs } from "./windows.ts";

/** Without strides windows stand side by side. */
function windowAttributes(node: NodeView, spatialRank: number): JsonObject {
  const list = (name: string) => expanded(node.ints(name), spatialRank);
  const kernelSize = list("kernel_size");
  const pads = list("padding");
  const dilations = list("dilation");
  return {
    operands: true,
    spatialRank,
    layout: "channels-first",
    kernelSize,
    strides: list("stride") ?? kernelSize,
    ...(dilations && { dilations }),
    ...(pads && { padding: padPairs(pads) }),
    ...(node.flag("ceil_mode", false) && { ceil: true }),
  };
}

function pool(operator: string, spatialRank: number): AtenOp {
  return {
    operator,
    inputs: [port("self", "input")],
    attributes: (node) => windowAttributes(node, spatialRank),
  };
}

function adaptive(operator: string): AtenOp {
  return {
    operator,
    inputs: [port("self", "input"), port("output_size", "outputSize")],
    attributes: (node) => ({
      operands: true,
      layout: "channels-first",
      outputSize: node.sizes("output_size"),
    }),
  };
}

export const poolingOps: AtenOps = {
  "aten.max_pool1d": pool("MaxPool", 1),
  "aten.max_pool2d": pool("MaxPool", 2),
  "aten.max_pool3d": pool("MaxPool", 3),
  "aten.max_pool1d_with_indices": pool("MaxPool", 1),
  "aten.max_pool2d_with_indices": pool("MaxPool", 2),
  "aten.max_pool3d_with_indices": pool("MaxPool", 3),
  "aten.avg_pool1d": pool("AveragePool", 1),
  "aten.avg_pool2d": pool("AveragePool", 2),
  "aten.avg_pool3d": pool("AveragePool", 3),
  "aten.adaptive_avg_pool1d": adaptive("AdaptiveAveragePool"),
  "aten.adaptive_avg_pool2d": adaptive("AdaptiveAveragePool"),
  "aten.adaptive_avg_pool3d": adaptive("AdaptiveAveragePool"),
  "aten._adaptive_avg_pool2d": adaptive("AdaptiveAveragePool"),
  "aten._adaptive_avg_pool3d": adaptive("AdaptiveAveragePool"),
  "aten.adaptive_max_pool1d": adaptive("AdaptiveMaxPool"),
  "aten.adaptive_max_pool2d": adaptive("AdaptiveMaxPool"),
  "aten.adaptive_max_pool3d": adaptive("AdaptiveMaxPool"),
  "aten.grid_sampler": { operator: "GridSample", inputs: ["input", "grid"] },
  "aten.grid_sampler_2d": { operator: "GridSample", inputs: ["input", "grid"] },
  "aten.grid_sampler_3d": { operator: "GridSample", inputs: ["input", "grid"] },
};
