/** Tensors whose channels stand in blocks (ONNX Runtime's NCHWc): shapes name them as (batch, channels, ...) all the same. */

import type { Dim } from "../ir/dim.ts";
import { requireMinimumRank } from "./arguments.ts";
import { readOptionalInteger } from "./attributes.ts";
import type { OperatorDef } from "./operator.ts";
import { defineOperator, inputAt, only, reshaped } from "./tensor-rule.ts";

/** Blocks are of 4, 8 or 16 channels, as the machine has it; what no block divides is filled up with zeros. */
const largestBlock = 16;

function inBlocks(channels: Dim): Dim {
  return typeof channels === "number" && channels % largestBlock === 0 ? channels : null;
}

/** input, channels first or last -> channels first, in blocks. */
const reorderInput = defineOperator<{ last: boolean }>({
  name: "ReorderInput",
  attributes: (raw) => ({ last: raw.layout === "channels-last" }),
  infer: ({ attributes: { last }, inputs }) =>
    only(
      reshaped(inputAt(inputs, "input", 0), (shape) => {
        requireMinimumRank(shape, 3);
        const [batch = null, ...rest] = shape;
        const channels = (last ? rest.at(-1) : rest[0]) ?? null;
        return [batch, inBlocks(channels), ...(last ? rest.slice(0, -1) : rest.slice(1))];
      }),
    ),
});

/** input in blocks -> its first `channels` channels, first or last. */
const reorderOutput = defineOperator<{ last: boolean; channels: number | null }>({
  name: "ReorderOutput",
  attributes: (raw) => ({
    last: raw.layout === "channels-last",
    channels: readOptionalInteger(raw, "channels"),
  }),
  infer: ({ attributes: { last, channels }, inputs }) =>
    only(
      reshaped(inputAt(inputs, "input", 0), (shape) => {
        requireMinimumRank(shape, 3);
        const [batch = null, , ...spatial] = shape;
        return last ? [batch, ...spatial, channels] : [batch, channels, ...spatial];
      }),
    ),
});

export const graphLayoutOperators: readonly OperatorDef<unknown>[] = [reorderInput, reorderOutput];
