/** One safetensors file. */

import type { Diagnostic } from "../../src/diagnostics.ts";
import type { ByteSource } from "../../src/io/byte-source.ts";
import { maxSmallValues } from "../../src/limits.ts";
import type { Imported } from "../importer.ts";
import { stateDictModel } from "../state-dict/model.ts";
import { isShapeNote, looksPacked } from "../state-dict/packed.ts";
import type { NamedTensor } from "../state-dict/state-dict.ts";
import { type Header, type HeaderTensor, readHeader } from "./header.ts";
import { type ModelConfig, readModelConfig } from "./model-config.ts";

/** What one file or shard holds. */
export interface FileTensors {
  readonly tensors: readonly NamedTensor[];
  readonly metadata: ReadonlyMap<string, string>;
  readonly diagnostics: readonly Diagnostic[];
}

/** Imports a file by itself. */
export async function importSingle(source: ByteSource, variant: string): Promise<Imported> {
  const { tensors, metadata, diagnostics } = await readTensors(source);
  return finish({ source, variant, tensors, metadata, found: diagnostics });
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
    });
  }
  tensors.push(...aliases(header, prefix));
  return { tensors, metadata: header.metadata, diagnostics: header.diagnostics };
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

export interface FinishFacts {
  readonly source: ByteSource;
  readonly variant: string;
  readonly tensors: readonly NamedTensor[];
  readonly metadata: ReadonlyMap<string, string>;
  readonly found: readonly Diagnostic[];
}

/** Puts the tensors of a file or of all shards together with what the configuration beside them says. */
export async function finish({ source, variant, tensors, metadata, found }: FinishFacts): Promise<Imported> {
  const diagnostics = [...found];
  const config: ModelConfig = await readModelConfig(
    source,
    looksPacked(tensors),
    (diagnostic) => void diagnostics.push(diagnostic),
  );
  const framework = frameworkOf(metadata.get("format"));
  const built = stateDictModel({
    file: { name: source.name, size: source.size, format: "safetensors", variant },
    producer: { framework, version: null },
    name: stemOf(source.name),
    type: config.architecture ?? "state dict",
    dialect: framework ?? "safetensors",
    tensors,
    order: "natural",
    ...(config.quantization && { quantization: config.quantization }),
  });
  return { model: built.model, diagnostics: [...diagnostics, ...built.diagnostics] };
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
