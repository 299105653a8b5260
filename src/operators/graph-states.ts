/**
 * Operators of ONNX Runtime for networks that carry a state from call to call: gated deltas, n-grams that are hashed, choosing
 * what a sparse attention reads. Tokens of several requests stand one after the other. Shapes are those that the schemas state.
 */

import { addDims, type Dim, floorDivideDim, multiplyDims, subtractDims } from "../ir/dim.ts";
import type { TensorType } from "../ir/tensor.ts";
import { readChoice, readFlag, readInteger } from "./attributes.ts";
import { type OperatorDef, RuleError, type RuleInput } from "./operator.ts";
import { defineOperator, inputAt, optionalInput } from "./tensor-rule.ts";

function find(inputs: readonly RuleInput[], name: string): RuleInput | undefined {
  return optionalInput(inputs, name, inputs.length);
}

function typeOf({ dtype, shape }: TensorType): TensorType {
  return { dtype, shape };
}

function least(dim: Dim, what: string): Dim {
  if (typeof dim === "number" && dim < 0) throw new RuleError(`the sizes of its inputs leave ${dim} ${what}`);
  return dim;
}

/** How many requests, where one starts being given for each and for the end. */
function requestsOf(inputs: readonly RuleInput[]): Dim {
  return least(addDims(find(inputs, "starts")?.shape?.[0] ?? null, -1), "requests");
}

/** key (batch, positions, branches, width), ... -> twice the same. */
const engramGate = defineOperator<null>({
  name: "EngramGate",
  attributes: () => null,
  infer({ inputs }) {
    const key = typeOf(inputAt(inputs, "key", 0));
    return { types: [key, key] };
  },
});

/** streams (..., branches, width), or (..., branches x width) where their number is given -> (..., width). */
const hyperConnection = defineOperator<{ branches: number }>({
  name: "HyperConnectionMix",
  attributes: (raw) => ({ branches: readInteger(raw, "branches", { min: 0, fallback: 0 }) }),
  infer({ attributes: { branches }, inputs }) {
    const { dtype, shape } = inputAt(inputs, "streams", 0);
    if (shape === null) return { types: [{ dtype, shape }] };
    if (shape.length < 2) throw new RuleError(`streams of ${shape.length} axes have none for branches`);
    const width = shape.at(-1) ?? null;
    const merged = branches > 0 ? shape.with(-1, floorDivideDim(width, branches)) : shape.toSpliced(-2, 1);
    return { types: [{ dtype, shape: merged }] };
  },
});

interface HashAttributes {
  readonly longest: number;
  readonly heads: number;
  readonly captured: number;
  /** Tokens of several requests stand one after the other. */
  readonly packed: boolean;
}

/** tokens (batch, n), or (n) of all requests -> as many hashes as there are heads, and the tokens that the next call needs. */
const ngramHashes = defineOperator<HashAttributes>({
  name: "NgramHashes",
  attributes: (raw) => ({
    longest: readInteger(raw, "longest", { min: 2 }),
    heads: readInteger(raw, "heads"),
    captured: readInteger(raw, "captured", { min: 0, fallback: 0 }),
    packed: readFlag(raw, "packed", false),
  }),
  infer({ attributes: { longest, heads, captured, packed }, inputs }) {
    const { dtype, shape } = inputAt(inputs, "tokens", 0);
    const before = longest - 1;
    const batch = packed ? requestsOf(inputs) : (shape?.[0] ?? null);
    const hashes: TensorType = { dtype, shape: shape && [...shape, before * heads] };
    const present: TensorType = { dtype, shape: [batch, before] };
    if (!packed) return { types: [hashes, present] };
    const update: TensorType = { dtype, shape: [batch, captured, before] };
    return { types: [hashes, present, { dtype: "int32", shape: [batch, before] }, update] };
  },
});

interface PackedConvAttributes {
  readonly dilation: number;
  readonly captured: number;
}

/** input (tokens, channels), kernel (channels, 1, k), starts -> the same, the inputs that the next call needs, captured ones. */
const packedCausalConv = defineOperator<PackedConvAttributes>({
  name: "PackedCausalConvWithState",
  attributes: (raw) => ({
    dilation: readInteger(raw, "dilation", { fallback: 1 }),
    captured: readInteger(raw, "captured", { min: 0, fallback: 0 }),
  }),
  infer({ attributes: { dilation, captured }, inputs }) {
    const { dtype, shape } = inputAt(inputs, "input", 0);
    const kernel = inputAt(inputs, "kernel", 1).shape;
    const [batch, channels] = [requestsOf(inputs), shape?.[1] ?? null];
    const length = least(multiplyDims(addDims(kernel?.[2] ?? null, -1), dilation), "tokens");
    return {
      types: [
        { dtype, shape },
        { dtype, shape: [batch, channels, length] },
        { dtype, shape: [batch, captured, channels] },
      ],
    };
  },
});

interface DeltaSizes {
  readonly batch: Dim;
  readonly keyHeads: Dim;
  readonly valueHeads: Dim;
  readonly keyWidth: Dim;
  readonly valueWidth: Dim;
}

