import { expect, test } from "vitest";
import { symbol } from "../../src/ir/symbolic-dim.ts";
import { named, tensor, types } from "./run-rule.ts";

const t = symbol("t");
const float = (name: string, ...shape: readonly (number | typeof t | null)[]) =>
  named(name, tensor("float16", shape));

test("queries, keys and values in one are told apart by the state", () => {
  const state = named("state", tensor("float32", [2, 4, 6, 5]));
  expect(types("GatedDeltaNet", [float("query", t, 44), state], { captured: 3 })).toEqual([
    "float16 (t, 4, 6)",
    "float32 (2, 4, 6, 5)",
    "float32 (2, 114)",
  ]);
  expect(
    types("GatedDeltaNet", [
      float("query", 2, t, 2, 5),
      float("key", 2, t, 2, 5),
      float("value", 2, t, 4, 6),
    ]),
  ).toEqual(["float16 (2, t, 4, 6)", "float32 (2, 4, 6, 5)", "float32 (2, 0)"]);
  expect(types("GatedDeltaNet", [float("query", t, 44)])).toEqual([
    "float16 (t, ?, ?)",
    "float32 (?, ?, ?, ?)",
    "float32 (?, ?)",
  ]);
});

test("streams need an axis for branches", () => {
  expect(types("HyperConnectionMix", [float("streams", t, 4, 8)])).toEqual(["float16 (t, 8)"]);
  expect(types("HyperConnectionMix", [float("streams", t, 32)], { branches: 4 })).toEqual(["float16 (t, 8)"]);
  expect(() => types("HyperConnectionMix", [float("streams", 32)])).toThrow("branches");
});

test("what is left of folded tokens depends on how many stood there; of sizes that are not known nothing is claimed", () => {
  const made = (length: number | typeof t, tokens: number | typeof t) =>
    types(
      "SparseAttentionIndexer",
      [float("query", 1, tokens, 16), float("past-key", 1, 2, 8), float("past-buffer", 2, 1, length, 16)],
      { chosen: 2, ratio: 4, policy: "folded" },
    );
  expect(made(0, 3)).toEqual(["int32 (1, 3, 2)", "float16 (1, 2, 8)", "float16 (2, 1, 3, 16)"]);
  expect(made(7, 1)).toEqual(["int32 (1, 1, 2)", "float16 (1, 3, 8)", "float16 (2, 1, 4, 16)"]);
  expect(made(t, 1)).toEqual(["int32 (1, 1, 2)", "float16 (1, ?, 8)", "float16 (2, 1, ?, 16)"]);
  expect(
    types("SparseAttentionIndexer", [float("query", 16), float("past-key", 2)], { chosen: 2, ratio: 4 }),
  ).toEqual(["int32 (2)", "float16 (2, ?, ?)", "float16 (?, ?, ?, ?)"]);
});

test("sizes that leave less than nothing are refused", () => {
  const state = float("state", 2, 4, 6, 5);
  expect(() => types("GatedDeltaNet", [float("query", t, 20), state])).toThrow("leave -4 for queries");
  const starts = named("starts", tensor("int32", [0]));
  expect(() =>
    types("NgramHashes", [float("tokens", 5), starts], { longest: 2, heads: 1, packed: true }),
  ).toThrow("requests");
  expect(() => types("PackedCausalConvWithState", [float("input", 5, 4), float("kernel", 4, 1, 0)])).toThrow(
    "tokens",
  );
});
