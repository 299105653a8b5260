import { expect, test } from "vitest";
import { named, run } from "./run-operator.ts";

const heads = { operator: "AttentionOutput", attributes: { heads: 2, valueDim: 8 } };

test("the output projection takes its size from the query", () => {
  const ran = run(heads, [null, 5, 2, 8], [null, 5, 16]);
  expect(ran.weights).toEqual({ kernel: [2, 8, 16], bias: [16] });
  expect(ran.shapes).toEqual([[null, 5, 16]]);
});

test("output has the query's positions; scores are square in Keras 3 and true in Keras 2", () => {
  const inputs = [named("query", [null, 5, 16]), named("value", [null, 9, 12])];
  const attributes = { heads: 2, keyDim: 8, returnScores: true };
  const ran = run({ operator: "MultiHeadAttention", attributes }, ...inputs);
  expect(ran.shapes).toEqual([
    [null, 5, 16],
    [null, 2, 5, 9],
  ]);
  expect(ran.structure).toEqual({ tuple: [0, 1] });
  const square = { ...attributes, squareScores: true, outputShape: [7] };
  expect(run({ operator: "MultiHeadAttention", attributes: square }, ...inputs).shapes).toEqual([
    [null, 5, 7],
    [null, 2, 5, 5],
  ]);
  const axes = { ...attributes, attentionAxes: [2] };
  const planes = [named("query", [null, 3, 5, 16]), named("value", [null, 3, 9, 16])];
  expect(run({ operator: "MultiHeadAttention", attributes: axes }, ...planes).shapes[1]).toEqual([
    null,
    3,
    2,
    5,
    9,
  ]);
});

test("sequences attend to sequences", () => {
  const inputs = [named("query", [null, 5, 8]), named("value", [null, 9, 3]), named("key", [null, 9, 8])];
  const plain = run(
    { operator: "DotAttention", attributes: { useScale: true, scoreMode: "concat" } },
    ...inputs,
  );
  expect(plain.shapes).toEqual([[null, 5, 3]]);
  expect(plain.weights).toEqual({ scale: [], "score-weight": [] });
  const additive = run({ operator: "AdditiveAttention", attributes: { returnScores: true } }, ...inputs);
  expect(additive.shapes[1]).toEqual([null, 5, 9]);
  expect(additive.weights).toEqual({ scale: [8] });
});

test("a value is needed", () => {
  expect(() => run({ operator: "DotAttention" }, named("query", [null, 5, 8]))).toThrow("without value");
});
