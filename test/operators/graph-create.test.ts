import { describe, expect, test } from "vitest";
import type { DType } from "../../src/ir/dtype.ts";
import { formatShape } from "../../src/ir/shape.ts";
import { symbol } from "../../src/ir/symbolic-dim.ts";
import { named, run } from "./run-operator.ts";

const seq = symbol("seq");

test("a constant is what stands in the file", () => {
  const attributes = { dtype: "int64", shape: [2, 1], values: [3, 4] };
  const { shapes, values } = run({ operator: "Constant", attributes });
  expect([shapes, values]).toEqual([[[2, 1]], [[3, 4]]]);
  const filled = { operator: "ConstantOfShape", attributes: { dtype: "int64", shape: [1], values: [7] } };
  expect(run(filled, named("shape", [1], [2])).values).toEqual([[7, 7]]);
  expect(run(filled, named("shape", [2], [2, seq])).shapes).toEqual([[2, seq]]);
  expect(run(filled, named("shape", [0], [])).values).toEqual([7]);
  expect(() => run(filled, named("shape", [1], [-2]))).toThrow("-2 is no size");
});

describe("casting", () => {
  const cast = (dtype: DType, ...values: readonly unknown[]) =>
    run({ operator: "GraphCast", attributes: { dtype } }, named("input", [values.length], values)).values[0];

  test("drops fractions, and keeps named sizes", () => {
    expect(cast("int64", 2.7, -2.7, seq)).toEqual([2, -2, seq]);
    expect(cast("float32", 3, seq)).toEqual([3, seq]);
    expect(cast("bool", 0, 0.5, seq, null)).toEqual([0, 1, 1, null]);
  });

  test("knows nothing of what the type cannot hold", () => {
    expect(cast("int8", 127, 128, seq)).toEqual([127, null, null]);
    expect(cast("uint8", 255, -1)).toEqual([255, null]);
    expect(cast("float16", 2048, 2049, 0.1)).toEqual([2048, null, null]);
    expect(cast("float32", 16777217)).toEqual([16777216]);
  });

  test("takes the type of another", () => {
    const like = run({ operator: "CastLike" }, named("input", [1], [1.5]), {
      name: "target",
      dtype: "int32",
      shape: [],
    });
    expect(like.values).toEqual([[1]]);
  });
});

describe("ranges", () => {
  const range = (start: unknown, limit: unknown, delta: unknown, dtype: DType = "int64") =>
    run(
      { operator: "GraphRange" },
      { name: "start", dtype, shape: [], value: start },
      { name: "limit", dtype, shape: [], value: limit },
      { name: "delta", dtype, shape: [], value: delta },
    );
  const length = (...bounds: Parameters<typeof range>) => formatShape(range(...bounds).shapes[0] ?? null);

  test("have as many numbers as there are steps", () => {
    expect(range(3, 9, 3).values).toEqual([[3, 6]]);
    expect(range(10, 4, -2).values).toEqual([[10, 8, 6]]);
    expect(length(0, 1, Math.fround(0.1), "float32")).toBe("(10)");
    expect(length(5, 1, 1)).toBe("(0)");
    expect(() => range(0, 1, 0)).toThrow("steps of 0");
  });

  test("go up to named sizes", () => {
    expect(length(0, seq, 1)).toBe("(seq)");
    expect(length(seq, 0, -1)).toBe("(seq)");
    expect(length(0, null, 1)).toBe("(?)");
    expect(length(0, seq, 0.5, "float32")).toBe("(?)");
  });
});
