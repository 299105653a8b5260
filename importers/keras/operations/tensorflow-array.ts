/** TensorFlow functions that reorder, join, pick and make tensors. */

import type { Json, JsonObject } from "../../../src/ir/graph.ts";
import { asInteger, asList } from "../json-access.ts";
import type { MappedOperation, OperationSource } from "../layer-rule.ts";
import { subscripts } from "./numpy-index.ts";
import {
  type AttributeReader,
  alike,
  dimsOf,
  type OperationTable,
  tensorflowFunction as tf,
} from "./operation.ts";

/** A shape argument under the name the function has for it; parts of it that are tensors are inputs. */
function shapeFrom(name: string): AttributeReader {
  return (stated, call) => ({
    shape: dimsOf(call.values[name] ?? call.values.shape),
    dtype: stated.dtype ?? null,
  });
}

function axisFrom(...names: readonly string[]): AttributeReader {
  return (stated) => ({
    axis: names.map((name) => stated[name] ?? null).find((axis) => axis !== null) ?? null,
  });
}

/** A number of parts or their sizes. */
const splitSizes: AttributeReader = (stated, call) => {
  const sizes = dimsOf(call.values.num_or_size_splits);
  const axis = asInteger(stated.axis) ?? 0;
  return typeof sizes === "number" ? { sections: sizes, axis } : { sizes, axis };
};

const gatherAttributes: AttributeReader = (stated) => {
  const batchDims = asInteger(stated.batch_dims) ?? 0;
  return { axis: asInteger(stated.axis) ?? batchDims, batchDims };
};

function at(list: Json | undefined, index: number): Json {
  return asList(list)?.[index] ?? null;
}

/** Bits of a mask that say which entries hold. */
function bit(mask: Json | undefined, index: number): boolean {
  return ((asInteger(mask) ?? 0) & (1 << index)) !== 0;
}

/** `begin`, `end`, `strides` and masks as subscripts. */
export const stridedSlice: AttributeReader = (stated) => {
  const count = asList(stated.begin)?.length ?? 0;
  const key = Array.from({ length: count }, (_, i): Json => {
    if (bit(stated.ellipsis_mask, i)) return "...";
    if (bit(stated.new_axis_mask, i)) return null;
    if (bit(stated.shrink_axis_mask, i)) return at(stated.begin, i);
    return {
      start: bit(stated.begin_mask, i) ? null : at(stated.begin, i),
      stop: bit(stated.end_mask, i) ? null : at(stated.end, i),
      step: at(stated.strides, i),
    };
  });
  return { key };
};

const fills: Readonly<Record<string, string>> = {
  zeros: "shape",
  ones: "shape",
  fill: "dims",
  "random.normal": "shape",
  "random.uniform": "shape",
  "random.truncated_normal": "shape",
  "random.stateless_normal": "shape",
  "random.stateless_uniform": "shape",
  "compat.v1.random_normal": "shape",
  "compat.v1.random_uniform": "shape",
  "compat.v1.zeros": "shape",
  "compat.v1.ones": "shape",
};

/** `x[key]`, where the key may be a tensor: an index, or truth values. */
function getItem(source: OperationSource): MappedOperation {
  const rule = tf("GetItem", ["x"], (_, call) => ({ key: subscripts(call.values.slice_spec) }));
  const result = rule(source);
  const inputs = result.inputs.map((input) =>
    input.name === "slice_spec" ? { ...input, name: "key" } : input,
  );
  return { ...result, inputs };
}

