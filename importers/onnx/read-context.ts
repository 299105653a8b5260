/** What the readers of one file share, and the fields that many messages have. */

import type { Diagnostic } from "../../src/diagnostics.ts";
import { LimitExceededError } from "../../src/errors.ts";
import {
  maxOnnxMetadataBytes,
  maxOnnxNodes,
  maxOnnxNodeValues,
  maxOnnxSignatureBytes,
  maxOnnxValues,
} from "../../src/limits/onnx.ts";
import { maxNameLength } from "../../src/limits.ts";
import {
  type MessageRule,
  type MessageShape,
  messages,
  name,
  type TextRule,
  text,
} from "../../src/wire/protobuf-shape.ts";
import { cutMark, type Metadata, type Pair } from "./proto.ts";

export interface ReadContext {
  readonly file: string;
  readonly report: (diagnostic: Diagnostic) => void;
  /** Numbers that may still be kept, of tensors and attributes together. */
  valuesLeft: number;
  /** Names that were not UTF-8. */
  oddNames: number;
  nodes: number;
}

export function beginRead(file: string, report: (diagnostic: Diagnostic) => void): ReadContext {
  return { file, report, valuesLeft: maxOnnxValues, oddNames: 0, nodes: 0 };
}

/** Counts a node and what it names. @throws LimitExceededError */
export function countNode(
  context: ReadContext,
  node: { readonly inputs: readonly string[]; readonly outputs: readonly string[] },
): void {
  context.nodes += 1;
  const values = Math.max(node.inputs.length, node.outputs.length);
  if (context.nodes > maxOnnxNodes) throw tooMany(context, "maxOnnxNodes", maxOnnxNodes, "nodes");
  if (values > maxOnnxNodeValues)
    throw tooMany(context, "maxOnnxNodeValues", maxOnnxNodeValues, "inputs or outputs of a node");
}

function tooMany({ file }: ReadContext, limit: string, maximum: number, what: string): LimitExceededError {
  const text = `${file}: more than ${maximum} ${what}, the limit (${limit})`;
  return new LimitExceededError(text, { limit, actual: maximum + 1, maximum, file });
}

/** A message in the making: its lists can grow. */
export type Draft<T> = {
  -readonly [K in keyof T]: T[K] extends readonly (infer Item)[] ? Item[] : T[K];
};

/**
 * A list with room for its items alone. A list that grew has room for 17 and more, which is most of the memory of a large
 * graph, whose lists have one to four.
 */
export function trimmed<Item>(items: Item[]): Item[] {
  return items.length < 17 ? items.slice() : items;
}

/** A text that other places may refer to. One that is not UTF-8 is counted, and read as Latin-1. */
export function nameField<State>(
  context: ReadContext,
  field: string,
  set: (state: State, value: string) => void,
): TextRule<State> {
  return name(field, maxNameLength, (state, value, valid) => {
    if (!valid) context.oddNames += 1;
    set(state, value);
  });
}

interface Entry {
  key: string;
  value: string;
}

/** StringStringEntryProto, with both texts whole. */
export function pairsField<State>(
  context: ReadContext,
  field: string,
  set: (state: State, pair: Pair) => void,
): MessageRule<State> {
  const shape: MessageShape<Entry, Pair> = {
    fields: {
      1: nameField(context, "key", (entry, key) => {
        entry.key = key;
      }),
      2: nameField(context, "value", (entry, value) => {
        entry.value = value;
      }),
    },
    start: () => ({ key: "", value: "" }),
    finish: ({ key, value }) => [key, value],
  };
  return messages(field, () => shape, set);
}

export const noMetadata: Metadata = new Map();

/** Kilobytes a node, about the exporter's own calls; PyTorch writes them into every node. */
const unreadKeys = new Set(["pkg.torch.onnx.stack_trace", "pkg.torch.onnx.fx_node"]);

/** Where PyTorch's exporter lists the inputs of the program: all of its parameters and buffers. */
export const signatureKey = "pkg.torch.export.ExportedProgram.graph_signature";

function metadataBytes(key: string): number {
  if (unreadKeys.has(key)) return 0;
  return key === signatureKey ? maxOnnxSignatureBytes : maxOnnxMetadataBytes;
}

const metadataEntry: MessageShape<Entry, Pair> = {
  fields: {
    1: name("key", maxNameLength, (entry, key) => {
      entry.key = key;
    }),
    2: text(
      "value",
      ({ key }) => metadataBytes(key),
      (entry, value, length) => {
        entry.value = length > metadataBytes(entry.key) ? value + cutMark : value;
      },
    ),
  },
  start: () => ({ key: "", value: "" }),
  finish: ({ key, value }) => [key, value],
};

export function metadataField<State extends { metadata: Metadata }>(): MessageRule<State> {
  return messages(
    "metadata_props",
    () => metadataEntry,
    (state: State, [key, value]: Pair) => {
      if (state.metadata === noMetadata) state.metadata = new Map();
      (state.metadata as Map<string, string>).set(key, value);
    },
  );
}
