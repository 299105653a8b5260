/**
 * Calls as functional configurations write them (`inbound_nodes`), in both forms:
 * - Keras 1 and 2: a list of `[layer, node, tensor, kwargs?]`, possibly nested, tensors in kwargs as plain 3-lists;
 * - Keras 3: `{args, kwargs}` with `__keras_tensor__` objects anywhere inside.
 */

import type { DType } from "../../src/ir/dtype.ts";
import { isDType } from "../../src/ir/dtype.ts";
import type { Json, JsonObject } from "../../src/ir/graph.ts";
import type { Shape } from "../../src/ir/shape.ts";
import { maxKerasNesting } from "../../src/limits.ts";
import { asInteger, asList, asObject, asShape, asString } from "./json-access.ts";
import type { CallArguments, CallValue } from "./layer-rule.ts";

/** A tensor reference as written: node indices of nested models still count in the file's own manner. */
export interface WrittenRef {
  readonly layer: string;
  readonly node: number;
  readonly tensor: number;
}

export interface WrittenCall {
  readonly call: CallArguments;
  /** The references, in the order in which their placeholder `value.layer` numbers count. */
  readonly refs: readonly WrittenRef[];
  /** Shapes the file states for the references (Keras 3), by the same order. */
  readonly shapes: readonly (Shape | undefined)[];
}

const constantMark = "_CONSTANT_VALUE";

/** Reads one entry of `inbound_nodes`. */
export function readCall(
  node: Json,
  isLayer: (name: string) => boolean,
  sortsKeywords: boolean,
): WrittenCall {
  const reader = new CallReader(isLayer, sortsKeywords);
  const object = asObject(node);
  if (object && ("args" in object || "kwargs" in object)) return reader.newForm(object);
  return reader.oldForm(node);
}

class CallReader {
  private readonly refs: WrittenRef[] = [];
  private readonly shapes: (Shape | undefined)[] = [];
  private readonly isLayer: (name: string) => boolean;

  private readonly sortsKeywords: boolean;

  constructor(isLayer: (name: string) => boolean, sortsKeywords: boolean) {
    this.isLayer = isLayer;
    this.sortsKeywords = sortsKeywords;
  }

  newForm(node: JsonObject): WrittenCall {
    const args = (asList(node.args) ?? []).map((value) => this.revive(value));
    // Keras 3 flattens keywords by name: the order of this record is the one that counts.
    const written = Object.fromEntries(sortedEntries(asObject(node.kwargs) ?? {}));
    const kwargs = mapObject(written, (value) => this.revive(value));
    return this.done({ args, kwargs });
  }

  oldForm(node: Json): WrittenCall {
    // Names come from files: without a prototype "__proto__" is a name like any other.
    const kwargs: Record<string, CallValue> = Object.create(null);
    const first = this.oldStructure(node, kwargs);
    // Keras hands a layer with one input the tensor itself, not a list of one.
    const unpacked = first?.kind === "list" && first.items.length === 1 ? first.items[0] : first;
    return this.done({ args: unpacked ? [unpacked] : [], kwargs });
  }

  private done(call: CallArguments): WrittenCall {
    return { call, refs: this.refs, shapes: this.shapes };
  }

  private oldStructure(node: Json, kwargs: Record<string, CallValue>): CallValue | undefined {
    const list = asList(node);
    if (list) {
      if (typeof list[0] === "string" && typeof list[1] === "number") return this.oldTensor(list, kwargs);
      const items = list.map((item) => this.oldStructure(item, kwargs)).filter((item) => item !== undefined);
      return { kind: "list", items };
    }
    const object = asObject(node);
    if (!object) return undefined;
    const entries: Record<string, CallValue> = Object.create(null);
    for (const [key, value] of Object.entries(object)) {
      const read = this.oldStructure(value, kwargs);
      if (read) entries[key] = read;
    }
    return { kind: "dict", entries };
  }

  private oldTensor(entry: readonly Json[], kwargs: Record<string, CallValue>): CallValue {
    const written = asObject(entry[3]) ?? {};
    const entries = this.sortsKeywords ? sortedEntries(written) : Object.entries(written);
    for (const [key, value] of entries) kwargs[key] = this.oldKwarg(value);
    if (entry[0] === constantMark) return plain(entry[2] ?? null);
    return this.tensor(
      { layer: String(entry[0]), node: asInteger(entry[1]) ?? 0, tensor: asInteger(entry[2]) ?? 0 },
      undefined,
      null,
    );
  }

