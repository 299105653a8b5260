import { describe, expect, test } from "vitest";
import { type Dim, formatDim } from "../../src/ir/dim.ts";
import type { DType } from "../../src/ir/dtype.ts";
import type { JsonObject } from "../../src/ir/graph.ts";
import { formatShape, type Shape } from "../../src/ir/shape.ts";
import { addExpressions, symbol } from "../../src/ir/symbolic-dim.ts";
import { operators } from "../../src/operators/index.ts";
import type { Inferred, RuleInput } from "../../src/operators/operator.ts";
import { typedTensor } from "./typed-tensor.ts";

const h = symbol("h");

function run(name: string, inputs: readonly RuleInput[], attributes: JsonObject = {}): Inferred {
  const operator = operators.get(name);
  if (!operator) throw new Error(`there is no operator ${name}`);
  return operator.infer({ attributes: operator.attributes(attributes) as never, inputs, inner: [] });
}

/** The value of the only output, as text. */
function value(name: string, inputs: readonly RuleInput[], attributes: JsonObject = {}): string {
  const [type] = run(name, inputs, attributes).types;
  const found = type && "value" in type ? (type.value as Dim | readonly Dim[]) : undefined;
  if (found === undefined) return "none";
  return Array.isArray(found) ? found.map(formatDim).join(" ") : formatDim(found as Dim);
}

const ints = (...elements: readonly Dim[]) => typedTensor("int64", [elements.length], elements);
const floats = (...elements: readonly Dim[]) => typedTensor("float32", [elements.length], elements);
const scalar = (element: Dim, dtype: DType = "int64") => typedTensor(dtype, [], element);
const unknown = (dtype: DType, shape: Shape): RuleInput => ({ dtype, shape });

describe("values known without running the model", () => {
  test("lists with named sizes are added and multiplied, a scalar or a list of one stretched", () => {
    expect(value("TensorAdd", [ints(h, 3), scalar(1)])).toBe("h + 1 4");
    expect(value("TensorMultiply", [ints(2), ints(h, 8, null)])).toBe("2*h 16 ?");
    expect(value("TensorSubtract", [ints(h, h), ints(h, 1)])).toBe("0 h - 1");
  });

  test("operands of two axes are broadcast in row-major order", () => {
    const column = typedTensor("int64", [2, 1], [10, 20]);
    const row = typedTensor("int64", [1, 3], [1, 2, h]);
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
    expect(value("GraphDivide", [floats(h), scalar(2, "float32")])).toBe("?");
    expect(value("TensorAdd", [typedTensor("float16", [], 0.5), typedTensor("float16", [], 1)])).toBe("?");
  });

  test("what overflows the element type is unknown", () => {
    expect(value("TensorAdd", [scalar(255, "uint8"), scalar(1, "uint8")])).toBe("?");
    expect(value("TensorMultiply", [scalar(2 ** 52), scalar(4)])).toBe("?");
  });

  test("comparisons of named sizes, where they hold for all sizes", () => {
    expect(value("Equal", [ints(h, h, h, 3), ints(h, 0, 5, 3)])).toBe("1 0 ? 1");
    expect(value("Less", [ints(h, 0, h), ints(h, h, 7)])).toBe("0 1 ?");
    expect(value("GreaterEqual", [ints(h), scalar(1)])).toBe("1");
    expect(
      value("LogicalAnd", [typedTensor("bool", [2], [0, 1]), typedTensor("bool", [2], [null, null])]),
    ).toBe("0 ?");
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
    expect(value("TensorAdd", [ints(1, 2), unknown("int64", [2])])).toBe("none");
    const long = typedTensor("int64", [20, 1], new Array<Dim>(20).fill(1));
    const wide = typedTensor("int64", [1, 20], new Array<Dim>(20).fill(1));
    expect(value("TensorAdd", [long, wide])).toBe("none");
  });
});

describe("types", () => {
  test("a power has the type of its base, a division of whole numbers is whole", () => {
    expect(run("GraphPower", [unknown("int32", [2]), unknown("float32", [])]).types[0]?.dtype).toBe("int32");
    expect(run("GraphDivide", [unknown("int64", [2]), unknown("int64", [1])]).types[0]?.dtype).toBe("int64");
  });

  test("before opset 7 the second operand begins at an axis of the first", () => {
    const [type] = run("TensorAdd", [unknown("float32", [2, 3, 4, 5]), unknown("float32", [3, 4])], {
      axis: 1,
    }).types;
    expect(formatShape(type?.shape ?? null)).toBe("(2, 3, 4, 5)");
    expect(() =>
      run("TensorAdd", [unknown("float32", [2, 3]), unknown("float32", [2, 3])], { axis: 1 }),
    ).toThrow("does not fit");
  });
});
