import { expect, test } from "vitest";
import { apply } from "./apply-operator.ts";

test("BatchNormalization: four vectors of the channels, gamma and beta unless switched off", () => {
  expect(apply("BatchNormalization", { axes: [-1] }, [null, 7, 7, 64])).toMatchObject({
    output: [null, 7, 7, 64],
    parameters: 256,
  });
  const bare = apply("BatchNormalization", { axes: [1], scale: false }, [null, 5, 7, 7]);
  expect(bare.weights).toEqual({ beta: [5], "moving-mean": [5], "moving-variance": [5] });
  expect(apply("BatchNormalization", { renorm: true }, [null, 5]).parameters).toBe(7 * 5);
});

test("BatchNormalization over several axes keeps the rank (Keras 2)", () => {
  expect(apply("BatchNormalization", { axes: [1, 3] }, [null, 5, 6, 7]).weights.gamma).toEqual([1, 5, 1, 7]);
});

test("LayerNormalization has the normalised axes", () => {
  expect(apply("LayerNormalization", { axes: [-2, -1] }, [null, 5, 7]).weights).toEqual({
    gamma: [5, 7],
    beta: [5, 7],
  });
  expect(apply("RMSNormalization", {}, [null, 5, 7]).weights).toEqual({ gamma: [7] });
});

test("GroupNormalization has the channels, which groups divide", () => {
  expect(apply("GroupNormalization", { groups: 4 }, [null, 6, 8]).weights).toEqual({ gamma: [8], beta: [8] });
  expect(apply("GroupNormalization", { groups: -1 }, [null, 6, 8]).parameters).toBe(16);
  expect(() => apply("GroupNormalization", { groups: 3 }, [null, 6, 8])).toThrow(
    "8 channels cannot be divided into 3 groups",
  );
});

test("Standardization keeps its axes in order, and nothing when its numbers are given", () => {
  expect(apply("Standardization", { axes: [-1, 1] }, [null, 5, 6, 3]).weights).toEqual({
    mean: [5, 3],
    variance: [5, 3],
    count: [],
  });
  expect(apply("Standardization", { axes: [] }, [null, 5]).weights.mean).toEqual([]);
  expect(apply("Standardization", { adapted: false }, [null, 5]).weights).toEqual({});
});

test("an axis must exist", () => {
  expect(() => apply("LayerNormalization", { axes: [3] }, [null, 5])).toThrow(
    "axis 3 does not exist in a tensor of rank 2",
  );
});
