import { expect, test } from "vitest";
import { sameJson } from "../../src/ir/same-json.ts";

const attributes = { axis: 1, pads: [[1, 1], null], layout: "channels-first", inner: { on: true } };

test("what says the same is the same", () => {
  expect(sameJson(attributes, JSON.parse(JSON.stringify(attributes)))).toBe(true);
});

test.each<[unknown, unknown]>([
  [{ a: 1 }, { a: 2 }],
  [{ a: 1 }, { a: 1, b: 1 }],
  [{ a: 1, b: 1 }, { a: 1 }],
  [{ a: undefined }, { b: 1 }],
  [{ a: null }, { a: {} }],
  [{ a: [] }, { a: {} }],
  [{ a: [1, 2] }, { a: [1, 2, 3] }],
  [{ a: [[1]] }, { a: [[2]] }],
  [JSON.parse('{ "__proto__": {} }'), { axis: 1 }],
  [JSON.parse('{ "toString": {} }'), {}],
  [Number.NaN, Number.NaN],
])("%j is not %j", (a, b) => {
  expect(sameJson(a, b)).toBe(false);
  expect(sameJson(b, a)).toBe(false);
});

test("what is large or deep is the same only as itself", () => {
  const large = { a: new Array<number>(17).fill(0) };
  const deep = { a: { b: { c: { d: { e: 1 } } } } };
  for (const value of [large, deep]) {
    expect(sameJson(value, value)).toBe(true);
    expect(sameJson(value, structuredClone(value))).toBe(false);
  }
});
