/**
 * Operators of ONNX Runtime that have no kernel for a CPU, against the shapes in their schemas (onnxruntime 1.31,
 * get_all_operator_schema); those with a kernel are in test/importers/onnx/operators.test.ts.
 */

import { expect, test } from "vitest";
import { symbol } from "../../src/ir/symbolic-dim.ts";
import { named, run } from "./run-operator.ts";

const tokens = symbol("tokens");

test("packed attention: (token_count, v_hidden_size)", () => {
  const input = named("input", [tokens, 8]);
  const kernel = named("kernel", [8, 24]);
  expect(run({ operator: "PackedAttention" }, input, kernel).shapes).toEqual([[tokens, 8]]);
  const widths = { widths: [8, 8, 16] };
  expect(run({ operator: "PackedAttention", attributes: widths }, input, kernel).shapes).toEqual([
    [tokens, 16],
  ]);
  const joined = named("query", [tokens, 2, 3, 4]);
  expect(run({ operator: "PackedMultiHeadAttention" }, joined).shapes).toEqual([[tokens, 8]]);
  const apart = ["query", "key", "value"].map((name, i) => named(name, [tokens, [8, 8, 12][i] ?? 0]));
  expect(run({ operator: "PackedMultiHeadAttention" }, ...apart).shapes).toEqual([[tokens, 12]]);
});

test("paged attention: (num_tokens, num_heads * v_head_size), caches as they came", () => {
  const attributes = { heads: 4, keyHeads: 2 };
  const cache = [5, 16, 2, 8];
  const states = [named("past-key", cache), named("past-value", cache)];
  const joined = run({ operator: "PagedAttention", attributes }, named("query", [tokens, 64]), ...states);
  expect(joined.shapes).toEqual([[tokens, 32], cache, cache]);
  const [query, key] = [named("query", [tokens, 32]), named("key", [tokens, 16])];
  expect(run({ operator: "PagedAttention", attributes }, query, key, ...states).shapes[0]).toEqual([
    tokens,
    32,
  ]);
  const narrow = { ...attributes, valueWidth: 3 };
  const latent = run(
    { operator: "PagedAttention", attributes: narrow },
    query,
    key,
    named("past-key", cache),
  );
  expect(latent.shapes).toEqual([[tokens, 12], cache]);
});

test("decoder attention: (sequence, batch, hidden), caches (batch, heads, ?, head)", () => {
  const { shapes } = run(
    { operator: "DecoderAttention", attributes: { heads: 2 } },
    named("query", [7, 3, 8]),
  );
  expect(shapes).toEqual([
    [7, 3, 8],
    [3, 2, null, 4],
    [3, 2, null, 4],
  ]);
});

test("masked self attention of a decoder with queries, keys and values in one", () => {
  const attributes = { operands: true, packed: true, heads: 2 };
  const past = ["past-key", "past-value"].map((name) => named(name, [1, 2, 5, 4]));
  const { shapes } = run({ operator: "MultiHeadAttention", attributes }, named("query", [1, 1, 24]), ...past);
  expect(shapes.slice(0, 3)).toEqual([
    [1, 1, 8],
    [1, 2, 6, 4],
    [1, 2, 6, 4],
  ]);
});

test("positions and padding", () => {
  const length = (name: string) => named(name, [1], [9]);
  const table = named("table", [32, 4]);
  const bias = run({ operator: "RelativePositionBias" }, table, length("query-length"), length("key-length"));
  expect(bias.shapes).toEqual([[1, 4, 9, 9]]);
  const gated = [named("query", [2, 9, 32]), named("query-bias", [32]), named("positions", [1, 4, 9, 9])];
  expect(run({ operator: "GatedRelativePositionBias" }, ...gated).shapes).toEqual([[2, 4, 9, 9]]);
  expect(run({ operator: "RemovePadding" }, named("input", [2, 9, 32])).shapes).toEqual([
    [null, 32],
    [2, 9],
    [3],
    [1],
  ]);
  const restored = run(
    { operator: "RestorePadding" },
    named("input", [tokens, 32]),
    named("token-offset", [2, 9]),
  );
  expect(restored.shapes).toEqual([[2, 9, 32]]);
});

test("several products of one input", () => {
  const { shapes } = run(
    { operator: "JointProduct", attributes: { outputs: [8, 4, 4] } },
    named("input", [2, tokens, 32]),
  );
  expect(shapes).toEqual([
    [2, tokens, 8],
    [2, tokens, 4],
    [2, tokens, 4],
    [2, tokens, 32],
  ]);
  const rows = run({ operator: "RowProduct" }, named("input", [2, 32]), named("kernel", [12, 16]));
  expect(rows.shapes).toEqual([[2, 12]]);
});

test("reductions of quantized tensors", () => {
  const reduce = (attributes: Record<string, number[] | boolean>) =>
    run({ operator: "QuantizedReduce", attributes }, named("input", [2, 3, tokens])).shapes[0];
  expect(reduce({ axes: [1], keep: false })).toEqual([2, tokens]);
  expect(reduce({ axes: [-1, 0] })).toEqual([1, 3, 1]);
  expect(reduce({})).toEqual([1, 1, 1]);
});
