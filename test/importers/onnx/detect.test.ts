import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { couldBeModel } from "../../../importers/detect.ts";

const folder = join(import.meta.dirname, "../../../fixtures/onnx/light");

test("a long stream that begins like ONNX is read to its end", () => {
  expect(couldBeModel(readFileSync(join(folder, "light_resnet50.onnx")).subarray(0, 4096))).toBe(true);
  expect(couldBeModel(new TextEncoder().encode("nothing of the kind, only a text".repeat(200)))).toBe(false);
});
