import { describe, expect, test } from "vitest";
import { symbol } from "../../src/ir/symbolic-dim.ts";
import { elements, known, named, tensor, types } from "./run-rule.ts";

const h = symbol("h");
const x = tensor("float16", [2, h, 4]);
const axes = (...list: readonly (number | null)[]) => named("axes", known("int64", [list.length], list));

describe("types", () => {
  test("axes from an attribute or an input, kept as 1 or taken out", () => {
    expect(types("GraphReduce", [x], { function: "sum", axes: [-1] })).toEqual(["float16 (2, h, 1)"]);
    expect(types("GraphReduce", [x, axes(0, 2)], { function: "mean", keepDims: false })).toEqual([
      "float16 (h)",
    ]);
  });

  test("no axes are all of them, unless the node says that they are none", () => {
    expect(types("GraphReduce", [x], { function: "sum" })).toEqual(["float16 (1, 1, 1)"]);
    expect(types("GraphReduce", [x, axes()], { function: "sum", keepDims: false })).toEqual(["float16 ()"]);
    expect(types("GraphReduce", [x, axes()], { function: "sum", emptyKeeps: true })).toEqual([
      "float16 (2, h, 4)",
    ]);
    expect(types("GraphReduce", [x, named("axes", tensor("int64", [0]))], { function: "sum" })).toEqual([
      "float16 (1, 1, 1)",
    ]);
  });

  test("axes that are not known", () => {
    const one = named("axes", tensor("int64", [1]));
    const some = named("axes", tensor("int64", [h]));
    expect(types("GraphReduce", [x, one], { function: "sum" })).toEqual(["float16 (?, ?, ?)"]);
    expect(types("GraphReduce", [x, one], { function: "sum", keepDims: false })).toEqual(["float16 (?, ?)"]);
    expect(types("GraphReduce", [x, some], { function: "sum", keepDims: false })).toEqual(["float16 ?"]);
    expect(types("GraphReduce", [x, axes(null)], { function: "sum", keepDims: false })).toEqual([
      "float16 (?, ?)",
    ]);
  });

  test("an axis that does not exist", () => {
    expect(() => types("GraphReduce", [x, axes(3)], { function: "sum" })).toThrow("does not exist");
  });
});

describe("values", () => {
  const shape = known("int64", [4], [h, 3, 8, 8]);

  test("the number of elements, its largest and its smallest dimension", () => {
    expect(elements("GraphReduce", [shape], { function: "prod", keepDims: false })).toBe("192*h");
    expect(elements("GraphReduce", [shape], { function: "sum" })).toBe("h + 19");
    expect(elements("GraphReduce", [known("int64", [3], [h, 1, 1])], { function: "max" })).toBe("h");
    expect(elements("GraphReduce", [known("float32", [2], [1, 2])], { function: "mean" })).toBe("1.5");
  });

  test("along one of two axes", () => {
    const table = known("int64", [2, 3], [1, 2, 3, 4, h, 6]);
    expect(elements("GraphReduce", [table], { function: "sum", axes: [0] })).toBe("5 h + 2 9");
    expect(elements("GraphReduce", [table], { function: "prod", axes: [1], keepDims: false })).toBe("6 24*h");
  });

  test("functions that are not folded, and an unknown element", () => {
    expect(elements("GraphReduce", [shape], { function: "l2" })).toBe("none");
    expect(elements("GraphReduce", [known("int64", [2], [4, null])], { function: "prod" })).toBe("?");
  });
});
