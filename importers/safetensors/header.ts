/** The header of a safetensors file: a length, JSON, and then the data that nobody reads here. */

import { counted } from "../../src/counted.ts";
import type { Diagnostic } from "../../src/diagnostics.ts";
import { LimitExceededError, MalformedFileError } from "../../src/errors.ts";
import type { ByteSource } from "../../src/io/byte-source.ts";
import { productOfDims } from "../../src/ir/dim.ts";
import { bitsOf, type DType } from "../../src/ir/dtype.ts";
import type { StaticShape } from "../../src/ir/shape.ts";
import { maxSafetensorsHeaderBytes } from "../../src/limits/pytorch.ts";
import { maxModelElements, maxRank } from "../../src/limits.ts";
import { getKey, type JsonValue, parseJson } from "../../src/wire/json.ts";
import { findDuplicateKey } from "./duplicate-keys.ts";

export interface HeaderTensor {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: StaticShape;
  /** From the start of the file. */
  readonly offset: number;
  readonly bytes: number;
}

export interface Header {
  /** In the order of the header. */
  readonly tensors: readonly HeaderTensor[];
  /** `__metadata__`: what the writer noted. */
  readonly metadata: ReadonlyMap<string, string>;
  readonly diagnostics: readonly Diagnostic[];
}

/** As `safetensors` 0.8 names them. */
const dtypes: ReadonlyMap<string, DType> = new Map<string, DType>([
  ["BOOL", "bool"],
  ["F4", "float4_e2m1fn"],
  ["F6_E2M3", "float6_e2m3fn"],
  ["F6_E3M2", "float6_e3m2fn"],
  ["U8", "uint8"],
  ["I8", "int8"],
  ["F8_E5M2", "float8_e5m2"],
  ["F8_E4M3", "float8_e4m3fn"],
  ["F8_E8M0", "float8_e8m0fnu"],
  ["F8_E4M3FNUZ", "float8_e4m3fnuz"],
  ["F8_E5M2FNUZ", "float8_e5m2fnuz"],
  ["I16", "int16"],
  ["U16", "uint16"],
  ["F16", "float16"],
  ["BF16", "bfloat16"],
  ["I32", "int32"],
  ["U32", "uint32"],
  ["F32", "float32"],
  ["C64", "complex64"],
  ["F64", "float64"],
  ["I64", "int64"],
  ["U64", "uint64"],
]);

/**
 * Reads the header of `source` and nothing else.
 * @throws MalformedFileError when it contradicts itself or the file; LimitExceededError above the format's own limit.
 */
export async function readHeader(source: ByteSource): Promise<Header> {
  const file = source.name;
  const length = await headerLength(source);
  const bytes = await source.read(8, length);
  const text = decode(bytes, file);
  const value = parseJson(text, { file, at: "header" });
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw fault(file, "the header is not a JSON object");
  const duplicate = findDuplicateKey(text, value);
  if (duplicate !== null) throw fault(file, `the header has ${JSON.stringify(duplicate)} twice`);
  const entries = Object.entries(value as Readonly<Record<string, JsonValue>>);
  const metadata = readMetadata(getKey(value, "__metadata__"), file);
  const reader = new EntryReader(file, 8 + length, source.size);
  const tensors = entries
    .filter(([name]) => name !== "__metadata__")
    .map(([name, entry]) => reader.read(name, entry));
  checkElements(tensors, file);
  const gaps = checkCover(tensors, 8 + length, source.size, file);
  return { tensors, metadata, diagnostics: [...reader.diagnostics, ...gaps] };
}

async function headerLength(source: ByteSource): Promise<number> {
  const bytes = await source.read(0, 8);
  const view = new DataView(bytes.buffer, bytes.byteOffset, 8);
  const length = view.getUint32(0, true) + view.getUint32(4, true) * 2 ** 32;
  if (length > maxSafetensorsHeaderBytes) {
    throw new LimitExceededError(
      `${source.name}: a header of ${counted(length, "byte")}; the format allows ${maxSafetensorsHeaderBytes} (maxSafetensorsHeaderBytes)`,
      {
        limit: "maxSafetensorsHeaderBytes",
        actual: length,
        maximum: maxSafetensorsHeaderBytes,
        file: source.name,
      },
    );
  }
  if (8 + length > source.size) {
    throw fault(
      source.name,
      `the header ends at byte ${8 + length} but the file has ${source.size}; it is probably truncated`,
    );
  }
  return length;
}

function decode(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new MalformedFileError(`${file}: the header is not UTF-8`, { file, at: "header", cause });
  }
}

function fault(file: string, what: string, at = "header"): MalformedFileError {
  return new MalformedFileError(`${file}: ${what}`, { file, at });
}

