import { expect, test } from "vitest";
import { symbol } from "../../src/ir/symbolic-dim.ts";
import { named, tensor, types } from "./run-rule.ts";

const h = symbol("h");

test("Gemm turns its operands and keeps what is named", () => {
  const input = named("input", tensor("float32", [h, 3]));
  const kernel = named("kernel", tensor("float32", [5, 3]));
  expect(types("Gemm", [input, kernel], { transposeB: true })).toEqual(["float32 (h, 5)"]);
  expect(types("Gemm", [named("input", tensor(null, null)), kernel])).toEqual(["float32 (?, 3)"]);
  expect(() => types("Gemm", [input, kernel])).toThrow("do not multiply");
});

test("a matrix product broadcasts what is before the matrices, and takes vectors", () => {
  const product = (a: readonly (number | typeof h)[], b: readonly (number | typeof h)[]) =>
    types("GraphMatmul", [named("a", tensor("int32", a)), named("b", tensor("int32", b))]);
  expect(product([h, 1, 2, 3], [4, 3, 5])).toEqual(["int32 (h, 4, 2, 5)"]);
  expect(product([3], [h, 3, 5])).toEqual(["int32 (h, 5)"]);
  expect(product([2, h], [h])).toEqual(["int32 (2)"]);
});

test("an axis of an Einstein sum that has a name in one operand and a number in another is the number", () => {
  const operands = [tensor("float32", [2, h]), tensor("float32", [7, 5])];
  expect(types("Einsum", operands, { equation: "ij,jk->ijk" })).toEqual(["float32 (2, 7, 5)"]);
});

test("a loss is a number, or one for each label", () => {
  const inputs = [
    named("scores", tensor("float32", [null, 10, h])),
    named("labels", tensor("int64", [8, null])),
  ];
  expect(types("GraphClassLoss", inputs)).toEqual(["float32 ()", "float32 (?, 10, h)"]);
  expect(types("GraphClassLoss", inputs, { each: true })[0]).toBe("float32 (8, h)");
});

test("a training step changes some groups of tensors", () => {
  const scalars = [tensor("float32", []), tensor("int64", [])];
  const groups = [[2], [3, h], [2], [3, h], [2], [3, h]].map((shape) => tensor("float32", shape));
  expect(
    types("GraphOptimizerStep", [...scalars, ...groups], { before: 2, groups: 3, updated: [0, 2] }),
  ).toEqual(["float32 (2)", "float32 (3, h)", "float32 (2)", "float32 (3, h)"]);
  expect(() => types("GraphOptimizerStep", groups, { before: 2, groups: 3, updated: [0] })).toThrow("groups");
  expect(types("GraphGradient", groups, { count: 2 })).toEqual(["float32 (2)", "float32 (3, h)"]);
});
