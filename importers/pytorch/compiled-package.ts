/**
 * Packages of AOTInductor: machine code, and no graph. What weights there are, the generated source beside each library says in
 * assignments (`constants_info_[0].shape = {64, 3}`), and `weights_config.json` where they are kept apart.
 */

import { counted } from "../../src/counted.ts";
import { LimitExceededError, UnsupportedFeatureError } from "../../src/errors.ts";
import type { ByteSource } from "../../src/io/byte-source.ts";
import { productOfDims } from "../../src/ir/dim.ts";
import type { StaticShape } from "../../src/ir/shape.ts";
import type { TensorClass } from "../../src/ir/tensor.ts";
import { maxCompiledSourceBytes, maxTorchTensors } from "../../src/limits/pytorch.ts";
import { maxModelElements, maxRank } from "../../src/limits.ts";
import { type JsonValue, readJson } from "../../src/wire/json.ts";
import type { ZipArchive, ZipEntry } from "../../src/wire/zip.ts";
import type { Imported } from "../importer.ts";
import { stateDictModel } from "../state-dict/model.ts";
import type { NamedTensor } from "../state-dict/state-dict.ts";
import { dtypeOf, type TorchType } from "./dtypes.ts";
import { listOf, objectOf, textOf } from "./export-schema.ts";
import { bufferClass } from "./export-tensors.ts";
import { tryPickledTensors } from "./pickled-tensors.ts";
import type { TorchTensor } from "./tensor.ts";

/** A constant of the compiled program. */
interface Constant {
  readonly name: string;
  readonly class: TensorClass;
  readonly type: TorchType;
  readonly shape: StaticShape;
}

/** @throws UnsupportedFeatureError for a package that says nothing of its weights. */
export async function importCompiledPackage(source: ByteSource, zip: ZipArchive): Promise<Imported> {
  const models = new Map<string, ZipEntry[]>();
  for (const entry of zip.entries) {
    const model = /(^|\/)data\/aotinductor\/([^/]+)\//.exec(entry.name)?.[2];
    if (model === undefined || entry.duplicate) continue;
    const entries = models.get(model);
    if (entries) entries.push(entry);
    else models.set(model, [entry]);
  }
  const tensors: NamedTensor[] = [];
  for (const [model, entries] of models) {
    const prefix = models.size > 1 ? `${model}.` : "";
    for (const constant of (await constantsOf(source, zip, entries)).values()) {
      const { name, type, shape } = constant;
      const bytes = (productOfDims(shape) ?? 0) * type.bytes;
      const kind = constant.class === "parameter" ? "parameter" : "buffer";
      const facts = { dtype: type.dtype, shape, bytes, class: constant.class, kind } as const;
      tensors.push({ name: `${prefix}${name}`, ...facts });
      if (tensors.length > maxTorchTensors) throw tooMany(source.name, tensors.length);
    }
  }
  if (tensors.length === 0) throw nothingKnown(source.name, zip);
  const { model, diagnostics } = stateDictModel({
    file: { name: source.name, size: source.size, format: "pytorch", variant: "compiled-package" },
    producer: { framework: "pytorch", version: null },
    name: [...models.keys()].join(", "),
    type: "AOTInductor package",
    dialect: "pytorch",
    tensors,
    order: "given",
  });
  const reason =
    "AOTInductor compiled it to machine code; listed are the tensors that the code still takes, without those it folded into others";
  return { model, diagnostics: [{ code: "config-missing", args: { reason }, at: "" }, ...diagnostics] };
}

function nothingKnown(file: string, zip: ZipArchive): UnsupportedFeatureError {
  const libraries = zip.entries.filter(({ name }) => /\.(so|pyd|dylib|dll)$/.test(name)).length;
  const weights = zip.entries.filter(({ name }) => /data\/weights\/weight_\d+$/.test(name)).length;
  return new UnsupportedFeatureError(
    `${file}: a package that AOTInductor compiled (${counted(libraries, "library", "libraries")}, ${counted(weights, "weight")}): it has machine code, no graph and no list of its weights, so there is nothing to weigh; give the exported program it was made from`,
    { file },
  );
}

function tooMany(file: string, actual: number): LimitExceededError {
  return new LimitExceededError(
    `${file}: ${actual} tensors, the limit is ${maxTorchTensors} (maxTorchTensors)`,
    { limit: "maxTorchTensors", actual, maximum: maxTorchTensors, file },
  );
}

