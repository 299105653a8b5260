/** Views, copies and other operations that leave the elements as they are. */

import type { JsonObject } from "../../../src/ir/graph.ts";
import { type AtenOp, type AtenOps, type NodeView, port } from "../aten.ts";

/** Sizes in an argument of that name, of which the program works out those that are null. */
function reshape(argument: string): AtenOp {
  return {
    operator: "GraphReshape",
    inputs: [port("self", "data"), port(argument, "shape")],
    attributes: (node) => ({ shape: node.sizes(argument) ?? null, allowZero: true }),
  };
}

function same(argument: string): AtenOp {
  return { operator: "GraphIdentity", inputs: [port(argument, "input")] };
}

function swap(first: string, second: string): AtenOp {
  return {
    operator: "SwapAxes",
    inputs: [port("self", "x")],
    attributes: (node) => ({ axis1: node.int(first, 0), axis2: node.int(second, 0) }),
  };
}

const reversed: AtenOp = { operator: "GraphTranspose", inputs: [port("self", "data")] };

const unsqueeze: AtenOp = {
  operator: "Unsqueeze",
  inputs: [port("self", "data")],
  attributes: (node) => ({ axes: [node.int("dim", 0)] }),
};

const matrixTranspose: AtenOp = { operator: "MatrixTranspose", inputs: [port("self", "x")] };

const move: AtenOp = {
  operator: "MoveAxes",
  inputs: [port("self", "x")],
  attributes: (node) => ({
    source: [...(node.ints("source") ?? [])],
    destination: [...(node.ints("destination") ?? [])],
  }),
};

function squeeze(argument: string): AtenOp {
  return {
    operator: "GraphSqueeze",
    inputs: [port("self", "data")],
    attributes: (node) => ({ axes: node.ints(argument), onlyOnes: node.has(argument) }),
  };
}

const expand: AtenOp = {
  operator: "Expand",
  inputs: [port("self", "input"), port("size", "shape")],
  attributes: (node) => ({ shape: node.sizes("size"), exact: true }),
};

const expandLike: AtenOp = {
  operator: "ExpandLike",
  inputs: [port("self", "input"), port("other", "target")],
};

const reshapeLike: AtenOp = {
  operator: "ReshapeLike",
  inputs: [port("self", "data"), port("other", "target")],
};

function tile(argument: string): AtenOp {
  return {
    operator: "Tile",
    inputs: [port("self", "x"), port(argument, "multiples")],
    attributes: (node) => ({ repeats: node.sizes(argument) }),
  };
}

const repeatEach: AtenOp = {
  operator: "Repeat",
  inputs: [port("self", "x")],
  attributes: (node) => {
    // How often each element is repeated may stand in a tensor; then only the sum is told, if that is.
    const repeats = node.kind("repeats") === "tensor" ? null : node.ints("repeats");
    return { repeats, axis: node.optionalInt("dim"), total: node.sizes("output_size")?.[0] ?? null };
  },
};

const strided: AtenOp = {
  operator: "StridedView",
  inputs: [port("self", "data"), port("size", "shape")],
  attributes: (node) => ({ shape: node.sizes("size") }),
};

const bitCast: AtenOp = {
  operator: "BitCast",
  inputs: [port("self", "input")],
  attributes: (node) => ({ dtype: node.dtype("dtype") }),
};

const flip: AtenOp = { operator: "Flip", inputs: [port("self", "x")] };

const roll: AtenOp = { operator: "Roll", inputs: [port("self", "x")] };

/** An even number of turns leaves the axes where they are. */
const rotate: AtenOp = {
  operator: "SwapAxes",
  inputs: [port("self", "x")],
  attributes: (node) => {
    const [first = 0, second = 1] = node.ints("dims") ?? [];
    return { axis1: first, axis2: node.int("k", 1) % 2 === 0 ? first : second };
  },
};

function moveBlocks(operator: string, argument: string): AtenOp {
  return {
    operator,
    inputs: [port("self", "input")],
    attributes: (node) => ({ blockSize: node.int(argument, 1) }),
  };
}

