import { describe, expect, test } from "vitest";
import { einsumShape } from "../../src/operators/einsum-shape.ts";
import { named, run } from "./run-operator.ts";

test("matrices multiply, vectors lose their axis", () => {
  const matmul = (a: readonly (number | null)[], b: readonly (number | null)[], attributes = {}) =>
    run({ operator: "Matmul", attributes }, named("x1", a), named("x2", b)).shapes[0];
  expect(matmul([null, 6, 4], [4, 5])).toEqual([null, 6, 5]);
  expect(matmul([4], [null, 4, 5])).toEqual([null, 5]);
  expect(matmul([4], [4])).toEqual([]);
  expect(matmul([null, 4, 6], [4, 5], { transposeA: true })).toEqual([null, 6, 5]);
  expect(() => matmul([2, 3], [4, 5])).toThrow("(2, 3) and (4, 5) do not multiply");
});

test("axes to sum over", () => {
  const part = { operator: "Tensordot", attributes: { left: [1, 2], right: [1, 0] } };
  expect(run(part, named("x1", [null, 6, 4]), named("x2", [4, 6, 5])).shapes).toEqual([[null, 5]]);
  const many = { operator: "Tensordot", attributes: { count: 1e15 } };
  expect(() => run(many, named("x1", [2]), named("x2", [2]))).toThrow("axes to sum over");
});

describe("einsum", () => {
  test("letters, ellipses, sizes one operand does not know", () => {
    expect(
      einsumShape("bij,bjk->bik", [
        [null, 2, 3],
        [7, 3, 4],
      ]),
    ).toEqual([7, 2, 4]);
    expect(
      einsumShape("...ij, kji->...k", [
        [null, 3, 4],
        [2, 4, 3],
      ]),
    ).toEqual([null, 2]);
    expect(
      einsumShape("ij,jk", [
        [2, 3],
        [3, 4],
      ]),
    ).toEqual([2, 4]);
  });

  test("refuses what does not fit", () => {
    expect(() => einsumShape("ij->ik", [[2, 3]])).toThrow("axis k");
    expect(() => einsumShape("ij,jk->ik", [[2, 3]])).toThrow("1 operand");
    expect(() => einsumShape("ij->i", [[2]])).toThrow("does not fit shape (2)");
  });
});

test("einops patterns", () => {
  const part = (pattern: string, lengths = {}) => ({
    operator: "Rearrange",
    attributes: { pattern, lengths },
  });
  expect(run(part("b (h p) w c -> b h w (p c)", { p: 2 }), [null, 8, 5, 3]).shapes).toEqual([
    [null, 4, 5, 6],
  ]);
  expect(() => run(part("a b -> c"), [2, 3])).toThrow("axis c");
});
