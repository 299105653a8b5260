/** PyTorch's attention, recurrent layers and embeddings, whose kernels are inputs (torch 2.14, ATen). */

import { counted } from "../counted.ts";
import { addDims, type Dim, multiplyDims } from "../ir/dim.ts";
import type { DType } from "../ir/dtype.ts";
import { formatShape, type Shape } from "../ir/shape.ts";
import type { TensorType } from "../ir/tensor.ts";
import { dimAt, requireMinimumRank } from "./arguments.ts";
import { readChoice, readFlag, readInteger, readOptionalInteger } from "./attributes.ts";
import { broadcastShapes } from "./broadcast.ts";
import { type OperatorDef, RuleError, type RuleInput } from "./operator.ts";
import { shapePreserving } from "./shape-preserving.ts";
import { defineOperator, inputAt, inputsNamed, optionalInput } from "./tensor-rule.ts";

/** Sums of half precision are kept in single precision. */
function sumType(dtype: DType | null): DType | null {
  return dtype === "float16" || dtype === "bfloat16" ? "float32" : dtype;
}

interface AttentionAttributes {
  /** Several heads of the queries share one of the keys. */
  readonly grouped: boolean;
  /** What comes second: the weights themselves, the logarithm of their sums, or nothing that is known. */
  readonly second: "none" | "weights" | "sums";
}

function outerAxes(inputs: readonly RuleInput[], grouped: boolean): Shape {
  const [query = null, key = null, value = null] = inputs.map(({ shape }) => {
    if (shape !== null) requireMinimumRank(shape, 2);
    return shape === null ? null : shape.slice(0, -2);
  });
  return grouped ? query : broadcastShapes(query, broadcastShapes(key, value));
}

/** query (..., n, e), key (..., m, e), value (..., m, v) -> (..., n, v), and what `second` says. */
const attention = defineOperator<AttentionAttributes>({
  name: "ScaledDotProductAttention",
  attributes: (raw) => ({
    grouped: readFlag(raw, "grouped", false),
    second: readChoice(raw, "second", ["none", "weights", "sums"], "none"),
  }),
  infer({ attributes: { grouped, second }, inputs }) {
    const query = inputAt(inputs, "query", 0);
    const key = inputAt(inputs, "key", 1);
    const value = inputAt(inputs, "value", 2);
    const outer = outerAxes([query, key, value], grouped);
    const behind = (...dims: readonly Dim[]): Shape => (outer === null ? null : [...outer, ...dims]);
    const positions = query.shape && dimAt(query.shape, -2);
    const width = value.shape && dimAt(value.shape, -1);
    const output: TensorType = { dtype: query.dtype, shape: behind(positions, width) };
    if (second === "none") return { types: [output] };
    const weights: TensorType = {
      dtype: query.dtype,
      shape: behind(positions, key.shape && dimAt(key.shape, -2)),
    };
    const sums: TensorType = { dtype: sumType(query.dtype), shape: behind(positions) };
    return { types: [output, second === "weights" ? weights : sums] };
  },
});

interface PackedAttributes {
  readonly heads: number;
  readonly width: number | null;
  readonly weights: "none" | "mean" | "each";
}

/** query (batch, n, e), key (batch, m, e), kernels of all projections -> (batch, n, width), weights of the keys. */
const packedAttention = defineOperator<PackedAttributes>({
  name: "ProjectedAttention",
  attributes: (raw) => ({
    heads: readInteger(raw, "heads"),
    width: readOptionalInteger(raw, "width"),
    weights: readChoice(raw, "weights", ["none", "mean", "each"], "none"),
  }),
  infer({ attributes: { heads, width, weights }, inputs }) {
    const { dtype, shape } = inputAt(inputs, "query", 0);
    const [batch = null, positions = null] = shape ?? [];
    const keys = inputAt(inputs, "key", 1).shape?.[1] ?? null;
    const output: TensorType = { dtype, shape: [batch, positions, width] };
    if (weights === "none") return { types: [output] };
    const perHead = weights === "each" ? [heads] : [];
    return { types: [output, { dtype, shape: [batch, ...perHead, positions, keys] }] };
  },
});

/** input (..., features), states (layers x directions, ..., units) -> (..., directions x units), the last states. */
function stackedRecurrent(name: string, states: number): OperatorDef<unknown> {
  return defineOperator<{ directions: number }>({
    name,
    attributes: (raw) => ({ directions: readInteger(raw, "directions", { fallback: 1 }) }),
    infer({ attributes: { directions }, inputs }) {
      const { dtype, shape } = inputAt(inputs, "input", 0);
      const given = inputsNamed(inputs, "states");
      if (given.length !== states)
        throw new RuleError(`${counted(given.length, "state")} where there are ${states}`);
      const units = given[0]?.shape ? dimAt(given[0].shape, -1) : null;
      const steps = shape && [...shape.slice(0, -1), multiplyDims(units, directions)];
      return { types: [{ dtype, shape: steps }, ...given.map((state) => ({ dtype, shape: state.shape }))] };
    },
  });
}

/** input (..., features), states (..., units) -> the states after one step. */
const recurrentStep = defineOperator<null>({
  name: "RecurrentStep",
  attributes: () => null,
  infer({ inputs }) {
    const { dtype } = inputAt(inputs, "input", 0);
    return { types: inputsNamed(inputs, "states").map(({ shape }) => ({ dtype, shape })) };
  },
});

/** weight (rows, width), indices (n), offsets (bags) -> sums or means (bags, width); and what gradients need. */
const embeddingBag = defineOperator<{ includesEnd: boolean }>({
  name: "EmbeddingBag",
  attributes: (raw) => ({ includesEnd: readFlag(raw, "includesEnd", false) }),
  infer({ attributes: { includesEnd }, inputs }) {
    const weight = inputAt(inputs, "weight", 0);
    const indices = inputAt(inputs, "indices", 1).shape;
    const offsets = optionalInput(inputs, "offsets", 2);
    if (weight.shape !== null && weight.shape.length !== 2)
      throw new RuleError(`the table should have rank 2, but is ${formatShape(weight.shape)}`);
    const ends = offsets?.shape ? dimAt(offsets.shape, 0) : null;
    const bags = indices?.length === 2 ? (indices[0] ?? null) : addDims(ends, includesEnd ? -1 : 0);
    const whole: TensorType = { dtype: inputAt(inputs, "indices", 1).dtype, shape: null };
    const sums: TensorType = { dtype: weight.dtype, shape: [bags, weight.shape?.[1] ?? null] };
    return { types: [sums, whole, whole, whole] };
  },
});

export const graphLayerOperators: readonly OperatorDef<unknown>[] = [
  attention,
  stackedRecurrent("StackedLstm", 2),
  stackedRecurrent("StackedGru", 1),
  stackedRecurrent("StackedRnn", 1),
  recurrentStep,
  embeddingBag,
  packedAttention,
  shapePreserving("FusedEncoderLayer"),
];
