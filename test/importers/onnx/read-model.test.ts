/** The reader of ONNX files against onnx-proto, which decodes whole files, and against damage. */

import { onnx } from "onnx-proto";
import { describe, expect, it } from "vitest";
import { readOnnxModel } from "../../../importers/onnx/read-model.ts";
import { sniffOnnx } from "../../../importers/onnx/sniff.ts";
import { memorySource } from "../../../src/io/memory.ts";

describe("a model", () => {
  it("comes back as written", async () => {
    const bytes = onnx.ModelProto.encode({
      irVersion: 8,
      producerName: "test",
      opsetImport: [{ domain: "", version: 17 }],
      graph: {
        name: "g",
        node: [
          {
            opType: "Slice",
            input: ["x", ""],
            output: ["y"],
            attribute: [{ name: "axes", type: 7, ints: [1, -1, 2 ** 40] }],
          },
        ],
        initializer: [{ name: "w", dims: [2], dataType: 7, int64Data: [3, -4] }],
      },
    }).finish();
    expect(sniffOnnx(bytes.subarray(0, 4096), bytes.length)).toBe("model");
    const model = await readOnnxModel(memorySource(bytes), () => undefined);
    expect(model).toMatchObject({
      irVersion: 8,
      producerName: "test",
      opsets: [{ domain: "", version: 17 }],
      graph: {
        nodes: [
          { opType: "Slice", inputs: ["x", ""], attributes: [{ kind: "ints", values: [1, -1, 2 ** 40] }] },
        ],
        initializers: [{ name: "w", dims: [2], dtype: "int64", values: [3, -4], field: "int64_data" }],
      },
    });
  });
});
