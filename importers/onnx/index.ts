/** The ONNX importer: models of every IR version and opset, by their metadata alone. */

import { UnsupportedFeatureError } from "../../src/errors.ts";
import type { Importer, Sniffed } from "../importer.ts";
import { sniffOnnx } from "./sniff.ts";

const kindOf = ({ container, head, source }: Sniffed): ReturnType<typeof sniffOnnx> =>
  container === "other" || container === "json" ? sniffOnnx(head, source.size) : null;

export const onnxImporter: Importer = {
  format: "onnx",
  title: "ONNX models, weights inside or in files beside",
  variants: [
    {
      id: "onnx-ir1 to onnx-ir14",
      title: "every IR version and opset; the number is the IR version",
      files: ".onnx",
    },
  ],
  matches: (sniffed) => kindOf(sniffed) !== null,
  async load(source, _, sniffed) {
    const kind = kindOf(sniffed);
    const file = source.name;
    if (kind === "tensor")
      throw new UnsupportedFeatureError(`${file}: a single tensor of ONNX (test data), not a model`, {
        file,
      });
    if (kind !== "model") {
      throw new UnsupportedFeatureError(
        `${file}: ONNX written as ${kind}, which this version does not read; convert it to the binary form with onnx.save`,
        { file },
      );
    }
    return (await import("./model.ts")).importOnnx(source);
  },
};
