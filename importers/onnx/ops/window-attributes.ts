/** Attributes of windows that slide over spatial axes, as convolutions and pooling have them. */

import type { JsonObject } from "../../../src/ir/graph.ts";
import type { NodeView } from "../op.ts";

/** Begins of all axes, then their ends: as pairs. */
function padPairs(pads: readonly number[]): readonly (readonly number[])[] {
  const half = Math.ceil(pads.length / 2);
  return pads.slice(0, half).map((begin, i) => [begin, pads[half + i] ?? 0]);
}

function padding(node: NodeView): JsonObject {
  const automatic = node.text("auto_pad", "NOTSET");
  if (automatic.startsWith("SAME")) return { padding: "same" };
  const pads = node.ints("pads");
  return automatic === "VALID" || pads === null ? {} : { padding: padPairs(pads) };
}

/** `kernelSize`, `strides`, `dilations`, `padding`, `ceil`, `layout`: what is not the default. */
export function windowAttributes(
  node: NodeView,
  layout: "channels-first" | "channels-last" = "channels-first",
): JsonObject {
  const list = (key: string, name: string): JsonObject => {
    const values = node.ints(name);
    return values === null ? {} : { [key]: values };
  };
  return {
    operands: true,
    ...list("kernelSize", "kernel_shape"),
    ...list("strides", "strides"),
    ...list("dilations", "dilations"),
    ...padding(node),
    ...(node.int("ceil_mode", 0) !== 0 && { ceil: true }),
    layout,
  };
}

/** The layout that `channels_last` says. */
export function layoutOf(node: NodeView): "channels-first" | "channels-last" {
  return node.int("channels_last", 0) === 0 ? "channels-first" : "channels-last";
}
