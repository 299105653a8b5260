import { describe, expect, test } from "vitest";
import { addDims, type Dim, multiplyDims } from "../../src/ir/dim.ts";
import { formatShape } from "../../src/ir/shape.ts";
import { symbol } from "../../src/ir/symbolic-dim.ts";
import { named, run } from "./run-operator.ts";

const batch = symbol("batch");
const seq = symbol("seq");
const part = (operator: string, attributes = {}) => ({ operator, attributes });

describe("joining", () => {
  const joined = (axis: number, ...shapes: readonly (readonly Dim[] | null)[]) =>
    run(part("GraphConcat", { axis }), ...shapes.map((shape) => named("inputs", shape))).shapes[0];

  test("adds up on one axis and agrees on the others", () => {
    expect(joined(-1, [batch, 3], [null, seq])).toEqual([batch, addDims(3, seq)]);
    expect(joined(0, [null, 3], null)).toEqual([null, 3]);
    expect(() => joined(0, [1, 3], [1, 4])).toThrow("differ on axis 1");
    expect(() => joined(0, [1, 3], [1])).toThrow("differ in rank");
  });

  test("makes a shape of its sizes", () => {
    const { values } = run(
      part("GraphConcat", { axis: 0 }),
      named("inputs", [1], [batch]),
      named("inputs", [2]),
      named("inputs", [1], [-1]),
    );
    expect(values).toEqual([[batch, null, null, -1]]);
    const columns = run(
      part("GraphConcat", { axis: 1 }),
      named("inputs", [2, 1], [1, 2]),
      named("inputs", [2, 2], [3, 4, 5, 6]),
    );
    expect(columns.values).toEqual([[1, 3, 4, 2, 5, 6]]);
  });
});

describe("splitting", () => {
  const parts = (attributes: object, dim: Dim, ...sizes: readonly unknown[]) =>
    run(
      part("GraphSplit", { outputs: 2, ...attributes }),
      named("input", [dim, 4]),
      ...sizes.map((size) => named("sizes", [2], size)),
    ).shapes.map(formatShape);

  test("is into equal parts, or the last one shorter", () => {
    expect(parts({}, 6)).toEqual(["(3, 4)", "(3, 4)"]);
    expect(parts({}, multiplyDims(2, seq))).toEqual(["(seq, 4)", "(seq, 4)"]);
    expect(parts({}, 7)).toEqual(["(?, 4)", "(?, 4)"]);
    expect(parts({ uneven: true }, 7)).toEqual(["(4, 4)", "(3, 4)"]);
    expect(parts({ axis: 1 }, seq)).toEqual(["(seq, 2)", "(seq, 2)"]);
  });

  test("is into parts of stated sizes", () => {
    expect(parts({ sizes: [1, 5] }, 6)).toEqual(["(1, 4)", "(5, 4)"]);
    expect(parts({}, seq, [2, addDims(seq, -2)])).toEqual(["(2, 4)", "(seq - 2, 4)"]);
    expect(parts({}, 6, undefined)).toEqual(["(?, 4)", "(?, 4)"]);
    expect(() => parts({ sizes: [1, 4] }, 6)).toThrow("parts of 5 elements");
  });

  test("hands the elements on", () => {
    const input = named("input", [3], [batch, 2, seq]);
    expect(run(part("GraphSplit", { outputs: 2, sizes: [1, 2] }), input).values).toEqual([[batch], [2, seq]]);
  });
});

test("more of the same", () => {
  const tiled = run(part("GraphTile"), named("input", [seq, 3]), named("repeats", [2], [2, batch]));
  expect(tiled.shapes).toEqual([[multiplyDims(2, seq), multiplyDims(3, batch)]]);
  // Opset 1: so many times along one axis.
  const old = [named("input", [seq, 3]), named("tiles", [], 4), named("axis", [], 1)];
  expect(run(part("GraphTile"), ...old).shapes).toEqual([[seq, 12]]);
  expect(run(part("GraphTile"), named("input", [2], [1, seq]), named("repeats", [1], [2])).values).toEqual([
    [1, seq, 1, seq],
  ]);
});

describe("padding", () => {
  const padded = (pads: readonly Dim[] | null, axes?: readonly number[]) =>
    formatShape(
      run(
        part("GraphPad"),
        named("data", [batch, 5, seq]),
        named("pads", [pads?.length ?? 2], pads ?? undefined),
        ...(axes ? [named("axes", [axes.length], axes)] : []),
      ).shapes[0] ?? null,
    );

  test("adds on both sides, or takes away", () => {
    expect(padded([0, 1, 2, 0, -3, seq])).toBe("(batch, 3, 2*seq + 2)");
    expect(padded([1, 2], [-2])).toBe("(batch, 8, seq)");
    expect(padded([null, 2], [1])).toBe("(batch, ?, seq)");
    expect(() => padded([1, 2])).toThrow("2 pads for 3 axes");
    expect(() => padded([-6, 0], [1])).toThrow("-1 is no size");
  });
});

test("a choice between sizes that PyTorch writes for -1 in an expand", () => {
  const chosen = run(
    part("GraphWhere"),
    named("condition", [3], [0, 1, null]),
    named("x", [], 1),
    named("y", [3], [batch, -1, seq]),
  );
  expect(chosen.values).toEqual([[batch, 1, null]]);
});
