/** Operations of keras.ops that reorder, join and take apart (Keras 3.15 ops/numpy.py, ops/core.py). */

import type { Json, JsonObject } from "../../../src/ir/graph.ts";
import { asObject } from "../json-access.ts";
import {
  type AttributeReader,
  alike,
  dimsOf,
  type OperationTable,
  operation,
  sameNames,
} from "./operation.ts";

/** Keras states exchanged axes however often it turns. */
const rot90: AttributeReader = ({ axes }) => ({ axes: axes ?? [0, 1] });

/** A number of parts, or the places to cut at. */
function cuts(value: Json | undefined): JsonObject {
  return typeof value === "number" ? { sections: value } : { indices: value ?? null };
}

function splitAlong(axis: number): AttributeReader {
  return ({ indices_or_sections: value }) => ({ ...cuts(value), axis });
}

/** The size to fill up to: tuple entries may be arrays in older files. */
const padWidth: AttributeReader = ({ pad_width: value }) => {
  const array = asObject(value);
  const width = array?.class_name === "__numpy__" ? asObject(array.config)?.value : value;
  return { padWidth: width ?? null };
};

export const shapeOperations: OperationTable = {
  Reshape: operation("TensorReshape", ["x"], (stated, call) => ({
    shape: stated.newshape ?? dimsOf(call.values.newshape),
  })),
  BroadcastTo: operation("BroadcastTo", ["x"]),
  Transpose: operation("Transpose", ["x"]),
  Swapaxes: operation("SwapAxes", ["x"]),
  Rot90: operation("SwapAxes", ["array:x"], rot90),
  Moveaxis: operation("MoveAxes", ["x"]),
  ExpandDims: operation("ExpandDims", ["x"]),
  Squeeze: operation("Squeeze", ["x"], ({ axis }) => ({ axis: axis ?? null, keepUnknown: true })),
  Ravel: operation("Ravel", ["x"]),
  Pad: operation("TensorPad", ["x", "constant_values"], padWidth),
  Tile: operation("Tile", ["x"]),
  Repeat: operation("Repeat", ["x"], ({ repeats, axis }) => ({
    repeats: repeats ?? null,
    axis: axis ?? null,
  })),
  Flip: operation("Flip"),
  Fliplr: operation("FlipLeftRight"),
  Flipud: operation("FlipUpDown"),
  Roll: operation("Roll"),
  Tril: operation("LowerTriangle"),
  Triu: operation("UpperTriangle"),
  ...alike(["Cumsum", "Nancumsum"], operation("CumulativeSum")),
  ...alike(["Cumprod", "Nancumprod"], operation("CumulativeProduct")),
  Sort: operation("Sort"),
  Argsort: operation("ArgSort"),
  Argpartition: operation("ArgSort"),
  Diff: operation("Difference", ["a:x"]),

  Concatenate: operation("TensorConcat", ["xs"]),
  Append: operation("TensorConcat", ["x1:xs", "x2:xs"]),
  Hstack: operation("TensorConcat", ["xs"], { axis: 1 }),
  Vstack: operation("TensorConcat", ["xs"], { axis: 0 }),
  Dstack: operation("DepthStack", ["xs"]),
  Stack: operation("Stack", ["x:xs"]),
  Unstack: operation("Unstack"),
  Split: operation("Split", ["x"], (stated) => ({
    ...cuts(stated.indices_or_sections),
    axis: stated.axis ?? 0,
  })),
  ArraySplit: operation("Split", ["x"], (stated) => ({
    ...cuts(stated.indices_or_sections),
    axis: stated.axis ?? 0,
    uneven: true,
  })),
  Hsplit: operation("Split", ["x"], ({ indices_or_sections: value }) => ({
    ...cuts(value),
    axis: 1,
    firstOfVector: true,
  })),
  Vsplit: operation("Split", ["x"], splitAlong(0)),
  Dsplit: operation("Split", ["x"], splitAlong(2)),
  Meshgrid: operation("Meshgrid", ["*xs"]),
  ...sameNames(["SliceUpdate"], ["inputs:x", "start_indices", "updates"]),
};
