/** How an ONNX operator becomes a canonical one: a record each, in ops/<family>.ts. */

import type { DType } from "../../src/ir/dtype.ts";
import type { JsonObject } from "../../src/ir/graph.ts";
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
  /** Shape of the weight that a packed initializer stands for. */
  readonly logical?: (
    node: NodeView,
    stored: Pick<StoredTensor, "dtype" | "shape">,
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

export function variadic(name: string, tensorClass?: TensorClass): PortRecord {
  return { name, variadic: true, ...(tensorClass && { class: tensorClass }) };
}

/** A node as a record reads it. Attributes of another kind than asked for count as absent. */
export interface NodeView {
  readonly opType: string;
  readonly domain: string;
  /** Opset of the domain. */
  readonly version: number;
  /** How many outputs are named, the empty ones before the last included. */
  readonly outputs: number;
  hasInput(index: number): boolean;
  has(name: string): boolean;
  int(name: string, fallback: number): number;
  optionalInt(name: string): number | null;
  ints(name: string): readonly number[] | null;
  float(name: string, fallback: number): number;
  floats(name: string): readonly number[] | null;
  text(name: string, fallback: string): string;
  texts(name: string): readonly string[] | null;
  tensor(name: string): OnnxTensor | null;
  sparse(name: string): OnnxSparseTensor | null;
  type(name: string): OnnxType | null;
  /** Element type that an integer attribute names. */
  dtype(name: string): DType | null;
  /** Elements of a list attribute, or of a tensor. */
  count(name: string): number;
}

type Kinded<K extends AttributeValue["kind"]> = AttributeValue & { readonly kind: K };

export function viewNode(node: OnnxNode, version: number): NodeView {
  const attributes = new Map(node.attributes.map((attribute) => [attribute.name, attribute]));
  const find = <K extends AttributeValue["kind"]>(name: string, kind: K): Kinded<K> | null => {
    const attribute: OnnxAttribute | undefined = attributes.get(name);
    return attribute?.kind === kind ? (attribute as unknown as Kinded<K>) : null;
  };
  const integer = (name: string): number | null => find(name, "int")?.value ?? null;
  return {
    opType: node.opType,
    domain: node.domain,
    version,
    outputs: node.outputs.length,
    hasInput: (index) => (node.inputs[index] ?? "") !== "",
    has: (name) => attributes.has(name),
    int: (name, fallback) => integer(name) ?? fallback,
    optionalInt: integer,
    ints: (name) => find(name, "ints")?.values ?? null,
    float: (name, fallback) => find(name, "float")?.value ?? fallback,
    floats: (name) => find(name, "floats")?.values ?? null,
    text: (name, fallback) => find(name, "string")?.value ?? fallback,
    texts: (name) => find(name, "strings")?.values ?? null,
    tensor: (name) => find(name, "tensor")?.value ?? null,
    sparse: (name) => find(name, "sparse-tensor")?.value ?? null,
    type: (name) => find(name, "type")?.value ?? null,
    dtype: (name) => {
      const code = integer(name);
      return code === null ? null : dtypeOf(code);
    },
    count: (name) => countOf(attributes.get(name)),
  };
}

function countOf(attribute: OnnxAttribute | undefined): number {
  if (attribute === undefined) return 0;
  if ("count" in attribute) return attribute.count;
  return attribute.kind === "tensor" ? attribute.value.dims.reduce((a, b) => a * b, 1) : 1;
}
