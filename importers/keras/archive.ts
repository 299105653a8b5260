/**
 * The format of Keras 3 (and of 2.12 to 2.15): config.json, metadata.json and the weights, as a `.keras` archive, whose
 * weights are read in place, or as a folder (`save(..., zipped=False)`).
 */

import type { Diagnostic } from "../../src/diagnostics.ts";
import { LimitExceededError, MalformedFileError } from "../../src/errors.ts";
import type { ByteSource } from "../../src/io/byte-source.ts";
import type { DType } from "../../src/ir/dtype.ts";
import type { JsonObject } from "../../src/ir/graph.ts";
import { maxInflatedBytes, maxJsonBytes } from "../../src/limits.ts";
import { openHdf5 } from "../../src/wire/hdf5.ts";
import { readJson } from "../../src/wire/json.ts";
import type { ZipArchive, ZipEntry } from "../../src/wire/zip.ts";
import type { Imported, ImportOptions } from "../importer.ts";
import type { ArchGraph } from "./architecture.ts";
import { readArchitecture, writerOf } from "./architecture-config.ts";
import { finishModel } from "./finish.ts";
import { asObject, asString } from "./json-access.ts";
import { listNpz } from "./npz.ts";
import { optimizerOf, readOptimizer } from "./optimizer.ts";
import { readShards } from "./shards.ts";
import {
  emptyGroup,
  emptyTable,
  groupAt,
  readTree,
  type StoredGroup,
  type TensorTable,
  tensorAt,
  tensorsBelow,
} from "./stored.ts";
import { joinStoredOnce } from "./stored-once.ts";
import { assignTreeWeights } from "./tree-weights.ts";
import { markOutside, outside, treeWeightsModel } from "./weights-only.ts";

type Report = (diagnostic: Diagnostic) => void;

/** The files a model consists of, wherever they are. */
interface Parts {
  readonly source: ByteSource;
  readonly variant: "keras-archive" | "keras-folder";
  /** A deflated entry goes into memory as a whole, so one of more than `maximum` bytes is refused unopened. */
  open(name: string, maximum?: number): Promise<ByteSource | null>;
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
  const open = async (name: string, maximum = maxInflatedBytes): Promise<ByteSource | null> => {
    const entry = zip.find(name);
    if (entry && entry.method === "deflate") checkEntry(source, entry, maximum);
    return entry ? zip.openEntry(entry) : null;
  };
  const model = await importParts({ source, variant: "keras-archive", open }, options, report);
  return { model, diagnostics };
}

function checkEntry(source: ByteSource, { name, size }: ZipEntry, maximum: number): void {
  if (size <= maximum) return;
  throw new LimitExceededError(
    `${source.name}: ${name} is ${size} bytes once inflated, the limit for it is ${maximum}`,
    {
      limit: maximum === maxJsonBytes ? "maxJsonBytes" : "maxInflatedBytes",
      actual: size,
      maximum,
      file: source.name,
    },
  );
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
  const config = await readPart(parts, "config.json");
  if (!config) {
    throw new MalformedFileError(
      `${source.name}: config.json is no JSON object, so there is no architecture to read`,
      { file: source.name, at: "config.json" },
    );
  }
  const metadata = await readPart(parts, "metadata.json");
  const writer = writerOf(asString(metadata?.keras_version) ?? null, config);
  options.onProgress?.("reading weight shapes");
  const table = emptyTable();
  const stored = await readWeights(parts, { config, table, report, options });
  const root = stored ?? emptyGroup("/");
  const described = readArchitecture(config, writer, "archive", report);
  if (!described && !stored) {
    const reason =
      "neither the layers of this model are in its configuration nor its weights in a file beside it";
    report({ code: "weights-left-out", args: { reason }, at: "" });
  }
  const architecture = described ?? treeWeightsModel(root, table, config, report);
  if (architecture.graph.topology !== "layers") {
    for (const slot of assignTreeWeights(architecture.graph, root, table)) architecture.slots.push(slot);
  }
  if (table.tensors.length > 0) joinStoredOnce(architecture.graph, report);
  markOutside(root, table);
  // To a class with a compile() of its own, as these have, Keras 3 leaves it what is stored, and they build no optimizer.
  const compiled = options.compile !== false && !isHubTask(config);
  const compile = compiled ? asObject(config.compile_config) : undefined;
  const facts = { built: isBuilt(architecture.graph, root), slots: true, ...storedIteration(root, table) };
  const optimizer = compile ? readOptimizer(optimizerOf(compile), facts, report) : null;
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

async function readPart(parts: Parts, name: string): Promise<JsonObject | undefined> {
  const part = await parts.open(name, maxJsonBytes);
  if (!part) return undefined;
  return asObject(await readJson(part, { file: parts.source.name, at: name }));
}

interface WeightContext {
  readonly config: JsonObject;
  readonly table: TensorTable;
  readonly report: Report;
  readonly options: ImportOptions;
}

/** The tree of what is stored; `null` when there are no weights. */
async function readWeights(parts: Parts, context: WeightContext): Promise<StoredGroup | null> {
  const { table, report } = context;
  const root = await readStored(parts, context);
  // A folder of KerasHub has the backbone of a task in one file and its head in another.
  const head = isHubTask(context.config) ? await parts.open("task.weights.h5") : null;
  if (!head || !root) return root;
  const whole = emptyGroup("/");
  whole.groups.set("backbone", root);
  return readHdf5(head, table, report, "task.weights.h5/", whole);
}

async function readStored(parts: Parts, context: WeightContext): Promise<StoredGroup | null> {
  const { table, report, options } = context;
  for (const name of weightEntries) {
    const part = await parts.open(name);
    if (part) return readHdf5(part, table, report);
  }
  const index = parts.variant === "keras-folder" ? await parts.open("model.weights.json") : null;
  if (index) return readShards(index, { beside: parts.source, table, report, options });
  const npz = await parts.open("model.weights.npz");
  if (npz) {
    await listNpz(npz, table, report);
    return emptyGroup("/");
  }
  const reason = "there is no model.weights.h5, so every weight is derived from the configuration";
  report({ code: "weights-not-read", args: { reason }, at: "" });
  return null;
}

async function readHdf5(
  source: ByteSource,
  table: TensorTable,
  report: Report,
  prefix = "",
  into?: StoredGroup,
): Promise<StoredGroup> {
  const file = await openHdf5(source, report);
  try {
    return readTree(file, table, report, prefix, into);
  } finally {
    file.close();
  }
}

/** A backbone with a head. */
function isHubTask(config: JsonObject): boolean {
  const ofHub = /^keras_(hub|nlp)>/.test(asString(config.registered_name) ?? "");
  return ofHub && asObject(asObject(config.config)?.backbone) !== undefined;
}

/** The first variable of an optimizer is its step count. */
function storedIteration(root: StoredGroup, table: TensorTable): { readonly iteration?: DType } {
  const index = groupAt(root, "optimizer/vars")?.tensors.get("0");
  const stored = index === undefined ? undefined : tensorAt(table, index);
  return stored?.shape.length === 0 && /^int/.test(stored.dtype) ? { iteration: stored.dtype } : {};
}

/** A model without weights and without known inputs has nothing to optimize yet. */
function isBuilt(graph: ArchGraph, root: StoredGroup): boolean {
  if (graph.outputs.length > 0) return true;
  return [...root.groups].some(([name, group]) => !outside.has(name) && !tensorsBelow(group).next().done);
}
