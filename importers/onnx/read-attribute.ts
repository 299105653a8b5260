/** AttributeProto: one value, of a kind that is written beside it or shown by the field it is in. */

import { maxOnnxAttributeValues, maxOnnxStringBytes } from "../../src/limits.ts";
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
import { nameField, type ReadContext } from "./read-context.ts";
import type { SparseTensorShape, TensorShape } from "./read-tensor.ts";
import type { TypeShape } from "./read-type.ts";

type Kind = AttributeValue["kind"];
type ListKind = Extract<AttributeValue, { readonly values: unknown }>["kind"];

/** A list in the making; which kind of values it takes is up to the field that fills it. */
interface ListDraft {
  name: string;
  readonly kind: ListKind;
  readonly values: unknown[];
  count: number;
}

/** The attribute to be; it gets its name in the end. */
type Slot = ({ name: string } & Exclude<AttributeValue, { readonly values: unknown }>) | ListDraft;

interface AttributeDraft {
  name: string;
  reference: string;
  type: number;
  /** Nearly always one; a writer that writes defaults too has several, of which `type` picks. */
  slots: Slot[];
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
      2: float("f", ({ slots }, value) => void slots.push({ name: "", kind: "float", value })),
      3: int("i", ({ slots }, value) => void slots.push({ name: "", kind: "int", value })),
      4: text(
        "s",
        () => maxOnnxStringBytes,
        ({ slots }, value, bytes) => {
          slots.push({ name: "", kind: "string", value, bytes });
        },
      ),
      5: message(
        "t",
        () => tensor,
        ({ slots }, value) => void slots.push({ name: "", kind: "tensor", value }),
      ),
      6: message("g", graph, ({ slots }, value) => void slots.push({ name: "", kind: "graph", value })),
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
        ({ slots }, value) => void slots.push({ name: "", kind: "type", value }),
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
        ({ slots }, value) => {
          slots.push({ name: "", kind: "sparse-tensor", value });
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
    start: () => ({ name: "", reference: "", type: 0, slots: [] }),
    finish: finishAttribute,
  };
}

function listOf(draft: AttributeDraft, kind: ListKind): ListDraft {
  const last = draft.slots.at(-1);
  if (last && "count" in last && last.kind === kind) return last;
  const found = draft.slots.find((slot): slot is ListDraft => slot.kind === kind);
  if (found) return found;
  const made: ListDraft = { name: "", kind, values: [], count: 0 };
  draft.slots.push(made);
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

function finishAttribute({ name, reference, type, slots }: AttributeDraft): OnnxAttribute {
  if (reference !== "") return { name, reference, kind: "none" };
  // Files of IR 1 have no type: the one field that is there tells.
  const kind = type === 0 ? slots[0]?.kind : kinds[type];
  const slot = slots.findLast((candidate) => candidate.kind === kind) ?? defaultOf(kind);
  slot.name = name;
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
