import { expect, test } from "vitest";
import { canonicalNames, operatorNames } from "../../../importers/onnx/ops/index.ts";
import { operators } from "../../../src/operators/index.ts";

test("an ONNX operator is described once", () => {
  const names = operatorNames();
  expect(names.length).toBeGreaterThan(200);
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
});

test("every canonical operator that ONNX's become exists", () => {
  expect([...canonicalNames()].filter((name) => !operators.has(name))).toEqual([]);
});
