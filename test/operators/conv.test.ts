import { describe, expect, test } from "vitest";
import { RuleError } from "../../src/operators/operator.ts";
import { apply } from "./apply-operator.ts";

describe("Conv", () => {
  test("AlexNet: explicit padding, strides and groups", () => {
    const first = apply("Conv", { kernelSize: [11, 11], strides: [4, 4], filters: 96 }, [null, 227, 227, 3]);
    expect(first).toMatchObject({ output: [null, 55, 55, 96], parameters: 34_944 });
    const pads = [
      [2, 2],
      [2, 2],
    ];
    const second = apply("Conv", { kernelSize: [5, 5], padding: pads, filters: 256, groups: 2 }, [
      null,
      27,
      27,
      96,
    ]);
    expect(second).toMatchObject({ output: [null, 27, 27, 256], parameters: 307_456 });
  });

  test("same keeps ceil(n / stride) positions, valid those that fit, causal as many as same", () => {
    const lengths = (padding: string, strides: number, dilations: number) =>
      apply("Conv", { kernelSize: [3], filters: 4, padding, strides, dilations }, [null, 11, 5]).output?.[1];
    expect([lengths("same", 2, 1), lengths("valid", 2, 1), lengths("causal", 1, 4)]).toEqual([6, 5, 11]);
    expect([lengths("valid", 1, 4), lengths("full", 1, 1)]).toEqual([3, 13]);
  });

  test("unknown lengths and channels stay unknown", () => {
    const known = apply("Conv", { kernelSize: [3, 3], filters: 8 }, [null, null, 10, 3]);
    expect(known).toMatchObject({ output: [null, null, 8, 8], parameters: 224 });
    const unknown = apply("Conv", { kernelSize: [3, 3], filters: 8 }, [null, 10, 10, null]);
    expect(unknown.weights.kernel).toEqual([3, 3, null, 8]);
    expect(apply("Conv", { kernelSize: [3, 3], filters: 8 }, null)).toMatchObject({
      output: null,
      weights: { kernel: [3, 3, null, 8], bias: [8] },
    });
  });

  test("kernels of Keras 1: Theano ordering, and Conv1D as a 2-D convolution", () => {
    const theano = {
      kernelSize: [3, 5],
      filters: 32,
      layout: "channels-first",
      kernelLayout: "out-in-spatial",
    };
    expect(apply("Conv", theano, [null, 1, 28, 28])).toMatchObject({
      output: [null, 32, 26, 24],
      weights: { kernel: [32, 1, 3, 5] },
    });
    const flat = { kernelSize: [3], filters: 16, kernelLayout: "spatial-1-in-out" };
    expect(apply("Conv", flat, [null, 10, 8]).weights.kernel).toEqual([3, 1, 8, 16]);
  });

  test("several axes before the spatial ones (Keras 2)", () => {
    expect(apply("Conv", { kernelSize: [3, 3], filters: 2 }, [null, 4, 10, 10, 3]).output).toEqual([
      null,
      4,
      8,
      8,
      2,
    ]);
  });

  test("a low-rank update adds two factors", () => {
    const { weights } = apply("Conv", { kernelSize: [3, 3], filters: 8, loraRank: 2 }, [null, 9, 9, 4]);
    expect(weights).toMatchObject({ "lora-a": [3, 3, 4, 2], "lora-b": [2, 8] });
  });

  test.each([
    [
      "a window larger than its input",
      { kernelSize: [5, 5], filters: 2 },
      "reaches over 5 does not fit into a length of 4",
    ],
    ["groups that do not divide the channels", { kernelSize: [1, 1], filters: 4, groups: 2 }, "3 channels"],
    ["filters that groups do not divide", { kernelSize: [1, 1], filters: 3, groups: 2 }, "3 filters"],
    ["no filters", { kernelSize: [1, 1], filters: 0 }, '"filters"'],
    ["a stride of 0", { kernelSize: [1, 1], filters: 1, strides: 0 }, '"strides"'],
    ["padding nobody knows", { kernelSize: [1, 1], filters: 1, padding: "wrap" }, '"wrap"'],
  ])("refuses %s", (_, attributes, message) => {
    expect(() => apply("Conv", attributes, [null, 4, 4, 3])).toThrow(RuleError);
    expect(() => apply("Conv", attributes, [null, 4, 4, 3])).toThrow(message);
  });
});

describe("ConvTranspose", () => {
  // Keras 3.15 backend_utils._get_output_shape_given_tf_padding.
  test.each([
    ["valid", 2, null, 13],
    ["valid", 5, null, 30],
    ["valid", 2, 1, 14],
    ["same", 2, null, 12],
    ["same", 2, 0, 11],
    ["same", 2, 1, 12],
  ])("%s, stride %i, output padding %s: length 6 becomes %i", (padding, strides, outputPadding, expected) => {
    const attributes = { kernelSize: [3], filters: 4, padding, strides, outputPadding };
    expect(apply("ConvTranspose", attributes, [null, 6, 5])).toMatchObject({
      output: [null, expected, 4],
      weights: { kernel: [3, 4, 5], bias: [4] },
    });
  });

  test("lengths stated outright (Keras 1)", () => {
    const attributes = {
      kernelSize: [3, 3],
      filters: 3,
      outputSize: [14, 14],
      kernelLayout: "spatial-in-out",
    };
    expect(apply("ConvTranspose", attributes, [null, 12, 12, 5])).toMatchObject({
      output: [null, 14, 14, 3],
      weights: { kernel: [3, 3, 5, 3] },
    });
  });
});

test("DepthwiseConv multiplies channels", () => {
  expect(
    apply("DepthwiseConv", { kernelSize: [3, 3], multiplier: 2, padding: "same" }, [null, 7, 7, 5]),
  ).toMatchObject({
    output: [null, 7, 7, 10],
    weights: { kernel: [3, 3, 5, 2], bias: [10] },
  });
});

test("SeparableConv has two kernels", () => {
  expect(
    apply("SeparableConv", { kernelSize: [3, 3], multiplier: 2, filters: 6 }, [null, 7, 7, 5]),
  ).toMatchObject({
    output: [null, 5, 5, 6],
    weights: { "depthwise-kernel": [3, 3, 5, 2], "pointwise-kernel": [1, 1, 10, 6], bias: [6] },
  });
});
