import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../src/ir/graph.ts";
import type { Shape } from "../../src/ir/shape.ts";
import { named, run } from "./run-operator.ts";

function one(operator: string, attributes: JsonObject, ...shapes: readonly Shape[]): Shape {
  return run({ operator, attributes }, ...shapes).shapes[0] ?? null;
}

describe("reshape", () => {
  test("works -1 out where all is known", () => {
    expect(one("TensorReshape", { shape: [-1, 6] }, [4, 3, 2])).toEqual([4, 6]);
    expect(one("TensorReshape", { shape: [-1, 6] }, [null, 3, 2])).toEqual([null, 6]);
    expect(() => one("TensorReshape", { shape: [5, -1] }, [4, 3])).toThrow("does not fit");
    expect(() => one("TensorReshape", { shape: [-1, -1] }, [4])).toThrow("more than one -1");
  });

  test("takes sizes from tensors whose values are known", () => {
    const part = { operator: "TensorReshape", attributes: { shape: [null, 24] } };
    expect(run(part, named("x", [2, 6, 4]), named("shape", [], 2)).shapes).toEqual([[2, 24]]);
    expect(
      run({ operator: "TensorReshape" }, named("x", [2, 6, 4]), named("shape", [2], [2, 24])).shapes,
    ).toEqual([[2, 24]]);
    expect(run({ operator: "TensorReshape" }, named("x", [2, 6, 4]), named("shape", [3])).shapes).toEqual([
      [null, null, null],
    ]);
  });
});

test("axes in another order", () => {
  expect(one("Transpose", {}, [null, 6, 4])).toEqual([4, 6, null]);
  expect(one("Transpose", { axes: [0, -1, 1] }, [null, 6, 4])).toEqual([null, 4, 6]);
  expect(one("MoveAxes", { source: [0, 1], destination: [-1, 0] }, [2, 3, 4])).toEqual([3, 4, 2]);
  expect(() => one("Transpose", { axes: [0, 0, 1] }, [2, 3, 4])).toThrow("no permutation");
});

test("axes of size 1 come and go", () => {
  expect(one("ExpandDims", { axis: [0, -1] }, [null, 4])).toEqual([1, null, 4, 1]);
  expect(one("Squeeze", { axis: 1 }, [null, 1, 4])).toEqual([null, 4]);
  expect(one("Squeeze", { keepUnknown: true }, [null, 1, 4])).toEqual([null, 4]);
  expect(one("Squeeze", {}, [null, 1, 4])).toBeNull();
  expect(() => one("Squeeze", { axis: 1 }, [null, 2])).toThrow("is not 1");
});

test("more of the same", () => {
  expect(one("Tile", { repeats: [2] }, [null, 3])).toEqual([null, 6]);
  expect(one("Repeat", { repeats: [1, 2, 3], axis: 1 }, [null, 3])).toEqual([null, 6]);
  expect(
    one(
      "TensorPad",
      {
        padWidth: [
          [0, 0],
          [1, 2],
        ],
      },
      [null, 3],
    ),
  ).toEqual([null, 6]);
  expect(() => one("Repeat", { repeats: [1, 2], axis: 1 }, [null, 3])).toThrow("2 repeats for 3");
});