const mixChannels: AtenOp = { operator: "GraphIdentity", inputs: [port("self", "input")] };

const windows: AtenOp = {
  operator: "UnfoldAxis",
  inputs: [port("self", "x")],
  attributes: (node) => ({
    axis: node.int("dimension", 0),
    size: node.int("size", 1),
    step: node.int("step", 1),
  }),
};

const toColumns: AtenOp = {
  operator: "Unfold",
  inputs: [port("self", "x")],
  attributes: (node) => ({
    kernelSize: pair(node, "kernel_size"),
    dilation: pair(node, "dilation"),
    padding: pair(node, "padding"),
    stride: pair(node, "stride"),
  }),
};

const fromColumns: AtenOp = {
  operator: "Col2Im",
  inputs: [port("self", "input"), port("output_size", "imageShape")],
  attributes: (node) => ({ imageShape: node.sizes("output_size"), blockShape: pair(node, "kernel_size") }),
};

function pair(node: NodeView, argument: string): JsonObject[string] {
  const sizes = node.ints(argument);
  const [first = 1, second = first] = sizes ?? [];
  return sizes && [first, second];
}

function pad(argument: string): AtenOp {
  return {
    operator: "GraphPad",
    inputs: [port("self", "data"), port(argument, "pads")],
    attributes: (node) => ({ pads: node.sizes(argument), lastFirst: true }),
  };
}

const triangle = (operator: string): AtenOp => ({ operator, inputs: [port("self", "x")] });

function atLeast(rank: number): AtenOp {
  return { operator: "AtLeastRank", inputs: [port("self", "data")], attributes: () => ({ rank }) };
}

const element: AtenOp = {
  operator: "ElementOf",
  inputs: [port("self", "data")],
  attributes: (node) => {
    const kinds = { int: "int64", float: "float64", bool: "bool", complex: null, tensor: null } as const;
    const [kind] = node.outputs;
    return { dtype: kind ? kinds[kind] : null };
  },
};

const layoutNumber: AtenOp = { operator: "LayoutNumber", inputs: [port("self", "data")] };

const assertion: AtenOp = { operator: "Assert", inputs: [] };

