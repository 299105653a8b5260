/** Gradients of single operators, as exported training steps have them (torch 2.14, ATen). */

import { type Dim, floorDivideDim, multiplyDims, subtractDims } from "../ir/dim.ts";
import type { Json } from "../ir/graph.ts";
import type { Shape } from "../ir/shape.ts";
import { dimAt, requireMinimumRank, requireRank } from "./arguments.ts";
import { type OperatorDef, RuleError, type RuleInput } from "./operator.ts";
import { defineOperator, inputAt, only, optionalDims, reshaped, simpleOperator } from "./tensor-rule.ts";
import { argumentValues } from "./tensor-values.ts";

/** What a gradient is of: an operand, or a vector with an element for each channel of what came out. */
const kinds = ["input", "weight", "gradient-channels"] as const;

type Kind = (typeof kinds)[number];

function readKind(value: Json): Kind {
  const kind = kinds.find((item) => item === value);
  if (kind === undefined) throw new RuleError(`gradients are of ${kinds.join(", ")}`);
  return kind;
}

function channelsOf({ shape }: RuleInput): Shape {
  if (shape !== null) requireMinimumRank(shape, 2);
  return [shape?.[1] ?? null];
}

/** gradient, input, weight -> a gradient for each of `of`. */
const gradients = defineOperator<{ of: readonly Kind[] }>({
  name: "Gradients",
  attributes: ({ of }) => ({ of: Array.isArray(of) ? of.map(readKind) : [] }),
  infer({ attributes, inputs }) {
    const types = attributes.of.map((kind) => {
      const ofChannels = kind === "gradient-channels";
      const of = inputAt(inputs, ofChannels ? "gradient" : kind, inputs.length);
      return { dtype: of.dtype, shape: ofChannels ? channelsOf(of) : of.shape };
    });
    return { types };
  },
});

/** gradient (..., width), indices -> (`rows`, width): the gradient of the table. */
const embeddingGradient = defineOperator<{ rows: readonly Dim[] | null }>({
  name: "EmbeddingGradient",
  attributes: (raw) => ({ rows: optionalDims(raw, "rows", 0) }),
  infer({ attributes: { rows }, inputs }) {
    const [count = null] = argumentValues(rows, inputs, "rows") ?? [];
    return only(reshaped(inputAt(inputs, "gradient", 0), (shape) => [count, dimAt(shape, -1)]));
  },
});

/** (n, features) -> distances of all pairs of rows: n (n - 1) / 2. */
const pairsOfRows = simpleOperator("RowDistances", (inputs) =>
  reshaped(inputAt(inputs, "input", 0), (shape) => {
    requireRank(shape, 2);
    const rows = dimAt(shape, 0);
    return [floorDivideDim(multiplyDims(rows, subtractDims(rows, 1)), 2)];
  }),
);

export const graphGradientOperators: readonly OperatorDef<unknown>[] = [
  gradients,
  embeddingGradient,
  pairsOfRows,
];
