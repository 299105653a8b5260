/** Types of values as the file states them. */

import type { Dim } from "../../src/ir/dim.ts";
import type { TensorType } from "../../src/ir/tensor.ts";
import type { OnnxGraph, OnnxType } from "./proto.ts";
import type { SizeNames } from "./size-names.ts";

/** Null when the file says nothing. `unnamed` makes a size of its own for each dimension that is not stated. */
export function typeOf(
  type: OnnxType | null,
  sizes: SizeNames,
  unnamed?: (axis: number) => Dim,
): TensorType | null {
  if (type === null) return null;
  switch (type.kind) {
    case "tensor":
      return {
        dtype: type.dtype === "opaque" ? null : type.dtype,
        shape:
          type.shape?.map((dim, axis) => {
            const size = typeof dim === "string" ? sizes.read(dim) : dim;
            return size ?? unnamed?.(axis) ?? null;
          }) ?? null,
      };
    case "sparse-tensor": {
      const element = typeOf({ ...type, kind: "tensor" }, sizes);
      return { dtype: null, shape: null, of: { container: "sparse", element } };
    }
    case "sequence":
    case "optional":
      return { dtype: null, shape: null, of: { container: type.kind, element: typeOf(type.element, sizes) } };
    case "map": {
      const key = type.key === null ? {} : { key: type.key };
      return {
        dtype: null,
        shape: null,
        of: { container: "map", element: typeOf(type.value, sizes), ...key },
      };
    }
    case "opaque":
      return { dtype: null, shape: null };
  }
}

/** What the file states of values inside a graph and of its outputs. */
export function declaredTypes(graph: OnnxGraph, sizes: SizeNames): Map<string, TensorType> {
  const types = new Map<string, TensorType>();
  for (const value of [...graph.valueInfo, ...graph.outputs]) {
    const type = typeOf(value.type, sizes);
    if (type) types.set(value.name, type);
  }
  return types;
}
