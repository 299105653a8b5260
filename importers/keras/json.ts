/** Architecture-only JSON (`model.to_json()`): everything is derived, nothing is stored. */

import type { Diagnostic } from "../../src/diagnostics.ts";
import { UnknownFormatError } from "../../src/errors.ts";
import type { ByteSource } from "../../src/io/byte-source.ts";
import type { JsonObject } from "../../src/ir/graph.ts";
import { readJson } from "../../src/wire/json.ts";
import type { Imported, ImportOptions } from "../importer.ts";
import { readArchitecture, writerOf } from "./architecture-config.ts";
import { finishModel } from "./finish.ts";
import { asObject, asString } from "./json-access.ts";
import { optimizerOf, readOptimizer } from "./optimizer.ts";
import { emptyTable } from "./stored.ts";

/** Imports the JSON of a model's architecture. */
export async function importJson(source: ByteSource, options: ImportOptions): Promise<Imported> {
  const diagnostics: Diagnostic[] = [];
  const report = (diagnostic: Diagnostic): void => void diagnostics.push(diagnostic);
  let entry = asObject(await readJson(source, { file: source.name }));
  // Some tools keep the architecture as a string inside JSON, or the whole under "modelTopology".
  entry = asObject(entry?.model_config) ?? entry;
  if (!entry) throw noModel(source, "it is no object");
  const writer = writerOf(asString(entry.keras_version) ?? null, entry);
  const architecture = readArchitecture(entry, writer, "json", report);
  if (!architecture) throw noModel(source, describe(entry));
  return {
    model: finishModel(architecture, {
      source,
      variant: "json-architecture",
      writer: { ...writer, framework: writer.framework ?? "keras" },
      table: emptyTable(),
      optimizer: readOptimizer(
        options.compile === false ? undefined : optimizerOf(asObject(entry.compile_config)),
        { built: architecture.graph.outputs.length > 0, slots: true },
        report,
      ),
      kind: "graph",
      report,
    }),
    diagnostics,
  };
}

function describe(entry: JsonObject): string {
  const type = asString(entry.class_name);
  return type === undefined
    ? "it has no class_name"
    : `class ${type} has no layers in its configuration, so it is a subclass whose code is elsewhere`;
}

function noModel(source: ByteSource, what: string): UnknownFormatError {
  return new UnknownFormatError(
    `${source.name}: JSON, but no Keras architecture: ${what}. Expected what model.to_json() writes.`,
    { file: source.name },
  );
}
