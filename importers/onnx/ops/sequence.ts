/** Sequences of tensors, and optionals. */

import type { JsonObject } from "../../../src/ir/graph.ts";
import { type OnnxOps, variadic } from "../op.ts";
import type { OnnxType } from "../proto.ts";

/** As the operator Optional reads it; null for what no optional can hold. */
function typeJson(type: OnnxType | null): JsonObject | null {
  if (type?.kind === "tensor") {
    return {
      dtype: type.dtype,
      shape: type.shape?.map((dim) => (typeof dim === "number" ? dim : null)) ?? null,
    };
  }
  if (type?.kind === "sequence" || type?.kind === "optional") {
    return { container: type.kind, element: typeJson(type.element) };
  }
  return null;
}

export const sequenceOps: OnnxOps = {
  SequenceEmpty: {
    operator: "SequenceEmpty",
    inputs: [],
    attributes: (node) => ({ dtype: node.dtype("dtype") ?? "float32" }),
    plumbing: true,
  },
  SequenceConstruct: { operator: "SequenceConstruct", inputs: [variadic("items")], plumbing: true },
  SequenceInsert: {
    operator: "SequenceInsert",
    inputs: ["sequence", "tensor", "position"],
    plumbing: true,
  },
  SequenceErase: { operator: "SequenceErase", inputs: ["sequence", "position"], plumbing: true },
  SequenceAt: { operator: "SequenceAt", inputs: ["sequence", "position"], plumbing: true },
  SequenceLength: { operator: "SequenceLength", inputs: ["sequence"], plumbing: true },
  SplitToSequence: {
    operator: "SplitToSequence",
    inputs: ["input", "split"],
    attributes: (node) => ({ axis: node.int("axis", 0), keepDims: node.int("keepdims", 1) !== 0 }),
  },
  ConcatFromSequence: {
    operator: "ConcatFromSequence",
    inputs: ["sequence"],
    attributes: (node) => ({ axis: node.int("axis", 0), newAxis: node.int("new_axis", 0) !== 0 }),
  },
  Optional: {
    operator: "Optional",
    inputs: ["element"],
    attributes: (node) => ({ element: typeJson(node.type("type")) }),
    plumbing: true,
  },
  OptionalGetElement: { operator: "OptionalGetElement", inputs: ["input"], plumbing: true },
  OptionalHasElement: { operator: "OptionalHasElement", inputs: ["input"], plumbing: true },
};
