import { describe, expect, test } from "vitest";
import { symbol } from "../../src/ir/symbolic-dim.ts";
import { named, run } from "./run-operator.ts";

const batch = symbol("batch");
const seq = symbol("seq");
const part = (operator: string, attributes = {}) => ({ operator, attributes });

describe("gathering", () => {
  test("puts the axes of the indices in the place of one", () => {
    const gather = (axis: number, ...indices: readonly (number | typeof seq)[]) =>
      run(part("GraphGather", { axis }), named("data", [batch, 5, 7]), named("indices", indices)).shapes[0];
    expect(gather(1, 2, seq)).toEqual([batch, 2, seq, 7]);
    expect(gather(-1)).toEqual([batch, 5]);
  });

  test("picks sizes out of a shape", () => {
    const shape = named("data", [3], [batch, 8, seq]);
    expect(run(part("GraphGather"), shape, named("indices", [], -1)).values).toEqual([seq]);
    expect(run(part("GraphGather"), shape, named("indices", [2], [2, 0])).values).toEqual([[seq, batch]]);
    // Outside, and unknown.
    expect(run(part("GraphGather"), shape, named("indices", [2], [3, null])).values).toEqual([[null, null]]);
    expect(
      run(part("GatherElements", { axis: 1 }), named("data", [1, 2], [seq, 4]), named("indices", [1, 1], [1]))
        .values,
    ).toEqual([[4]]);
  });

  test("of slices drops the axes that are indexed", () => {
    const gather = (indices: readonly (number | typeof batch)[], batchDims = 0) =>
      run(part("GraphGatherNd", { batchDims }), named("data", [batch, 5, 7]), named("indices", indices))
        .shapes[0];
    expect(gather([4, 2])).toEqual([4, 7]);
    expect(gather([batch, 3, 1], 1)).toEqual([batch, 3, 7]);
    expect(() => gather([4, 4])).toThrow("indices of 4 numbers");
    const picked = run(
      part("GraphGatherNd"),
      named("data", [2, 2], [1, 2, seq, 4]),
      named("indices", [2, 2], [1, 0, 0, -1]),
    );
    expect(picked.values).toEqual([[seq, 2]]);
  });
});

describe("scattering", () => {
  test("changes the sizes in a list", () => {
    const shape = named("data", [3], [batch, 1, seq]);
    const one = [named("indices", [1, 1], [1]), named("updates", [1], [6])];
    expect(run(part("ScatterND"), shape, ...one).values).toEqual([[batch, 6, seq]]);
    expect(run(part("ScatterND", { replaces: false }), shape, ...one).values).toEqual([undefined]);
    // An index as long as a file likes to say.
    const long = [named("indices", [1, Number.MAX_SAFE_INTEGER]), named("updates", [1], [6])];
    expect(() => run(part("ScatterND"), shape, ...long)).toThrow("for a tensor (3)");
    const elements = [named("indices", [1], [-1]), named("updates", [1], [9])];
    expect(run(part("ScatterElements"), shape, ...elements).values).toEqual([[batch, 1, 9]]);
    expect(
      run(part("ScatterElements"), shape, named("indices", [1]), named("updates", [1], [9])).values,
    ).toEqual([undefined]);
  });
});

test("how many there are is told by values alone", () => {
  const topK = (...k: readonly unknown[]) =>
    run(part("GraphTopK", { axis: 1 }), named("input", [batch, 9]), named("k", [1], ...k)).shapes;
  expect(topK([3])).toEqual([
    [batch, 3],
    [batch, 3],
  ]);
  expect(topK()).toEqual([
    [batch, null],
    [batch, null],
  ]);
  expect(run(part("GraphNonZero"), named("input", [batch, seq])).shapes).toEqual([[2, null]]);
  expect(run(part("GraphNonZero"), named("input", [3], [0, 4, 1])).values).toEqual([[1, 2]]);
  const compress = [named("input", [4, seq]), named("condition", [3], [1, 0, 1])];
  expect(run(part("Compress", { axis: 0 }), ...compress).shapes).toEqual([[2, seq]]);
  expect(run(part("GraphUnique", { axis: 0 }), named("input", [batch, seq])).shapes).toEqual([
    [null, seq],
    [null],
    [batch],
    [null],
  ]);
});

test("one axis becomes an index, or an index an axis", () => {
  const indices = [named("indices", [batch]), named("depth", [], 10), named("values", [2])];
  expect(run(part("GraphOneHot"), ...indices).shapes).toEqual([[batch, 10]]);
  expect(run(part("GraphOneHot", { axis: 0 }), ...indices).shapes).toEqual([[10, batch]]);
  expect(run(part("GraphArgMax", { axis: -1 }), named("input", [batch, seq])).shapes).toEqual([[batch, 1]]);
  expect(run(part("GraphArgMin", { axis: 0, keepAxis: false }), named("input", [batch, seq])).shapes).toEqual(
    [[seq]],
  );
});
