/** Keras in HDF5: full models, weight files in both layouts, and what to say of HDF5 that is neither. */

import { counted } from "../../src/counted.ts";
import { type Diagnostic, formatDiagnostic } from "../../src/diagnostics.ts";
import { MalformedFileError, UnknownFormatError } from "../../src/errors.ts";
import type { ByteSource } from "../../src/io/byte-source.ts";
import type { JsonObject } from "../../src/ir/graph.ts";
import { elementsOf } from "../../src/ir/shape.ts";
import type { Hdf5File } from "../../src/wire/hdf5.ts";
import { openHdf5 } from "../../src/wire/hdf5.ts";
import { parseJson } from "../../src/wire/json.ts";
import type { Imported, ImportOptions } from "../importer.ts";
import { readArchitecture, type Writer, writerOf } from "./architecture-config.ts";
import { type FinishFacts, finishModel } from "./finish.ts";
import { asObject, asString } from "./json-access.ts";
import { assignLegacyWeights, listAttribute, readLegacyLayers } from "./legacy-weights.ts";
import { readOptimizer } from "./optimizer.ts";
import { emptyTable, readTree, type StoredGroup, type TensorTable, tensorsBelow } from "./stored.ts";
import { joinStoredOnce } from "./stored-once.ts";
import { legacyWeightsModel, treeWeightsModel } from "./weights-only.ts";

/** Imports an HDF5 file. */
export async function importHdf5(source: ByteSource, options: ImportOptions): Promise<Imported> {
  const diagnostics: Diagnostic[] = [];
  const report = (diagnostic: Diagnostic): void => void diagnostics.push(diagnostic);
  const file = await openHdf5(source, report);
  try {
    const attributes = new Set(file.attributes("/"));
    if (attributes.has("model_config"))
      return { model: fullModel(file, source, options, diagnostics), diagnostics };
    const model = weightsOnly(file, source, report);
    if (!model)
      throw new UnknownFormatError(describeForeign(file, source, attributes), { file: source.name });
    return { model, diagnostics };
  } finally {
    file.close();
  }
}

function text(file: Hdf5File, path: string, name: string): string | null {
  const value = file.attribute(path, name);
  return typeof value === "string"
    ? value
    : Array.isArray(value) && typeof value[0] === "string"
      ? value[0]
      : null;
}

function jsonAttribute(file: Hdf5File, name: string, source: ByteSource): JsonObject | undefined {
  const value = text(file, "/", name);
  if (value === null) return undefined;
  return asObject(parseJson(value, { file: source.name, at: `attribute ${name}` }));
}

function fullModel(
  file: Hdf5File,
  source: ByteSource,
  options: ImportOptions,
  diagnostics: Diagnostic[],
): Imported["model"] {
  const report = (diagnostic: Diagnostic): void => void diagnostics.push(diagnostic);
  const config = jsonAttribute(file, "model_config", source);
  if (!config) {
    const unread = diagnostics.find((found) => found.code === "attribute-unreadable");
    const what = unread ? formatDiagnostic(unread) : "attribute model_config is not a JSON object";
    throw new MalformedFileError(`${source.name}: ${what}; so there is no architecture to read`, {
      file: source.name,
      at: "model_config",
    });
  }
  const group = hasGroup(file, "model_weights") ? "/model_weights" : "/";
  const version =
    text(file, "/", "keras_version") ??
    text(file, group, "keras_version") ??
    asString(config.keras_version) ??
    null;
  const writer = writerOf(version, config);
  const table = emptyTable();
  options.onProgress?.("reading weight shapes");
  const root = readTree(file, table, report);
  markOptimizer(root, table);
  const tree = group === "/" ? root : (root.groups.get("model_weights") as StoredGroup);
  const stored = readLegacyLayers(file, group, tree, report);
  const architecture = readArchitecture(config, writer, "hdf5", report);
  const optimizer = options.compile === false ? null : h5Optimizer(file, source, report);
  const facts: FinishFacts = {
    source,
    variant: "hdf5-full-model",
    writer,
    table,
    optimizer,
    kind: "graph",
    report,
  };
  if (!architecture) return finishModel(legacyWeightsModel(stored, table, config, report), facts);
  const { model: own, unmatched } = assignLegacyWeights(architecture.graph, stored, table, writer.generation);
  for (const slot of own) architecture.slots.push(slot);
  reportRepeated(table, report);
  if (table.tensors.length > 0) joinStoredOnce(architecture.graph, report);
  for (const layer of unmatched) {
    report({
      code: "graph-dangling",
      args: { reference: `layer ${layer.name} of the weights` },
      at: layer.name,
    });
  }
  return finishModel(architecture, facts);
}

