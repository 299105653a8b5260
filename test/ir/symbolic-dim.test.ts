import { describe, expect, test } from "vitest";
import {
  addDims,
  ceilDivideDim,
  type Dim,
  divideProducts,
  floorDivideDim,
  formatDim,
  isAtMostDim,
  maxDims,
  minDims,
  moduloDim,
  multiplyDims,
  sameDim,
  subtractDims,
} from "../../src/ir/dim.ts";
import { substitute, symbol } from "../../src/ir/symbolic-dim.ts";

const h = symbol("h");
const w = symbol("w");
const strided = (n: Dim): Dim => addDims(floorDivideDim(subtractDims(n, 1), 2), 1);

describe("canonical form", () => {
  test.each<[Dim, string]>([
    [strided(h), "floor((h - 1)/2) + 1"],
    [strided(strided(h)), "floor((h - 1)/4) + 1"],
    [multiplyDims(2, h), "2*h"],
    [multiplyDims(h, w), "h*w"],
    [multiplyDims(h, h), "h^2"],
    [floorDivideDim(multiplyDims(h, 4), 2), "2*h"],
    [floorDivideDim(multiplyDims(h, w), w), "h"],
    [floorDivideDim(addDims(multiplyDims(4, h), 3), 4), "h"],
    [ceilDivideDim(h, 2), "floor((h - 1)/2) + 1"],
    [subtractDims(h, 3), "h - 3"],
    [subtractDims(5, h), "-h + 5"],
    [moduloDim(multiplyDims(4, h), 2), "0"],
    [maxDims(h, 1), "h"],
    [maxDims(subtractDims(h, 2), 0), "max(h - 2, 0)"],
    [minDims(h, 9007199254740991), "min(h, 9007199254740991)"],
    [addDims(symbol("batch size"), 1), "<batch size> + 1"],
  ])("%#: %o", (dim, text) => {
    expect(formatDim(dim)).toBe(text);
  });

  test("one expression, however it was made", () => {
    const product = multiplyDims(addDims(h, 1), addDims(w, 2));
    expect(sameDim(product, addDims(multiplyDims(w, h), multiplyDims(2, h), w, 2))).toBe(true);
    expect(formatDim(divideProducts([product, 8], [addDims(h, 1), 4]))).toBe("2*w + 4");
    expect(subtractDims(product, product)).toBe(0);
  });

  test("an unknown dimension stays unknown", () => {
    expect(addDims(h, null)).toBeNull();
    expect(floorDivideDim(h, 0)).toBeNull();
  });
});

describe("the same numbers as plain arithmetic", () => {
  const forms: readonly [(n: Dim, m: Dim) => Dim, (n: number, m: number) => number][] = [
    [(n) => strided(n), (n) => Math.floor((n - 1) / 2) + 1],
    [(n) => floorDivideDim(addDims(multiplyDims(3, n), 7), 4), (n) => Math.floor((3 * n + 7) / 4)],
    [(n) => floorDivideDim(subtractDims(2, multiplyDims(3, n)), 4), (n) => Math.floor((2 - 3 * n) / 4)],
    [(n) => ceilDivideDim(multiplyDims(n, 2), 3), (n) => Math.ceil((2 * n) / 3)],
    [(n) => strided(strided(strided(n))), (n) => [0, 0, 0].reduce((x) => Math.floor((x - 1) / 2) + 1, n)],
    [(n, m) => moduloDim(addDims(n, multiplyDims(5, m)), 5), (n) => n % 5],
    [(n, m) => floorDivideDim(multiplyDims(n, m), addDims(m, 1)), (n, m) => Math.floor((n * m) / (m + 1))],
    [
      (n, m) => maxDims(subtractDims(n, m), floorDivideDim(n, 2)),
      (n, m) => Math.max(n - m, Math.floor(n / 2)),
    ],
    [(n, m) => minDims(n, maxDims(m, 7)), (n, m) => Math.min(n, Math.max(m, 7))],
    [
      (n) => floorDivideDim(floorDivideDim(addDims(n, 5), 3), 4),
      (n) => Math.floor(Math.floor((n + 5) / 3) / 4),
    ],
  ];

  test.each(forms)("%#", (form, plain) => {
    const dim = form(symbol("n"), symbol("m"));
    for (let n = 1; n < 40; n++) {
      for (const m of [1, 2, 5, 8]) {
        const value =
          typeof dim === "number" || dim === null
            ? dim
            : substitute(
                dim,
                new Map([
                  ["n", n],
                  ["m", m],
                ]),
              );
        expect([n, m, value]).toEqual([n, m, plain(n, m)]);
      }
    }
  });
});

describe("order", () => {
  test("is known where it holds for all sizes of at least 1", () => {
    expect(isAtMostDim(floorDivideDim(h, 2), h)).toBe(true);
    expect(isAtMostDim(h, multiplyDims(h, w))).toBe(false);
    expect(isAtMostDim(1, h)).toBe(true);
    expect(isAtMostDim(2, h)).toBe(false);
    expect(isAtMostDim(subtractDims(h, 1), h)).toBe(true);
    expect(isAtMostDim(minDims(h, 64), h)).toBe(true);
    expect(isAtMostDim(h, minDims(h, 64))).toBe(false);
    expect(isAtMostDim(minDims(h, w), maxDims(w, 8))).toBe(true);
    expect(isAtMostDim(maxDims(h, w), h)).toBe(false);
    expect(isAtMostDim(maxDims(h, w), addDims(h, w))).toBe(true);
  });
});

test("growth ends in an unknown dimension", () => {
  let dim: Dim = addDims(h, w, 1);
  for (let i = 0; i < 20; i++) dim = multiplyDims(dim, dim);
  expect(dim).toBeNull();
});
