import { describe, expect, test } from "vitest";
import type { Dim } from "../../src/ir/dim.ts";
import type { DType } from "../../src/ir/dtype.ts";
import { addExpressions, symbol } from "../../src/ir/symbolic-dim.ts";
import { known, tensor, types, elements as value } from "./run-rule.ts";

const h = symbol("h");
const ints = (...elements: readonly Dim[]) => known("int64", [elements.length], elements);
const floats = (...elements: readonly Dim[]) => known("float32", [elements.length], elements);
const scalar = (element: Dim, dtype: DType = "int64") => known(dtype, [], element);

describe("values known without running the model", () => {
  test("lists with named sizes are added and multiplied, a scalar or a list of one stretched", () => {
    expect(value("TensorAdd", [ints(h, 3), scalar(1)])).toBe("h + 1 4");
    expect(value("TensorMultiply", [ints(2), ints(h, 8, null)])).toBe("2*h 16 ?");
    expect(value("TensorSubtract", [ints(h, h), ints(h, 1)])).toBe("0 h - 1");
  });

  test("operands of two axes are broadcast in row-major order", () => {
    const column = known("int64", [2, 1], [10, 20]);
    const row = known("int64", [1, 3], [1, 2, h]);
    expect(value("TensorAdd", [column, row])).toBe("11 12 h + 10 21 22 h + 20");
  });

  test("whole numbers divide toward zero, a named size as far as it is known to be positive", () => {
    expect(value("GraphDivide", [ints(-7, 7, h), scalar(2)])).toBe("-3 3 floor(h/2)");
    const signed = addExpressions(h, -5);
    expect(value("GraphDivide", [ints(signed), scalar(2)])).toBe("?");
    expect(value("GraphDivide", [ints(4), scalar(0)])).toBe("?");
  });

  test("fractions survive, as the element type rounds them", () => {
    expect(value("GraphDivide", [floats(1, 7), scalar(2, "float32")])).toBe("0.5 3.5");
    expect(value("TensorMultiply", [floats(7), floats(0.1)])).toBe(String(Math.fround(7 * Math.fround(0.1))));
    expect(value("Floor", [floats(3.5, -0.5, h)])).toBe("3 -1 h");
    expect(value("Round", [floats(0.5, 1.5, 2.5, -1.5)])).toBe("0 2 2 -2");
    expect(value("GraphDivide", [floats(h), scalar(2, "float32")])).toBe("0.5*h");
    expect(value("GraphDivide", [floats(h), scalar(3, "float32")])).toBe("?");
    expect(value("TensorAdd", [known("float16", [], 0.5), known("float16", [], 1)])).toBe("?");
  });

  test("what overflows the element type is unknown", () => {
    expect(value("TensorAdd", [scalar(255, "uint8"), scalar(1, "uint8")])).toBe("?");
    expect(value("TensorMultiply", [scalar(2 ** 52), scalar(4)])).toBe("?");
  });

  test("comparisons of named sizes, where they hold for all sizes", () => {
    expect(value("Equal", [ints(h, h, h, 3), ints(h, 0, 5, 3)])).toBe("1 0 ? 1");
    expect(value("Less", [ints(h, 0, h), ints(h, h, 7)])).toBe("0 1 ?");
    expect(value("GreaterEqual", [ints(h), scalar(1)])).toBe("1");
    expect(value("LogicalAnd", [known("bool", [2], [0, 1]), known("bool", [2], [null, null])])).toBe("0 ?");
  });

  test("extremes, remainders, powers, means and bounds", () => {
    expect(value("TensorMaximum", [ints(h), ints(1), ints(0)])).toBe("h");
    expect(value("GraphModulo", [ints(-7), ints(3)])).toBe("2");
    expect(value("GraphModulo", [ints(-7), ints(3)], { truncated: true })).toBe("-1");
    expect(value("GraphPower", [ints(h, 2), ints(2, 10)])).toBe("h^2 1024");
    expect(value("GraphMean", [floats(1), floats(2)])).toBe("1.5");
    expect(value("GraphClip", [ints(-3, 9), { ...scalar(5), name: "max" }], { min: 0 })).toBe("0 5");
  });

  test("nothing is known of the result when an operand is not known, or it is long", () => {
    expect(value("TensorAdd", [ints(1, 2), tensor("int64", [2])])).toBe("none");
    const long = known("int64", [20, 1], new Array<Dim>(20).fill(1));
    const wide = known("int64", [1, 20], new Array<Dim>(20).fill(1));
    expect(value("TensorAdd", [long, wide])).toBe("none");
    const many = new Array<ReturnType<typeof scalar>>(200_000).fill(scalar(1));
    expect(value("TensorAdd", many)).toBe("none");
  });
});

describe("types", () => {
  test("a power has the type of its base, a division of whole numbers is whole", () => {
    expect(types("GraphPower", [tensor("int32", [2]), tensor("float32", [])])).toEqual(["int32 (2)"]);
    expect(types("GraphDivide", [tensor("int64", [2]), tensor("int64", [1])])).toEqual(["int64 (2)"]);
    expect(types("GraphBitwise", [tensor("uint8", [2, 1]), tensor("uint8", [3])])).toEqual(["uint8 (2, 3)"]);
  });

  test("before opset 7 the second operand begins at an axis of the first", () => {
    const x = tensor("float32", [2, 3, 4, h]);
    expect(types("TensorAdd", [x, tensor("float32", [3, 4])], { axis: 1 })).toEqual(["float32 (2, 3, 4, h)"]);
    expect(types("Less", [x, tensor("float32", [2])], { axis: 0 })).toEqual(["bool (2, 3, 4, h)"]);
    expect(() => types("TensorAdd", [x, tensor("float32", [h, 2])], { axis: 3 })).toThrow("does not fit");
  });

  test("the mask of Dropout, whose type changed", () => {
    expect(types("GraphDropout", [tensor("float16", [h])], { mask: "bool" })).toEqual([
      "float16 (h)",
      "bool (h)",
    ]);
    expect(types("GraphDropout", [tensor("float16", [h])])[1]).toBe("float16 (h)");
  });

  test("a border, or a stated size, cut from an image", () => {
    const image = tensor("float32", [1, 3, h, 32]);
    expect(types("GraphCrop", [image], { border: [1, 2, 3, 4] })).toEqual(["float32 (1, 3, h - 6, 28)"]);
    expect(types("GraphCrop", [image], { border: [1, 2, 3, 4], scale: [8, 9] })).toEqual([
      "float32 (1, 3, 8, 9)",
    ]);
  });
});
