/** How an ONNX operator becomes a canonical one: a record each, in ops/<family>.ts. */

import type { DType } from "../../src/ir/dtype.ts";
import type { Json, JsonObject } from "../../src/ir/graph.ts";
import type { StoredTensor, TensorClass } from "../../src/ir/tensor.ts";
import { dtypeOf } from "./data-type.ts";
import type {
  AttributeValue,
  OnnxAttribute,
  OnnxNode,
  OnnxSparseTensor,
  OnnxTensor,
  OnnxType,
} from "./proto.ts";

/** A formal input. The class is that of an initializer found there; without one the slot does not tell. */
export interface PortRecord {
  readonly name: string;
  readonly class?: TensorClass;
  /** Takes all inputs from here on. */
  readonly variadic?: true;
  /** Shape of the weight that a packed initializer stands for; `valuesOf` has the numbers of another stored input. */
  readonly logical?: (
    node: NodeView,
    stored: Pick<StoredTensor, "dtype" | "shape">,
    valuesOf: (port: string) => readonly number[] | null,
  ) => readonly number[] | null;
}

export type Port = string | PortRecord;

export interface OnnxOp {
  /** Canonical operator. */
  readonly operator: string;
  /** In the order of the specification. */
  readonly inputs: readonly Port[] | ((node: NodeView) => readonly Port[]);
  attributes?(node: NodeView): JsonObject;
  /** Only moves or describes values: no row of its own by default. */
  readonly plumbing?: true;
  /** Attributes that hold learned numbers or constants of the model. */
  stored?(node: NodeView): readonly { readonly name: string; readonly class: TensorClass }[];
}

/** By operator; those of other domains than ai.onnx as `com.microsoft.FusedConv`. */
export type OnnxOps = Readonly<Record<string, OnnxOp>>;

export function parameter(name: string): PortRecord {
  return { name, class: "parameter" };
}

export function statistic(name: string): PortRecord {
  return { name, class: "statistic" };
}

export function constant(name: string): PortRecord {
  return { name, class: "constant" };
}

export function quantization(name: string): PortRecord {
  return { name, class: "quantization" };
}

const bare = new Map<string, PortRecord>();

/** A port that is written as its name alone, as a record; one for all places of that name. */
export function portOf(port: Port): PortRecord {
  if (typeof port !== "string") return port;
  const known = bare.get(port) ?? { name: port };
  bare.set(port, known);
  return known;
}

export function variadic(name: string, tensorClass?: TensorClass): PortRecord {
  return { name, variadic: true, ...(tensorClass && { class: tensorClass }) };
}

type Kinded<K extends AttributeValue["kind"]> = AttributeValue & { readonly kind: K };

/**
 * A node as a record reads it. Attributes of another kind than asked for count as absent; of two of one name the last one
 * counts.
 */
export class NodeView {
  private readonly node: OnnxNode;
  /** Opset of the domain. */
  readonly version: number;

  constructor(node: OnnxNode, version: number) {
    this.node = node;
    this.version = version;
  }

  get opType(): string {
    return this.node.opType;
  }

  get domain(): string {
    return this.node.domain;
  }

  /** How many outputs are named, the empty ones before the last included. */
  get outputs(): number {
    return this.node.outputs.length;
  }

  hasInput(index: number): boolean {
    return (this.node.inputs[index] ?? "") !== "";
  }

  has(name: string): boolean {
    return this.attribute(name) !== undefined;
  }

  int(name: string, fallback: number): number {
    return this.optionalInt(name) ?? fallback;
  }

  optionalInt(name: string): number | null {
    return this.find(name, "int")?.value ?? null;
  }

  ints(name: string): readonly number[] | null {
    return this.find(name, "ints")?.values ?? null;
  }

  float(name: string, fallback: number): number {
    return this.find(name, "float")?.value ?? fallback;
  }

  floats(name: string): readonly number[] | null {
    return this.find(name, "floats")?.values ?? null;
  }

  text(name: string, fallback: string): string {
    return this.find(name, "string")?.value ?? fallback;
  }

  texts(name: string): readonly string[] | null {
    return this.find(name, "strings")?.values ?? null;
  }

  tensor(name: string): OnnxTensor | null {
    return this.find(name, "tensor")?.value ?? null;
  }

  sparse(name: string): OnnxSparseTensor | null {
    return this.find(name, "sparse-tensor")?.value ?? null;
  }

  type(name: string): OnnxType | null {
    return this.find(name, "type")?.value ?? null;
  }

  /** Element type that an integer attribute names; null for one that is not known. */
  dtype(name: string): DType | null {
    const code = this.optionalInt(name);
    const dtype = code === null ? null : dtypeOf(code);
    return dtype === "opaque" ? null : dtype;
  }

  /** Elements of a list attribute, or of a tensor. */
  count(name: string): number {
    return countOf(this.attribute(name));
  }

  private attribute(name: string): OnnxAttribute | undefined {
    return this.node.attributes.findLast((attribute) => attribute.name === name);
  }

  private find<K extends AttributeValue["kind"]>(name: string, kind: K): Kinded<K> | null {
    const attribute = this.attribute(name);
    return attribute?.kind === kind ? (attribute as unknown as Kinded<K>) : null;
  }
}

function countOf(attribute: OnnxAttribute | undefined): number {
  if (attribute === undefined) return 0;
  if ("count" in attribute) return attribute.count;
  return attribute.kind === "tensor" ? attribute.value.dims.reduce((a, b) => a * b, 1) : 1;
}

/** One for all, which nodes without attributes are known by. */
const noAttributes: JsonObject = {};

/** A record that cannot read the attributes of a node leaves them out: its rule then says what is lacking. */
export function attributesOf(op: OnnxOp, view: NodeView): JsonObject {
  if (!op.attributes) return noAttributes;
  const attributes = op.attributes(view);
  if (Object.keys(attributes).length === 0) return noAttributes;
  if (!Object.values(attributes).includes(undefined as unknown as Json)) return attributes;
  return Object.fromEntries(
    Object.entries(attributes).filter((entry): entry is [string, Json] => entry[1] !== undefined),
  );
}
