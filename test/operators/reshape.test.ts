import { expect, test } from "vitest";
import { apply } from "./apply-operator.ts";

test("Flatten", () => {
  expect(apply("Flatten", {}, [null, 75, 75, 5]).output).toEqual([null, 28_125]);
  expect(apply("Flatten", {}, [null]).output).toEqual([null, 1]);
  expect(apply("Flatten", {}, [2, null, 5]).output).toEqual([2, null]);
});

test("Reshape works out one dimension", () => {
  expect(apply("Reshape", { shape: [-1, 4] }, [null, 6, 8]).output).toEqual([null, 12, 4]);
  expect(apply("Reshape", { shape: [-1, 4] }, [null, null, 8]).output).toEqual([null, null, 4]);
  expect(() => apply("Reshape", { shape: [5, 4] }, [null, 6, 8])).toThrow(
    "(6, 8) cannot be reshaped to (5, 4)",
  );
  expect(() => apply("Reshape", { shape: [-1, 0] }, [null, 6, 8])).toThrow("cannot be reshaped");
  expect(() => apply("Reshape", { shape: [-1, -1] }, [null, 6])).toThrow("only one dimension");
});

test("Permute and RepeatVector", () => {
  expect(apply("Permute", { axes: [0, 3, 1, 2] }, [null, 5, 6, 7]).output).toEqual([null, 7, 5, 6]);
  expect(() => apply("Permute", { axes: [0, 2, 2] }, [null, 5, 6])).toThrow("is not an order of 3 axes");
  expect(apply("RepeatVector", { count: 3 }, [null, 5]).output).toEqual([null, 3, 5]);
});

test("Pad, Crop and Upsample change the spatial axes alone", () => {
  const amounts = [
    [1, 2],
    [0, 3],
  ];
  expect(apply("Pad", { amounts }, [null, 5, null, 7]).output).toEqual([null, 8, null, 7]);
  expect(apply("Crop", { amounts, layout: "channels-first" }, [null, 7, 5, 6]).output).toEqual([
    null,
    7,
    2,
    3,
  ]);
  expect(() => apply("Crop", { amounts }, [null, 3, 6, 7])).toThrow("cannot be cut off a length of 3");
  expect(apply("Upsample", { factors: [2, 3] }, [null, 5, 6, 7]).output).toEqual([null, 10, 18, 7]);
});
