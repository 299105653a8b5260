/** Recurrent layers whose kernels, (directions, gates x units, features), are inputs (ONNX). */

import type { Dim } from "../ir/dim.ts";
import { requireRank } from "./arguments.ts";
import { readChoice, readFlag, readOptionalInteger } from "./attributes.ts";
import type { OperatorDef } from "./operator.ts";
import { defineOperator, inputAt, optionalInput } from "./tensor-rule.ts";

interface RecurrentAttributes {
  readonly units: number | null;
  readonly directions: number;
  /** (batch, time, ...) in and out, in the place of (time, batch, ...). */
  readonly batchFirst: boolean;
  /** Axis of the recurrent kernel that counts the units: the last, or the middle one where it is stored turned over. */
  readonly transposed: boolean;
}

/** input (time, batch, features) -> outputs of all steps (time, directions, batch, units), `states` last states. */
function recurrent(name: string, states: number): OperatorDef<unknown> {
  return defineOperator<RecurrentAttributes>({
    name,
    attributes: (raw) => ({
      units: readOptionalInteger(raw, "units"),
      directions:
        readChoice(raw, "direction", ["forward", "reverse", "bidirectional"], "forward") === "bidirectional"
          ? 2
          : 1,
      batchFirst: readFlag(raw, "batchFirst", false),
      transposed: readFlag(raw, "transposed", false),
    }),
    infer({ attributes: { units: stated, directions, batchFirst, transposed }, inputs }) {
      const { dtype, shape } = inputAt(inputs, "input", 0);
      if (shape !== null) requireRank(shape, 3);
      const recurrentKernel = optionalInput(inputs, "recurrent-kernel", 2)?.shape;
      const units = stated ?? recurrentKernel?.[transposed ? 1 : 2] ?? null;
      const [first = null, second = null] = shape ?? [];
      const [time, batch]: readonly Dim[] = batchFirst ? [second, first] : [first, second];
      const steps = batchFirst ? [batch, time, directions, units] : [time, directions, batch, units];
      const last = batchFirst ? [batch, directions, units] : [directions, batch, units];
      const state = { dtype, shape: last as readonly Dim[] };
      return {
        types: [{ dtype, shape: steps as readonly Dim[] }, ...Array.from({ length: states }, () => state)],
      };
    },
  });
}

export const graphRecurrentOperators: readonly OperatorDef<unknown>[] = [
  recurrent("RNN", 1),
  recurrent("GRU", 1),
  recurrent("LSTM", 2),
  recurrent("DynamicQuantizeLSTM", 2),
];
