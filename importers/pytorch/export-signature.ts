/** What the inputs of an exported program are: parameters, buffers and constants by its signature, never by a gradient's flag. */

import { MalformedFileError } from "../../src/errors.ts";
import { sameShape } from "../../src/ir/shape.ts";
import { getKey, type JsonValue } from "../../src/wire/json.ts";
import { type SharedJson, textIn } from "../../src/wire/json-shared.ts";
import type { Payloads } from "./export-payloads.ts";
import { listOf, type Meta, objectOf, readMeta, textOf, unionOf } from "./export-schema.ts";
import { bufferClass, type Held, hold } from "./export-tensors.ts";
import { tellScales } from "./export-unwrapped.ts";
import { moduleKeys } from "./module-stack.ts";

export interface Signature {
  /** By name in the graph; null for an input that is no tensor and none of the caller's. */
  readonly inputs: ReadonlyMap<string, Held | null>;
  /** Every tensor, those that the graph does not read too. */
  readonly all: readonly Held[];
  /** Outputs that the caller gets; null where the signature does not tell. */
  readonly outputs: readonly JsonValue[] | null;
}

/** A line of the signature, whatever the schema. */
interface Spec {
  readonly tag: string;
  /** Name in the graph. */
  readonly placeholder: string | null;
  /** Name of the tensor; null for what is none. */
  readonly name: string | null;
}

/** Of older programs the flag is false everywhere (1 to 5, run) or nobody looked (6, 7). */
const firstSchemaWithFlags = 8;

/** @throws MalformedFileError for a tensor whose type or size is nowhere, or that has one name with two types. */
export function readSignature(program: SharedJson, payloads: Payloads): Signature {
  const module = getKey(program.json, "graph_module");
  const signature = getKey(module, "signature");
  const graph = getKey(module, "graph");
  const specs = specsOf(signature);
  // Only early names are not those of the modules.
  const early = !Array.isArray(getKey(signature, "input_specs")) || specs.some(isTraced);
  const pathOf = early ? tracedNames(program, graph) : (name: string): string => name;
  const values = program.tableAt(graph, "tensor_values");
  const inputs = new Map<string, Held | null>();
  const byName = new Map<string, Held>();
  const flagged = recordsFlags(program.json);
  const metaOf = (value: JsonValue | undefined, name: string): Meta | null => {
    const meta = readMeta(value, name);
    return flagged ? meta : meta && { ...meta, requiresGrad: null };
  };
  for (let i = 0; i < specs.length; i++) {
    const { tag, placeholder, name } = specs[i] as Spec;
    if (tag === "user_input") continue;
    if (name === null) {
      if (placeholder !== null) inputs.set(placeholder, null);
      continue;
    }
    const kind = tag === "parameter" ? "parameter" : tag === "buffer" ? bufferClass(name) : "constant";
    const listed = payloads.records.get(name) ?? null;
    const stated = metaOf(placeholder === null ? undefined : values?.get(placeholder), name);
    const held = hold(pathOf(name), kind, metaOf(listed?.meta, name) ?? stated, listed);
    const before = byName.get(name);
    // PyTorch 2.6 names both ends of a tied weight alike.
    if (
      before &&
      (before.class !== kind || before.dtype !== held.dtype || !sameShape(before.shape, held.shape))
    )
      throw new MalformedFileError(
        `the signature has ${JSON.stringify(name.slice(0, 200))} twice, as two tensors`,
      );
    if (!before) byName.set(name, held);
    if (placeholder !== null) inputs.set(placeholder, before ?? held);
  }
  for (const [name, listed] of payloads.records) {
    if (byName.has(name) || !(listed.tensor || objectOf(listed.meta))) continue;
    const kind = listed.parameter ? "parameter" : bufferClass(name);
    byName.set(name, hold(pathOf(name), kind, metaOf(listed.meta, name), listed));
  }
  const all = [...byName.values()];
  const scales = tellScales(all);
  if (scales.size > 0)
    for (const [name, held] of inputs) if (held) inputs.set(name, scales.get(held) ?? held);
  return { inputs, all: all.map((held) => scales.get(held) ?? held), outputs: outputsOf(signature) };
}

function recordsFlags(program: JsonValue): boolean {
  const major = getKey(getKey(program, "schema_version"), "major");
  return typeof major === "number" && major >= firstSchemaWithFlags;
}

function isTraced({ name }: Spec): boolean {
  return name?.startsWith("L__self__") === true;
}

function specsOf(signature: JsonValue | undefined): readonly Spec[] {
  const early = (key: string, tag: string): Spec[] =>
    Object.entries(objectOf(getKey(signature, key)) ?? {}).map(([placeholder, name]) => ({
      tag,
      placeholder,
      name: textOf(name),
    }));
  const written = getKey(signature, "input_specs");
  // The first schema has a table of each kind.
  if (!Array.isArray(written))
    return [...early("inputs_to_parameters", "parameter"), ...early("inputs_to_buffers", "buffer")];
  return listOf(written).map((spec) => {
    const { tag, value } = unionOf(spec);
    return { tag, placeholder: placeholderOf(value), name: tensorName(value) };
  });
}

function tensorName(value: JsonValue): string | null {
  return (
    textOf(getKey(value, "parameter_name")) ??
    textOf(getKey(value, "buffer_name")) ??
    textOf(getKey(value, "tensor_constant_name"))
  );
}

/**
 * Names as the module has them. Early tracers called a tensor by the variable it was found in: `L__self___block_0.weight`,
 * or `L__self___scale` for one of the root; which module `L__self___block_0` is, the nodes tell.
 */
function tracedNames(program: SharedJson, graph: JsonValue | undefined): (name: string) => string {
  let paths: ReadonlyMap<string, string> | null = null;
  return (name) => {
    paths ??= modulePaths(program, graph);
    const dot = name.lastIndexOf(".");
    const path = dot < 0 ? undefined : paths.get(name.slice(0, dot));
    if (path !== undefined && path !== "") return `${path}${name.slice(dot)}`;
    return name.replace(/^L__self___(?=.)/, "");
  };
}

/** Paths of modules by the names that the tracer had for them. */
function modulePaths(program: SharedJson, graph: JsonValue | undefined): ReadonlyMap<string, string> {
  const paths = new Map<string, string>();
  const nodes = program.elementsAt(graph, "nodes");
  for (let i = 0; nodes && i < nodes.length; i++) {
    const node = nodes.at(i);
    const stack = textIn(node, getKey(getKey(node.pattern, "metadata"), "nn_module_stack")) ?? "";
    for (const { key, path } of moduleKeys(stack)) if (!paths.has(key)) paths.set(key, path);
  }
  return paths;
}

/** The graph's name: in the first schema too, where it is an argument of its own. */
function placeholderOf(value: JsonValue): string | null {
  const argument = getKey(value, "arg");
  return textOf(getKey(argument, "name")) ?? textOf(getKey(unionOf(argument).value, "name"));
}

function outputsOf(signature: JsonValue | undefined): readonly JsonValue[] | null {
  const specs = getKey(signature, "output_specs");
  if (!Array.isArray(specs)) {
    const named = getKey(signature, "user_outputs");
    return Array.isArray(named) ? named.map((name: JsonValue) => ({ as_tensor: { name } })) : null;
  }
  return listOf(specs).flatMap((spec) => {
    const { tag, value } = unionOf(spec);
    const argument = getKey(value, "arg");
    if (argument === undefined) return [];
    if (tag === "user_output") return [argument];
    return tag === "loss_output" ? [{ as_tensor: argument }] : [];
  });
}
