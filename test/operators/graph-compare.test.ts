import { expect, test } from "vitest";
import { named, run } from "./run-operator.ts";

test("losses are one number or one for each pair", () => {
  const pair = [named("a", [4, 1]), named("b", [3])];
  expect(run({ operator: "ElementLoss" }, ...pair).shapes).toEqual([[]]);
  expect(run({ operator: "ElementLoss", attributes: { each: true } }, ...pair).shapes).toEqual([[4, 3]]);
});

test("similarities take an axis away", () => {
  const pair = [named("a", [4, 1, 8]), named("b", [6, 8])];
  expect(run({ operator: "VectorSimilarity", attributes: { axis: 1 } }, ...pair).shapes).toEqual([[4, 8]]);
  const kept = { axis: -1, keepDims: true };
  expect(run({ operator: "VectorSimilarity", attributes: kept }, ...pair).shapes).toEqual([[4, 6, 1]]);
});

test("a bilinear kernel has three axes", () => {
  const pair = [named("a", [5, 2]), named("b", [5, 3])];
  expect(run({ operator: "Bilinear" }, ...pair, named("kernel", [9, 2, 3])).shapes).toEqual([[5, 9]]);
  expect(() => run({ operator: "Bilinear" }, ...pair, named("kernel", [9, 6]))).toThrow("kernel of rank 2");
});
