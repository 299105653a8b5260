/** What the files beside the weights say of them: class of the model, and how its weights are quantised. */

import type { Diagnostic } from "../../src/diagnostics.ts";
import { isModelError } from "../../src/errors.ts";
import type { ByteSource } from "../../src/io/byte-source.ts";
import type { JsonObject } from "../../src/ir/graph.ts";
import { maxModelConfigBytes } from "../../src/limits/pytorch.ts";
import { getKey, type JsonValue, readJson } from "../../src/wire/json.ts";

export interface ModelConfig {
  /** First of `architectures` (transformers), or `_class_name` (diffusers). */
  readonly architecture: string | null;
  /** `quantization_config`, with `quant_method` always set. */
  readonly quantization: JsonObject | null;
}

/** Files that older quantisers wrote beside a `config.json` that says nothing of it, and what they mean. */
const olderFiles: readonly { readonly name: string; readonly method: string; readonly bits: string }[] = [
  { name: "quantize_config.json", method: "gptq", bits: "bits" },
  { name: "quant_config.json", method: "awq", bits: "w_bit" },
];

/** Reads `config.json` beside `source`, and the older files when `packed`. What cannot be read is reported. */
export async function readModelConfig(
  source: ByteSource,
  packed: boolean,
  report: (diagnostic: Diagnostic) => void,
): Promise<ModelConfig> {
  const config = await readBeside(source, "config.json", report);
  const listed = getKey(config, "architectures");
  const first = Array.isArray(listed) ? listed[0] : getKey(config, "_class_name");
  const architecture = typeof first === "string" && first.length <= 200 ? first : null;
  const stated =
    getKey(config, "quantization_config") ??
    getKey(config, "compression_config") ??
    getKey(config, "quantization");
  if (isObject(stated)) {
    const method = getKey(stated, "quant_method");
    const known = typeof method === "string" ? {} : { quant_method: guessMethod(stated) };
    return { architecture, quantization: { ...stated, ...known } };
  }
  for (const { name, method, bits } of packed ? olderFiles : []) {
    const older = await readBeside(source, name, report);
    const width = getKey(older, bits);
    if (isObject(older) && typeof width === "number")
      return { architecture, quantization: { ...older, quant_method: method, bits: width } };
  }
  return { architecture, quantization: null };
}

/** Steps of sentence-transformers that have no weights. */
const weightless = /^(Pooling|Normalize|Dropout|Router|WeightedLayerPooling)$/;

/** `modules.json` of sentence-transformers: steps after the model, whose weights are in folders of their own. */
export async function reportOtherModules(
  source: ByteSource,
  report: (diagnostic: Diagnostic) => void,
): Promise<void> {
  const listed = await readBeside(source, "modules.json", report);
  const others = (Array.isArray(listed) ? listed : []).flatMap((step) => {
    const [path, type] = [getKey(step, "path"), getKey(step, "type")];
    if (typeof path !== "string" || typeof type !== "string" || path === "") return [];
    return weightless.test(type.slice(type.lastIndexOf(".") + 1)) ? [] : [path.slice(0, 200)];
  });
  if (others.length === 0) return;
  const named = others.slice(0, 8).join(", ");
  const reason = `modules.json lists more steps of the model, with weights in folders of their own, which are not counted: ${named}`;
  report({ code: "weights-left-out", args: { reason }, at: "modules.json" });
}

/** bitsandbytes wrote its settings without its name at first, and MLX does. */
function guessMethod(stated: JsonObject): string {
  if ("load_in_4bit" in stated || "load_in_8bit" in stated) return "bitsandbytes";
  // MLX names neither itself nor a format.
  if ("group_size" in stated && "bits" in stated) return "mlx";
  return "format" in stated && "config_groups" in stated ? "compressed-tensors" : "";
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

async function readBeside(
  source: ByteSource,
  name: string,
  report: (diagnostic: Diagnostic) => void,
): Promise<JsonValue | undefined> {
  try {
    const found = await source.companion?.(name);
    if (!found) return undefined;
    try {
      return await readJson(found, { file: name, maxBytes: maxModelConfigBytes });
    } finally {
      found.close?.();
    }
  } catch (error) {
    if (!isModelError(error)) throw error;
    report({ code: "object-unreadable", args: { reason: error.message }, at: name });
    return undefined;
  }
}