async function constantsOf(
  source: ByteSource,
  zip: ZipArchive,
  entries: readonly ZipEntry[],
): Promise<ReadonlyMap<string, Constant>> {
  const found = new Map<string, Constant>();
  let bytes = 0;
  for (const entry of entries) {
    if (!/\.(cpp|cc|cu)$/.test(entry.name)) continue;
    bytes += entry.size;
    if (bytes > maxCompiledSourceBytes) {
      throw new LimitExceededError(
        `${source.name}: the generated source in the package has more than ${maxCompiledSourceBytes} bytes (maxCompiledSourceBytes)`,
        {
          limit: "maxCompiledSourceBytes",
          actual: bytes,
          maximum: maxCompiledSourceBytes,
          file: source.name,
        },
      );
    }
    const opened = await zip.openEntry(entry);
    const text = new TextDecoder().decode(await opened.read(0, opened.size));
    for (const constant of readAssignments(text, source.name)) found.set(constant.name, constant);
  }
  const table = entries.find(({ name }) => name.endsWith("/weights_config.json"));
  if (!table) return found;
  const config = await readJson(await zip.openEntry(table), { file: source.name, at: table.name });
  const folder = table.name.slice(0, table.name.lastIndexOf("data/aotinductor/"));
  const kept = new Map<string, TorchTensor | null>();
  for (const [name, line] of Object.entries(objectOf(config) ?? {})) {
    if (found.has(name)) continue;
    const [file, sizes] = listOf(line);
    const entry = zip.find(`${folder}data/weights/${textOf(file) ?? ""}`);
    const shape = shapeOf(listOf(sizes));
    if (!entry || !shape) continue;
    // Many lines may name one file.
    if (!kept.has(entry.name)) kept.set(entry.name, await keptApart(zip, entry));
    const tensor = kept.get(entry.name);
    if (!tensor) continue;
    const type = { dtype: tensor.dtype, bytes: tensor.itemBytes };
    found.set(name, { name, class: tensor.parameter ? "parameter" : bufferClass(name), type, shape });
  }
  return found;
}

/** The generated source as the data it also is: each constant's fields, by its number. */
function readAssignments(text: string, file: string): readonly Constant[] {
  const constants: Map<string, string>[] = [];
  for (const [, number, key, value] of text.matchAll(/constants_info_\[(\d{1,6})\]\.(\w+) = ([^;\n]*);/g)) {
    const at = Number(number);
    if (at >= maxTorchTensors) throw tooMany(file, at + 1);
    constants[at] ??= new Map();
    constants[at].set(key ?? "", value ?? "");
  }
  return constants.flatMap((fields) => constantOf(fields) ?? []);
}

function constantOf(fields: ReadonlyMap<string, string>): Constant | null {
  const name = /^"(.*)"$/.exec(fields.get("original_fqn") ?? "")?.[1] || unquoted(fields.get("name"));
  const type = dtypeOf(`torch.${/cached_torch_dtype_(\w+)/.exec(fields.get("dtype") ?? "")?.[1] ?? ""}`);
  const sizes = /^\{(.*)\}$/.exec(fields.get("shape") ?? "")?.[1];
  if (name === undefined || !type || sizes === undefined) return null;
  const shape = shapeOf(sizes.trim() === "" ? [] : sizes.split(",").map((size) => Number.parseInt(size, 10)));
  const kind = /ConstantType::(\w+)/.exec(fields.get("type") ?? "")?.[1];
  const classOf: TensorClass =
    kind === "Buffer"
      ? bufferClass(name)
      : kind === "Parameter"
        ? "parameter"
        : // Weights that other weights were folded into are of no kind any more.
          kind === "Unknown" || kind === "FoldedConstant"
          ? "unclassified"
          : "constant";
  return shape && { name, class: classOf, type, shape };
}

function unquoted(text: string | undefined): string | undefined {
  return /^"(.+)"$/.exec(text ?? "")?.[1];
}

function shapeOf(sizes: readonly (number | JsonValue)[]): StaticShape | null {
  if (sizes.length > maxRank) return null;
  const shape = sizes.map((size) => (Number.isSafeInteger(size) && Number(size) >= 0 ? Number(size) : -1));
  const elements = shape.includes(-1) ? null : productOfDims(shape);
  return elements === null || elements > maxModelElements ? null : shape;
}

/** The record of `[file, shape, strides, offset]`, a pickle: the type is in there, and whether it is a parameter. */
async function keptApart(zip: ZipArchive, entry: ZipEntry): Promise<TorchTensor | null> {
  const read = await tryPickledTensors(await zip.openEntry(entry), entry.name);
  return "reason" in read ? null : (read.tensors.values().next().value ?? null);
}
