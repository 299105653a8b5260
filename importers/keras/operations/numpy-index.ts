/** Operations of keras.ops that pick, place, look up and make elements (Keras 3.15 ops/numpy.py, core.py, math.py). */

import type { Json } from "../../../src/ir/graph.ts";
import { asList, asObject } from "../json-access.ts";
import type { CallValue } from "../layer-rule.ts";
import { type AttributeReader, arrayOperation, type OperationTable, operation } from "./operation.ts";

/** An entry of a subscript: numbers and null stay, slices and the ellipsis get the operator's form. */
function subscript(value: Json): Json {
  const object = asObject(value);
  if (!object) return value === "Ellipsis" ? "..." : value;
  if (object.class_name === "__ellipsis__") return "...";
  const slice = object.class_name === "__slice__" ? asObject(object.config) : object;
  if (!slice) return "?";
  return { start: slice.start ?? null, stop: slice.stop ?? null, step: slice.step ?? null };
}

/** The key of `x[key]`; entries and bounds that are tensors are known only when the model runs. */
export function subscripts(value: CallValue | undefined): Json {
  if (value === undefined) return null;
  if (value.kind === "plain") {
    const list = asList(value.value);
    return list ? list.map(subscript) : [subscript(value.value)];
  }
  const items = value.kind === "list" ? value.items : [value];
  return items.map((item): Json => {
    if (item.kind === "plain") return subscript(item.value);
    if (item.kind !== "dict") return "?";
    const bound = (key: string): Json => {
      const part = item.entries[key];
      return part === undefined ? null : part.kind === "plain" ? part.value : "?";
    };
    return { start: bound("start"), stop: bound("stop"), step: bound("step") };
  });
}

function segments(reduction: string): AttributeReader {
  return ({ num_segments: count }) => ({ numSegments: count ?? null, reduction });
}

/** The first dimensions are those of a plain list, where a list of numbers is given. */
const range: AttributeReader = (stated) => ({
  start: stated.start ?? null,
  stop: stated.stop ?? null,
  step: stated.step ?? null,
  dtype: stated.dtype ?? null,
});

export const indexOperations: OperationTable = {
  GetItem: operation("GetItem", ["x"], (_, call) => ({
    key: subscripts(call.values.key ?? call.values.argument1),
  })),
  Slice: operation("Slice", ["inputs:x"], (stated) => ({
    size: stated.shape ?? null,
    begin: stated.start_indices ?? stated.argument1 ?? null,
  })),
  ScatterUpdate: operation("ScatterUpdate", ["inputs:x", "indices", "updates"]),
  Scatter: operation("Scatter", ["indices", "values"]),
  Take: arrayOperation("Take", ["x", "indices"]),
  TakeAlongAxis: operation("TakeAlongAxis", ["x", "indices"]),
  OneHot: operation("OneHot", ["x"]),
  MultiHot: operation("MultiHot", ["inputs:x"]),
  TopK: operation("TopK"),
  InTopK: operation("InTopK", ["targets", "predictions"]),
  Nonzero: operation("Nonzero"),
  Unique: operation("Unique"),
  Bincount: operation("BinCount", ["x"], {}),
  Histogram: operation("Histogram"),
  SearchSorted: operation("SearchSorted", ["sorted_sequence", "values"]),
  Digitize: operation("Digitize", ["x", "bins"]),
  UnravelIndex: operation("UnravelIndex", ["indices"]),
  SegmentSum: operation("SegmentReduce", ["data", "segment_ids:segmentIds"], segments("sum")),
  SegmentMax: operation("SegmentReduce", ["data", "segment_ids:segmentIds"], segments("max")),
  SegmentMin: operation("SegmentReduce", ["data", "segment_ids:segmentIds"], segments("min")),
  SegmentProd: operation("SegmentReduce", ["data", "segment_ids:segmentIds"], segments("prod")),

  Arange: operation("Range", [], range),
  Full: operation("Fill", ["fill_value"]),
  FullLike: operation("FillLike", ["x", "fill_value"]),
  EmptyLike: operation("FillLike"),
  OnesLike: operation("FillLike"),
  ZerosLike: operation("FillLike"),
  Linspace: operation("Spaced", ["start", "stop"]),
  Logspace: operation("Spaced", ["start", "stop"]),
  Geomspace: operation("Spaced", ["start", "stop"]),
  Ndim: operation("RankAsShape"),
  Size: operation("Size"),
};
