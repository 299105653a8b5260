import { expect, test } from "vitest";
import { counted } from "../src/counted.ts";

test("one is singular, all else plural", () => {
  expect([0, 1, 2].map((count) => counted(count, "tensor"))).toEqual(["0 tensors", "1 tensor", "2 tensors"]);
  expect([1, 3].map((count) => counted(count, "axis is", "axes are"))).toEqual(["1 axis is", "3 axes are"]);
});
