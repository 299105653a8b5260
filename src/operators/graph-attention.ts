/** Attention between projections that are made outside of it (ONNX Attention; ONNX Runtime's contrib operators). */

import { addDims, type Dim, floorDivideDim, maxDims, multiplyDims } from "../ir/dim.ts";
import type { DType } from "../ir/dtype.ts";
import { formatShape, type Shape } from "../ir/shape.ts";
import type { TensorType } from "../ir/tensor.ts";
import { readFlag, readInteger, readIntegers, readOptionalInteger } from "./attributes.ts";
import { type OperatorDef, RuleError, type RuleInput } from "./operator.ts";
import { defineOperator, inputAt, optionalInput } from "./tensor-rule.ts";
import { scalarValue } from "./tensor-values.ts";
import type { NodeForm } from "./two-forms.ts";

/** A tensor as (batch, heads, positions, width of a head). */
interface Heads {
  readonly batch: Dim;
  readonly heads: Dim;
  readonly positions: Dim;
  readonly width: Dim;
}

const unknownHeads: Heads = { batch: null, heads: null, positions: null, width: null };

/** Takes (batch, heads, positions, width) or (batch, positions, heads x width) apart. */
function headsOf(shape: Shape, count: Dim): Heads {
  if (shape === null) return { ...unknownHeads, heads: count };
  const [batch = null, second = null, third = null, width = null] = shape;
  if (shape.length === 4) return { batch, heads: second, positions: third, width };
  if (shape.length !== 3)
    throw new RuleError(`queries, keys and values have rank 3 or 4, but one is ${formatShape(shape)}`);
  return { batch, heads: count, positions: second, width: floorDivideDim(third, count) };
}

function join({ batch, heads, positions, width }: Heads): readonly Dim[] {
  return [batch, heads, positions, width];
}

function dtypeOf(input: RuleInput | undefined, fallback: DType | null): DType | null {
  return input ? input.dtype : fallback;
}

interface AttentionAttributes {
  readonly queryHeads: number | null;
  readonly keyHeads: number | null;
}

/** query, key, value, mask, past key and value -> output, present key and value, scores. */
const attention = defineOperator<AttentionAttributes>({
  name: "Attention",
  attributes: (raw) => ({
    queryHeads: readOptionalInteger(raw, "queryHeads"),
    keyHeads: readOptionalInteger(raw, "keyHeads"),
  }),
  infer({ attributes: { queryHeads, keyHeads }, inputs }) {
    const query = inputAt(inputs, "query", 0);
    const key = inputAt(inputs, "key", 1);
    const value = inputAt(inputs, "value", 2);
    const q = headsOf(query.shape, queryHeads);
    const k = headsOf(key.shape, keyHeads);
    const v = headsOf(value.shape, keyHeads);
    const past = optionalInput(inputs, "past-key", 4);
    const total = past ? addDims(past.shape?.[2] ?? null, k.positions) : k.positions;
    const flat = query.shape?.length === 3;
    const shape = flat
      ? [q.batch, q.positions, multiplyDims(q.heads, v.width)]
      : join({ ...q, width: v.width });
    return {
      types: [
        { dtype: query.dtype, shape: query.shape === null ? null : shape },
        { dtype: key.dtype, shape: join({ ...k, positions: total }) },
        { dtype: value.dtype, shape: join({ ...v, positions: total }) },
        { dtype: query.dtype, shape: [q.batch, q.heads, q.positions, total] },
      ],
    };
  },
});

interface Operands {
  readonly query: Heads;
  /** Positions of the keys, and what their values have: they may come packed with the queries or the keys. */
  readonly key: Heads;
  readonly outputWidth: Dim;
}

/** (batch, positions, heads, how many, width): several projections in one tensor. */
function packed(shape: readonly Dim[]): Heads {
  const [batch = null, positions = null, heads = null, , width = null] = shape;
  return { batch, heads, positions, width };
}

