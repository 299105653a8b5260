import { expect, test } from "vitest";
import { apply } from "./apply-operator.ts";

test("activations leave shapes alone", () => {
  for (const name of ["Activation", "Relu", "Softmax", "Dropout", "Identity"]) {
    expect(apply(name, {}, [null, null, 3])).toEqual({ output: [null, null, 3], weights: {}, parameters: 0 });
  }
});

test("learned activations have a weight for each element, one along shared axes", () => {
  expect(apply("PRelu", {}, [null, 5, 6, 7]).weights.alpha).toEqual([5, 6, 7]);
  expect(apply("PRelu", { sharedAxes: [1, 2] }, [null, 5, 6, 7]).weights.alpha).toEqual([1, 1, 7]);
  expect(apply("PRelu", { sharedAxes: [-2] }, [null, 5, 6, 7]).weights.alpha).toEqual([5, 1, 7]);
  expect(apply("SRelu", {}, [null, 5]).parameters).toBe(20);
  expect(() => apply("PRelu", { sharedAxes: [4] }, [null, 5])).toThrow("axis 4 does not exist");
});
