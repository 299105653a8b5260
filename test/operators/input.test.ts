import { expect, test } from "vitest";
import { apply } from "./apply-operator.ts";

test("Input has the shape it states", () => {
  expect(apply("Input", { shape: [null, 28, 28, 1], dtype: "uint8" }).output).toEqual([null, 28, 28, 1]);
  expect(apply("Input", {}).output).toBeNull();
  expect(() => apply("Input", { shape: [null, -3] })).toThrow('"shape"');
});

test("Opaque knows what is declared, and nothing else", () => {
  expect(apply("Opaque", {}, [null, 5]).output).toBeNull();
  expect(apply("Opaque", { outputShapes: [[3, null]] }, [4, 5]).output).toEqual([4, 3, null]);
});