/** What a shared layer stores in its second place is in the ledger, and not in the totals. */
function reportRepeated({ unclaimed, tensors }: TensorTable, report: (diagnostic: Diagnostic) => void): void {
  const repeated = tensors.filter((_, i) => unclaimed.get(i) === "unused");
  if (repeated.length === 0) return;
  const elements = repeated.reduce((sum, tensor) => sum + (elementsOf(tensor.shape) ?? 0), 0);
  report({ code: "shared-weight-stored-again", args: { tensors: repeated.length, elements }, at: "" });
}

function h5Optimizer(
  file: Hdf5File,
  source: ByteSource,
  report: (diagnostic: Diagnostic) => void,
): Imported["model"]["optimizer"] {
  const training = jsonAttribute(file, "training_config", source);
  if (!training) return null;
  const hasWeights = file.list("/").some((link) => link.name === "optimizer_weights");
  // Keras 3 builds the optimizer of an HDF5 file on the model's own variables alone, of which there are none.
  return readOptimizer(training.optimizer_config, { built: hasWeights, slots: false }, report);
}

function markOptimizer(root: StoredGroup, table: TensorTable): void {
  const group = root.groups.get("optimizer_weights");
  if (!group) return;
  for (const { index } of tensorsBelow(group)) table.unclaimed.set(index, "optimizer");
}

function weightsOnly(
  file: Hdf5File,
  source: ByteSource,
  report: (diagnostic: Diagnostic) => void,
): Imported["model"] | undefined {
  const group = findWeightsGroup(file);
  const isTree = ["layers", "_layer_checkpoint_dependencies", "vars"].some((name) =>
    file.list("/").some((link) => link.kind === "group" && splitName(link.name)[0] === name),
  );
  if (group === undefined && !isTree) return undefined;
  const table = emptyTable();
  const root = readTree(file, table, report);
  const at = group ?? "/";
  const version = text(file, at, "keras_version") ?? text(file, "/", "keras_version");
  const writer: Writer = writerOf(version, undefined);
  if (group !== undefined) {
    const tree = group === "/" ? root : (root.groups.get(group.slice(1)) as StoredGroup);
    const stored = readLegacyLayers(file, group, tree, report);
    const model = legacyWeightsModel(stored, table, undefined, report);
    return finishModel(model, {
      source,
      variant: "hdf5-weights-legacy",
      writer: version === null ? { ...writer, framework: "keras" } : writer,
      table,
      optimizer: null,
      kind: "weights-only",
      report,
    });
  }
  const model = treeWeightsModel(root, table, undefined, report);
  return finishModel(model, {
    source,
    variant: "hdf5-weights",
    writer: { ...writer, framework: "keras" },
    table,
    optimizer: null,
    kind: "weights-only",
    report,
  });
}

/** A real group: a link elsewhere or a dataset of that name holds no layers. */
function hasGroup(file: Hdf5File, name: string): boolean {
  return file.list("/").some((link) => link.name === name && link.kind === "group");
}

function splitName(name: string): string[] {
  return name.split("\\");
}

/** The group that lists layers: the root, or `model_weights` of a file that has lost its configuration. */
function findWeightsGroup(file: Hdf5File): string | undefined {
  for (const group of ["/", "/model_weights"]) {
    if (group !== "/" && !hasGroup(file, group.slice(1))) continue;
    if (listAttribute(file, group, "layer_names") !== undefined) return group;
  }
  return undefined;
}

function describeForeign(file: Hdf5File, source: ByteSource, attributes: ReadonlySet<string>): string {
  const links = file.list("/");
  const names = links.slice(0, 5).map((link) => link.name);
  const known = attributes.has("nb_layers")
    ? "it is a weight file of Keras 0.x, which names no layers"
    : attributes.has("MATLAB_class") || links.some((link) => link.name === "#refs#")
      ? "it looks like a MATLAB file"
      : attributes.has("CLASS")
        ? "it looks like a hickle file"
        : links.length === 0
          ? "it is empty"
          : `it holds ${counted(links.length, "object")} (${names.join(", ")}${links.length > 5 ? ", ..." : ""})`;
  return (
    `${source.name}: an HDF5 file, but no Keras model: it has neither the attribute model_config nor layer_names, ` +
    `nor a group layers; ${known}. If it is a model of another tool, export it with model.save() from Keras.`
  );
}
