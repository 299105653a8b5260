/** Resize and its forerunner Upsample, whose factors have been attributes, then an input. */

import type { JsonObject } from "../../../src/ir/graph.ts";
import { constant, type NodeView, type OnnxOps, type Port } from "../op.ts";

const policies: Readonly<Record<string, string>> = {
  stretch: "stretch",
  not_larger: "not-larger",
  not_smaller: "not-smaller",
};

function resizePorts(node: NodeView): readonly Port[] {
  return node.version < 11
    ? ["input", constant("scales")]
    : ["input", constant("roi"), constant("scales"), constant("sizes")];
}

function resizeAttributes(node: NodeView): JsonObject {
  return {
    axes: node.ints("axes"),
    policy: policies[node.text("keep_aspect_ratio_policy", "stretch")] ?? null,
    crops: node.text("coordinate_transformation_mode", "half_pixel") === "tf_crop_and_resize",
  };
}

/** Version 1 names the factors of height and width. */
function upsampleScales(node: NodeView): readonly number[] | null {
  return node.has("width_scale")
    ? [1, 1, node.float("height_scale", 1), node.float("width_scale", 1)]
    : node.floats("scales");
}

export const resizeOps: OnnxOps = {
  Resize: { operator: "Resize", inputs: resizePorts, attributes: resizeAttributes },
  Upsample: {
    operator: "Upsample",
    inputs: ["input", constant("scales")],
    attributes: (node) => ({ operands: true, scales: upsampleScales(node) }),
  },
};
