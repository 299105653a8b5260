import { describe, expect, test } from "vitest";
import type { OnnxDim, OnnxValue } from "../../../importers/onnx/proto.ts";
import { SizeNames } from "../../../importers/onnx/size-names.ts";
import { formatDim } from "../../../src/ir/dim.ts";
import { symbol } from "../../../src/ir/symbolic-dim.ts";

function input(...shape: OnnxDim[]): OnnxValue {
  return { name: "x", type: { kind: "tensor", dtype: "float32", shape }, metadata: new Map() };
}

const sizes = new SizeNames([input("batch", "h", 3), input("past_length", "size", "input.1")]);

describe("arithmetic on names of inputs", () => {
  // The first four as torch.onnx.export (2.13, dynamo) and the last two as transformers' exporters write them.
  test.each([
    ["2*h", "2*h"],
    ["((h - 3)//2) + 1", "floor((h - 1)/2)"],
    ["TruncToInt(0.5*ToFloat(h))", "floor(h/2)"],
    ["s34*s56", "s34*s56"],
    ["floor(h/2)+1", "floor(h/2) + 1"],
    ["2*input.1", "2*input.1"],
    ["past_length + 1", "past_length + 1"],
    ["batch*2", "2*batch"],
  ])("%s", (text, expected) => {
    expect(formatDim(sizes.read(text))).toBe(expected);
    expect(sizes.read(text)).not.toEqual(symbol(text));
  });
});

test.each([
  "batch",
  "s0",
  "oo",
  "batch-size",
  "a*b",
  "total + batch",
  "2*",
  "(batch",
  "batch/3",
  "batch size",
  "2*3",
  "__proto__*2",
  "constructor(batch)",
  "2**batch",
  `${"(".repeat(3000)}h`,
  `h${"+h".repeat(100_000)}`,
])("%.30s is a name", (text) => expect(sizes.read(text)).toEqual(symbol(text)));

test.each(["", "?", "-1", "None", "*"])("%j is no name", (text) => expect(sizes.read(text)).toBeNull());

test("what nobody named is unknown to people, and the same size", () => {
  expect(sizes.read("unk__7")).toEqual(symbol("?unk__7"));
});
