import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { couldBeModel } from "../../../importers/detect.ts";
import { memorySource } from "../../../src/io/memory.ts";
import { readModel } from "../../../src/public/index.ts";
import { inspectFile } from "../../../src/public/node.ts";

const folder = join(import.meta.dirname, "../../../fixtures/onnx/light");

test("a long stream that begins like ONNX is read to its end", () => {
  expect(couldBeModel(readFileSync(join(folder, "light_resnet50.onnx")).subarray(0, 4096))).toBe(true);
  expect(couldBeModel(new TextEncoder().encode("nothing of the kind, only a text".repeat(200)))).toBe(false);
});

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text.padEnd(600, " "));

/** The first bytes of files that onnxruntime 1.31.1 and onnx 1.23.2 wrote, and of what ONNX files become elsewhere. */
const others: readonly (readonly [string, Uint8Array, RegExp])[] = [
  [
    "cnn.ort",
    Uint8Array.of(0x18, 0, 0, 0, 0x4f, 0x52, 0x54, 0x4d, ...new Uint8Array(80)),
    /ONNX Runtime's own format/,
  ],
  [
    "cnn.json",
    bytes('{\n  "ir_version": "8",\n  "producer_name": "pytorch",\n  "graph": {'),
    /ONNX written as json/,
  ],
  ["cnn.engine", bytes("ptrt"), /TensorRT engine/],
  ["cnn.xml", bytes('<?xml version="1.0"?>\n<net name="cnn" version="11">'), /OpenVINO/],
  ["page.xml", bytes('<?xml version="1.0"?>\n<network>'), /web page/],
];

const savedModel = join(import.meta.dirname, "../../../fixtures/keras/saved-model");

test.each([
  ["saved_model.pb", /a SavedModel of TensorFlow/],
  [".", /a SavedModel of TensorFlow/],
  ["variables.index", /a checkpoint of TensorFlow/],
])("TensorFlow's own %s is no ONNX, though it begins like it", async (file, text) => {
  await expect(inspectFile(join(savedModel, file))).rejects.toThrow(text);
});

test.each(others)("%s is told for what it is", async (name, head, text) => {
  await expect(readModel(memorySource(head, name))).rejects.toThrow(text);
});
