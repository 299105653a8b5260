import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../src/ir/graph.ts";
import { formatShape, type Shape } from "../../src/ir/shape.ts";
import { symbol } from "../../src/ir/symbolic-dim.ts";
import { operators } from "../../src/operators/index.ts";
import type { RuleInput } from "../../src/operators/operator.ts";
import { apply } from "./apply-operator.ts";

const h = symbol("h");
const w = symbol("w");
const n = symbol("n");

/** Shapes of all outputs, as text. */
function shapes(
  name: string,
  inputs: Readonly<Record<string, Shape>>,
  attributes: JsonObject = {},
  value: Readonly<Record<string, unknown>> = {},
): readonly string[] {
  const operator = operators.get(name);
  if (!operator) throw new Error(`there is no operator ${name}`);
  const given = Object.entries(inputs).map(
    ([port, shape]): RuleInput => ({ name: port, dtype: "float32", shape, value: value[port] }),
  );
  const { types } = operator.infer({
    attributes: operator.attributes({ layout: "channels-first", ...attributes }) as never,
    inputs: given,
    inner: [],
  });
  return types.map(({ shape }) => formatShape(shape));
}

describe("windows on named lengths", () => {
  const image = { input: [n, 3, h, w] };
  const half = {
    operands: true,
    strides: [2, 2],
    padding: [
      [1, 1],
      [1, 1],
    ],
  };

  test("a convolution takes the size of its window from its kernel", () => {
    expect(shapes("Conv", { ...image, kernel: [64, 3, 3, 3] }, half)).toEqual([
      "(n, 64, floor((h - 1)/2) + 1, floor((w - 1)/2) + 1)",
    ]);
    expect(shapes("Conv", { ...image, kernel: [8, 3, 1, 1] }, { operands: true })).toEqual(["(n, 8, h, w)"]);
    expect(shapes("Conv", { ...image, kernel: null }, half)).toEqual(["(n, ?, ?, ?)"]);
  });

  test("and its transposition brings lengths back", () => {
    expect(
      shapes("ConvTranspose", { ...image, kernel: [3, 5, 2, 2] }, { operands: true, strides: [2, 2] }),
    ).toEqual(["(n, 5, 2*h, 2*w)"]);
  });

  test("a window that starts in the padding behind does not count", () => {
    const pool = { operands: true, kernelSize: [2, 2], strides: [2, 2], ceil: true };
    expect(
      shapes(
        "MaxPool",
        { input: [1, 1, 5, 5] },
        {
          ...pool,
          padding: [
            [1, 1],
            [0, 1],
          ],
        },
      )[0],
    ).toBe("(1, 1, 3, 3)");
    expect(
      shapes(
        "MaxPool",
        { input: [1, 1, 1, 1] },
        {
          ...pool,
          padding: [
            [1, 1],
            [0, 1],
          ],
        },
      )[1],
    ).toBe("(1, 1, 1, 1)");
  });

  test("what cannot be says so", () => {
    expect(() => shapes("Conv", { input: [1, 4, 8], kernel: [6, 3, 3] }, { operands: true })).toThrow(
      "does not fit 4 channels",
    );
    expect(() => shapes("MaxPool", { input: [1, 4, 2] }, { operands: true, kernelSize: [5] })).toThrow(
      "does not fit into a length of 2",
    );
    expect(() => shapes("MaxPool", { input: [1, 4, 2, 2] }, { operands: true, kernelSize: [2] })).toThrow(
      "windows are given for 1 axis, the input has 2",
    );
  });

  test("layers with weights of their own keep named lengths too", () => {
    const operator = operators.get("Conv");
    const attributes = operator?.attributes({
      filters: 4,
      kernelSize: [3, 3],
      padding: "same",
      strides: [2, 2],
    });
    const { types } = operator?.infer({
      attributes: attributes as never,
      inputs: [{ dtype: "float32", shape: [null, h, w, 3] }],
      inner: [],
    }) ?? { types: [] };
    expect(formatShape(types[0]?.shape ?? null)).toBe("(?, floor((h - 1)/2) + 1, floor((w - 1)/2) + 1, 4)");
    expect(
      apply("Conv", { operands: true, layout: "channels-first" }, [1, 3, 8, 8], [5, 3, 3, 3]).weights,
    ).toEqual({});
  });
});

describe("factors of named lengths", () => {
  const resize = (...scales: readonly (number | null)[]) =>
    shapes("Resize", { input: [n, 3, h, 9], scales: [4] }, {}, { scales });

  test("doubling, halving, and what is no fraction in single precision", () => {
    expect(resize(1, 1, 2, 2)).toEqual(["(n, 3, 2*h, 18)"]);
    expect(resize(1, 1, 0.5, 0.5)).toEqual(["(n, 3, floor(h/2), 4)"]);
    expect(resize(1, 1, 0.1, 1.7)).toEqual(["(n, 3, ?, 15)"]);
  });

  test("sizes may be named", () => {
    expect(shapes("Resize", { input: [n, 3, h, w], sizes: [4] }, {}, { sizes: [n, 3, w, 7] })).toEqual([
      "(n, 3, w, 7)",
    ]);
  });
});

test("attention's state grows by the keys", () => {
  const step = { query: [n, 1, 32], key: [n, 1, 16], value: [n, 1, 16] };
  const past = { "past-key": [n, 2, h, 8], "past-value": [n, 2, h, 8] };
  expect(shapes("Attention", { ...step, ...past }, { queryHeads: 4, keyHeads: 2 })).toEqual([
    "(n, 1, 32)",
    "(n, 2, h + 1, 8)",
    "(n, 2, h + 1, 8)",
    "(n, 4, 1, h + 1)",
  ]);
  // Whether the buffer of a grouped-query attention grows is only known with the total length.
  expect(shapes("GroupQueryAttention", { ...step, ...past }, { heads: 4, keyHeads: 2 }).slice(0, 2)).toEqual([
    "(n, 1, 32)",
    "(n, 2, ?, 8)",
  ]);
});
