/**
 * TorchScript archives: the modules as `torch.jit.save` pickles them, with parameters and buffers told apart by the classes
 * in their code, and the constants of that code. Nothing is compiled or run.
 */

import { counted } from "../../src/counted.ts";
import type { Diagnostic } from "../../src/diagnostics.ts";
import { MalformedFileError } from "../../src/errors.ts";
import type { ByteSource } from "../../src/io/byte-source.ts";
import { type Pickle, readPickle } from "../../src/wire/pickle.ts";
import type { ZipArchive } from "../../src/wire/zip.ts";
import { type Checkpoint, checkRecords, type PickledTree, treeOf, withUnnamed } from "./checkpoint.ts";
import { readScriptCode } from "./script-code.ts";
import { type Leaf, leavesOf, type ModelSection } from "./sections.ts";

/** Reads an archive whose `data.pkl` and `code` are in `folder` ("net/"). */
export async function readScript(source: ByteSource, zip: ZipArchive, folder: string): Promise<Checkpoint> {
  const { classes, unsaved } = await readScriptCode(zip, folder);
  const data = await readEntry(source, zip, `${folder}data.pkl`);
  const found = treeOf(data.value, data.imports, { folder: `${folder}data/`, classes });
  const constants = await readConstants(source, zip, folder);
  const named = new Map([...found.storages, ...constants.storages]);
  const missing = checkRecords(source, zip, named);
  const storages = withUnnamed(zip, `${folder}constants/`, withUnnamed(zip, `${folder}data/`, named));
  const own = leavesOf(found.tree, []);
  const held = leavesOf(constants.tree, []).map(
    ({ path, tensor }): Leaf => ({ path: ["CONSTANTS", `c${path.join(".")}`], tensor }),
  );
  // `torch.jit.freeze` makes constants of all weights, which then have lost their names.
  const frozen = own.length === 0 && held.length > 0;
  const model: ModelSection = frozen
    ? { path: [], node: { ...found.tree, module: false }, leaves: held }
    : { path: [], node: found.tree, leaves: own };
  return {
    variant: zip.find(`${folder}bytecode.pkl`) ? "torchscript-mobile" : "torchscript",
    found: { ...found, storages, diagnostics: [...found.diagnostics, ...constants.diagnostics] },
    sections: {
      models: [model],
      copies: [],
      optimizer: [],
      optimizers: [],
      training: [],
      constants: frozen ? [] : held,
    },
    at: `${folder}data.pkl`,
    diagnostics: [
      ...missing,
      ...(frozen ? [frozenNote(held.length)] : []),
      ...(unsaved > 0 ? [unsavedNote(unsaved)] : []),
    ],
  };
}

function frozenNote(tensors: number): Diagnostic {
  const reason = `the network was frozen: its ${counted(tensors, "tensor is a constant", "tensors are constants")} of its code, without names or modules`;
  return { code: "names-guessed", args: { reason }, at: "" };
}

function unsavedNote(tensors: number): Diagnostic {
  const reason = `${counted(tensors, "tensor that was", "tensors that were")} made for oneDNN (torch.jit.optimize_for_inference) cannot be saved, and PyTorch left only the place of each`;
  return { code: "weights-left-out", args: { reason }, at: "" };
}

async function readEntry(source: ByteSource, zip: ZipArchive, name: string): Promise<Pickle> {
  const entry = zip.find(name);
  if (!entry) throw new MalformedFileError(`${source.name}: there is no ${name}`, { file: source.name });
  return readPickle(await zip.openEntry(entry), { label: `${source.name}: ${name}` });
}

async function readConstants(source: ByteSource, zip: ZipArchive, folder: string): Promise<PickledTree> {
  const name = `${folder}constants.pkl`;
  const pickle = zip.find(name) ? await readEntry(source, zip, name) : { value: null, imports: [] };
  return treeOf(pickle.value, pickle.imports, { folder: `${folder}constants/` });
}
