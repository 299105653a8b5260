/** Operations that pick elements, put some in, order them or cut tensors up. */

import type { JsonObject } from "../../../src/ir/graph.ts";
import { type AtenOp, type AtenOps, type NodeView, operand, port } from "../aten.ts";

function axis(node: NodeView, argument = "dim", fallback = 0): JsonObject {
  return { axis: node.int(argument, fallback) };
}

/** A number written down, null for one that the program works out; `fallback` where it is left out. */
function stated(node: NodeView, argument: string, fallback: number): readonly (number | null)[] {
  return node.sizes(argument) ?? [fallback];
}

const select: AtenOp = {
  operator: "GraphGather",
  inputs: [port("self", "data"), operand("index", "indices")],
  attributes: (node) => axis(node),
};

const slice: AtenOp = {
  operator: "GraphSlice",
  inputs: [port("self", "data"), port("start", "starts"), port("end", "ends"), operand("step", "steps")],
  attributes: (node) => ({
    starts: stated(node, "start", 0),
    ends: stated(node, "end", Number.MAX_SAFE_INTEGER),
    axes: [node.int("dim", 0)],
  }),
};

const narrow: AtenOp = {
  operator: "Narrow",
  inputs: [port("self", "input"), "length"],
  attributes: (node) => ({ ...axis(node), length: node.sizes("length") }),
};

const splitEvery: AtenOp = {
  operator: "SplitEvery",
  inputs: [port("self", "input"), port("split_size", "size")],
  attributes: (node) => ({ ...axis(node), size: node.sizes("split_size") }),
};

function splitSizes(argument: string): AtenOp {
  return {
    operator: "GraphSplit",
    inputs: [port("self", "input"), port(argument, "sizes")],
    attributes: (node) => {
      const sizes = node.sizes(argument) ?? [];
      return { ...axis(node), sizes, outputs: sizes.length };
    },
    applies: (node) => (node.sizes(argument)?.length ?? 0) > 0,
  };
}

const unbind: AtenOp = {
  operator: "Unstack",
  inputs: [port("self", "x")],
  attributes: (node) => axis(node),
};

const advanced: AtenOp = {
  operator: "AdvancedIndex",
  inputs: [port("self", "data"), "indices"],
  attributes: (node) => ({ given: [...node.present("indices")] }),
};

/** The first tensor with other elements in some places. */
const changed: AtenOp = { operator: "ScatterUpdate", inputs: [port("self", "x")] };

function scatter(updates: string, replaces: boolean): AtenOp {
  return {
    operator: "ScatterElements",
    inputs: [port("self", "data"), port("index", "indices"), operand(updates, "updates")],
    attributes: (node) => ({ ...axis(node), replaces }),
  };
}

const maskedScatter: AtenOp = { operator: "MaskedFill", inputs: [port("self", "input"), "mask", "source"] };

function lookUp(values: string): AtenOp {
  return {
    operator: "Hash",
    inputs: [port(values, "x")],
    attributes: (node) => ({ dtype: node.flag("out_int32", false) ? "int32" : "int64" }),
  };
}

function unique(attributes: (node: NodeView) => JsonObject): AtenOp {
  return { operator: "UniqueElements", inputs: [port("self", "input")], attributes };
}

const wanted = (node: NodeView): JsonObject => ({
  inverse: node.flag("return_inverse", false),
  counts: node.flag("return_counts", false),
});

