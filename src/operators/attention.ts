/** Attention (Keras 3.15 layers/attention, tf-keras layers/attention). The projections are wrapped layers. */

import type { Dim } from "../ir/dim.ts";
import { formatShape, type Shape } from "../ir/shape.ts";
import type { TensorType } from "../ir/tensor.ts";
import { dimAt, realType, requireMinimumRank } from "./arguments.ts";
import { readFlag, readInteger, readText } from "./attributes.ts";
import { nodeMultiHeadAttention } from "./graph-attention.ts";
import { type Inferred, type OperatorDef, type RuleContext, RuleError, type RuleInput } from "./operator.ts";
import {
  defineOperator,
  inputAt,
  only,
  optionalDims,
  optionalInput,
  optionalIntegers,
  tupleOf,
} from "./tensor-rule.ts";
import { inTwoForms } from "./two-forms.ts";

interface Operands {
  readonly query: RuleInput;
  readonly value: RuleInput;
  readonly key: RuleInput;
}

/** query, value and key (the value unless given). */
function operands(inputs: readonly RuleInput[]): Operands {
  const value = inputAt(inputs, "value", 1);
  return { query: inputAt(inputs, "query", 0), value, key: optionalInput(inputs, "key", 2) ?? value };
}

interface MultiHeadAttributes {
  readonly heads: number;
  readonly keyDim: number;
  readonly valueDim: number;
  readonly useGate: boolean;
  /** Dimensions of the output in the place of the query's last one. */
  readonly outputShape: readonly Dim[] | null;
  readonly attentionAxes: readonly number[] | null;
  readonly returnScores: boolean;
  /** Keras 3 tells the shape of the scores from the query's second axis alone. */
  readonly squareScores: boolean;
}

/** (batch..., heads, query positions, key positions). */
function scoresShape(query: Shape, key: Shape, attributes: MultiHeadAttributes): Shape {
  if (query === null || key === null) return null;
  const { heads, attentionAxes, squareScores } = attributes;
  if (squareScores) return [dimAt(query, 0), heads, dimAt(query, 1), dimAt(query, 1)];
  const rank = query.length;
  const axes = (attentionAxes ?? Array.from({ length: rank - 2 }, (_, i) => i + 1)).map((axis) =>
    axis < 0 ? axis + rank : axis,
  );
  const batch = query.filter((_, i) => i < rank - 1 && !axes.includes(i));
  return [
    ...batch,
    heads,
    ...axes.map((axis) => dimAt(query, axis)),
    ...axes.map((axis) => dimAt(key, axis)),
  ];
}

/** Runs the projections, so that their weights get shapes: query, key, (gate,) value, output. */
function project(
  { attributes, inner }: RuleContext<MultiHeadAttributes>,
  { query, value, key }: Operands,
): void {
  const sources = attributes.useGate ? [query, key, query, value] : [query, key, value];
  sources.forEach((source, i) => {
    inner[i]?.infer([source]);
  });
  const { shape } = query;
  if (shape === null) return;
  const combined = [...shape.slice(0, -1), attributes.heads, attributes.valueDim];
  inner[sources.length]?.infer([{ dtype: query.dtype, shape: combined }, query]);
}

const multiHeadAttention = defineOperator<MultiHeadAttributes>({
  name: "MultiHeadAttention",
  attributes(raw) {
    const keyDim = readInteger(raw, "keyDim");
    return {
      heads: readInteger(raw, "heads"),
      keyDim,
      valueDim: readInteger(raw, "valueDim", { fallback: keyDim }),
      useGate: readFlag(raw, "useGate", false),
      outputShape: optionalDims(raw, "outputShape", 0),
      attentionAxes: optionalIntegers(raw, "attentionAxes"),
      returnScores: readFlag(raw, "returnScores", false),
      squareScores: readFlag(raw, "squareScores", false),
    };
  },
  infer(context) {
    const { attributes, inputs } = context;
    const all = operands(inputs);
    const { query, key } = all;
    project(context, all);
    const dtype = realType(query.dtype);
    if (query.shape !== null) requireMinimumRank(query.shape, 2);
    const tail = attributes.outputShape ?? query.shape?.slice(-1) ?? [];
    const output: TensorType = {
      dtype,
      shape: query.shape === null ? null : [...query.shape.slice(0, -1), ...tail],
    };
    if (!attributes.returnScores) return only(output);
    return tupleOf([output, { dtype, shape: scoresShape(query.shape, key.shape, attributes) }]);
  },
});

interface ProjectionAttributes {
  readonly heads: number;
  readonly valueDim: number;
  /** null: the last dimension of the second input. */
  readonly outputShape: readonly Dim[] | null;
  readonly useBias: boolean;
}

