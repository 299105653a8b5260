import { expect, test } from "vitest";
import { canonicalNames, operatorNames } from "../../../importers/onnx/ops/index.ts";
import { operators } from "../../../src/operators/index.ts";

test("every operator of ONNX is mapped to a canonical one that exists", () => {
  const lacking = [...canonicalNames()].filter((name) => !operators.has(name) && name !== "Opaque");
  expect(lacking).toEqual([]);
});

test("no operator is described twice", () => {
  const names = operatorNames();
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
});
