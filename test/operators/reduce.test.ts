import { expect, test } from "vitest";
import { named, run } from "./run-operator.ts";

test("axes go, or become 1", () => {
  const sum = (attributes: object) =>
    run({ operator: "ReduceSum", attributes: { ...attributes } }, [null, 6, 4]).shapes[0];
  expect(sum({})).toEqual([]);
  expect(sum({ axis: 1 })).toEqual([null, 4]);
  expect(sum({ axis: [1, -1], keepDims: true })).toEqual([null, 1, 1]);
  expect(sum({ axis: [] })).toEqual([null, 6, 4]);
  expect(() => sum({ axis: 3 })).toThrow("axis 3");
});

test("quantiles of a list come in front", () => {
  const quantile = (q: readonly number[], oneIsNumber: boolean) =>
    run({ operator: "Quantile", attributes: { axis: -1, oneIsNumber } }, [null, 6], named("q", [q.length], q))
      .shapes[0];
  expect(quantile([0.1, 0.9], true)).toEqual([2, null]);
  expect(quantile([0.5], true)).toEqual([null]);
  expect(quantile([0.5], false)).toEqual([1, null]);
});

test("moments are two", () => {
  expect(run({ operator: "Moments", attributes: { axis: [1] } }, [null, 6, 4])).toMatchObject({
    shapes: [
      [null, 4],
      [null, 4],
    ],
    structure: { tuple: [0, 1] },
  });
});
