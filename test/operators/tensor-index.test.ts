import { describe, expect, test } from "vitest";
import type { Json, JsonObject } from "../../src/ir/graph.ts";
import { sliceLength } from "../../src/operators/tensor-index.ts";
import { named, run } from "./run-operator.ts";

const all: JsonObject = { start: null, stop: null, step: null };

function item(key: Json, shape: readonly (number | null)[]) {
  return run({ operator: "GetItem", attributes: { key } }, shape).shapes[0];
}

describe("x[key]", () => {
  test("numbers take an axis, null adds one, the ellipsis fills up", () => {
    expect(item([all, 0], [null, 6, 4])).toEqual([null, 4]);
    expect(item(["...", -1], [null, 6, 4])).toEqual([null, 6]);
    expect(item([all, null], [null, 6])).toEqual([null, 1, 6]);
    expect(item(["?"], [null, 6])).toEqual([6]);
    expect(() => item([0, 0, 0], [2, 3])).toThrow("3 subscripts");
    expect(() => item([all, 6], [null, 6])).toThrow("out of range");
  });

  test("a tensor of truth values", () => {
    const mask = { ...named("key", [null, 6]), dtype: "bool" as const };
    expect(run({ operator: "GetItem", attributes: { key: ["?"] } }, [null, 6, 4], mask).shapes).toEqual([
      [null, 4],
    ]);
  });

  test("slices are as long as Python's", () => {
    for (const size of [0, 1, 5, 6]) {
      for (const start of [null, 0, 2, -2, -9, 9]) {
        for (const stop of [null, 0, 3, -1, -9, 9]) {
          for (const step of [null, 1, 2, -1, -3]) {
            expect(sliceLength(size, [start, stop, step])).toBe(pythonSlice(size, start, stop, step ?? 1));
          }
        }
      }
    }
    expect(sliceLength(null, [null, 3, null])).toBeNull();
    expect(sliceLength(null, [null, null, null])).toBeNull();
  });
});

/** `len(range(*slice(start, stop, step).indices(size)))`, counted. */
function pythonSlice(size: number, start: number | null, stop: number | null, step: number): number {
  const at = (bound: number) =>
    bound < 0 ? Math.max(bound + size, step < 0 ? -1 : 0) : Math.min(bound, step < 0 ? size - 1 : size);
  let index = start === null ? (step < 0 ? size - 1 : 0) : at(start);
  const end = stop === null ? (step < 0 ? -1 : size) : at(stop);
  let count = 0;
  for (; step < 0 ? index > end : index < end; index += step) count += 1;
  return count;
}

test("lookups", () => {
  const take = (attributes: JsonObject) =>
    run({ operator: "Take", attributes }, named("x", [null, 6, 4]), named("indices", [null, 3])).shapes[0];
  expect(take({ axis: 1 })).toEqual([null, null, 3, 4]);
  expect(take({ axis: 1, batchDims: 1 })).toEqual([null, 3, 4]);
  expect(take({})).toEqual([null, 3]);
  expect(run({ operator: "OneHot", attributes: { numClasses: 5, axis: 1 } }, [null, 6]).shapes).toEqual([
    [null, 5, 6],
  ]);
  expect(run({ operator: "TopK", attributes: { k: 2 } }, [null, 6])).toMatchObject({
    shapes: [
      [null, 2],
      [null, 2],
    ],
    structure: { tuple: [0, 1] },
  });
  expect(run({ operator: "Slice", attributes: { begin: [0, 2], size: [-1, -1] } }, [null, 6]).shapes).toEqual(
    [[null, 4]],
  );
});
