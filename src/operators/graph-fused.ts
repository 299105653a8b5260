/** Several steps in one operator, as ONNX Runtime's optimiser makes them. */

import { floorDivideDim } from "../ir/dim.ts";
import { dimAt } from "./arguments.ts";
import type { OperatorDef } from "./operator.ts";
import { defineOperator, inputAt, only } from "./tensor-rule.ts";

/** input, perhaps a bias -> input. */
function unchanged(name: string): OperatorDef<unknown> {
  return defineOperator<null>({
    name,
    attributes: () => null,
    infer: ({ inputs }) => only(inputAt(inputs, "input", 0)),
  });
}

/** Halves the last axis: one half gates the other. */
const biasSplitGelu = defineOperator<null>({
  name: "BiasSplitGelu",
  attributes: () => null,
  infer({ inputs }) {
    const { dtype, shape } = inputAt(inputs, "input", 0);
    const half = shape?.with(-1, floorDivideDim(dimAt(shape, -1), 2));
    return only({ dtype, shape: half ?? null });
  },
});

export const graphFusedOperators: readonly OperatorDef<unknown>[] = [
  unchanged("BiasGelu"),
  unchanged("FastGelu"),
  unchanged("QuickGelu"),
  unchanged("BiasAdd"),
  unchanged("MoE"),
  unchanged("QMoE"),
  unchanged("RotaryEmbedding"),
  unchanged("LikeInput"),
  biasSplitGelu,
];