function readMetadata(value: JsonValue | undefined, file: string): ReadonlyMap<string, string> {
  if (value === undefined || value === null) return new Map();
  if (typeof value !== "object" || Array.isArray(value))
    throw fault(file, "__metadata__ is not an object", "__metadata__");
  const entries = Object.entries(value as Readonly<Record<string, JsonValue>>);
  for (const [key, text] of entries) {
    if (typeof text !== "string")
      throw fault(
        file,
        `__metadata__ holds ${JSON.stringify(key)} as something else than text`,
        "__metadata__",
      );
  }
  return new Map(entries as [string, string][]);
}

class EntryReader {
  readonly diagnostics: Diagnostic[] = [];
  private readonly file: string;
  private readonly start: number;
  private readonly size: number;

  constructor(file: string, start: number, size: number) {
    this.file = file;
    this.start = start;
    this.size = size;
  }

  read(name: string, entry: JsonValue): HeaderTensor {
    const shape = this.shape(name, getKey(entry, "shape"));
    const [begin, end] = this.offsets(name, getKey(entry, "data_offsets"));
    const type = getKey(entry, "dtype");
    if (typeof type !== "string") throw this.fault(name, "has no dtype");
    const dtype = dtypes.get(type);
    const bytes = end - begin;
    if (dtype === undefined) {
      const reason = `its element type ${JSON.stringify(type.slice(0, 40))} is not known to this version; its elements are counted, its bytes are as stored`;
      this.diagnostics.push({ code: "object-unreadable", args: { reason }, at: name });
    } else this.checkSize(name, dtype, type, shape, bytes);
    return { name, dtype: dtype ?? "opaque", shape, offset: this.start + begin, bytes };
  }

  private shape(name: string, value: JsonValue | undefined): StaticShape {
    if (!Array.isArray(value)) throw this.fault(name, "has no shape");
    if (value.length > maxRank)
      throw this.fault(name, `has ${counted(value.length, "dimension")}; the limit is ${maxRank}`);
    if (!value.every(isCount)) throw this.fault(name, `has the shape ${preview(value)}`);
    if (productOfDims(value as number[]) === null)
      throw this.fault(name, `has the shape ${preview(value)}, more elements than can be counted`);
    return value as number[];
  }

  private offsets(name: string, value: JsonValue | undefined): [number, number] {
    const [begin, end] = Array.isArray(value) ? value : [];
    if (!Array.isArray(value) || value.length !== 2 || !isCount(begin) || !isCount(end) || begin > end)
      throw this.fault(name, `has data_offsets ${preview(value)}`);
    if (this.start + end > this.size) {
      throw this.fault(
        name,
        `ends at byte ${this.start + end} but the file has ${this.size}; it is probably truncated`,
      );
    }
    return [begin, end];
  }

  private checkSize(name: string, dtype: DType, type: string, shape: StaticShape, bytes: number): void {
    const bits = (productOfDims(shape) ?? 0) * (bitsOf(dtype) ?? 0);
    if (bits !== bytes * 8) {
      throw this.fault(
        name,
        `is ${type} of shape ${preview(shape)}, which takes ${counted(bits / 8, "byte")}, and has ${bytes}`,
      );
    }
  }

  private fault(name: string, what: string): MalformedFileError {
    const shown = JSON.stringify(name.length > 200 ? `${name.slice(0, 200)}...` : name);
    return fault(this.file, `tensor ${shown} ${what}`, name);
  }
}

function isCount(value: JsonValue | undefined): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function preview(value: JsonValue | undefined): string {
  return (JSON.stringify(value) ?? "none").slice(0, 80);
}

/** Empty tensors may have any other dimensions, so elements are bounded apart from bytes. */
function checkElements(tensors: readonly HeaderTensor[], file: string): void {
  let elements = 0;
  for (const { shape } of tensors) elements += productOfDims(shape) ?? Number.POSITIVE_INFINITY;
  if (elements <= maxModelElements) return;
  throw new LimitExceededError(`${file}: ${counted(elements, "element")}, the limit is ${maxModelElements}`, {
    limit: "maxModelElements",
    actual: elements,
    maximum: maxModelElements,
    file,
  });
}

/** Tensors cover the data, each byte once. What no tensor has is told; the library refuses such a file. */
function checkCover(
  tensors: readonly HeaderTensor[],
  start: number,
  size: number,
  file: string,
): Diagnostic[] {
  const sorted = [...tensors].sort((a, b) => a.offset - b.offset || a.bytes - b.bytes);
  let end = start;
  let hidden = 0;
  let before = "";
  for (const { name, offset, bytes } of sorted) {
    if (offset < end && bytes > 0) {
      const shown = [before, name].map((text) => JSON.stringify(text.slice(0, 200))).join(" and ");
      throw fault(file, `tensors ${shown} overlap at byte ${offset}`, name);
    }
    hidden += Math.max(0, offset - end);
    if (offset + bytes > end || bytes > 0) before = name;
    end = Math.max(end, offset + bytes);
  }
  hidden += size - end;
  return hidden > 0 ? [{ code: "bytes-unclaimed", args: { bytes: hidden }, at: "" }] : [];
}
