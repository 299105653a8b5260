import { expect, test } from "vitest";
import { operatorFamilies, operators } from "../../src/operators/index.ts";

test("names are unique", () => {
  const names = operatorFamilies.flat().map((operator) => operator.name);
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
  expect(operators.size).toBe(names.length);
});
