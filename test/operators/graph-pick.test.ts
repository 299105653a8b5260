/** Shapes of what is picked and cut out, as PyTorch gives them. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { JsonObject } from "../../src/ir/graph.ts";
import type { Shape } from "../../src/ir/shape.ts";
import type { RuleInput } from "../../src/operators/operator.ts";
import { named, run, tensor } from "./run-rule.ts";

type Index = null | readonly number[] | { readonly mask: readonly number[] };

const tables = JSON.parse(
  readFileSync(join(import.meta.dirname, "../../fixtures/pytorch/rule-shapes.json"), "utf8"),
) as {
  readonly triangles: readonly (readonly [number, number, number, number, number])[];
  readonly indexed: readonly (readonly [readonly number[], readonly Index[], readonly number[], boolean])[];
  readonly parts: readonly (readonly [number, number, ...(readonly number[])[]])[];
};

function shapes(name: string, inputs: readonly RuleInput[], attributes: JsonObject): readonly Shape[] {
  return run(name, inputs, attributes).types.map(({ shape }) => shape);
}

test("places of a triangle are as many as PyTorch says", () => {
  const wrong = tables.triangles.filter(([rows, columns, offset, ...counts]) => {
    const given = ["LowerTriangleIndices", "UpperTriangleIndices"].map(
      (name) => shapes(name, [], { rows, columns, offset })[0]?.[1],
    );
    return JSON.stringify(given) !== JSON.stringify(counts);
  });
  expect(wrong).toEqual([]);
});

function indexInput(index: readonly number[] | { readonly mask: readonly number[] }): RuleInput {
  return named("indices", "mask" in index ? tensor("bool", index.mask) : tensor("int64", index));
}

test("indices and masks leave the axes that PyTorch leaves", () => {
  const wrong = tables.indexed.filter(([shape, indices, expected, masked]) => {
    const inputs = indices.flatMap((index) => (index === null ? [] : [indexInput(index)]));
    const given = indices.map((index) => index !== null);
    const [found] = shapes("AdvancedIndex", [named("data", tensor("float32", shape)), ...inputs], { given });
    // One element of the mask was true, which the rule cannot know.
    const open = found?.filter((dim) => dim === null).length;
    const seen = found?.map((dim) => dim ?? 1);
    return open !== Number(masked) || JSON.stringify(seen) !== JSON.stringify(expected);
  });
  expect(wrong).toEqual([]);
  expect(tables.indexed.length).toBeGreaterThan(150);
});

test("parts have the sizes that PyTorch cuts", () => {
  const wrong = tables.parts.filter(([size, count, ...expected]) => {
    const x = named("input", tensor("float32", [size]));
    const given = [
      shapes("SplitEvery", [x], { axis: 0, count }),
      shapes("SplitEvery", [x], { axis: 0, size: [count] }),
      shapes("Split", [x], { axis: 0, sections: count, uneven: true }),
    ];
    return (
      JSON.stringify(given.map((parts) => parts.map((shape) => shape?.[0]))) !== JSON.stringify(expected)
    );
  });
  expect(wrong).toEqual([]);
});