/** heads (..., h, v), query (..., d) -> (..., output dimensions). Kernel (h, v, o...), bias (o...). */
const headsToOutput = defineOperator<ProjectionAttributes>({
  name: "AttentionOutput",
  attributes: (raw) => ({
    heads: readInteger(raw, "heads"),
    valueDim: readInteger(raw, "valueDim"),
    outputShape: optionalDims(raw, "outputShape", 0),
    useBias: readFlag(raw, "useBias", true),
  }),
  weights({
    attributes: { heads, valueDim, outputShape, useBias },
    inputs,
  }): Readonly<Record<string, Shape>> {
    const tail = outputShape ?? inputs[1]?.shape?.slice(-1) ?? [null];
    return { kernel: [heads, valueDim, ...tail], ...(useBias && { bias: tail }) };
  },
  infer({ attributes: { outputShape }, inputs }) {
    const { dtype, shape } = inputAt(inputs, "heads", 0);
    const tail = outputShape ?? inputs[1]?.shape?.slice(-1) ?? [null];
    return only({ dtype, shape: shape === null ? null : [...shape.slice(0, -2), ...tail] });
  },
});

interface DotAttributes {
  readonly useScale: boolean;
  readonly scoreMode: string;
  readonly returnScores: boolean;
  /** The wrapped tensors are scaled by a vector (additive attention) or a number. */
  readonly additive: boolean;
}

function attend({ attributes, inputs }: RuleContext<DotAttributes>): Inferred {
  const { query, value, key } = operands(inputs);
  const dtype = realType(query.dtype);
  if (query.shape === null || value.shape === null || key.shape === null) {
    const unknown: TensorType = { dtype, shape: null };
    return attributes.returnScores ? tupleOf([unknown, unknown]) : only(unknown);
  }
  for (const { shape } of [query, value, key]) {
    if (shape !== null && shape.length < 2)
      throw new RuleError(`expects sequences, found shape ${formatShape(shape)}`);
  }
  const positions = query.shape.slice(0, -1);
  const output = { dtype, shape: [...positions, dimAt(value.shape, -1)] };
  if (!attributes.returnScores) return only(output);
  return tupleOf([output, { dtype, shape: [...positions, dimAt(key.shape, -2)] }]);
}

/** [query, value, key] -> query's positions with value's last dimension. Scale: a number, or one for each feature. */
function sequenceAttention(name: string, additive: boolean): OperatorDef<unknown> {
  return defineOperator<DotAttributes>({
    name,
    attributes: (raw) => ({
      useScale: readFlag(raw, "useScale", additive),
      scoreMode: raw.scoreMode === undefined ? "dot" : readText(raw, "scoreMode"),
      returnScores: readFlag(raw, "returnScores", false),
      additive,
    }),
    weights({ attributes: { useScale, scoreMode }, inputs }) {
      const { query } = operands(inputs);
      const scale: Shape = additive ? [query.shape === null ? null : dimAt(query.shape, -1)] : [];
      return { ...(useScale && { scale }), ...(scoreMode === "concat" && { "score-weight": [] }) };
    },
    infer: attend,
  });
}

interface GroupedAttributes {
  readonly heads: number;
  readonly useGate: boolean;
  readonly headDim: number;
  readonly returnScores: boolean;
}

/** query, value, key -> query's shape; several query heads share one head of keys and values. */
const groupedQueryAttention = defineOperator<GroupedAttributes>({
  name: "GroupedQueryAttention",
  attributes: (raw) => ({
    heads: readInteger(raw, "heads"),
    headDim: readInteger(raw, "headDim"),
    useGate: readFlag(raw, "useGate", false),
    returnScores: readFlag(raw, "returnScores", false),
  }),
  infer({ attributes: { heads, headDim, useGate, returnScores }, inputs, inner }) {
    const { query, value, key } = operands(inputs);
    const sources = useGate ? [query, key, query, value] : [query, key, value];
    sources.forEach((source, i) => {
      inner[i]?.infer([source]);
    });
    const dtype = realType(query.dtype);
    const { shape } = query;
    if (shape !== null) {
      inner[sources.length]?.infer([{ dtype, shape: [...shape.slice(0, -1), heads, headDim] }, query]);
    }
    if (!returnScores) return only({ dtype, shape });
    const scores =
      shape === null || key.shape === null
        ? null
        : [dimAt(shape, 0), heads, dimAt(shape, 1), dimAt(key.shape, 1)];
    return tupleOf([
      { dtype, shape },
      { dtype, shape: scores },
    ]);
  },
});

export const attentionOperators: readonly OperatorDef<unknown>[] = [
  inTwoForms(multiHeadAttention, nodeMultiHeadAttention),
  headsToOutput,
  sequenceAttention("DotAttention", false),
  sequenceAttention("AdditiveAttention", true),
  groupedQueryAttention,
];