function multiHeadOperands(inputs: readonly RuleInput[], heads: number, joined: boolean): Operands {
  const query = inputAt(inputs, "query", 0).shape;
  if (joined && query?.length === 3 && !optionalInput(inputs, "key", 1)) {
    // Keys and values stand behind the queries, as wide as they are.
    const width = floorDivideDim(query[2] ?? null, 3);
    const all = headsOf(query.with(2, width), heads);
    return { query: all, key: all, outputWidth: width };
  }
  const key = optionalInput(inputs, "key", 1)?.shape ?? null;
  const value = optionalInput(inputs, "value", 2)?.shape ?? null;
  if (query?.length === 5) {
    const all = packed(query);
    return { query: all, key: all, outputWidth: multiplyDims(all.heads, all.width) };
  }
  const q = headsOf(query, heads);
  if (key?.length === 5) {
    const both = packed(key);
    return { query: q, key: both, outputWidth: multiplyDims(both.heads, both.width) };
  }
  const v = value === null ? null : headsOf(value, heads);
  return {
    query: q,
    key: key === null ? { ...unknownHeads, heads } : headsOf(key, heads),
    outputWidth: value?.length === 3 ? (value[2] ?? null) : v && multiplyDims(v.heads, v.width),
  };
}

/** The state after a step: longer by the new keys, or as long as before where it is a buffer that is written into. */
function present(past: RuleInput | undefined, key: Heads, width: Dim, shared: boolean): Shape {
  if (past && shared) return past.shape;
  const before = past ? (past.shape?.[2] ?? null) : 0;
  return join({ ...key, positions: addDims(before, key.positions), width });
}

/** query, key, value, bias, ..., past key and value -> output (batch, positions, width), present key, present value, scores. */
export const nodeMultiHeadAttention: NodeForm<{ readonly heads: number; readonly packed: boolean }> = {
  attributes: (raw) => ({ heads: readInteger(raw, "heads"), packed: readFlag(raw, "packed", false) }),
  infer({ attributes: { heads, packed: joined }, inputs }) {
    const { dtype, shape } = inputAt(inputs, "query", 0);
    const { query, key, outputWidth } = multiHeadOperands(inputs, heads, joined);
    const shared = optionalInput(inputs, "past-positions", 8) !== undefined;
    const pastKey = optionalInput(inputs, "past-key", 6);
    const keys = present(pastKey, { ...key, heads }, key.width ?? query.width, shared);
    const values = present(
      optionalInput(inputs, "past-value", 7),
      { ...key, heads },
      floorDivideDim(outputWidth, heads),
      shared,
    );
    return {
      types: [
        { dtype, shape: shape === null ? null : [query.batch, query.positions, outputWidth] },
        { dtype: dtypeOf(pastKey, dtype), shape: keys },
        { dtype: dtypeOf(pastKey, dtype), shape: values },
        { dtype, shape: [query.batch, heads, query.positions, shared ? null : (keys?.[2] ?? null)] },
      ],
    };
  },
};

interface GroupQueryAttributes {
  readonly heads: number;
  readonly keyHeads: number;
}

/** query (with key and value behind it where these are absent), states -> output, present key, present value, scores. */
const groupQueryAttention = defineOperator<GroupQueryAttributes>({
  name: "GroupQueryAttention",
  attributes: (raw) => ({ heads: readInteger(raw, "heads"), keyHeads: readInteger(raw, "keyHeads") }),
  infer({ attributes: { heads, keyHeads }, inputs }) {
    const { dtype, shape } = inputAt(inputs, "query", 0);
    const [batch = null, positions = null, features = null] = shape ?? [];
    const parts = optionalInput(inputs, "key", 1) ? heads : heads + 2 * keyHeads;
    const width = floorDivideDim(features, parts);
    // The state is a buffer that is grown to the whole length where it is shorter (ONNX Runtime bert_defs.cc).
    const total = scalarValue(optionalInput(inputs, "total-positions", 6)) ?? null;
    const state = (name: string): TensorType => {
      const past = optionalInput(inputs, name, inputs.length);
      const length = past ? maxDims(past.shape?.[2] ?? null, total) : total;
      const kept = past?.shape?.[3] ?? (past ? null : width);
      return { dtype: dtypeOf(past, dtype), shape: [batch, keyHeads, length, kept] };
    };
    return {
      types: [
        { dtype, shape: shape === null ? null : [batch, positions, multiplyDims(heads, width)] },
        state("past-key"),
        state("past-value"),
        { dtype, shape: [batch, heads, positions, total] },
      ],
    };
  },
});