export const viewOps: AtenOps = {
  "aten.view": reshape("size"),
  "aten.view_copy": reshape("size"),
  "aten.view.dtype": bitCast,
  "aten.view_copy.dtype": bitCast,
  "aten._unsafe_view": reshape("size"),
  "aten._reshape_alias": reshape("size"),
  "aten._reshape_copy": reshape("size"),
  "aten.reshape": reshape("shape"),
  "aten.view_as": reshapeLike,
  "aten.reshape_as": reshapeLike,
  "aten.flatten": {
    operator: "MergeAxes",
    inputs: [port("self", "data")],
    attributes: (node) => ({ start: node.int("start_dim", 0), end: node.int("end_dim", -1) }),
  },
  "aten.ravel": { operator: "MergeAxes", inputs: [port("self", "data")] },
  "aten.unflatten": {
    operator: "SplitAxis",
    inputs: [port("self", "data"), "sizes"],
    attributes: (node) => ({ axis: node.int("dim", 0), sizes: node.sizes("sizes") }),
  },
  "aten.permute": {
    operator: "GraphTranspose",
    inputs: [port("self", "data")],
    attributes: (node) => ({ axes: node.ints("dims") }),
  },
  "aten.permute_copy": {
    operator: "GraphTranspose",
    inputs: [port("self", "data")],
    attributes: (node) => ({ axes: node.ints("dims") }),
  },
  "aten.transpose": swap("dim0", "dim1"),
  "aten.transpose_copy": swap("dim0", "dim1"),
  "aten.transpose_": swap("dim0", "dim1"),
  "aten.swapaxes": swap("axis0", "axis1"),
  "aten.swapdims": swap("dim0", "dim1"),
  "aten.t": reversed,
  "aten.t_copy": reversed,
  "aten.t_": reversed,
  "aten.numpy_T": reversed,
  "aten.matrix_H": matrixTranspose,
  "aten.mT": matrixTranspose,
  "aten.mH": matrixTranspose,
  "aten.adjoint": matrixTranspose,
  "aten.movedim": move,
  "aten.moveaxis": move,
  "aten.squeeze": squeeze("dim"),
  "aten.squeeze_": squeeze("dim"),
  "aten.squeeze_copy": squeeze("dim"),
  "aten.unsqueeze": unsqueeze,
  "aten.unsqueeze_": unsqueeze,
  "aten.unsqueeze_copy": unsqueeze,
  "aten.expand": expand,
  "aten.expand_copy": expand,
  "aten.broadcast_to": expand,
  "aten.expand_as": expandLike,
  "aten.broadcast_tensors": { operator: "BroadcastTogether", inputs: [port("tensors", "inputs")] },
  "aten.repeat": tile("repeats"),
  "aten.tile": tile("dims"),
  "aten.repeat_interleave": repeatEach,
  "aten.repeat_interleave.Tensor": {
    operator: "Fill",
    inputs: [port("repeats", "like"), port("output_size", "shape")],
    attributes: (node) => ({ shape: node.sizes("output_size") ?? [null] }),
  },
  "aten.repeat_interleave.self_Tensor": repeatEach,
  "aten.as_strided": strided,
  "aten.as_strided_": strided,
  "aten.as_strided_copy": strided,
  "aten.detach_copy": same("self"),
  "aten.alias_copy": same("self"),
  "aten.conj": same("self"),
  "aten._neg_view": same("self"),
  "aten.requires_grad_": same("self"),
  "aten.cpu": same("self"),
  "prims.device_put": same("a"),
  "aten.pixel_shuffle": moveBlocks("GraphDepthToSpace", "upscale_factor"),
  "aten.pixel_unshuffle": moveBlocks("GraphSpaceToDepth", "downscale_factor"),
  "aten.channel_shuffle": mixChannels,
  "aten.native_channel_shuffle": mixChannels,
  "aten.unfold": windows,
  "aten.unfold_copy": windows,
  "aten.im2col": toColumns,
  "aten.col2im": fromColumns,
  "aten.roll": roll,
  "aten.flip": flip,
  "aten.fliplr": flip,
  "aten.flipud": flip,
  "aten.rot90": rotate,
  "aten.tril": triangle("LowerTriangle"),
  "aten.tril_": triangle("LowerTriangle"),
  "aten.triu": triangle("UpperTriangle"),
  "aten.triu_": triangle("UpperTriangle"),
  "aten.diag_embed": {
    operator: "EmbedDiagonal",
    inputs: [port("self", "data")],
    attributes: (node) => ({
      offset: node.int("offset", 0),
      axis1: node.int("dim1", -2),
      axis2: node.int("dim2", -1),
    }),
  },
  "aten.pad": pad("pad"),
  "aten.constant_pad_nd": pad("pad"),
  "aten.reflection_pad1d": pad("padding"),
  "aten.reflection_pad2d": pad("padding"),
  "aten.reflection_pad3d": pad("padding"),
  "aten.replication_pad1d": pad("padding"),
  "aten.replication_pad2d": pad("padding"),
  "aten.replication_pad3d": pad("padding"),
  "aten._pad_circular": pad("pad"),
  "aten.atleast_1d": atLeast(1),
  "aten.atleast_2d": atLeast(2),
  "aten.atleast_3d": atLeast(3),
  "aten.item": element,
  "aten._local_scalar_dense": element,
  "aten.sym_stride": layoutNumber,
  "aten.sym_storage_offset": layoutNumber,
  "aten._assert_scalar": assertion,
  "aten._assert_async": assertion,
  "aten._assert_tensor_metadata": assertion,
  "aten._functional_assert_scalar": assertion,
  "aten.sym_constrain_range": assertion,
  "aten.sym_constrain_range_for_size": assertion,
};
