/** TensorProto and SparseTensorProto: what is stored and where, and the values of small ones. */

import { MalformedFileError } from "../../src/errors.ts";
import { bitsOf, type DType } from "../../src/ir/dtype.ts";
import { maxOnnxDims } from "../../src/limits/onnx.ts";
import {
  int,
  type MessagePlace,
  type MessageShape,
  message,
  type NumberRule,
  numbers,
  type PayloadRule,
  payload,
} from "../../src/wire/protobuf-shape.ts";
import { dtypeOf } from "./data-type.ts";
import type { Metadata, OnnxExternal, OnnxSparseTensor, OnnxTensor, PayloadField } from "./proto.ts";
import {
  metadataField,
  nameField,
  noMetadata,
  pairsField,
  type ReadContext,
  trimmed,
} from "./read-context.ts";
import { decodeEntries, decodeRaw, valueCap } from "./tensor-values.ts";

interface TensorDraft {
  name: string;
  dims: number[];
  code: number;
  segment: { begin: number; end: number } | null;
  external: Map<string, string> | null;
  location: number;
  metadata: Metadata;
  field: PayloadField | null;
  bytes: number;
  offset: number | null;
  /** Bytes of raw_data, entries of the other fields; `null` when that is not known without reading them. */
  units: number | null;
  /** Of a field of numbers that is read; `null` when it is too long. */
  entries: number[] | null;
  raw: Uint8Array | null;
}

export type TensorShape = MessageShape<TensorDraft, OnnxTensor>;
export type SparseTensorShape = MessageShape<SparseDraft, OnnxSparseTensor>;

interface SparseDraft {
  values: OnnxTensor | null;
  indices: OnnxTensor | null;
  dims: number[];
}

export function tensorShape(context: ReadContext): TensorShape {
  const segment: MessageShape<{ begin: number; end: number }, { begin: number; end: number }> = {
    fields: {
      1: int("begin", (state, value) => {
        state.begin = value;
      }),
      2: int("end", (state, value) => {
        state.end = value;
      }),
    },
    start: () => ({ begin: 0, end: 0 }),
    finish: (state) => state,
  };
  return {
    fields: {
      1: numbers("int", "dims", (tensor, dim) => void addDim(tensor.dims, dim)),
      2: int("data_type", (tensor, code) => {
        tensor.code = code;
      }),
      3: message(
        "segment",
        () => segment,
        (tensor, found) => {
          tensor.segment = found;
        },
      ),
      4: entriesField(context, "float", "float_data"),
      5: entriesField(context, "int", "int32_data"),
      6: stringsField(),
      7: entriesField(context, "int", "int64_data"),
      8: nameField(context, "name", (tensor, name) => {
        tensor.name = name;
      }),
      9: rawField(context),
      10: entriesField(context, "double", "double_data"),
      11: entriesField(context, "uint", "uint64_data"),
      13: pairsField(context, "external_data", (tensor, [key, value]) => {
        tensor.external ??= new Map();
        tensor.external.set(key, value);
      }),
      14: int("data_location", (tensor, location) => {
        tensor.location = location;
      }),
      16: metadataField(),
    },
    start: startTensor,
    finish: (draft, place) => finishTensor(context, draft, place),
  };
}

function startTensor(): TensorDraft {
  return {
    name: "",
    dims: [],
    code: 0,
    segment: null,
    external: null,
    location: 0,
    metadata: noMetadata,
    field: null,
    bytes: 0,
    offset: null,
    units: 0,
    entries: null,
    raw: null,
  };
}

function addDim(dims: number[], dim: number): void {
  if (dims.length <= maxOnnxDims) dims.push(dim);
}

/** A second kind of payload takes the place of the first: only one may have elements. */
function begin(draft: TensorDraft, field: PayloadField): void {
  if (draft.field === field) return;
  draft.field = field;
  draft.bytes = 0;
  draft.units = 0;
  draft.offset = null;
  draft.entries = [];
  draft.raw = null;
}

