/** Types of values as the file states them. */

import type { Dim } from "../../src/ir/dim.ts";
import { symbol } from "../../src/ir/symbolic-dim.ts";
import type { TensorType } from "../../src/ir/tensor.ts";
import type { OnnxDim, OnnxType } from "./proto.ts";

/** Null when the file says nothing. `unnamed` makes a size of its own for each dimension that is not stated. */
export function typeOf(type: OnnxType | null, unnamed?: (axis: number) => Dim): TensorType | null {
  if (type === null) return null;
  switch (type.kind) {
    case "tensor":
      return {
        dtype: type.dtype === "opaque" ? null : type.dtype,
        shape: type.shape?.map((dim, axis) => dimOf(dim) ?? unnamed?.(axis) ?? null) ?? null,
      };
    case "sparse-tensor": {
      const element = typeOf({ ...type, kind: "tensor" });
      return { dtype: null, shape: null, of: { container: "sparse", element } };
    }
    case "sequence":
    case "optional":
      return { dtype: null, shape: null, of: { container: type.kind, element: typeOf(type.element) } };
    case "map": {
      const key = type.key === null ? {} : { key: type.key };
      return { dtype: null, shape: null, of: { container: "map", element: typeOf(type.value), ...key } };
    }
    case "opaque":
      return { dtype: null, shape: null };
  }
}

/** Shape inference of onnx makes up `unk__7` for a size that nobody named. */
function dimOf(dim: OnnxDim): Dim {
  if (typeof dim !== "string") return dim;
  if (dim === "") return null;
  return symbol(/^unk__\d+$/.test(dim) ? `?${dim}` : dim);
}
