import { expect, test } from "vitest";
import { apply } from "./apply-operator.ts";

test("strides are the window's size unless stated", () => {
  expect(apply("MaxPool", { kernelSize: [2, 2] }, [null, 75, 75, 5]).output).toEqual([null, 37, 37, 5]);
  expect(apply("MaxPool", { kernelSize: [3, 3], strides: [2, 2] }, [null, 55, 55, 96]).output).toEqual([
    null,
    27,
    27,
    96,
  ]);
  expect(apply("AveragePool", { kernelSize: [2], padding: "same" }, [null, 7, 3]).output).toEqual([
    null,
    4,
    3,
  ]);
  const first = { kernelSize: [2, 2], layout: "channels-first" };
  expect(apply("MaxPool", first, [null, 8, 10, null]).output).toEqual([null, 8, 5, null]);
});

test("global pooling leaves the channels", () => {
  expect(apply("GlobalAveragePool", { spatialRank: 2 }, [null, 7, 7, 512]).output).toEqual([null, 512]);
  expect(
    apply("GlobalMaxPool", { spatialRank: 2, keepDims: true, layout: "channels-first" }, [2, 9, 4, 4]).output,
  ).toEqual([2, 9, 1, 1]);
});

test("adaptive pooling gives the size asked for", () => {
  expect(apply("AdaptiveMaxPool", { outputSize: [3, 5] }, [null, null, 9, 4]).output).toEqual([
    null,
    3,
    5,
    4,
  ]);
});

test("refuses ranks and windows that do not fit", () => {
  expect(() => apply("MaxPool", { kernelSize: [2, 2] }, [null, 8, 3])).toThrow("should have rank 4");
  expect(() => apply("MaxPool", { kernelSize: [9, 9] }, [null, 8, 8, 3])).toThrow(
    "does not fit into a length of 8",
  );
});
