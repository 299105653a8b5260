/** The PyTorch importer: exported programs of `torch.export`, checkpoints of `torch.save`, and TorchScript archives. */

import { UnsupportedFeatureError } from "../../src/errors.ts";
import type { Importer, Sniffed } from "../importer.ts";
import { checkpointFolder, isCheckpoint, isEarlyScript, isPolicy, isTar } from "./forms.ts";

/** `torch.export.save`, or a package that AOTInductor compiled from what that writes. */
function isExported({ zip }: Sniffed): boolean {
  return (
    zip?.entries.some(({ name }) =>
      /(^|\/)(serialized_exported_program\.json|models\/[^/]+\.json|data\/aotinductor\/.+)$/.test(name),
    ) ?? false
  );
}

/** The JSON of one program. Every writer puts the graph first, or after some short fields. */
function isExportedJson({ container, head }: Sniffed): boolean {
  return container === "json" && /"graph_module"\s*:\s*\{/.test(new TextDecoder().decode(head));
}

export const pytorchImporter: Importer = {
  format: "pytorch",
  title: "PyTorch exported programs, checkpoints and TorchScript, read without PyTorch; no pickle is run",
  variants: [
    { id: "exported-program", title: "torch.export.save of PyTorch 2.1 to today", files: ".pt2" },
    { id: "exported-program-json", title: "the graph of an exported program by itself", files: ".json" },
    {
      id: "compiled-package",
      title: "what AOTInductor compiled: its weights, without a graph",
      files: ".pt2",
    },
    { id: "checkpoint-zip", title: "torch.save of PyTorch 1.6 to today", files: ".pt .pth .bin .ckpt" },
    { id: "checkpoint-legacy", title: "torch.save before PyTorch 1.6", files: ".pt .pth .bin .tar" },
    {
      id: "pickle",
      title: "pickle.dump of tensors and NumPy arrays",
      files: ".pkl .pickle .pth",
    },
    {
      id: "distributed-checkpoint",
      title: "torch.distributed.checkpoint, by its metadata",
      files: "a folder, or its .metadata",
    },
    { id: "policy-archive", title: "policies of stable-baselines3", files: ".zip" },
    { id: "sharded", title: "index of several files of torch.save", files: ".bin.index.json" },
    { id: "model-folder", title: "Hugging Face model whose weights are such files", files: "a folder" },
    { id: "torchscript", title: "torch.jit.save", files: ".pt .pth .ts" },
    { id: "torchscript-mobile", title: "TorchScript with bytecode for mobile", files: ".ptl .pt" },
  ],
  matches: (sniffed) =>
    (sniffed.zip !== null && (isEarlyScript(sniffed.zip) || isPolicy(sniffed.zip))) ||
    isTar(sniffed) ||
    isExported(sniffed) ||
    isExportedJson(sniffed) ||
    isCheckpoint(sniffed),
  async load(source, _, sniffed) {
    if (sniffed.zip && isPolicy(sniffed.zip)) {
      const read = await (await import("./policy-archive.ts")).importPolicy(source, sniffed.zip);
      return { ...read, diagnostics: [...sniffed.diagnostics, ...read.diagnostics] };
    }
    if (isExportedJson(sniffed)) return (await import("./exported-program.ts")).importExportedJson(source);
    if (sniffed.zip && checkpointFolder(sniffed.zip) === null && isExported(sniffed)) {
      const read = await (await import("./exported-program.ts")).importExportedArchive(source, sniffed.zip);
      return { ...read, diagnostics: [...sniffed.diagnostics, ...read.diagnostics] };
    }
    if (sniffed.zip && checkpointFolder(sniffed.zip) === null) {
      throw new UnsupportedFeatureError(
        `${source.name}: TorchScript of PyTorch 1.0 or 1.1, which this version does not read; load it with torch.jit.load and save it again`,
        { file: source.name },
      );
    }
    if (!isTar(sniffed)) return (await import("./read-checkpoint.ts")).importCheckpoint(source, sniffed);
    throw new UnsupportedFeatureError(
      `${source.name}: a tar archive of PyTorch 0.1, which this version does not read; load it with PyTorch and save it again`,
      { file: source.name },
    );
  },
};