function entriesField(
  context: ReadContext,
  kind: NumberRule<TensorDraft>["kind"],
  field: PayloadField,
): NumberRule<TensorDraft> {
  // A type that comes after its payload is not known yet.
  const cap = (draft: TensorDraft): number =>
    Math.min(draft.code === 0 ? valueCap("int64") : valueCap(dtypeOf(draft.code)), context.valuesLeft);
  const width = kind === "float" ? 4 : kind === "double" ? 8 : null;
  return numbers(
    kind,
    field,
    (draft, value, length) => {
      begin(draft, field);
      draft.bytes += length;
      if (draft.units !== null) draft.units += 1;
      if (draft.entries === null) return;
      if (draft.entries.length < cap(draft)) draft.entries.push(value);
      else draft.entries = null;
    },
    {
      wants: (draft, length) => length <= cap(draft) * (width ?? 10),
      skipped: (draft, { length }) => {
        begin(draft, field);
        draft.bytes += length;
        draft.units = width === null || draft.units === null ? null : draft.units + length / width;
        draft.entries = null;
      },
    },
  );
}

function stringsField(): PayloadRule<TensorDraft> {
  return payload(
    "string_data",
    () => false,
    (draft, { length }) => {
      begin(draft, "string_data");
      draft.bytes += length;
      draft.units = (draft.units ?? 0) + 1;
    },
  );
}

function rawField(context: ReadContext): PayloadRule<TensorDraft> {
  const wants = (draft: TensorDraft, length: number): boolean => {
    const dtype = draft.code === 0 ? "int64" : dtypeOf(draft.code);
    const cap = Math.min(valueCap(dtype), context.valuesLeft);
    return length <= (cap * (bitsOf(dtype) ?? 0)) / 8;
  };
  return payload("raw_data", wants, (draft, { offset, length, bytes }) => {
    begin(draft, "raw_data");
    // Of a field that comes twice and is no list, the last one counts.
    draft.bytes = length;
    draft.units = length;
    draft.offset = offset;
    draft.raw = bytes;
  });
}

function finishTensor(context: ReadContext, draft: TensorDraft, place: MessagePlace): OnnxTensor {
  const dtype = dtypeOf(draft.code);
  const at = (): string => (draft.name ? `${place.path()} ${draft.name}` : place.path());
  checkDims(context, draft.dims, place);
  const elements = draft.dims.reduce((product, dim) => product * dim, 1);
  const external = draft.location === 1 ? externalOf(context, draft.external ?? new Map(), place) : null;
  if (dtype === "opaque") {
    context.report({ code: "element-type-unknown", args: { type: draft.code }, at: at() });
  }
  const expected = external ? rawBytes(dtype, elements) : expectedUnits(draft.field, dtype, elements);
  const units = external ? external.length : draft.units;
  const fits = expected === null || units === null || units === expected;
  if (!fits) {
    const inBytes = external || draft.field === null || draft.field === "raw_data";
    const args = { stored: `${units} ${inBytes ? "bytes" : "entries"}`, expected: String(expected) };
    context.report({ code: "payload-mismatch", args, at: at() });
  }
  const values = !external && fits ? valuesOf(draft, dtype, elements) : null;
  context.valuesLeft -= values?.length ?? 0;
  return {
    name: draft.name,
    dtype,
    dims: trimmed(draft.dims),
    bytes: external ? (external.length ?? rawBytes(dtype, elements) ?? 0) : draft.bytes,
    offset: external ? null : draft.offset,
    field: external ? null : draft.field,
    storedElements: external ? null : storedElements(draft, dtype, elements, expected),
    values,
    external,
    ...(draft.segment && { segment: draft.segment }),
    metadata: draft.metadata,
  };
}

