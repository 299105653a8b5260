/**
 * Whether bytes are ONNX. The format has no mark of its own, so the first fields have to be those of the message, with
 * its wire types, and for a model there has to be a graph among them.
 */

import { dtypeOf } from "./data-type.ts";

/** `model` and `tensor` are protobuf; `text` and `json` are the same messages written for people. */
export type OnnxKind = "model" | "tensor" | "text" | "json";

interface Field {
  readonly number: number;
  readonly wire: number;
  /** Of a varint; of a field with a length its length. */
  readonly value: number;
  /** Of what is inside. */
  readonly start: number;
}

/** Wire types by field number: 0 a varint, 2 with a length. */
const modelFields: Readonly<Record<number, number>> = {
  1: 0,
  2: 2,
  3: 2,
  4: 2,
  5: 0,
  6: 2,
  7: 2,
  8: 2,
  14: 2,
  20: 2,
  25: 2,
  26: 2,
};
const graphFields = new Set([1, 2, 5, 10, 11, 12, 13, 14, 15, 16]);
const nodeFields = new Set([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
const tensorPayloads = new Set([4, 5, 6, 7, 9, 10, 11, 13]);

/** Of `head`, the first bytes of a file of `size` bytes; `null` for anything else. */
export function sniffOnnx(head: Uint8Array, size: number): OnnxKind | null {
  const fields = topFields(head, size);
  if (fields && isModel(fields, head, size)) return "model";
  if (fields && isTensor(fields, size)) return "tensor";
  const text = new TextDecoder().decode(head.subarray(0, 4096)).replace(/^\uFEFF/, "");
  if (
    /^\s*\{/.test(text) &&
    /"(irVersion|ir_version|opsetImport|opset_import|producerName|producer_name)"\s*:/.test(text)
  )
    return "json";
  if (/^\s*(#[^\n]*\n\s*)*(ir_version\s*:\s*\d|(graph|opset_import)\s*\{)/.test(text)) return "text";
  return /^\s*<\s*(ir_version|opset_import)\s*:/.test(text) ? "text" : null;
}

function isModel(fields: readonly Field[], head: Uint8Array, size: number): boolean {
  const known = fields.filter(({ number }) => modelFields[number] !== undefined);
  if (!known.every(({ number, wire }) => modelFields[number] === wire)) return false;
  const version = fields.find(({ number }) => number === 1);
  // The IR is at 14 after nine years; some writers count from their own start, none far.
  if (version && (version.value < 1 || version.value > 1000)) return false;
  const graph = fields.find(({ number }) => number === 7);
  // Fields that are newer than this reader, or somebody's own, take more proof.
  if (known.length < fields.length && !(graph && version)) return false;
  if (graph) return isGraph(graph, head, size, version !== undefined);
  // Cut by a long text before the graph, or a library of functions: then the version and another field have to do.
  const producer = fields.find(({ number }) => number === 2);
  if (producer && !isText(producer, head)) return false;
  return version !== undefined && fields.some(({ number }) => number === 2 || number === 8 || number === 25);
}

/** A SavedModel of TensorFlow has its graph where the producer's name would be. */
function isText({ start, value }: Field, head: Uint8Array): boolean {
  return head.subarray(start, start + value).every((byte) => byte >= 0x20 || byte === 0x09);
}

function isGraph(graph: Field, head: Uint8Array, size: number, sure: boolean): boolean {
  const whole = graph.start + graph.value;
  if (whole > size && !sure) return false;
  const [first] = fieldsOf(head, graph.start, whole, size, 1, null) ?? [];
  if (!first) return sure && (graph.value === 0 || graph.start >= head.length - 20);
  if (first.wire !== 2 || !graphFields.has(first.number)) return false;
  if (sure || first.number !== 1) return sure;
  const [inner] = fieldsOf(head, first.start, first.start + first.value, size, 1, null) ?? [];
  return inner !== undefined && inner.wire === 2 && nodeFields.has(inner.number);
}

/** A type that exists, a payload, and nothing that is no field of a tensor. */
function isTensor(fields: readonly Field[], size: number): boolean {
  const type = fields.find(({ number, wire }) => number === 2 && wire === 0);
  if (!type || dtypeOf(type.value) === "opaque") return false;
  const known = fields.every(({ number, wire }) =>
    number === 1
      ? wire === 0 || wire === 2
      : number === 2 || number === 14
        ? wire === 0
        : number <= 16 && wire === 2,
  );
  const last = fields.at(-1);
  const whole = last !== undefined && (last.wire === 0 ? last.start : last.start + last.value) <= size;
  return known && whole && fields.some(({ number }) => tensorPayloads.has(number));
}

function topFields(head: Uint8Array, size: number): readonly Field[] | null {
  const fields = fieldsOf(head, 0, size, size, 64, 7);
  return fields && fields.length > 0 ? fields : null;
}

/**
 * The fields of the message from `start` to `end`, as far as `head` shows them and at most so many; `null` when the bytes
 * are no message. The field `mayBeCut` may go on after the end: a file that is cut off is still ONNX, and gets an error
 * that says so.
 */
function fieldsOf(
  head: Uint8Array,
  start: number,
  end: number,
  size: number,
  most: number,
  mayBeCut: number | null,
): readonly Field[] | null {
  const fields: Field[] = [];
  for (let at = start; at < Math.min(end, head.length) && fields.length < most; ) {
    const tag = varint(head, at);
    const fixed = tag && (tag.value % 8 === 1 ? 8 : tag.value % 8 === 5 ? 4 : null);
    const after = tag && (fixed === null ? varint(head, tag.next) : { value: 0, next: tag.next + fixed });
    // Cut off by the head, which is not the file's fault.
    if (!tag || !after) return head.length < size && head.length - at < 20 ? fields : null;
    const number = Math.floor(tag.value / 8);
    const wire = tag.value % 8;
    if (number === 0 || number >= 2 ** 29 || ![0, 1, 2, 5].includes(wire)) return null;
    const next = wire === 2 ? after.next + after.value : after.next;
    if (next > end && number !== mayBeCut) return null;
    fields.push({ number, wire, value: after.value, start: after.next });
    at = next;
  }
  return fields;
}

function varint(bytes: Uint8Array, start: number): { readonly value: number; readonly next: number } | null {
  let value = 0;
  for (let at = start; at < Math.min(bytes.length, start + 10); at++) {
    const byte = bytes[at] as number;
    value += (byte & 0x7f) * 2 ** (7 * (at - start));
    if (byte < 0x80) return { value, next: at + 1 };
  }
  return null;
}
