import { expect, test } from "vitest";
import { canonicalNames, operatorNames } from "../../../importers/onnx/ops/index.ts";
import { operators } from "../../../src/operators/index.ts";
import { readSchemas, recordName } from "./operator-document.ts";

test("an ONNX operator is described once", () => {
  const names = operatorNames();
  expect(names.length).toBeGreaterThan(200);
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
});

test("every canonical operator that ONNX's become exists", () => {
  expect([...canonicalNames()].filter((name) => !operators.has(name))).toEqual([]);
});

test("every operator that the onnx package defines has a record", () => {
  const known = new Set(operatorNames());
  const { domains } = readSchemas();
  const defined = Object.entries(domains)
    .filter(([domain]) => domain !== "com.microsoft")
    .flatMap(([domain, schemas]) => Object.keys(schemas).map((name) => recordName(domain, name)));
  expect(defined.length).toBeGreaterThan(220);
  expect(defined.filter((name) => !known.has(name))).toEqual([]);
});
