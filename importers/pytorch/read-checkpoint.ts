/** A checkpoint in any of its forms: as a model by itself, or as one of several files of a model. */

import type { ByteSource } from "../../src/io/byte-source.ts";
import { maxSmallValues } from "../../src/limits/pytorch.ts";
import type { PickleImport } from "../../src/wire/pickle-value.ts";
import type { Imported, Sniffed } from "../importer.ts";
import { stateDictModel } from "../state-dict/model.ts";
import type { FileTensors, NamedTensor } from "../state-dict/state-dict.ts";
import { type Checkpoint, readArchive } from "./checkpoint.ts";
import { checkpointFolder, isLegacy, isScript } from "./forms.ts";
import { foreignGlobals, globalDiagnostics } from "./globals.ts";
import { type NamedTensors, nameTensors } from "./named-tensors.ts";
import type { Sections } from "./sections.ts";

/** The model of a file by itself. */
export async function importCheckpoint(source: ByteSource, sniffed: Sniffed): Promise<Imported> {
  const checkpoint = await readCheckpoint(source, sniffed);
  const { tensors, diagnostics, globals, modules, optimizers, framework } = await tensorsOf(
    source,
    checkpoint,
    "",
  );
  const { sections, variant } = checkpoint;
  const root = sections.models.length === 1 ? sections.models[0]?.node : undefined;
  const built = stateDictModel({
    file: { name: source.name, size: source.size, format: "pytorch", variant },
    producer: { framework, version: null },
    name: stemOf(source.name),
    type: root?.type?.split(".").at(-1) ?? kindOf(sections),
    dialect: "pytorch",
    tensors,
    order: "given",
    ...(modules && { modules }),
    ...(optimizers && { optimizers }),
  });
  return {
    model: { ...built.model, ...(globals && { globals }) },
    diagnostics: [...diagnostics, ...built.diagnostics],
  };
}

/** The tensors of one of several files, or of the one that a folder has. `prefix` makes their paths unique. */
export async function readTensors(
  source: ByteSource,
  sniffed: Sniffed,
  prefix: string,
): Promise<FileTensors> {
  return tensorsOf(source, await readCheckpoint(source, sniffed), prefix);
}

async function readCheckpoint(source: ByteSource, sniffed: Sniffed): Promise<Checkpoint> {
  const { zip } = sniffed;
  if (zip) {
    const folder = checkpointFolder(zip) ?? "";
    const read = isScript(zip, folder)
      ? await (await import("./torchscript.ts")).readScript(source, zip, folder)
      : await readArchive(source, zip, folder);
    return { ...read, diagnostics: [...sniffed.diagnostics, ...read.diagnostics] };
  }
  if (isLegacy(sniffed)) return (await import("./legacy.ts")).readLegacy(source);
  return (await import("./plain-pickle.ts")).readPlainPickle(source);
}

async function tensorsOf(source: ByteSource, checkpoint: Checkpoint, prefix: string): Promise<FileTensors> {
  const { found, sections, at } = checkpoint;
  const named = nameTensors(sections, found.storages, source.name);
  const globals = foreignGlobals(found.imports, at);
  const values = await readNotes(checkpoint, named.notes);
  const noteOf = (tensor: NamedTensor): Pick<NamedTensor, "value"> => {
    const value = values.get(tensor);
    return value ? { value } : {};
  };
  const tensors = named.tensors.map((tensor) => ({
    ...tensor,
    ...noteOf(tensor),
    path: `${prefix}${tensor.path ?? tensor.name}`,
    ...(tensor.identity !== undefined && { identity: `${prefix}${tensor.identity}` }),
  }));
  return {
    format: "pytorch",
    // A pickle of arrays may be of anything.
    framework: checkpoint.variant !== "pickle" || found.imports.some(isTorch) ? "pytorch" : null,
    tensors: prefix === "" && values.size === 0 ? named.tensors : tensors,
    modules: named.modules,
    ...(sections.optimizer.length > 0 && { optimizers: sections.optimizers }),
    diagnostics: [
      ...found.diagnostics,
      ...checkpoint.diagnostics,
      ...named.diagnostics,
      ...globalDiagnostics(globals),
    ],
    ...(globals.length > 0 && { globals }),
  };
}

function isTorch({ name }: PickleImport): boolean {
  return name.startsWith("torch.");
}

/** The bytes of the tensors that say how others are packed. What the file does not have says nothing. */
async function readNotes(
  { openStorage }: Checkpoint,
  notes: NamedTensors["notes"],
): Promise<ReadonlyMap<NamedTensor, Uint8Array>> {
  const values = new Map<NamedTensor, Uint8Array>();
  for (const [named, { storage, offset, itemBytes }] of [...notes].slice(0, maxSmallValues)) {
    const source = storage && (await openStorage?.(storage.key));
    const start = offset * itemBytes;
    if (source && start + named.bytes <= source.size)
      values.set(named, await source.read(start, named.bytes));
  }
  return values;
}

/** `resnet.pth` is the model resnet: the file has no other name for it. */
export function stemOf(name: string): string {
  const base = name.slice(Math.max(name.lastIndexOf("/"), name.lastIndexOf("\\")) + 1);
  return base.replace(/\.(pth?|bin|ckpt|th|tar|pkl|pickle|model|zip)$/i, "") || base;
}

function kindOf({ models, optimizer }: Sections): string {
  if (models.length === 0) return optimizer.length > 0 ? "optimizer state" : "checkpoint";
  return models.length === 1 && models[0]?.node.tensor ? "tensor" : "state dict";
}