export const indexingOps: AtenOps = {
  "aten.select": select,
  "aten.select_copy": select,
  "aten.slice": slice,
  "aten.slice_copy": slice,
  "aten.narrow": narrow,
  "aten.narrow_copy": narrow,
  "aten.split": splitEvery,
  "aten.split.sizes": splitSizes("split_size"),
  "aten.unsafe_split": splitEvery,
  "aten.split_copy": splitEvery,
  "aten.split_with_sizes": splitSizes("split_sizes"),
  "aten.split_with_sizes_copy": splitSizes("split_sizes"),
  "aten.unsafe_split_with_sizes": splitSizes("split_sizes"),
  "aten.chunk": {
    operator: "SplitEvery",
    inputs: [port("self", "input")],
    attributes: (node) => ({ ...axis(node), count: node.int("chunks", 1) }),
  },
  "aten.tensor_split.sections": {
    operator: "Split",
    inputs: [port("self", "x")],
    attributes: (node) => ({ ...axis(node), sections: node.int("sections", 1), uneven: true }),
  },
  "aten.tensor_split.indices": {
    operator: "Split",
    inputs: [port("self", "x")],
    attributes: (node) => ({ ...axis(node), indices: [...(node.sizes("indices") ?? [])] }),
  },
  "aten.unbind": unbind,
  "aten.unbind_copy": unbind,
  "aten.diagonal": {
    operator: "Diagonal",
    inputs: [port("self", "x")],
    attributes: (node) => ({
      offset: node.int("offset", 0),
      axis1: node.int("dim1", 0),
      axis2: node.int("dim2", 1),
    }),
  },
  "aten.index": advanced,
  "aten._unsafe_index": advanced,
  "aten.index_select": [
    {
      operator: "GraphGather",
      inputs: [port("self", "data"), port("index", "indices")],
      attributes: (node) => axis(node),
      applies: (node) => node.rank("index") === 1 && node.rank("self") !== 0,
    },
    // A lone number as an index leaves an axis of size 1.
    {
      operator: "Narrow",
      inputs: [port("self", "input")],
      attributes: (node) => ({ ...axis(node), length: [1] }),
      applies: (node) => node.rank("index") === 0 && node.rank("self") !== 0,
    },
  ],
  "aten.index_put": changed,
  "aten.index_put_": changed,
  "aten._unsafe_index_put": changed,
  "aten._index_put_impl": changed,
  "aten._index_put_impl_": changed,
  "aten.index_add": changed,
  "aten.index_add_": changed,
  "aten.index_copy": changed,
  "aten.index_copy_": changed,
  "aten.index_fill": changed,
  "aten.index_fill_": changed,
  "aten.index_reduce": changed,
  "aten.gather": {
    operator: "GatherElements",
    inputs: [port("self", "data"), port("index", "indices")],
    attributes: (node) => axis(node),
    applies: (node) => node.rank("self") !== 0 && node.rank("index") !== 0,
  },
  "aten.take": { operator: "Take", inputs: [port("self", "x"), port("index", "indices")] },
  "aten.take_along_dim": {
    operator: "TakeAlongAxis",
    inputs: [port("self", "x"), "indices"],
    attributes: (node) => ({ axis: node.optionalInt("dim") }),
    applies: (node) => node.has("dim"),
  },
  "aten.scatter": scatter("src", true),
  "aten.scatter.value": scatter("value", true),
  "aten.scatter.reduce": scatter("src", false),
  "aten.scatter.value_reduce": scatter("value", false),
  "aten.scatter_": scatter("src", true),
  "aten.scatter_.value": scatter("value", true),
  "aten.scatter_.reduce": scatter("src", false),
  "aten.scatter_.value_reduce": scatter("value", false),
  "aten.scatter_add": scatter("src", false),
  "aten.scatter_add_": scatter("src", false),
  "aten.scatter_reduce": scatter("src", false),
  "aten.scatter_reduce_": scatter("src", false),
  "aten.select_scatter": changed,
  "aten.slice_scatter": changed,
  "aten.diagonal_scatter": changed,
  "aten.as_strided_scatter": changed,
  "aten.masked_select": { operator: "MaskedSelect", inputs: [port("self", "input"), "mask"] },
  "aten.masked_scatter": maskedScatter,
  "aten.masked_scatter_": maskedScatter,
  "aten.nonzero": { operator: "NonZeroPlaces", inputs: [port("self", "input")] },
  "aten.argwhere": { operator: "NonZeroPlaces", inputs: [port("self", "input")] },
  "aten.nonzero_static": {
    operator: "NonZeroPlaces",
    inputs: [port("self", "input"), port("size", "count")],
    attributes: (node) => ({ count: node.sizes("size") }),
  },
  "aten.nonzero_numpy": { operator: "NonZeroByAxis", inputs: [port("self", "input")] },
  "aten.topk": {
    operator: "GraphTopK",
    inputs: [port("self", "input"), "k"],
    attributes: (node) => ({ ...axis(node, "dim", -1), k: node.sizes("k")?.[0] ?? null }),
    applies: (node) => node.rank("self") !== 0,
  },
  "aten.msort": { operator: "Sort", inputs: [port("self", "x")], attributes: () => ({ axis: 0 }) },
  "aten.one_hot": {
    operator: "OneHot",
    inputs: [port("self", "x")],
    attributes: (node) => {
      const classes = node.int("num_classes", -1);
      return { numClasses: classes < 0 ? null : classes, axis: -1, dtype: "int64" };
    },
  },
  "aten.bucketize": lookUp("self"),
  "aten.searchsorted": lookUp("self"),
  "aten._unique2": unique(wanted),
  "aten.unique_consecutive": unique((node) => ({ ...wanted(node), axis: node.optionalInt("dim") })),
  // It gives all three, asked for or not.
  "aten.unique_dim": unique((node) => ({ axis: node.optionalInt("dim"), inverse: true, counts: true })),
  "aten._unique": unique(wanted),
};