function checkDims(context: ReadContext, dims: readonly number[], place: MessagePlace): void {
  const wrong = dims.find((dim) => dim < 0 || dim === Number.MAX_SAFE_INTEGER);
  if (wrong === undefined && dims.length <= maxOnnxDims) return;
  const at = place.path();
  const what =
    wrong === undefined
      ? `more than ${maxOnnxDims} dimensions`
      : wrong < 0
        ? `a dimension of ${wrong}`
        : "a dimension of 2^53 or more";
  throw new MalformedFileError(`${context.file}: ${at} has ${what}`, { file: context.file, at });
}

/** Bytes that elements take in raw_data or an external file; `null` where the type does not fix it. */
function rawBytes(dtype: DType, elements: number): number | null {
  const bits = bitsOf(dtype);
  return bits === null ? null : Math.min(Math.ceil((elements * bits) / 8), Number.MAX_SAFE_INTEGER);
}

/** Bytes of raw_data, or entries of another field, that hold so many elements; `null` where nothing tells. */
function expectedUnits(field: PayloadField | null, dtype: DType, elements: number): number | null {
  if (dtype === "opaque") return null;
  if (field === null || field === "raw_data") return rawBytes(dtype, elements) ?? (field ? null : elements);
  // Real and imaginary parts are entries of their own; elements of 2 and 4 bits are packed into bytes.
  if (dtype === "complex64" || dtype === "complex128") return elements * 2;
  const bits = bitsOf(dtype) ?? 8;
  return field === "int32_data" && bits <= 4 ? Math.ceil((elements * bits) / 8) : elements;
}

function storedElements(
  draft: TensorDraft,
  dtype: DType,
  elements: number,
  expected: number | null,
): number | null {
  const { units } = draft;
  if (units === null || units === expected) return units === null ? null : elements;
  if (units === 0) return 0;
  const bits = bitsOf(dtype);
  if (draft.field === "raw_data") return bits === null ? null : Math.floor((units * 8) / bits);
  if (dtype === "complex64" || dtype === "complex128") return Math.floor(units / 2);
  return draft.field === "int32_data" && bits !== null && bits <= 4 ? (units * 8) / bits : units;
}

function valuesOf(draft: TensorDraft, dtype: DType, elements: number): readonly number[] | null {
  if (draft.field === null) return elements === 0 && valueCap(dtype) > 0 ? [] : null;
  if (draft.raw) return decodeRaw(draft.raw, dtype, elements);
  if (draft.field === "raw_data" || draft.field === "string_data" || !draft.entries) return null;
  return decodeEntries(draft.entries, dtype, elements);
}

function externalOf(
  context: ReadContext,
  entries: ReadonlyMap<string, string>,
  place: MessagePlace,
): OnnxExternal {
  const size = (key: string): number | null => {
    const written = entries.get(key);
    if (written === undefined || written === "") return null;
    const value = /^\d+$/.test(written) ? Number(written) : Number.NaN;
    if (Number.isSafeInteger(value)) return value;
    const at = `${place.path()}.external_data`;
    throw new MalformedFileError(
      `${context.file}: ${at}: ${key} is ${JSON.stringify(written.slice(0, 40))}, not a number of bytes`,
      { file: context.file, at },
    );
  };
  return {
    location: entries.get("location") ?? "",
    offset: size("offset"),
    length: size("length"),
    checksum: entries.get("checksum") ?? null,
  };
}

export function sparseTensorShape(context: ReadContext, tensor: TensorShape): SparseTensorShape {
  return {
    fields: {
      1: message(
        "values",
        () => tensor,
        (sparse, values) => {
          sparse.values = values;
        },
      ),
      2: message(
        "indices",
        () => tensor,
        (sparse, indices) => {
          sparse.indices = indices;
        },
      ),
      3: numbers("int", "dims", (sparse, dim) => void addDim(sparse.dims, dim)),
    },
    start: () => ({ values: null, indices: null, dims: [] }),
    finish: ({ values, indices, dims }, place) => {
      checkDims(context, dims, place);
      if (values) return { values, indices, dims };
      const at = place.path();
      throw new MalformedFileError(`${context.file}: ${at} is a sparse tensor without values`, {
        file: context.file,
        at,
      });
    },
  };
}
