/** AttributeProto: one value, of a kind that is written beside it or shown by the field it is in. */

import { maxOnnxAttributeValues, maxOnnxStringBytes } from "../../src/limits/onnx.ts";
import {
  float,
  int,
  type MessageShape,
  message,
  messages,
  numbers,
  type TextRule,
  text,
} from "../../src/wire/protobuf-shape.ts";
import type { AttributeValue, OnnxAttribute, OnnxGraph } from "./proto.ts";
import { nameField, type ReadContext, trimmed } from "./read-context.ts";
import type { SparseTensorShape, TensorShape } from "./read-tensor.ts";
import type { TypeShape } from "./read-type.ts";

type Kind = AttributeValue["kind"];
type ListKind = Extract<AttributeValue, { readonly values: unknown }>["kind"];

/** A list in the making; which kind of values it takes is up to the field that fills it. */
interface ListDraft {
  name: string;
  readonly kind: ListKind;
  values: unknown[];
  count: number;
}

/** The attribute to be; it gets its name in the end. */
type Slot = ({ name: string } & Exclude<AttributeValue, { readonly values: unknown }>) | ListDraft;

interface AttributeDraft {
  name: string;
  reference: string;
  type: number;
  slot: Slot | null;
  /** A writer that writes defaults too has several values, of which `type` picks. */
  others: Slot[] | null;
}

export type AttributeShape = MessageShape<AttributeDraft, OnnxAttribute>;

/** AttributeProto.AttributeType. */
const kinds: readonly (Kind | undefined)[] = [
  undefined,
  "float",
  "int",
  "string",
  "tensor",
  "graph",
  "floats",
  "ints",
  "strings",
  "tensors",
  "graphs",
  "sparse-tensor",
  "sparse-tensors",
  "type",
  "types",
];

interface Inner<Graph> {
  readonly tensor: TensorShape;
  readonly sparse: SparseTensorShape;
  readonly type: TypeShape;
  readonly graph: () => MessageShape<Graph, OnnxGraph>;
}

export function attributeShape<Graph>(context: ReadContext, inner: Inner<Graph>): AttributeShape {
  const { tensor, sparse, type, graph } = inner;
  return {
    fields: {
      1: nameField(context, "name", (attribute, name) => {
        attribute.name = name;
      }),
      2: float("f", (draft, value) => put(draft, { name: "", kind: "float", value })),
      3: int("i", (draft, value) => put(draft, { name: "", kind: "int", value })),
      4: text(
        "s",
        () => maxOnnxStringBytes,
        (draft, value, bytes) => {
          put(draft, { name: "", kind: "string", value, bytes });
        },
      ),
      5: message(
        "t",
        () => tensor,
        (draft, value) => put(draft, { name: "", kind: "tensor", value }),
      ),
      6: message("g", graph, (draft, value) => put(draft, { name: "", kind: "graph", value })),
      7: numbers("float", "floats", (draft, value) => addNumber(context, draft, "floats", value)),
      8: numbers("int", "ints", (draft, value) => addNumber(context, draft, "ints", value)),
      9: stringsField(),
      10: messages(
        "tensors",
        () => tensor,
        (draft, value) => add(draft, "tensors", value),
      ),
      11: messages("graphs", graph, (draft, value) => add(draft, "graphs", value)),
      14: message(
        "tp",
        () => type,
        (draft, value) => put(draft, { name: "", kind: "type", value }),
      ),
      15: messages(
        "type_protos",
        () => type,
        (draft, value) => add(draft, "types", value),
      ),
      20: int("type", (draft, code) => {
        draft.type = code;
      }),
      21: nameField(context, "ref_attr_name", (draft, name) => {
        draft.reference = name;
      }),
      22: message(
        "sparse_tensor",
        () => sparse,
        (draft, value) => {
          put(draft, { name: "", kind: "sparse-tensor", value });
        },
      ),
      23: messages(
        "sparse_tensors",
        () => sparse,
        (draft, value) => {
          add(draft, "sparse-tensors", value);
        },
      ),
    },
    start: () => ({ name: "", reference: "", type: 0, slot: null, others: null }),
    finish: finishAttribute,
  };
}

/** Of each kind the last value stays, so that a million of them take no room. */
function put(draft: AttributeDraft, slot: Slot): void {
  const last = draft.slot;
  draft.slot = slot;
  if (!last || last.kind === slot.kind) return;
  const others = draft.others?.filter(({ kind }) => kind !== last.kind && kind !== slot.kind) ?? [];
  draft.others = [...others, last];
}

function find(draft: AttributeDraft, kind: Kind | undefined): Slot | undefined {
  if (draft.slot?.kind === kind) return draft.slot ?? undefined;
  return draft.others?.find((slot) => slot.kind === kind);
}

function listOf(draft: AttributeDraft, kind: ListKind): ListDraft {
  const found = find(draft, kind);
  // Of a list's kind are lists alone.
  if (found) return found as ListDraft;
  const made: ListDraft = { name: "", kind, values: [], count: 0 };
  put(draft, made);
  return made;
}

function add(draft: AttributeDraft, kind: ListKind, value: unknown): void {
  const list = listOf(draft, kind);
  list.count += 1;
  list.values.push(value);
}

function addNumber(
  context: ReadContext,
  draft: AttributeDraft,
  kind: "floats" | "ints",
  value: number,
): void {
  const list = listOf(draft, kind);
  list.count += 1;
  if (list.values.length >= maxOnnxAttributeValues || context.valuesLeft <= 0) return;
  context.valuesLeft -= 1;
  list.values.push(value);
}

function stringsField(): TextRule<AttributeDraft> {
  const isFull = (draft: AttributeDraft): boolean =>
    listOf(draft, "strings").values.length >= maxOnnxAttributeValues;
  return text(
    "strings",
    (draft) => (isFull(draft) ? 0 : maxOnnxStringBytes),
    (draft, value) => {
      const list = listOf(draft, "strings");
      list.count += 1;
      if (!isFull(draft)) list.values.push(value);
    },
  );
}

function finishAttribute(draft: AttributeDraft): OnnxAttribute {
  const { name, reference, type } = draft;
  if (reference !== "") return { name, reference, kind: "none" };
  // Files of IR 1 have no type: the one field that is there tells.
  const slot = (type === 0 ? draft.slot : find(draft, kinds[type])) ?? defaultOf(kinds[type]);
  slot.name = name;
  if ("count" in slot) slot.values = trimmed(slot.values);
  // A list holds what its kind says, see `ListDraft`.
  return slot as OnnxAttribute;
}

/** What protobuf says of a field that is not written: zero, or nothing in the list. */
function defaultOf(kind: Kind | undefined): Slot {
  switch (kind) {
    case "float":
    case "int":
      return { name: "", kind, value: 0 };
    case "string":
      return { name: "", kind, value: "", bytes: 0 };
    case "floats":
    case "ints":
    case "strings":
    case "tensors":
    case "graphs":
    case "sparse-tensors":
    case "types":
      return { name: "", kind, values: [], count: 0 };
    default:
      return { name: "", kind: "none" };
  }
}
