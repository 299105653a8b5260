/**
 * The format of Keras 3 (and of 2.12 to 2.15): config.json, metadata.json and the weights, as a `.keras` archive, whose
 * weights are read in place, or as a folder (`save(..., zipped=False)`).
 */

import type { Diagnostic } from "../../src/diagnostics.ts";
import { MalformedFileError } from "../../src/errors.ts";
import type { ByteSource } from "../../src/io/byte-source.ts";
import type { JsonObject } from "../../src/ir/graph.ts";
import { openHdf5 } from "../../src/wire/hdf5.ts";
import { parseJson } from "../../src/wire/json.ts";
import type { ZipArchive } from "../../src/wire/zip.ts";
import type { Imported, ImportOptions } from "../importer.ts";
import type { ArchGraph } from "./architecture.ts";
import { readArchitecture, writerOf } from "./architecture-config.ts";
import { finishModel } from "./finish.ts";
import { asObject, asString } from "./json-access.ts";
import { listNpz } from "./npz.ts";
import { readOptimizer } from "./optimizer.ts";
import {
  emptyGroup,
  emptyTable,
  groupAt,
  readTree,
  type StoredGroup,
  type TensorTable,
  tensorsBelow,
} from "./stored.ts";
import { assignTreeWeights } from "./tree-weights.ts";
import { outside, treeWeightsModel } from "./weights-only.ts";

type Report = (diagnostic: Diagnostic) => void;

/** The files a model consists of, wherever they are. */
interface Parts {
  readonly source: ByteSource;
  readonly variant: "keras-archive" | "keras-folder";
  open(name: string): Promise<ByteSource | null>;
}

/** Keras 2.11 tried this format out with another name for the weights. */
const weightEntries = ["model.weights.h5", "variables.h5"] as const;

/** Imports a `.keras` archive. */
export async function importArchive(
  source: ByteSource,
  zip: ZipArchive,
  found: readonly Diagnostic[],
  options: ImportOptions,
): Promise<Imported> {
  const diagnostics: Diagnostic[] = [...found];
  const report: Report = (diagnostic) => void diagnostics.push(diagnostic);
  const open = async (name: string): Promise<ByteSource | null> => {
    const entry = zip.find(name);
    return entry ? zip.openEntry(entry) : null;
  };
  const model = await importParts({ source, variant: "keras-archive", open }, options, report);
  return { model, diagnostics };
}

/** Imports an unzipped model, given its config.json; `null` when the files beside it are not those of a model. */
export async function importFolder(source: ByteSource, options: ImportOptions): Promise<Imported | null> {
  if (!source.companion || !(await source.companion("metadata.json"))) return null;
  const diagnostics: Diagnostic[] = [];
  const report: Report = (diagnostic) => void diagnostics.push(diagnostic);
  const open = async (name: string): Promise<ByteSource | null> =>
    name === "config.json" ? source : ((await source.companion?.(name)) ?? null);
  const model = await importParts({ source, variant: "keras-folder", open }, options, report);
  return { model, diagnostics };
}

async function importParts(parts: Parts, options: ImportOptions, report: Report): Promise<Imported["model"]> {
  const { source } = parts;
  const config = await readJson(parts, "config.json");
  if (!config) {
    throw new MalformedFileError(
      `${source.name}: config.json is no JSON object, so there is no architecture to read`,
      { file: source.name, at: "config.json" },
    );
  }
  const metadata = await readJson(parts, "metadata.json");
  const writer = writerOf(asString(metadata?.keras_version) ?? null, config);
  options.onProgress?.("reading weight shapes");
  const table = emptyTable();
  const root = await readWeights(parts, table, report);
  const architecture =
    readArchitecture(config, writer, report) ?? treeWeightsModel(root, table, config, report);
  if (architecture.graph.topology !== "layers") {
    architecture.slots.push(...assignTreeWeights(architecture.graph, root, table));
  }
  markOutside(root, table);
  const compile = options.compile === false ? undefined : asObject(config.compile_config);
  const facts = { built: isBuilt(architecture.graph, root), slots: true };
  const optimizer = compile ? readOptimizer(compile.optimizer, facts, report) : null;
  return finishModel(architecture, {
    source,
    variant: parts.variant,
    writer,
    table,
    optimizer,
    kind: "graph",
    report,
  });
}

async function readJson(parts: Parts, name: string): Promise<JsonObject | undefined> {
  const part = await parts.open(name);
  if (!part) return undefined;
  return asObject(parseJson(await part.read(0, part.size), { file: parts.source.name, at: name }));
}

async function readWeights(parts: Parts, table: TensorTable, report: Report): Promise<StoredGroup> {
  for (const name of weightEntries) {
    const part = await parts.open(name);
    if (!part) continue;
    const file = await openHdf5(part, report);
    try {
      return readTree(file, "/", table);
    } finally {
      file.close();
    }
  }
  const npz = await parts.open("model.weights.npz");
  if (npz) await listNpz(npz, table, report);
  else {
    const reason = "there is no model.weights.h5, so every weight is derived from the configuration";
    report({ code: "weights-not-read", args: { reason }, at: "" });
  }
  return emptyGroup("/");
}

/** A model without weights and without known inputs has nothing to optimize yet. */
function isBuilt(graph: ArchGraph, root: StoredGroup): boolean {
  if (graph.outputs.length > 0) return true;
  return [...root.groups].some(([name, group]) => !outside.has(name) && !tensorsBelow(group).next().done);
}

/** Optimizer state and metrics are saved beside the layers. */
export function markOutside(root: StoredGroup, table: TensorTable): void {
  for (const name of outside) {
    const group = groupAt(root, name);
    if (!group) continue;
    for (const { index } of tensorsBelow(group)) {
      table.unclaimed.set(index, name === "optimizer" ? "optimizer" : "bookkeeping");
    }
  }
}
