/**
 * Attention as servers run it (ONNX Runtime's bert_defs.cc): over tokens without padding between them, over states in
 * pages or in buffers of fixed length, and what goes with it. Shapes are those that the schemas state.
 */

import { addDims, type Dim, floorDivideDim, multiplyDims } from "../ir/dim.ts";
import type { Shape } from "../ir/shape.ts";
import type { TensorType } from "../ir/tensor.ts";
import { dimAt } from "./arguments.ts";
import { readInteger, readIntegers, readOptionalInteger } from "./attributes.ts";
import { scalarOf } from "./graph-values.ts";
import type { OperatorDef, RuleInput } from "./operator.ts";
import { defineOperator, inputAt, only, optionalInput, simpleOperator } from "./tensor-rule.ts";

function typeOf({ dtype, shape }: TensorType): TensorType {
  return { dtype, shape };
}

function widthOf(shape: Shape): Dim {
  return shape === null ? null : dimAt(shape, -1);
}

/** The input with another last axis. */
function withWidth(shape: Shape, width: Dim): Shape {
  return shape === null ? null : shape.with(-1, width);
}

/** input (..., features), one kernel for query, key and value -> (..., width of the values). */
const packedAttention = defineOperator<{ widths: readonly number[] }>({
  name: "PackedAttention",
  attributes: (raw) => ({ widths: readIntegers(raw, "widths", { fallback: [] }) }),
  infer({ attributes: { widths }, inputs }) {
    const { dtype, shape } = inputAt(inputs, "input", 0);
    const kernel = optionalInput(inputs, "kernel", 1)?.shape?.[1];
    const bias = optionalInput(inputs, "bias", 2)?.shape?.[0];
    return only({ dtype, shape: withWidth(shape, widths[2] ?? floorDivideDim(kernel ?? bias ?? null, 3)) });
  },
});

/** query (tokens, width), value (tokens, width), or all in one (tokens, heads, 3, width of a head) -> (tokens, width). */
const packedMultiHeadAttention = simpleOperator("PackedMultiHeadAttention", (inputs) => {
  const { dtype, shape } = inputAt(inputs, "query", 0);
  if (shape === null) return { dtype, shape };
  const [tokens = null, heads = null, , width = null] = shape;
  if (shape.length === 4) return { dtype, shape: [tokens, multiplyDims(heads, width)] };
  return { dtype, shape: [tokens, widthOf(optionalInput(inputs, "value", 2)?.shape ?? null)] };
});

interface Heads {
  readonly heads: number;
  readonly keyHeads: number;
  /** Width of a head of the values, where it is not that of the queries. */
  readonly valueWidth: number | null;
}

/** Width over all heads of what comes out; keys and values may stand behind the queries. */
function outputWidth(inputs: readonly RuleInput[], { heads, keyHeads, valueWidth }: Heads): Dim {
  if (valueWidth !== null) return heads * valueWidth;
  const width = widthOf(inputAt(inputs, "query", 0).shape);
  if (optionalInput(inputs, "key", 1)) return width;
  return multiplyDims(floorDivideDim(width, heads + 2 * keyHeads), heads);
}

/** query, key, value, states that are written in place -> output, the same states. */
function cachedAttention(name: string): OperatorDef<unknown> {
  return defineOperator<Heads>({
    name,
    attributes: (raw) => ({
      heads: readInteger(raw, "heads"),
      keyHeads: readInteger(raw, "keyHeads"),
      valueWidth: readOptionalInteger(raw, "valueWidth"),
    }),
    infer({ attributes, inputs }) {
      const { dtype, shape } = inputAt(inputs, "query", 0);
      const states = ["past-key", "past-value"].flatMap((state) => {
        const past = optionalInput(inputs, state, inputs.length);
        return past ? [typeOf(past)] : [];
      });
      return {
        types: [{ dtype, shape: withWidth(shape, outputWidth(inputs, attributes)) }, ...states],
      };
    },
  });
}