export const arrayFunctions: OperationTable = {
  ...alike(
    [
      "identity",
      "stop_gradient",
      "convert_to_tensor",
      "compat.v1.convert_to_tensor",
      "grad_pass_through",
      "debugging.check_numerics",
      "ensure_shape",
      "sparse.to_dense",
      "compat.v1.placeholder_with_default",
      "random.shuffle",
    ],
    tf("Identity", ["input"]),
  ),
  ...alike(
    ["cast", "saturate_cast", "compat.v1.cast", "bitcast"],
    tf("Cast", ["x", "value:x", "input:x"], ({ dtype, type }) => ({ dtype: dtype ?? type ?? null })),
  ),
  ...alike(["reshape", "compat.v1.reshape"], tf("TensorReshape", ["tensor:x"], shapeFrom("shape"))),
  "keras.backend.batch_flatten": tf("TensorReshape", ["x"], { shape: [null, null] }),
  ...alike(
    ["transpose", "compat.v1.transpose"],
    tf("Transpose", ["a:x"], ({ perm }) => ({ axes: perm ?? null })),
  ),
  ...alike(["expand_dims", "compat.v1.expand_dims"], tf("ExpandDims", ["input:x"], axisFrom("axis", "dim"))),
  ...alike(["squeeze", "compat.v1.squeeze"], tf("Squeeze", ["input:x"], axisFrom("axis", "squeeze_dims"))),
  ...alike(["broadcast_to"], tf("BroadcastTo", ["input:x"], shapeFrom("shape"))),
  ...alike(
    ["pad", "compat.v1.pad", "mirror_pad"],
    tf("TensorPad", ["tensor:x"], ({ paddings }) => ({ padWidth: paddings ?? null })),
  ),
  ...alike(
    ["tile", "compat.v1.tile"],
    tf("Tile", ["input:x"], (_, call) => ({ repeats: dimsOf(call.values.multiples) })),
  ),
  ...alike(
    ["repeat"],
    tf("Repeat", ["input:x"], (stated, call) => ({
      repeats: dimsOf(call.values.repeats),
      axis: stated.axis ?? null,
    })),
  ),
  ...alike(
    ["keras.backend.repeat_elements"],
    tf("Repeat", ["x"], ({ rep, axis }) => ({ repeats: rep ?? null, axis: axis ?? null })),
  ),
  ...alike(
    ["reverse", "compat.v1.reverse", "reverse_sequence", "compat.v1.reverse_sequence"],
    tf("Flip", ["tensor:x", "input:x"]),
  ),
  roll: tf("Roll", ["input:x"]),
  sort: tf("Sort", ["values:x"], ({ axis }) => ({ axis: axis ?? -1 })),
  argsort: tf("ArgSort", ["values:x"], ({ axis }) => ({ axis: axis ?? -1 })),
  ...alike(
    ["concat", "compat.v1.concat"],
    tf("TensorConcat", ["values:xs"], ({ axis }) => ({ axis: axis ?? 0, resolveUnknown: true })),
  ),
  ...alike(
    ["stack", "compat.v1.stack", "compat.v1.pack"],
    tf("Stack", ["values:xs"], ({ axis }) => ({ axis: axis ?? 0, resolveUnknown: true })),
  ),
  ...alike(["unstack", "compat.v1.unstack"], tf("Unstack", ["value:x"])),
  ...alike(["split", "compat.v1.split"], tf("Split", ["value:x"], splitSizes)),
  meshgrid: tf("Meshgrid", ["*xs"]),

  "__operators__.getitem": getItem,
  ...alike(
    ["slice", "compat.v1.slice"],
    tf("Slice", ["input_:x", "input:x"], (_, call) => ({
      begin: dimsOf(call.values.begin),
      size: dimsOf(call.values.size),
    })),
  ),
  ...alike(
    ["strided_slice", "compat.v1.strided_slice"],
    tf("GetItem", ["input_:x", "input:x"], stridedSlice),
  ),
  ...alike(["gather", "compat.v1.gather"], tf("Take", ["params:x", "indices"], gatherAttributes)),
  ...alike(["gather_nd", "compat.v1.gather_nd"], tf("GatherNd", ["params:x", "indices"])),
  ...alike(["boolean_mask", "compat.v1.boolean_mask"], tf("BooleanMask", ["tensor:x", "mask"])),
  ...alike(
    ["where", "compat.v1.where", "compat.v2.where"],
    tf("Where", ["condition", "x:x1", "y:x2"], { places: true }),
  ),
  ...alike(["clip_by_value", "keras.backend.clip"], tf("Clip", ["t:x", "clip_value_min", "clip_value_max"])),
  ...alike(["clip_by_norm", "clip_by_average_norm"], tf("Clip", ["t:x"])),
  ...alike(
    ["one_hot"],
    tf("OneHot", ["indices"], (stated) => ({
      numClasses: stated.depth ?? null,
      axis: stated.axis ?? -1,
      dtype: stated.dtype ?? null,
    })),
  ),
  ...alike(
    ["sequence_mask"],
    tf("SequenceMask", ["lengths"], ({ maxlen, dtype }) => ({
      maxLength: maxlen ?? null,
      dtype: dtype ?? null,
    })),
  ),
  ...alike(
    [
      "tensor_scatter_nd_update",
      "tensor_scatter_nd_add",
      "tensor_scatter_nd_sub",
      "tensor_scatter_nd_max",
      "tensor_scatter_nd_min",
    ],
    tf("ScatterUpdate", ["tensor:x", "indices", "updates"]),
  ),
  scatter_nd: tf("Scatter", ["indices", "updates:values"], shapeFrom("shape")),
  ...alike(["searchsorted"], tf("SearchSorted", ["sorted_sequence", "values"])),
  ...alike(
    ["space_to_depth"],
    tf("SpaceToDepth", ["input:x"], ({ block_size: size }) => ({ blockSize: size ?? null })),
  ),

  ...alike(
    ["shape", "compat.v1.shape", "shape_n"],
    tf("Shape", ["input:x"], ({ out_type: dtype }) => ({ dtype: dtype ?? null })),
  ),
  ...alike(["size", "compat.v1.size"], tf("Size", ["input:x"])),
  rank: tf("Rank", ["input:x"]),
  ...alike(
    ["zeros_like", "ones_like", "compat.v1.zeros_like", "compat.v1.ones_like"],
    tf("FillLike", ["input:x", "tensor:x"]),
  ),
  ...Object.fromEntries(Object.entries(fills).map(([name, parameter]) => [name, fill(parameter)])),
  range: tf("Range", [], (stated) => ({
    start: stated.argument0 ?? stated.start ?? null,
    stop: stated.limit ?? null,
    step: stated.delta ?? null,
    dtype: stated.dtype ?? null,
  })),
  eye: tf("IdentityMatrix", [], identityMatrix),
  "linalg.eye": tf("IdentityMatrix", [], identityMatrix),
};

/** The shape is the first argument: a list of numbers and tensors, or a tensor. */
function fill(parameter: string): NonNullable<OperationTable[string]> {
  return (source) => {
    const first = source.call.args[0] ?? source.call.kwargs[parameter];
    const rule = tf("Fill", [`${parameter}:shape`], (stated) => ({
      shape: dimsOf(first),
      dtype: stated.dtype ?? "float32",
    }));
    return rule(source);
  };
}

function identityMatrix(stated: JsonObject): JsonObject {
  return {
    rows: stated.argument0 ?? stated.num_rows ?? null,
    columns: stated.num_columns ?? null,
    batchShape: stated.batch_shape ?? null,
    dtype: stated.dtype ?? null,
  };
}
