/** weighbridge for Node: everything of the main entry, and files by path. */

import { existsSync, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { couldBeModel } from "../../importers/detect.ts";
import { weightFiles } from "../../importers/weight-files.ts";
import type { ByteSource } from "../io/byte-source.ts";
import { isSeekable, openDescriptor, openFile, spoolStream } from "../io/node-file.ts";
import type { Report } from "../report/report.ts";
import { type Imported, type InspectOptions, readModel, reportOf } from "./inspect.ts";

export * from "./index.ts";

/**
 * Weighs the model file at `path`. Files it refers to (shards) are looked for beside it, and nowhere else.
 * @throws ModelError of some kind when the file cannot be read.
 */
export async function inspectFile(path: string, options: InspectOptions = {}): Promise<Report> {
  return reportOf(await readModelFile(path, options), options);
}

/** Reads the model file at `path` into the normalised model. */
export async function readModelFile(path: string, options: InspectOptions = {}): Promise<Imported> {
  const source = openModel(path);
  try {
    return await readModel(source, options);
  } finally {
    source.close();
  }
}

/**
 * The file that stands for a folder: the configuration that leads to everything else, weights that came without one, or the
 * table of a distributed checkpoint.
 */
function fileOfFolder(path: string): string | undefined {
  // KerasHub saves a task as its backbone, and a head beside it.
  if (existsSync(join(path, "task.weights.h5")) && existsSync(join(path, "task.json"))) return "task.json";
  return ["config.json", ...weightFiles, ".metadata", "model_index.json", "saved_model.pb"].find((name) =>
    existsSync(join(path, name)),
  );
}

/**
 * Opens a model for reading: a file, or a folder (an unzipped `.keras` model, a Hugging Face model, a distributed checkpoint).
 * @throws SourceReadError when it cannot be opened.
 */
export function openModel(path: string): OpenSource {
  const inside = isFolder(path) ? fileOfFolder(path) : undefined;
  return inside === undefined
    ? openFile(path)
    : { ...openFile(join(path, inside)), name: basename(resolve(path)) };
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    // Missing, unreadable, a link to itself: opening it says so in proper words.
    return false;
  }
}

/** An open source; give it back with `close`. */
export type OpenSource = ByteSource & { close(): void };

/** Standard input: read in place when it is a file, spooled to a temporary file when it is a pipe. */
export async function openStandardInput(): Promise<OpenSource> {
  return isSeekable(0) ? openDescriptor(0) : spoolStream(process.stdin, "stdin", { accepts: couldBeModel });
}