/** From the shapes of key and value, or of the state where all three are packed in one. */
function deltaSizes(inputs: readonly RuleInput[]): DeltaSizes {
  const query = inputAt(inputs, "query", 0).shape;
  const [key, value, state] = ["key", "value", "state"].map((name) => find(inputs, name)?.shape ?? null);
  const [batch = null, heads = null, width = null, keyWidth = null] = state ?? [];
  const valueHeads = value?.at(-2) ?? heads;
  const valueWidth = value?.at(-1) ?? width;
  const keys = key?.at(-1) ?? keyWidth;
  const values = key ? null : multiplyDims(valueHeads, valueWidth);
  const packed = least(subtractDims(query?.at(-1) ?? null, values), "for queries and keys");
  return {
    batch: batch ?? (query?.length === 4 ? (query[0] ?? null) : requestsOf(inputs)),
    keyHeads: key ? (key.at(-2) ?? null) : floorDivideDim(packed, multiplyDims(2, keys)),
    valueHeads,
    keyWidth: keys,
    valueWidth,
  };
}

/** query, key, value (tokens, heads, width), or all three in query -> output, state, captured transitions. */
const gatedDelta = defineOperator<{ captured: number }>({
  name: "GatedDeltaNet",
  attributes: (raw) => ({ captured: readInteger(raw, "captured", { min: 0, fallback: 0 }) }),
  infer({ attributes: { captured }, inputs }) {
    const { dtype, shape } = inputAt(inputs, "query", 0);
    const { batch, keyHeads, valueHeads, keyWidth, valueWidth } = deltaSizes(inputs);
    const tokens = find(inputs, "key") ? shape?.slice(0, -2) : shape?.slice(0, -1);
    const step = addDims(valueHeads, multiplyDims(keyHeads, keyWidth), multiplyDims(valueHeads, valueWidth));
    return {
      types: [
        { dtype, shape: tokens ? [...tokens, valueHeads, valueWidth] : null },
        { dtype: "float32", shape: [batch, valueHeads, valueWidth, keyWidth] },
        { dtype: "float32", shape: [batch, multiplyDims(captured, step)] },
      ],
    };
  },
});

interface IndexerAttributes {
  readonly chosen: number;
  /** Tokens in a block. */
  readonly ratio: number;
  readonly captured: number;
  /** Whole blocks of keys are pooled, or every so many are folded into one. */
  readonly policy: "blocks" | "folded";
  readonly packed: boolean;
}

function selected(query: TensorType, chosen: number): TensorType {
  return { dtype: "int32", shape: query.shape && [...query.shape.slice(0, -1), chosen] };
}

/** query (..., features), states -> which entries each query may read, and the states after it. */
const attentionIndexer = defineOperator<IndexerAttributes>({
  name: "SparseAttentionIndexer",
  attributes: (raw) => ({
    chosen: readInteger(raw, "chosen"),
    ratio: readInteger(raw, "ratio"),
    captured: readInteger(raw, "captured", { min: 0, fallback: 0 }),
    policy: readChoice(raw, "policy", ["blocks", "folded"], "blocks"),
    packed: readFlag(raw, "packed", false),
  }),
  infer({ attributes, inputs }) {
    const query = inputAt(inputs, "query", 0);
    const indices = selected(query, attributes.chosen);
    return { types: [indices, ...(attributes.packed ? packedStates : grownStates)(inputs, attributes)] };
  },
});

/** States of fixed length; those that only one of the policies has stand in their places all the same. */
function packedStates(inputs: readonly RuleInput[], { captured }: IndexerAttributes): TensorType[] {
  const state = inputAt(inputs, "past-key", inputs.length);
  const [batch = null, , width = null] = state.shape ?? [];
  const counts: TensorType = {
    dtype: "int32",
    shape: inputAt(inputs, "query", 0).shape?.slice(0, 1) ?? null,
  };
  const kept = ["past-buffer", "past-gates", "past-lengths"].map((name): TensorType => {
    const past = find(inputs, name);
    return past ? typeOf(past) : { dtype: null, shape: null };
  });
  return [counts, typeOf(state), ...kept, { dtype: state.dtype, shape: [batch, captured, width] }];
}

/**
 * Keys grow by the tokens, or by the blocks that these fill up. What is left of them stands in a buffer, behind the block before
 * it: the two together are what is folded into the next entry.
 */
function grownStates(inputs: readonly RuleInput[], attributes: IndexerAttributes): TensorType[] {
  const past = inputAt(inputs, "past-key", inputs.length);
  const tokens = inputAt(inputs, "query", 0).shape?.[1] ?? null;
  const buffer = find(inputs, "past-buffer")?.shape ?? [];
  const { made, left } = foldTokens(buffer[2] ?? null, tokens, attributes.ratio);
  const more = find(inputs, "past-length") ? 0 : attributes.policy === "blocks" ? tokens : made;
  const [batch = null, length = null, width = null] = past.shape ?? [];
  return [
    { dtype: past.dtype, shape: [batch, addDims(length, more), width] },
    { dtype: past.dtype, shape: [buffer[0] ?? null, buffer[1] ?? null, left, buffer[3] ?? null] },
  ];
}

function foldTokens(before: Dim, tokens: Dim, ratio: number): { readonly made: Dim; readonly left: Dim } {
  if (typeof before !== "number" || typeof tokens !== "number") return { made: null, left: null };
  const whole = before >= ratio ? ratio : 0;
  const open = before - whole + tokens;
  const made = Math.floor(open / ratio);
  return { made, left: (made > 0 ? ratio : whole) + (open % ratio) };
}

export const graphStateOperators: readonly OperatorDef<unknown>[] = [
  engramGate,
  hyperConnection,
  ngramHashes,
  packedCausalConv,
  gatedDelta,
  attentionIndexer,
];
