/** dtype policies: the `dtype` entry of a layer's configuration, in every form since Keras 1. */

import { type DType, isDType } from "../../src/ir/dtype.ts";
import type { Json } from "../../src/ir/graph.ts";
import { asInteger, asList, asObject, asString } from "./json-access.ts";
import type { LayerSource } from "./layer-rule.ts";

export interface DTypePolicy {
  readonly variableDtype: DType | null;
  readonly quantization: LayerSource["quantization"];
}

const none: DTypePolicy = { variableDtype: null, quantization: null };

/** What a policy says about a layer's variables. Unknown forms say nothing. */
export function readDTypePolicy(value: Json | undefined): DTypePolicy {
  const name = asString(value);
  if (name !== undefined) return fromName(name);
  const config = asObject(asObject(value)?.config) ?? asObject(value);
  if (!config) return none;
  // DTypePolicyMap: one policy by layer path and a default; its own entries name sublayers, so the default it is.
  if (config.default_policy !== undefined) return readDTypePolicy(config.default_policy);
  const mode = asString(config.mode);
  if (mode !== undefined) {
    const source = asString(config.source_name);
    return {
      variableDtype: source === undefined ? null : fromName(source).variableDtype,
      quantization: fromMode(mode, asInteger(config.block_size), asInteger(config.amax_history_length)),
    };
  }
  const inner = asString(config.name);
  return inner === undefined ? none : fromName(inner);
}

function fromName(name: string): DTypePolicy {
  const quantized = /^(.+)_from_(.+)$/.exec(name);
  if (quantized) {
    return {
      variableDtype: fromName(quantized[2] as string).variableDtype,
      quantization: fromMode(quantized[1] as string),
    };
  }
  if (name.startsWith("mixed_")) return { variableDtype: "float32", quantization: null };
  return { variableDtype: isDType(name) ? name : null, quantization: null };
}

/** `int8`, `int4/128` (mode/block), `gptq/4/128` and `awq/4/128` (mode/bits/group). */
function fromMode(mode: string, blockSize?: number, historyLength?: number): LayerSource["quantization"] {
  const [kind, ...numbers] = mode.split("/");
  const figures = numbers.map(Number).filter((n) => Number.isSafeInteger(n));
  if (kind === "int4") return { mode: "int4", bits: 4, blockSize: blockSize ?? figures[0] ?? -1 };
  if (kind === "gptq" || kind === "awq") {
    return { mode: kind, bits: figures[0] ?? 4, blockSize: figures[1] ?? blockSize ?? -1 };
  }
  if (kind === "int8") return { mode: kind, bits: 8, blockSize: -1 };
  if (kind === "float8")
    return { mode: kind, bits: 8, blockSize: -1, ...(historyLength !== undefined && { historyLength }) };
  return { mode: kind ?? mode, bits: figures[0] ?? 8, blockSize: figures[1] ?? -1 };
}

/** Quantisation a layer states outside its policy (`quantization_config`, Keras 3.14+). */
export function readQuantizationConfig(value: Json | undefined): { blockSize?: number; bits?: number } {
  const config = asObject(asObject(value)?.config) ?? asObject(value);
  if (!config) return {};
  const blockSize = asInteger(config.block_size) ?? asInteger(config.group_size);
  const bits = asInteger(config.weight_bits);
  return { ...(blockSize !== undefined && { blockSize }), ...(bits !== undefined && { bits }) };
}

/** Shapes a layer was built with (`build_config`), in the order of their arguments. */
export function readBuildShapes(value: Json | undefined): readonly Json[] {
  const config = asObject(value);
  if (!config) return [];
  if (config.input_shape !== undefined) return config.input_shape === null ? [] : [config.input_shape];
  const shapes = asObject(config.shapes_dict);
  if (shapes) return Object.values(shapes);
  return asList(config.input_shapes) ?? [];
}