/** query (positions, batch, width), ... -> the same, and states of which the length depends on flags that are inputs. */
const decoderAttention = defineOperator<{ heads: number }>({
  name: "DecoderAttention",
  attributes: (raw) => ({ heads: readInteger(raw, "heads") }),
  infer({ attributes: { heads }, inputs }) {
    const query = inputAt(inputs, "query", 0);
    const [, batch = null, width = null] = query.shape ?? [];
    const state: TensorType = {
      dtype: query.dtype,
      shape: [batch, heads, null, floorDivideDim(width, heads)],
    };
    return { types: [typeOf(query), state, state] };
  },
});

/** table (buckets, heads), lengths of query and key -> (1, heads, query, key). */
const relativeBias = simpleOperator("RelativePositionBias", (inputs) => {
  const table = inputAt(inputs, "table", 0);
  const length = (name: string, at: number): Dim => scalarOf(inputAt(inputs, name, at));
  const heads = table.shape?.[1] ?? null;
  return {
    dtype: table.dtype,
    shape: [1, heads, length("query-length", 1), length("key-length", 2)],
  };
});

/** query (batch, n, width) or (tokens, width), positions (1, heads, n, n) -> (batch, heads, n, n). */
const gatedRelativeBias = simpleOperator("GatedRelativePositionBias", (inputs) => {
  const query = inputAt(inputs, "query", 0);
  const [, heads = null, rows = null, columns = null] = inputAt(inputs, "positions", 2).shape ?? [];
  const offsets = optionalInput(inputs, "token-offset", 6)?.shape;
  const batch = offsets ? (offsets[0] ?? null) : query.shape?.length === 3 ? (query.shape[0] ?? null) : null;
  return { dtype: query.dtype, shape: [batch, heads, rows, columns] };
});

/** input (batch, n, width), tokens of each sequence -> tokens without padding, and where they stood. */
const removePadding = defineOperator<null>({
  name: "RemovePadding",
  attributes: () => null,
  infer({ inputs }) {
    const { dtype, shape } = inputAt(inputs, "input", 0);
    const [batch = null, positions = null, width = null] = shape ?? [];
    const index = (dims: readonly Dim[]): TensorType => ({ dtype: "int32", shape: dims });
    const sums = addDims(batch, 1);
    return {
      types: [{ dtype, shape: [null, width] }, index([batch, positions]), index([sums]), index([1])],
    };
  },
});

/** input (tokens, width), where each token stood (batch, n) -> (batch, n, width). */
const restorePadding = simpleOperator("RestorePadding", (inputs) => {
  const { dtype, shape } = inputAt(inputs, "input", 0);
  const [batch = null, positions = null] = inputAt(inputs, "token-offset", 1).shape ?? [];
  return { dtype, shape: [batch, positions, widthOf(shape)] };
});

/** positions, query, query turned, key, key turned -> query, key. */
const gemmaRotary = defineOperator<null>({
  name: "GemmaRotaryEmbedding",
  attributes: () => null,
  infer: ({ inputs }) => ({
    types: [typeOf(inputAt(inputs, "query", 1)), typeOf(inputAt(inputs, "key", 3))],
  }),
});

/** One or two projections -> as many gates of their shapes. */
const attentionGate = defineOperator<null>({
  name: "LinearAttentionGate",
  attributes: () => null,
  infer({ inputs }) {
    const decay = inputAt(inputs, "decay", 0);
    const update = optionalInput(inputs, "update", 3);
    return { types: [typeOf(decay), ...(update ? [typeOf(update)] : [])] };
  },
});

export const graphPackedAttentionOperators: readonly OperatorDef<unknown>[] = [
  packedAttention,
  packedMultiHeadAttention,
  cachedAttention("SparseAttention"),
  cachedAttention("PagedAttention"),
  decoderAttention,
  relativeBias,
  gatedRelativeBias,
  removePadding,
  restorePadding,
  gemmaRotary,
  attentionGate,
];
