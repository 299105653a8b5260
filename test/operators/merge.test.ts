import { describe, expect, test } from "vitest";
import { apply } from "./apply-operator.ts";

describe("Add and its like", () => {
  test("align shapes at the end, the batch aside", () => {
    expect(apply("Add", {}, [null, 5, 7], [null, 1, 7]).output).toEqual([null, 5, 7]);
    expect(apply("Multiply", {}, [null, 5, 6, 7], [null, 7]).output).toEqual([null, 5, 6, 7]);
    expect(() => apply("Add", {}, [null, 5], [null, 6])).toThrow("5 against 6");
    expect(() => apply("Add", {}, [2, 5], [3, 5])).toThrow("batches of different sizes");
  });

  test("a dimension one side does not know: unknown to Keras 3, known to TensorFlow", () => {
    expect(apply("Add", {}, [null, null, 7], [null, 5, 7]).output).toEqual([null, null, 7]);
    expect(apply("Add", { resolveUnknown: true }, [null, null, 7], [null, 5, 7]).output).toEqual([
      null,
      5,
      7,
    ]);
    expect(apply("Add", { resolveUnknown: true }, [null, null, 7], [null, 1, 7]).output).toEqual([
      null,
      null,
      7,
    ]);
    expect(apply("Add", {}, [1, 5], [null, 5]).output).toEqual([1, 5]);
  });
});

test("Concat sums along its axis", () => {
  expect(apply("Concat", { axis: -1 }, [null, 5, 3], [null, 5, 4], [null, 5, 2]).output).toEqual([
    null,
    5,
    9,
  ]);
  expect(apply("Concat", { axis: 1 }, [null, null, 3], [null, 5, 3]).output).toEqual([null, null, 3]);
  expect(() => apply("Concat", { axis: 1 }, [null, 5, 3], [null, 5, 4])).toThrow("differ besides axis 1");
});

test("Dot drops the summed axes", () => {
  expect(apply("Dot", { axes: 1 }, [null, 4], [null, 4]).output).toEqual([null, 1]);
  expect(apply("Dot", { axes: [2, 1] }, [null, 5, 4], [null, 4, 6]).output).toEqual([null, 5, 6]);
  expect(() => apply("Dot", { axes: 1 }, [null, 4], [null, 3])).toThrow("4 against 3");
});
