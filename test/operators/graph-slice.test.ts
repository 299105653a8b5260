import { describe, expect, test } from "vitest";
import { addDims, type Dim, floorDivideDim } from "../../src/ir/dim.ts";
import { formatShape } from "../../src/ir/shape.ts";
import { symbol } from "../../src/ir/symbolic-dim.ts";
import { named, run } from "./run-operator.ts";

const seq = symbol("seq");

function sliced(dim: Dim, start: Dim, end: Dim, step: Dim = 1): string {
  const bounds = Object.entries({ starts: start, ends: end, axes: 0, steps: step });
  const inputs = bounds.map(([name, value]) => named(name, [1], [value]));
  return formatShape(run({ operator: "GraphSlice" }, named("data", [dim]), ...inputs).shapes[0] ?? null);
}

test("bounds count from either end and stop at the ends", () => {
  expect(sliced(10, 2, 5)).toBe("(3)");
  expect(sliced(10, -3, 2 ** 31 - 1)).toBe("(3)");
  expect(sliced(10, -30, Number.MAX_SAFE_INTEGER, 3)).toBe("(4)");
  expect(sliced(10, 0, -1)).toBe("(9)");
  expect(sliced(10, 7, 2)).toBe("(0)");
  expect(sliced(10, 20, 30)).toBe("(0)");
  expect(sliced(10, -1, Number.MIN_SAFE_INTEGER, -1)).toBe("(10)");
  expect(sliced(10, 20, 0, -4)).toBe("(3)");
  expect(sliced(0, 0, 5)).toBe("(0)");
  expect(() => sliced(10, 0, 5, 0)).toThrow("steps of 0");
});

describe("named sizes", () => {
  test("clamp where they may be smaller than a bound", () => {
    expect(sliced(seq, 0, 5)).toBe("(min(seq, 5))");
    expect(sliced(seq, 1, 2 ** 31 - 1)).toBe("(seq - 1)");
    expect(sliced(seq, 2, 2 ** 31 - 1)).toBe("(max(seq - 2, 0))");
    expect(sliced(seq, -1, 2 ** 31 - 1)).toBe("(1)");
    expect(sliced(seq, -4, 2 ** 31 - 1)).toBe("(min(seq, 4))");
    expect(sliced(seq, 0, -1)).toBe("(seq - 1)");
  });

  test("go by steps, forwards and backwards", () => {
    expect(sliced(seq, 0, 2 ** 31 - 1, 2)).toBe("(floor((seq - 1)/2) + 1)");
    expect(sliced(seq, -1, Number.MIN_SAFE_INTEGER, -1)).toBe("(seq)");
  });

  test("are bounds too", () => {
    expect(sliced(10, 0, seq)).toBe("(min(seq, 10))");
    expect(sliced(seq, 0, seq)).toBe("(seq)");
    expect(sliced(seq, floorDivideDim(seq, 2), seq)).toBe("(seq - floor(seq/2))");
    // Nobody knows from which end this counts.
    expect(sliced(seq, addDims(seq, -5), seq)).toBe("(?)");
    expect(sliced(seq, null, 5)).toBe("(?)");
  });
});

test("elements move with their places", () => {
  const data = named("data", [2, 2], [1, 2, 3, seq]);
  const inputs = Object.entries({ starts: -1, ends: Number.MIN_SAFE_INTEGER, axes: 0, steps: -1 }).map(
    ([name, value]) => named(name, [1], [value]),
  );
  expect(run({ operator: "GraphSlice" }, data, ...inputs).values).toEqual([[3, seq, 1, 2]]);
  expect(
    run({ operator: "GraphSlice", attributes: { starts: [1], ends: [9], axes: [1] } }, data).values,
  ).toEqual([[2, seq]]);
});
