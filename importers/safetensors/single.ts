/** One file of weights with the configuration beside it. */

import { UnknownFormatError } from "../../src/errors.ts";
import type { ByteSource } from "../../src/io/byte-source.ts";
import { maxSmallValues } from "../../src/limits/pytorch.ts";
import type { Imported } from "../importer.ts";
import { setCopiesAside } from "../state-dict/averages.ts";
import { stateDictModel } from "../state-dict/model.ts";
import { isShapeNote, looksPacked } from "../state-dict/packed.ts";
import type { FileTensors, NamedTensor } from "../state-dict/state-dict.ts";
import { type Header, type HeaderTensor, readHeader } from "./header.ts";
import { type ModelConfig, readModelConfig, reportOtherModules } from "./model-config.ts";

/**
 * Reads a file of a model that is no safetensors file. A text: what it is, when that is no format which
 * keeps tensors by name. `prefix` is put before the paths of its tensors.
 */
export type OtherReader = (source: ByteSource, prefix: string) => Promise<FileTensors | string>;

/** Imports a file by itself. */
export async function importSingle(
  source: ByteSource,
  variant: string,
  other: OtherReader,
): Promise<Imported> {
  const read = (await isSafetensors(source)) ? await readTensors(source) : await other(source, "");
  if (typeof read !== "string") return finish(source, variant, read);
  throw new UnknownFormatError(`${source.name}: its weights are ${read}`, { file: source.name });
}

/** A length, and the brace of the header. */
export async function isSafetensors(source: ByteSource): Promise<boolean> {
  return (await source.read(0, Math.min(9, source.size)))[8] === 0x7b;
}

/** Names, types and shapes of a file, with the few small tensors that say how others are packed. `prefix` makes paths unique. */
export async function readTensors(source: ByteSource, prefix = ""): Promise<FileTensors> {
  const header = await readHeader(source);
  const tensors: NamedTensor[] = [];
  let notes = 0;
  for (const tensor of header.tensors) {
    const { name, dtype, shape, bytes } = tensor;
    const value = isShapeNote(name, dtype, bytes) && notes++ < maxSmallValues;
    tensors.push({
      name,
      path: `${prefix}${name}`,
      dtype,
      shape,
      bytes,
      identity: `${prefix}${name}`,
      ...(value && { value: await source.read(tensor.offset, bytes) }),
      ...(holdsOneEach(name, header.metadata) && { class: "parameter" as const }),
    });
  }
  for (const alias of aliases(header, prefix)) tensors.push(alias);
  const framework = frameworkOf(header.metadata.get("format"));
  return { format: "safetensors", framework, tensors, diagnostics: header.diagnostics };
}

/**
 * Whether the numbers of a flattened tensor of torchao (`_weight_qdata`) are one an element: the metadata have its class under the name that
 * it had, and some classes pack.
 */
function holdsOneEach(name: string, metadata: ReadonlyMap<string, string>): boolean {
  const [, path, own] = /^(.*\.)?_(\w+)_qdata$/.exec(name) ?? [];
  const stated = own === undefined ? undefined : metadata.get(`${path ?? ""}${own}`);
  return /^\{\s*"_type"\s*:\s*"(Int8Tensor|Float8Tensor|IntxUnpackedToInt8Tensor)"/.test(stated ?? "");
}

/** `save_model` stores tied tensors once, and notes the other names: `{"lm_head.weight": "wte.weight"}`. */
function aliases(header: Header, prefix: string): NamedTensor[] {
  if (header.metadata.size === 0) return [];
  const byName = new Map<string, HeaderTensor>(header.tensors.map((tensor) => [tensor.name, tensor]));
  return [...header.metadata].flatMap(([name, kept]) => {
    const tensor = byName.get(kept);
    if (!tensor || byName.has(name)) return [];
    const { dtype, shape, bytes } = tensor;
    return [{ name, path: `${prefix}${name}`, dtype, shape, bytes, identity: `${prefix}${kept}` }];
  });
}

/** Puts the tensors of a file or of all shards together with what the configuration beside them says. */
export async function finish(source: ByteSource, variant: string, read: FileTensors): Promise<Imported> {
  const { format, framework, modules, globals, optimizers } = read;
  const { tensors, diagnostics: copied } = setCopiesAside(read.tensors);
  const diagnostics = [...read.diagnostics, ...copied];
  const config: ModelConfig = await readModelConfig(
    source,
    looksPacked(tensors),
    (diagnostic) => void diagnostics.push(diagnostic),
  );
  if (variant === "model-folder")
    await reportOtherModules(source, (diagnostic) => void diagnostics.push(diagnostic));
  const built = stateDictModel({
    file: { name: source.name, size: source.size, format, variant },
    producer: { framework, version: null },
    name: stemOf(source.name),
    type: config.architecture ?? "state dict",
    dialect: framework ?? format,
    tensors,
    // Pickles keep the order of the modules; safetensors sorts.
    order: format === "safetensors" ? "natural" : "given",
    ...(modules && { modules }),
    ...(optimizers && { optimizers }),
    ...(config.quantization && { quantization: config.quantization }),
  });
  return {
    model: { ...built.model, ...(globals && { globals }) },
    diagnostics: [...diagnostics, ...built.diagnostics],
  };
}

const frameworks: Readonly<Record<string, string>> = {
  pt: "pytorch",
  tf: "tensorflow",
  flax: "flax",
  jax: "jax",
  np: "numpy",
  mlx: "mlx",
};

function frameworkOf(format: string | undefined): string | null {
  return format !== undefined && Object.hasOwn(frameworks, format) ? (frameworks[format] ?? null) : null;
}

function stemOf(name: string): string {
  return name.replace(/(\.(safetensors|bin))?(\.index)?(\.json|\.safetensors)?$/i, "") || name;
}