interface SelfAttributes {
  readonly heads: number;
  /** Widths of query, key and value together over all heads; thirds of the kernel where empty. */
  readonly widths: readonly number[];
}

/** input (batch, positions, features), one kernel for query, key and value -> output and state (2, batch, heads, ...). */
function selfAttention(name: string, typeFrom: string): OperatorDef<unknown> {
  return defineOperator<SelfAttributes>({
    name,
    attributes: (raw) => ({
      heads: readInteger(raw, "heads"),
      widths: readIntegers(raw, "widths", { fallback: [] }),
    }),
    infer({ attributes: { heads, widths }, inputs }) {
      const input = inputAt(inputs, "input", 0);
      const kernel = optionalInput(inputs, "kernel", 1)?.shape?.[1];
      const bias = optionalInput(inputs, "bias", 2)?.shape?.[0];
      const third = floorDivideDim(kernel ?? bias ?? null, 3);
      const dtype = typeFrom === "input" ? input.dtype : (optionalInput(inputs, typeFrom, 3)?.dtype ?? null);
      const [batch = null, positions = null] = input.shape ?? [];
      const past = optionalInput(inputs, "past", 4);
      const shared = optionalInput(inputs, "past-positions", 6) !== undefined;
      const length = addDims(past ? (past.shape?.[3] ?? null) : 0, positions);
      const width = floorDivideDim(widths[1] ?? third, heads);
      const state = past && shared ? past.shape : [2, batch, heads, length, width];
      return {
        types: [
          { dtype, shape: input.shape === null ? null : [batch, positions, widths[2] ?? third] },
          { dtype: dtypeOf(past, dtype), shape: state },
        ],
      };
    },
  });
}

interface LinearAttributes extends GroupQueryAttributes {
  /** Slots of the state, null for one without an axis of its own. */
  readonly window: number | null;
}

/** query, key, value (batch, positions, heads x width), state -> output, state (batch, heads, key width, value width). */
const linearAttention = defineOperator<LinearAttributes>({
  name: "LinearAttention",
  attributes: (raw) => ({
    heads: readInteger(raw, "heads"),
    keyHeads: readInteger(raw, "keyHeads"),
    window: readOptionalInteger(raw, "window"),
  }),
  infer({ attributes: { heads, keyHeads, window }, inputs }) {
    const query = inputAt(inputs, "query", 0);
    const q = headsOf(query.shape, heads);
    const v = headsOf(inputAt(inputs, "value", 2).shape, keyHeads);
    const past = optionalInput(inputs, "past-state", 3);
    const state = [q.batch, keyHeads, q.width, v.width];
    const width = multiplyDims(Math.max(heads, keyHeads), v.width);
    return {
      types: [
        { dtype: query.dtype, shape: query.shape === null ? null : [q.batch, q.positions, width] },
        { dtype: dtypeOf(past, query.dtype), shape: window === null ? state : [window, ...state] },
      ],
    };
  },
});

export const graphAttentionOperators: readonly OperatorDef<unknown>[] = [
  attention,
  groupQueryAttention,
  selfAttention("SelfAttention", "input"),
  selfAttention("QAttention", "scale"),
  linearAttention,
];
