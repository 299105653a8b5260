/** Tensors that `torch.save` wrote into an archive that is itself an entry of another one. */

import { counted } from "../../src/counted.ts";
import type { Diagnostic } from "../../src/diagnostics.ts";
import { isModelError, MalformedFileError } from "../../src/errors.ts";
import type { ByteSource } from "../../src/io/byte-source.ts";
import { readPickle } from "../../src/wire/pickle.ts";
import type { PickleImport } from "../../src/wire/pickle-value.ts";
import { openZip } from "../../src/wire/zip.ts";
import { treeOf } from "./checkpoint.ts";
import { checkpointFolder } from "./forms.ts";
import type { TorchTensor } from "./tensor.ts";

export interface PickledTensors {
  /** By key of the dictionary; a tensor by itself has the name "". */
  readonly tensors: ReadonlyMap<string, TorchTensor>;
  readonly imports: readonly PickleImport[];
  readonly missing: readonly { readonly name: string; readonly stored: string; readonly expected: string }[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Reads the pickle of the archive; `name` is that of its entry. @throws a ModelError for what is no such archive. */
export async function readPickledTensors(source: ByteSource, name: string): Promise<PickledTensors> {
  const diagnostics: Diagnostic[] = [];
  const zip = await openZip(source, (diagnostic) => void diagnostics.push(diagnostic));
  const folder = checkpointFolder(zip) ?? "";
  const pickled = zip.find(`${folder}data.pkl`);
  if (!pickled) throw new MalformedFileError(`${name}: there is no data.pkl in it`, { at: name });
  const { value, imports } = await readPickle(await zip.openEntry(pickled), { label: name });
  const found = treeOf(value, imports, { folder: `${name}/${folder}data/` });
  const tensors = new Map<string, TorchTensor>();
  if (found.tree.tensor) tensors.set("", found.tree.tensor);
  for (const { key, tensor } of found.tree.children) if (tensor) tensors.set(key, tensor);
  const missing = [...found.storages.values()].flatMap(({ key, bytes }) => {
    const record = zip.find(key.slice(name.length + 1));
    if (record?.size === bytes) return [];
    const stored = record ? counted(record.size, "byte") : "nothing";
    return [{ name: key, stored, expected: counted(bytes, "byte") }];
  });
  return { tensors, imports, missing, diagnostics: [...diagnostics, ...found.diagnostics] };
}

/** The same, or the reason why it cannot be read. */
export async function tryPickledTensors(
  source: ByteSource,
  name: string,
): Promise<PickledTensors | { readonly reason: string }> {
  try {
    return await readPickledTensors(source, name);
  } catch (error) {
    if (!isModelError(error) || error.kind === "source-read" || error.kind === "limit-exceeded") throw error;
    return {
      reason: `${name} cannot be read (${error.message}); types and sizes are those the graph states`,
    };
  }
}
