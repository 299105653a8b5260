/** What stable-baselines3 saves: an archive whose entries are files of `torch.save`, one for the policy and one for each optimizer. */

import type { Diagnostic } from "../../src/diagnostics.ts";
import type { ByteSource } from "../../src/io/byte-source.ts";
import type { ZipArchive, ZipEntry } from "../../src/wire/zip.ts";
import { sniff } from "../detect.ts";
import type { Imported } from "../importer.ts";
import { stateDictModel } from "../state-dict/model.ts";
import type { FileTensors } from "../state-dict/state-dict.ts";
import { isCheckpoint } from "./forms.ts";
import { readTensors, stemOf } from "./read-checkpoint.ts";

/** Entries that are read: an algorithm has a policy, variables and at most four optimizers. */
const maxPolicyEntries = 32;

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

async function readEntry(zip: ZipArchive, entry: ZipEntry): Promise<FileTensors | null> {
  const sniffed = await sniff(await zip.openEntry(entry));
  if (!(await isCheckpoint(sniffed))) return null;
  const read = await readTensors(sniffed.source, sniffed, `${entry.name}/`);
  const inside = (at: string): string => (at === "" ? entry.name : `${entry.name}/${at}`);
  return {
    ...read,
    ...(read.globals && { globals: read.globals.map((one) => ({ ...one, at: inside(one.at) })) }),
    diagnostics: read.diagnostics.map((one) => ({ ...one, at: inside(one.at) })),
  };
}
