/** Operators that make tensors or give them another type. */

import { type DType, isDType } from "../../../src/ir/dtype.ts";
import type { JsonObject } from "../../../src/ir/graph.ts";
import { constant, type NodeView, type OnnxOps } from "../op.ts";
import type { OnnxTensor } from "../proto.ts";

/** Numbers as JSON can hold them. */
function finite(values: readonly number[]): readonly (number | null)[] {
  return values.map((value) => (Number.isFinite(value) ? value : null));
}

function tensorAttributes({ dtype, dims, values }: OnnxTensor): JsonObject {
  return { dtype, shape: dims, values: values && finite(values) };
}

/** A list attribute, of which the file may have more elements than were read. */
function listAttributes(dtype: DType, count: number, values: readonly number[] | null): JsonObject {
  return { dtype, shape: [count], values: values?.length === count ? finite(values) : null };
}

function constantAttributes(node: NodeView): JsonObject {
  const tensor = node.tensor("value");
  if (tensor) return tensorAttributes(tensor);
  const sparse = node.sparse("sparse_value");
  if (sparse) return { dtype: sparse.values.dtype, shape: sparse.dims };
  if (node.has("value_float"))
    return { dtype: "float32", shape: [], values: finite([node.float("value_float", 0)]) };
  if (node.has("value_int")) return { dtype: "int64", shape: [], values: [node.int("value_int", 0)] };
  if (node.has("value_string")) return { dtype: "string", shape: [] };
  if (node.has("value_floats"))
    return listAttributes("float32", node.count("value_floats"), node.floats("value_floats"));
  if (node.has("value_ints"))
    return listAttributes("int64", node.count("value_ints"), node.ints("value_ints"));
  return node.has("value_strings") ? listAttributes("string", node.count("value_strings"), null) : {};
}

function fillAttributes(node: NodeView): JsonObject {
  const tensor = node.tensor("value");
  return tensor ? tensorAttributes(tensor) : { dtype: "float32", shape: [1], values: [0] };
}

/** Opset 1 to 5 names the type in words: `FLOAT`, `DOUBLE`, `INT64`. */
function namedType(name: string): DType | null {
  const lower = name.toLowerCase();
  const dtype = lower === "float" ? "float32" : lower === "double" ? "float64" : lower;
  return isDType(dtype) ? dtype : null;
}

const typeAttributes = (node: NodeView): JsonObject => ({
  dtype: node.dtype("to") ?? namedType(node.text("to", "")),
});

export const createOps: OnnxOps = {
  Constant: { operator: "Constant", inputs: [], attributes: constantAttributes, plumbing: true },
  ConstantOfShape: {
    operator: "ConstantOfShape",
    inputs: [constant("shape")],
    attributes: fillAttributes,
    plumbing: true,
  },
  Identity: { operator: "GraphIdentity", inputs: ["input"], plumbing: true },
  Cast: { operator: "GraphCast", inputs: ["input"], attributes: typeAttributes, plumbing: true },
  CastLike: { operator: "CastLike", inputs: ["input", constant("target")], plumbing: true },
  BitCast: { operator: "BitCast", inputs: ["input"], attributes: typeAttributes },
  Range: {
    operator: "GraphRange",
    inputs: [constant("start"), constant("limit"), constant("delta")],
    plumbing: true,
  },
  EyeLike: {
    operator: "EyeLike",
    inputs: ["input"],
    attributes: (node) => ({ dtype: node.dtype("dtype") }),
  },
};
