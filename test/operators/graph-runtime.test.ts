import { expect, test } from "vitest";
import { symbol } from "../../src/ir/symbolic-dim.ts";
import { known, named, tensor, types } from "./run-rule.ts";

const n = symbol("n");
const float = (name: string, ...shape: readonly (number | typeof n | null)[]) =>
  named(name, tensor("float32", shape));

test("a spectrum has half of the frequencies, with two parts each; what it is of has twice as many less one", () => {
  expect(types("PairedFourier", [float("input", 2, 8)])).toEqual(["float32 (2, 5, 2)"]);
  expect(types("PairedFourier", [float("input", n)])).toEqual(["float32 (floor(n/2) + 1, 2)"]);
  expect(types("PairedFourier", [float("input", 2, 5, 2)], { inverse: true })).toEqual(["float32 (2, 8)"]);
  expect(() => types("PairedFourier", [float("input", 2)], { inverse: true })).toThrow();
  expect(() => types("PairedFourier", [float("input", 0, 2)], { inverse: true })).toThrow("of nothing");
});

test("a mask of bits has 32 in a number", () => {
  expect(types("BitmaskDropout", [float("input", 5, 9)])).toEqual(["float32 (5, 9)", "uint32 (2)"]);
  expect(types("BitmaskDropout", [float("input", null, 9)])).toEqual(["float32 (?, 9)", "uint32 (?)"]);
});

test("a sparse matrix is multiplied by its logical shape", () => {
  const sparse = {
    dtype: null,
    shape: null,
    of: { container: "sparse", element: tensor("float32", [4, 3]) },
  } as const;
  expect(types("SparseMatMul", [named("sparse", sparse), float("dense", 3, 7)])).toEqual(["float32 (4, 7)"]);
  expect(
    types("SparseMatMul", [named("sparse", sparse), float("dense", 7, 4)], {
      transposeA: true,
      transposeB: true,
    }),
  ).toEqual(["float32 (3, 7)"]);
});

test("numbers in blocks lose their shape, which stands beside them", () => {
  expect(types("QuantizeBlockFloat", [float("x", 2, n)])).toEqual(["uint8 (?)", "int64 (2)", "int64 (2)"]);
  const bytes = named("x", tensor("uint8", [null]));
  expect(
    types("DequantizeBlockFloat", [bytes, named("shape", known("int64", [2], [2, n]))], { dtype: "float16" }),
  ).toEqual(["float16 (2, n)"]);
  expect(
    types("DequantizeBlockFloat", [bytes, named("shape", tensor("int64", [2]))], { dtype: "float16" }),
  ).toEqual(["float16 (?, ?)"]);
  expect(types("DequantizeBlockFloat", [bytes, named("shape", tensor("int64", [2 ** 40]))])).toEqual(["? ?"]);
});
