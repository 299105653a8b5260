/** What stable-baselines3 saves: an archive whose entries are files of `torch.save`, one for the policy and one for each optimizer. */

import type { Diagnostic } from "../../src/diagnostics.ts";
import type { ByteSource } from "../../src/io/byte-source.ts";
import { maxPolicyEntries } from "../../src/limits/pytorch.ts";
import { openZip, type ZipArchive, type ZipEntry } from "../../src/wire/zip.ts";
import type { Imported } from "../importer.ts";
import { stateDictModel } from "../state-dict/model.ts";
import type { FileTensors } from "../state-dict/state-dict.ts";
import { checkpointFolder } from "./forms.ts";
import { readTensors, stemOf } from "./read-checkpoint.ts";

/** The model of an archive: the tensors of all its entries, the state of optimizers told apart as in any checkpoint. */
export async function importPolicy(source: ByteSource, zip: ZipArchive): Promise<Imported> {
  const entries = zip.entries.filter(({ name, duplicate }) => /^[^/]+\.pth$/.test(name) && !duplicate);
  const files: FileTensors[] = [];
  const unread: Diagnostic[] = [];
  for (const [i, entry] of entries.slice(0, maxPolicyEntries + 1).entries()) {
    const read = i < maxPolicyEntries ? await readEntry(zip, entry) : null;
    if (read) files.push(read);
    else
      unread.push({
        code: "weights-left-out",
        args: { reason: `${entry.name} is no file of torch.save that is read here` },
        at: "",
      });
  }
  const globals = files.flatMap((file) => file.globals ?? []);
  const optimizers = new Set(files.flatMap((file) => file.optimizers ?? []));
  const built = stateDictModel({
    file: { name: source.name, size: source.size, format: "pytorch", variant: "policy-archive" },
    producer: { framework: "pytorch", version: null },
    name: stemOf(source.name),
    type: "policy",
    dialect: "pytorch",
    tensors: files.flatMap(({ tensors }) => tensors),
    order: "given",
    ...(files.some((file) => file.optimizers) && { optimizers: [...optimizers] }),
  });
  return {
    model: { ...built.model, ...(globals.length > 0 && { globals }) },
    diagnostics: [...unread, ...files.flatMap(({ diagnostics }) => diagnostics), ...built.diagnostics],
  };
}

/** `null` for what is no archive of `torch.save`: no version of the library writes another form. */
async function readEntry(archive: ZipArchive, entry: ZipEntry): Promise<FileTensors | null> {
  const source = await archive.openEntry(entry);
  const head = await source.read(0, Math.min(4, source.size));
  if (head[0] !== 0x50 || head[1] !== 0x4b) return null;
  const diagnostics: Diagnostic[] = [];
  const zip = await openZip(source, (found) => void diagnostics.push(found));
  if (checkpointFolder(zip) === null) return null;
  const read = await readTensors(
    source,
    { source, head, container: "zip", zip, diagnostics },
    `${entry.name}/`,
  );
  const inside = (at: string): string => (at === "" ? entry.name : `${entry.name}/${at}`);
  return {
    ...read,
    ...(read.globals && { globals: read.globals.map((one) => ({ ...one, at: inside(one.at) })) }),
    diagnostics: read.diagnostics.map((one) => ({ ...one, at: inside(one.at) })),
  };
}
