/** Small ONNX models for the tests of hostile files, encoded by onnx-proto. */

import { onnx } from "onnx-proto";

export type Node = onnx.INodeProto;
export type Tensor = onnx.ITensorProto;

export const float = (...dims: readonly (number | string)[]): onnx.ITypeProto => ({
  tensorType: {
    elemType: 1,
    shape: { dim: dims.map((d) => (typeof d === "string" ? { dimParam: d } : { dimValue: d })) },
  },
});

export const node = (
  opType: string,
  input: readonly string[],
  output: readonly string[],
  attribute: onnx.IAttributeProto[] = [],
): Node => ({ opType, input: [...input], output: [...output], attribute });

export const subgraph = (name: string, g: onnx.IGraphProto): onnx.IAttributeProto => ({ name, type: 5, g });
export const ints = (name: string, values: readonly number[]): onnx.IAttributeProto => ({
  name,
  type: 7,
  ints: [...values],
});

/** Whole numbers as an initializer. */
export const numbers = (name: string, values: readonly number[], dims?: readonly number[]): Tensor => ({
  name,
  dataType: 7,
  dims: [...(dims ?? [values.length])],
  int64Data: [...values],
});

export interface Parts {
  readonly inputs?: readonly onnx.IValueInfoProto[];
  readonly outputs?: readonly string[];
  readonly initializers?: readonly Tensor[];
  readonly functions?: readonly onnx.IFunctionProto[];
  readonly producer?: string;
}

export function model(nodes: readonly Node[], parts: Parts = {}): Uint8Array {
  const outputs = parts.outputs ?? nodes.at(-1)?.output?.slice(0, 1) ?? [];
  const message = onnx.ModelProto.encode({
    irVersion: 8,
    ...(parts.producer !== undefined && { producerName: parts.producer }),
    opsetImport: [
      { domain: "", version: 18 },
      { domain: "local", version: 1 },
    ],
    graph: {
      name: "hostile",
      node: [...nodes],
      input: [...(parts.inputs ?? [{ name: "x", type: float("n", 3) }])],
      output: outputs.map((name) => ({ name, type: { tensorType: { elemType: 1 } } })),
      initializer: [...(parts.initializers ?? [])],
    },
    functions: [...(parts.functions ?? [])],
  });
  return new Uint8Array(message.finish());
}

/** A field with a length, whatever is in it and whatever length it claims. */
export function field(number: number, content: Uint8Array | string, claim?: number): Uint8Array {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  return joined(varint(number * 8 + 2), varint(claim ?? bytes.length), bytes);
}

export function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let left = value;
  for (; left >= 128; left = Math.floor(left / 128)) bytes.push((left % 128) + 128);
  return Uint8Array.from([...bytes, left]);
}

export function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

/** A model around the fields of a graph. */
export function rawModel(...graph: readonly Uint8Array[]): Uint8Array {
  return joined(Uint8Array.from([8, 8]), field(8, Uint8Array.from([16, 18])), field(7, joined(...graph)));
}
