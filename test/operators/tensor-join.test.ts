import { expect, test } from "vitest";
import { named, run } from "./run-operator.ts";

test("joined along an axis, which is unknown when one part is", () => {
  const concat = (attributes = {}) =>
    run({ operator: "TensorConcat", attributes: { axis: 1, ...attributes } }, [null, 2, 4], [3, 5, null]);
  expect(concat().shapes).toEqual([[null, 7, 4]]);
  expect(concat({ resolveUnknown: true }).shapes).toEqual([[3, 7, 4]]);
  expect(run({ operator: "TensorConcat" }, [2, 2], [3]).shapes).toEqual([[7]]);
  expect(() => run({ operator: "TensorConcat", attributes: { axis: 0 } }, [2, 3], [2, 4])).toThrow(
    "do not join",
  );
});

test("stacked along a new axis", () => {
  expect(run({ operator: "Stack", attributes: { axis: -1 } }, [null, 4], [null, 4]).shapes).toEqual([
    [null, 4, 2],
  ]);
});

test("split by count, by places, by sizes", () => {
  const split = (attributes: Readonly<Record<string, number | boolean | readonly number[]>>) =>
    run({ operator: "Split", attributes: { axis: 1, ...attributes } }, [null, 7]).shapes;
  expect(split({ indices: [2, 4] })).toEqual([
    [null, 2],
    [null, 2],
    [null, 3],
  ]);
  expect(split({ sizes: [3, -1] })).toEqual([
    [null, 3],
    [null, 4],
  ]);
  expect(split({ sections: 3, uneven: true })).toEqual([
    [null, 3],
    [null, 2],
    [null, 2],
  ]);
  expect(() => split({ sections: 3 })).toThrow("3 equal parts");
  expect(() => split({ sections: 1e9 })).toThrow("cannot split");
});

test("known numbers stay known", () => {
  const part = { operator: "TensorConcat", attributes: { axis: 0 } };
  const joined = run(
    { operator: "TensorReshape" },
    named("x", [2, 12]),
    named("shape", [2], [null, 24]),
  ).shapes;
  expect(joined).toEqual([[null, 24]]);
  expect(run(part, named("xs", [1], [null]), named("xs", [1], [24])).shapes).toEqual([[2]]);
});
