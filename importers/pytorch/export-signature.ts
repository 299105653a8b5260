/** What the inputs of an exported program are: parameters, buffers and constants by its signature, never by a gradient's flag. */

import { MalformedFileError } from "../../src/errors.ts";
import { getKey, type JsonValue } from "../../src/wire/json.ts";
import type { Payloads } from "./export-payloads.ts";
import { listOf, objectOf, readMeta, textOf, unionOf } from "./export-schema.ts";
import { bufferClass, type Held, hold } from "./export-tensors.ts";

export interface Signature {
  /** By name in the graph; null for an input that is no tensor and none of the caller's. */
  readonly inputs: ReadonlyMap<string, Held | null>;
  /** Every tensor, those that the graph does not read too. */
  readonly all: readonly Held[];
  /** Outputs that the caller gets; null where the signature does not tell. */
  readonly outputs: readonly JsonValue[] | null;
}

const nameKeys = ["parameter_name", "buffer_name", "tensor_constant_name"];

/** @throws MalformedFileError for a tensor whose type or size is nowhere, or that has two names. */
export function readSignature(program: JsonValue, payloads: Payloads): Signature {
  const module = getKey(program, "graph_module");
  const signature = getKey(module, "signature");
  const values = getKey(getKey(module, "graph"), "tensor_values");
  const inputs = new Map<string, Held | null>();
  const byName = new Map<string, Held>();
  for (const spec of listOf(getKey(signature, "input_specs"))) {
    const { tag, value } = unionOf(spec);
    if (tag === "user_input") continue;
    const placeholder = placeholderOf(value);
    const name = nameKeys.map((key) => textOf(getKey(value, key))).find((text) => text !== null);
    if (name === undefined || name === null) {
      if (placeholder !== null) inputs.set(placeholder, null);
      continue;
    }
    if (byName.has(name)) throw new MalformedFileError(`the signature has ${JSON.stringify(name)} twice`);
    const kind = tag === "parameter" ? "parameter" : tag === "buffer" ? bufferClass(name) : "constant";
    const listed = payloads.records.get(name);
    const constant = tag === "tensor_constant" || getKey(value, "persistent") === false;
    const stated = placeholder === null ? undefined : getKey(values, placeholder);
    const meta = readMeta(listed?.meta, name) ?? readMeta(stated, name);
    const held = hold(name, kind, meta, listed?.record ?? null, payloads.sizeOf(name, constant));
    byName.set(name, held);
    if (placeholder !== null) inputs.set(placeholder, held);
  }
  for (const [name, { record, parameter, meta }] of payloads.records) {
    if (byName.has(name) || !objectOf(meta)) continue;
    const kind = parameter ? "parameter" : bufferClass(name);
    byName.set(name, hold(name, kind, readMeta(meta, name), record, payloads.sizeOf(name, false)));
  }
  return { inputs, all: [...byName.values()], outputs: outputsOf(signature) };
}

/** The graph's name: in the first schema too, where it is an argument of its own. */
function placeholderOf(value: JsonValue): string | null {
  const argument = getKey(value, "arg");
  return textOf(getKey(argument, "name")) ?? textOf(getKey(unionOf(argument).value, "name"));
}

function outputsOf(signature: JsonValue | undefined): readonly JsonValue[] | null {
  const specs = getKey(signature, "output_specs");
  if (!Array.isArray(specs)) return null;
  return listOf(specs).flatMap((spec) => {
    const { tag, value } = unionOf(spec);
    const argument = getKey(value, "arg");
    if (argument === undefined) return [];
    if (tag === "user_output") return [argument];
    return tag === "loss_output" ? [{ as_tensor: argument }] : [];
  });
}
