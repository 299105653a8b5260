import { expect, test } from "vitest";
import { formatDim, minDims } from "../../src/ir/dim.ts";
import type { DType } from "../../src/ir/dtype.ts";
import { symbol } from "../../src/ir/symbolic-dim.ts";
import { broadcastShapes } from "../../src/operators/broadcast.ts";
import type { RuleInput } from "../../src/operators/operator.ts";
import { promoteDTypes, promoteRanked } from "../../src/operators/promotion.ts";
import { named, run } from "./run-operator.ts";

test("shapes broadcast from their ends, the batch too", () => {
  expect(broadcastShapes([null, 6, 4], [6, 1])).toEqual([null, 6, 4]);
  expect(broadcastShapes([null, 1], [3, 1, 5])).toEqual([3, null, 5]);
  expect(broadcastShapes([null], [1])).toEqual([null]);
  expect(broadcastShapes(null, [3])).toBeNull();
  expect(() => broadcastShapes([2, 3], [4])).toThrow("(2, 3) and (4) do not broadcast");
});

test("of two named sizes that must agree unless one is 1, the larger one counts", () => {
  const [batch, seq] = [symbol("batch"), symbol("seq")];
  expect(broadcastShapes([batch, minDims(seq, 64)], [1, seq])).toEqual([batch, seq]);
  const [open] = broadcastShapes([seq], [batch]) ?? [];
  expect(formatDim(open ?? null)).toBe("max(batch, seq)");
  expect(broadcastShapes([open ?? null], [seq])).toEqual([open]);
  expect(broadcastShapes([open ?? null], [8])).toEqual([8]);
});

test("types promote as in Keras 3", () => {
  expect(promoteDTypes("int32", "float16")).toBe("float16");
  expect(promoteDTypes("float16", "bfloat16")).toBe("float32");
  expect(promoteDTypes("uint8", "int8")).toBe("int16");
  expect(promoteDTypes("uint64", "int64")).toBe("float32");
  expect(promoteDTypes("bool", null)).toBeNull();
});

test("operands, conditions and bounds", () => {
  expect(run({ operator: "TensorAdd" }, [null, 6, 4], named("x2", [], 1)).shapes).toEqual([[null, 6, 4]]);
  const parts = [named("condition", [null, 6, 1]), named("x1", [null, 1, 4]), named("x2", [])];
  expect(run({ operator: "Where" }, ...parts).shapes).toEqual([[null, 6, 4]]);
  expect(run({ operator: "Where", attributes: { places: true } }, named("condition", [3, 4])).shapes).toEqual(
    [[null, 2]],
  );
  expect(run({ operator: "View", attributes: { dtype: "float16" } }, [null, 6]).shapes).toEqual([[null, 12]]);
});

test("a plain number does not widen a type", () => {
  const types = run({ operator: "TensorMultiply" }, { dtype: "float16", shape: [3] }, named("x2", [], 2));
  expect(types.shapes).toEqual([[3]]);
});

test("types promote as in PyTorch: numbers count less than tensors, those without axes less than others", () => {
  const vector = (dtype: DType): RuleInput => ({ dtype, shape: [3] });
  const scalar = (dtype: DType): RuleInput => ({ dtype, shape: [] });
  const number: RuleInput = { dtype: null, shape: [], value: 2 };
  expect(promoteRanked([vector("float16"), scalar("float64")], [null, null])).toBe("float16");
  expect(promoteRanked([vector("int32"), scalar("float64")], [null, null])).toBe("float64");
  expect(promoteRanked([vector("uint8"), number], [null, "int"])).toBe("uint8");
  expect(promoteRanked([vector("uint8"), number], [null, "float"])).toBe("float32");
  expect(promoteRanked([scalar("float16"), number], [null, "float"])).toBe("float16");
  expect(promoteRanked([{ dtype: "int32", shape: null }, vector("int64")], [null, null])).toBeNull();
});
