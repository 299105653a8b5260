/** Every format there is an importer for. Written by hand: one line a format, loaded when it is needed. */

import type { Importer } from "./importer.ts";
import { irImporter } from "./ir/index.ts";
import { kerasImporter } from "./keras/index.ts";
import { onnxImporter } from "./onnx/index.ts";
import { pytorchImporter } from "./pytorch/index.ts";
import { safetensorsImporter } from "./safetensors/index.ts";

export const importers: readonly Importer[] = [
  kerasImporter,
  pytorchImporter,
  safetensorsImporter,
  onnxImporter,
  irImporter,
];
