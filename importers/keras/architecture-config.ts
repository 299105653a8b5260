/** A model's own serialized configuration: the outermost `{class_name, config}`, in all its generations. */

import type { Diagnostic } from "../../src/diagnostics.ts";
import type { Json, JsonObject } from "../../src/ir/graph.ts";
import type { ArchModel } from "./architecture.ts";
import { asObject, asString } from "./json-access.ts";
import { bareClass } from "./names.ts";
import type { ReadContext } from "./read-context.ts";
import { modelFlag, readModelGraph, unnamedPlace } from "./read-layer.ts";
import { newSharing } from "./shared-objects.ts";

/** Who wrote a file, as far as it says. */
export interface Writer {
  readonly version: string | null;
  readonly generation: 1 | 2 | 3;
  /** Standalone Keras; false for tf.keras and tf-keras. */
  readonly standalone: boolean;
  readonly framework: string | null;
}

/** Generation and flavour from a version string: `1.2.2`, `2.1.6-tf`, `2.15.0`, `3.8.0`. */
export function writerOf(version: string | null, config: JsonObject | undefined): Writer {
  if (version === null) {
    const generation = config ? generationByForm(config) : 2;
    return { version, generation, standalone: generation < 2, framework: null };
  }
  const [major = 0, minor = 0] = version.split(/[.-]/).map(Number);
  const generation = major >= 3 || major === 0 ? (major === 0 ? byZero(config) : 3) : major === 1 ? 1 : 2;
  // Standalone Keras ended with 2.3.1 and came back as an alias of tf.keras with 2.4.
  const standalone = generation === 1 || (generation === 2 && minor <= 3 && !version.endsWith("-tf"));
  return {
    version,
    generation,
    standalone,
    framework: standalone || generation === 3 ? "keras" : "tf.keras",
  };
}

/** keras-core called itself 0.x and wrote the form of Keras 3; Keras 0.x wrote that of Keras 1. */
function byZero(config: JsonObject | undefined): 1 | 3 {
  return config && generationByForm(config) === 3 ? 3 : 1;
}

function generationByForm(config: JsonObject): 1 | 2 | 3 {
  const text = beginningOf(config, 20_000);
  // Keras 3 wraps every object with its module; nothing older has both of these.
  if (/"registered_name"/.test(text) && /"module"/.test(text) && !/"batch_input_shape"/.test(text)) return 3;
  if (
    /"(border_mode|nb_filter|output_dim|W_regularizer|dim_ordering)"/.test(text) &&
    !/"kernel_initializer"/.test(text)
  )
    return 1;
  return /"batch_shape"|"registered_name"|"__keras_tensor__"/.test(text) && !/"batch_input_shape"/.test(text)
    ? 3
    : 2;
}

/** The first `length` characters of the JSON text, without making the rest, which can be 100 MB long. */
function beginningOf(value: Json, length: number): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, length)).slice(0, length);
  if (typeof value !== "object" || value === null) return JSON.stringify(value).slice(0, length);
  const isList = Array.isArray(value);
  let text = isList ? "[" : "{";
  // Not Object.entries, which would list a large object as a whole.
  for (const key in value) {
    if (text.length >= length) return text.slice(0, length);
    if (text.length > 1) text += ",";
    if (!isList) text += `${beginningOf(key, length - text.length)}:`;
    text += beginningOf((value as JsonObject)[key] ?? null, Math.max(0, length - text.length));
  }
  return `${text}${isList ? "]" : "}"}`.slice(0, length);
}

/** Reads the architecture; `undefined` when the configuration describes no layers (a subclassed model). */
export function readArchitecture(
  entry: JsonObject,
  writer: Writer,
  kind: "hdf5" | "archive" | "json",
  report: (diagnostic: Diagnostic) => void,
): ArchModel | undefined {
  const type = bareClass(asString(entry.class_name) ?? "Model");
  const config = asObject(entry.config);
  const context: ReadContext = {
    generation: writer.generation,
    standalone: writer.standalone,
    sortsKeywords: writer.generation < 3 && /^[12]\.(\d|1[0-5])\./.test(writer.version ?? ""),
    report,
    scope: "",
    depth: 0,
    sharing: newSharing(kind, writer.generation, writer.version),
    count: { layers: 0, unnamed: 0, nameText: 0, heights: new WeakMap() },
  };
  const unnamed = unnamedPlace(entry, context);
  const graph = readModelGraph(type, entry, context);
  if (!graph) return undefined;
  return {
    name: modelName(entry, type),
    ...unnamed,
    type,
    trainable: modelFlag(config, graph, writer.generation),
    graph,
    slots: [],
  };
}

/** A model's name; unnamed ones (Keras 1 Sequential) get the name Keras would give the first of their class. */
export function modelName(entry: JsonObject, type: string): string {
  const config = asObject(entry.config);
  return (
    asString(config?.name) ??
    asString(entry.name as Json) ??
    (type === "Sequential" ? "sequential_1" : "model_1")
  );
}
