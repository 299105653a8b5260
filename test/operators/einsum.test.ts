import { describe, expect, test } from "vitest";
import { apply } from "./apply-operator.ts";

// Equations and shapes of fixtures/keras/zoo, as both Kerases measured them.
describe("EinsumLinear", () => {
  test("kernel and bias follow the letters", () => {
    const heads = { equation: "abc,cde->abde", outputShape: [null, 2, 6], biasAxes: "de" };
    expect(apply("EinsumLinear", heads, [null, 5, 7])).toMatchObject({
      output: [null, 5, 2, 6],
      weights: { kernel: [7, 2, 6], bias: [2, 6] },
    });
    const inner = { equation: "abc,cde->abde", outputShape: [null, 2, 6], biasAxes: "d" };
    expect(apply("EinsumLinear", inner, [null, 5, 7]).weights.bias).toEqual([2, 1]);
  });

  test("an ellipsis stands for any number of axes", () => {
    const left = { equation: "...x,xy->...y", outputShape: 6, biasAxes: "y" };
    expect(apply("EinsumLinear", left, [null, 3, 5, 7])).toMatchObject({
      output: [null, 3, 5, 6],
      weights: { bias: [6] },
    });
    const right = { equation: "ax...,xy->ay...", outputShape: [6], biasAxes: "y" };
    expect(apply("EinsumLinear", right, [null, 7, 3, 5])).toMatchObject({
      output: [null, 6, 3, 5],
      weights: { kernel: [7, 6], bias: [6, 1, 1] },
    });
  });

  test("as Keras 3 says it: what is not stated is unknown, elided axes come reversed", () => {
    const stated = { equation: "abc,cd->abd", outputShape: [null, 6], outputFrom: "output-shape" };
    expect(apply("EinsumLinear", stated, [null, 5, 7]).output).toEqual([null, null, 6]);
    const left = { equation: "...x,xy->...y", outputShape: 6, outputFrom: "output-shape" };
    expect(apply("EinsumLinear", left, [null, 3, 5, 7]).output).toEqual([null, 5, 3, 6]);
  });

  test("int8 scales have 1 for summed and missing axes", () => {
    const attributes = {
      equation: "abc,cde->abde",
      outputShape: [null, 2, 6],
      quantization: { mode: "int8" },
    };
    expect(apply("EinsumLinear", attributes, [null, 5, 7]).weights["kernel-scale"]).toEqual([1, 1, 2, 6]);
  });

  test.each([
    ["ab,bc", [6], '"ab,bc" is not an equation'],
    ["abc,cz->abc", [5, 7], "is in the kernel alone"],
    ["abc,cb->abz", [5, 7], "is in the output alone"],
    ["abc,cd->abd", [4, 6], "has 5 elements in the input and 4 in the output"],
    ["a,ab->b", [6], "does not fit an input of rank 3"],
  ])("refuses %s", (equation, outputShape, message) => {
    expect(() => apply("EinsumLinear", { equation, outputShape }, [null, 5, 7])).toThrow(message);
  });
});
