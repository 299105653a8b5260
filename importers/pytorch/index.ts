/** The PyTorch importer: exported programs of `torch.export`, checkpoints of `torch.save`, and TorchScript archives. */

import { UnsupportedFeatureError } from "../../src/errors.ts";
import type { ZipArchive } from "../../src/wire/zip.ts";
import type { Importer, Sniffed } from "../importer.ts";

/** What is in front of `data.pkl`, as `archive/`; `null` when the archive has none. */
function checkpointFolder(zip: ZipArchive): string | null {
  const entry = zip.entries.find(({ name }) => /^([^/]+\/)?data\.pkl$/.test(name));
  return entry ? entry.name.slice(0, -"data.pkl".length) : null;
}

/** A checkpoint has no code. */
function isScript(zip: ZipArchive, folder: string): boolean {
  return (
    zip.find(`${folder}constants.pkl`) !== undefined ||
    zip.entries.some(({ name }) => name.startsWith(`${folder}code/`))
  );
}

/** TorchScript of PyTorch 1.0 and 1.1, before there was a `data.pkl`. */
function isEarlyScript(zip: ZipArchive): boolean {
  const folder = /^[^/]+\//.exec(zip.entries[0]?.name ?? "")?.[0] ?? "";
  return (
    zip.find(`${folder}model.json`) !== undefined &&
    zip.entries.some(({ name }) => name.startsWith(`${folder}tensors/`))
  );
}

/** The 10 bytes of the magic number, as a long of protocol 2 and later, within the first pickle. */
const magicBytes = [0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e];
/** The same in digits, as protocols 0 and 1 write it. */
const magicLine = "L119547037146038801333356L\n.";

function isLegacy({ head, container }: Sniffed): boolean {
  if (container !== "other") return false;
  const start = head.subarray(0, 40);
  // Protocol 4 puts a frame of 9 bytes in front.
  const found = [0, 2, 11].some((at) => magicBytes.every((byte, i) => start[at + i] === byte));
  return found || new TextDecoder("latin1").decode(start).startsWith(magicLine);
}

/** PyTorch up to 0.1.9 wrote tar archives. */
function isTar({ head, container }: Sniffed): boolean {
  if (container !== "other" || head.length < 512) return false;
  const text = new TextDecoder("latin1").decode(head.subarray(0, 512));
  return text.slice(257, 262) === "ustar" && /^(\.\/)?(storages|tensors|pickle|sys_info)\0/.test(text);
}

/** Anything else that Python pickled in protocol 2 to 5: where it ends, nobody knows before it is read. */
function isPickle({ head, container }: Sniffed): boolean {
  const protocol = head[1] ?? 0;
  // Names and containers follow at once, or a frame.
  return container === "other" && head[0] === 0x80 && protocol >= 2 && protocol <= 5 && head.length > 3;
}

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
    { id: "checkpoint-zip", title: "torch.save of PyTorch 1.6 to today", files: ".pt .pth .bin .ckpt" },
    { id: "checkpoint-legacy", title: "torch.save before PyTorch 1.6", files: ".pt .pth .bin .tar" },
    {
      id: "pickle",
      title: "pickle.dump of tensors and NumPy arrays, protocol 2 to 5",
      files: ".pkl .pickle .pth",
    },
    { id: "torchscript", title: "torch.jit.save", files: ".pt .pth .ts" },
    { id: "torchscript-mobile", title: "TorchScript with bytecode for mobile", files: ".ptl .pt" },
  ],
  matches: (sniffed) =>
    (sniffed.zip !== null && (checkpointFolder(sniffed.zip) !== null || isEarlyScript(sniffed.zip))) ||
    isLegacy(sniffed) ||
    isTar(sniffed) ||
    isPickle(sniffed) ||
    isExported(sniffed) ||
    isExportedJson(sniffed),
  async load(source, _, sniffed) {
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
    if (sniffed.zip) {
      const folder = checkpointFolder(sniffed.zip) ?? "";
      const imported = isScript(sniffed.zip, folder)
        ? await (await import("./torchscript.ts")).importTorchScript(source, sniffed.zip, folder)
        : await (await import("./checkpoint.ts")).importCheckpoint(source, sniffed.zip, folder);
      return { ...imported, diagnostics: [...sniffed.diagnostics, ...imported.diagnostics] };
    }
    if (isLegacy(sniffed)) return (await import("./legacy.ts")).importLegacy(source);
    if (isPickle(sniffed)) return (await import("./plain-pickle.ts")).importPickle(source);
    throw new UnsupportedFeatureError(
      `${source.name}: a tar archive of PyTorch 0.1, which this version does not read; load it with PyTorch and save it again`,
      { file: source.name },
    );
  },
};
