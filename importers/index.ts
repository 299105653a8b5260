/** Every format there is an importer for. Written by hand: one line a format, loaded when it is needed. */

import { describe, sniff } from "./detect.ts";
import type { Importer } from "./importer.ts";
import { irImporter } from "./ir/index.ts";
import { kerasImporter } from "./keras/index.ts";
import { onnxImporter } from "./onnx/index.ts";
import { isCheckpoint } from "./pytorch/forms.ts";
import { pytorchImporter } from "./pytorch/index.ts";
import { makeSafetensorsImporter } from "./safetensors/index.ts";

/** Folders and indexes of Hugging Face name files of either format. */
const safetensorsImporter = makeSafetensorsImporter(async (source, prefix) => {
  const sniffed = await sniff(source);
  if (!(await isCheckpoint(sniffed))) return describe(sniffed);
  return (await import("./pytorch/read-checkpoint.ts")).readTensors(source, sniffed, prefix);
});

export const importers: readonly Importer[] = [
  kerasImporter,
  pytorchImporter,
  safetensorsImporter,
  onnxImporter,
  irImporter,
];
