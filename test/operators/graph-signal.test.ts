import { expect, test } from "vitest";
import type { Dim } from "../../src/ir/dim.ts";
import { symbol } from "../../src/ir/symbolic-dim.ts";
import { known, named, tensor, types } from "./run-rule.ts";

const h = symbol("h");
const number = (name: string, value: Dim) => named(name, known("int64", [], value));

test("a transform has its length, half of it and 1, or twice the half", () => {
  const real = tensor("float32", [2, h, 1]);
  expect(types("GraphDft", [real])).toEqual(["float32 (2, h, 2)"]);
  expect(types("GraphDft", [real], { onesided: true })).toEqual(["float32 (2, floor(h/2) + 1, 2)"]);
  expect(types("GraphDft", [real, number("length", 16)], { onesided: true })).toEqual(["float32 (2, 9, 2)"]);
  const half = tensor("float32", [2, 9, 2]);
  expect(types("GraphDft", [half], { onesided: true, inverse: true })).toEqual(["float32 (2, 16, 1)"]);
  expect(types("GraphDft", [real, number("axis", 0), number("length", 5)])).toEqual(["float32 (5, h, 2)"]);
});

test("a transform along an axis that is not known, or is that of the complex parts", () => {
  const x = tensor("float32", [2, h, 1]);
  const axis = named("axis", tensor("int64", []));
  expect(types("GraphDft", [x, axis])).toEqual(["float32 (2, h, 2)"]);
  expect(types("GraphDft", [x, axis], { onesided: true })).toEqual(["float32 (?, ?, 2)"]);
  expect(() => types("GraphDft", [x], { axis: -1 })).toThrow("complex");
});

test("frames of a signal", () => {
  const signal = tensor("float32", [h, 128, 1]);
  const step = number("frame_step", 8);
  const length = number("frame_length", 16);
  expect(types("GraphStft", [signal, step, length])).toEqual(["float32 (h, 15, 9, 2)"]);
  const window = named("window", tensor("float32", [16]));
  expect(types("GraphStft", [signal, step, window], { onesided: false })).toEqual(["float32 (h, 15, 16, 2)"]);
  expect(types("GraphStft", [tensor("float32", [2, h]), step, length])).toEqual([
    "float32 (2, floor(h/8) - 1, 9, 2)",
  ]);
  expect(() => types("GraphStft", [signal, step, number("frame_length", 129)])).toThrow("longer");
});

test("windows and mel weights have the size that an input holds", () => {
  expect(types("GraphWindow", [number("size", h)], { dtype: "float32" })).toEqual(["float32 (h)"]);
  expect(types("GraphWindow", [tensor("int64", [])], { dtype: "float64" })).toEqual(["float64 (?)"]);
  expect(() => types("GraphWindow", [number("size", -1)])).toThrow("-1");
  const inputs = [number("num_mel_bins", 8), number("dft_length", 16)];
  expect(types("GraphMelWeights", inputs, { dtype: "float32" })).toEqual(["float32 (9, 8)"]);
});

test("random numbers, and fills of opset 1", () => {
  expect(types("GraphRandom", [], { dtype: "float64", shape: [2, 0] })).toEqual(["float64 (2, 0)"]);
  expect(types("GraphRandomLike", [tensor("int32", [h])], { dtype: null })).toEqual(["int32 (h)"]);
  expect(types("GraphMultinomial", [tensor("float32", [h, 9])], { dtype: "int32", samples: 4 })).toEqual([
    "int32 (h, 4)",
  ]);
  const shape = known("int64", [2], [h, 3]);
  expect(types("GraphGivenFill", [shape], { inputIsShape: true, extra: [7] })).toEqual(["? (h, 3, 7)"]);
  expect(types("GraphGivenFill", [shape])).toEqual(["? (2)"]);
});

test("texts", () => {
  const texts = tensor("string", [1, h]);
  expect(types("GraphNormalizeTexts", [texts])).toEqual(["string (1, h)"]);
  expect(types("GraphNormalizeTexts", [texts], { drops: true })).toEqual(["string (1, ?)"]);
  expect(types("GraphSplitTexts", [texts])).toEqual(["string (1, h, ?)", "int64 (1, h)"]);
  expect(types("GraphCountNgrams", [tensor("int64", [h, 12])], { size: 7 })).toEqual(["float32 (h, 7)"]);
});