  /** A keyword argument of the old form: any 3-list that names a layer is a tensor. */
  private oldKwarg(value: Json): CallValue {
    const list = asList(value);
    if (list) {
      if (list[0] === constantMark) return plain(list[2] ?? null);
      if (list.length >= 3 && list.length <= 4 && typeof list[0] === "string" && this.isLayer(list[0])) {
        const node = asInteger(list[1]);
        const tensor = asInteger(list[2]);
        if (node !== undefined && tensor !== undefined)
          return this.tensor({ layer: list[0], node, tensor }, undefined, null);
      }
      const before = this.refs.length;
      const items = list.map((item) => this.oldKwarg(item));
      return this.refs.length === before ? plain(value) : { kind: "list", items };
    }
    const object = asObject(value);
    if (!object) return plain(value);
    const before = this.refs.length;
    const entries = mapObject(object, (item) => this.oldKwarg(item));
    return this.refs.length === before ? plain(value) : { kind: "dict", entries };
  }

  /** A value of the Keras 3 form; containers without tensors stay plain. */
  private revive(value: Json): CallValue {
    const list = asList(value);
    if (list) {
      const before = this.refs.length;
      const items = list.map((item) => this.revive(item));
      return this.refs.length === before ? plain(value) : { kind: "list", items };
    }
    const object = asObject(value);
    if (!object) return plain(value);
    if (object.class_name === "__keras_tensor__") return this.kerasTensor(asObject(object.config) ?? {});
    if (object.class_name === "__tuple__")
      return this.revive(object.items ?? asObject(object.config)?.items ?? []);
    const before = this.refs.length;
    const entries = mapObject(object, (item) => this.revive(item));
    return this.refs.length === before ? plain(value) : { kind: "dict", entries };
  }

  private kerasTensor(config: JsonObject): CallValue {
    const shape = asShape(config.shape);
    const dtype = asString(config.dtype);
    const known = dtype !== undefined && isDType(dtype) ? dtype : null;
    const history = asList(config.keras_history);
    if (!history) {
      return {
        kind: "tensor",
        argument: { kind: "constant", type: { dtype: known, shape: shape ?? null } },
      };
    }
    const ref = {
      layer: asString(history[0]) ?? "",
      node: asInteger(history[1]) ?? 0,
      tensor: asInteger(history[2]) ?? 0,
    };
    return this.tensor(ref, shape, known);
  }

  private tensor(ref: WrittenRef, shape: Shape | undefined, _dtype: DType | null): CallValue {
    this.refs.push(ref);
    this.shapes.push(shape);
    // `layer` is the number of the reference until the graph resolves it.
    return {
      kind: "tensor",
      argument: { kind: "value", value: { layer: this.refs.length - 1, call: 0, output: ref.tensor } },
    };
  }
}

/** Entries of a dict in the order in which Keras flattens it. */
export function sortedEntries<T>(entries: Readonly<Record<string, T>>): (readonly [string, T])[] {
  return Object.entries(entries).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

function plain(value: Json): CallValue {
  return { kind: "plain", value };
}

function mapObject<T>(object: JsonObject, f: (value: Json) => T): Record<string, T> {
  const result: Record<string, T> = {};
  for (const [key, value] of Object.entries(object)) {
    Object.defineProperty(result, key, {
      value: f(value),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return result;
}

/**
 * References in `input_layers` or `output_layers`: one `[layer, node, tensor]`, a list of them, or any nesting, which is
 * `null` where it is deeper than any container of outputs.
 */
export function readEnds(value: Json | undefined): { refs: WrittenRef[]; structure: EndStructure | null } {
  const refs: WrittenRef[] = [];
  let deepest = 0;
  const walk = (item: Json, depth: number): EndStructure => {
    deepest = Math.max(deepest, depth);
    const list = asList(item);
    if (list) {
      if (typeof list[0] === "string" && typeof list[1] === "number") {
        refs.push({ layer: list[0], node: list[1], tensor: asInteger(list[2]) ?? 0 });
        return refs.length - 1;
      }
      return { list: list.map((inner) => walk(inner, depth + 1)) };
    }
    const object = asObject(item);
    if (object) {
      // Keras flattens a dict by its sorted keys; the container keeps the order it was written in.
      const inner = new Map(
        sortedEntries(object).map(([key, entry]) => [key, walk(entry, depth + 1)] as const),
      );
      return { dict: Object.keys(object).map((key) => [key, inner.get(key) as EndStructure] as const) };
    }
    return { list: [] };
  };
  const structure = walk(value ?? [], 0);
  return { refs, structure: deepest > maxKerasNesting ? null : structure };
}

export type EndStructure =
  | number
  | { readonly list: readonly EndStructure[] }
  | { readonly dict: readonly (readonly [string, EndStructure])[] };
