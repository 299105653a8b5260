/** Copies, other element types, and tensors that are written over. */

import { type AtenOp, type AtenOps, port } from "../aten.ts";

const identity: AtenOp = { operator: "Identity", inputs: [port("self", "input")] };

/** To another device alone nothing changes. */
const cast: readonly AtenOp[] = [
  {
    operator: "Cast",
    inputs: [port("self", "x")],
    attributes: (node) => ({ dtype: node.dtype("dtype") }),
    applies: (node) => node.has("dtype"),
  },
  identity,
];

/** The type of the other tensor. */
const castLike: AtenOp = { operator: "CastLike", inputs: [port("self", "input"), port("other", "target")] };

/** Other elements in a tensor of that type. */
const filled: AtenOp = { operator: "FillLike", inputs: [port("self", "x")] };

export const copyOps: AtenOps = {
  "aten.clone": identity,
  "aten.contiguous": identity,
  "aten.detach": identity,
  "aten.detach_": identity,
  "aten.alias": identity,
  "aten.lift": identity,
  "aten.lift_fresh": identity,
  "aten.lift_fresh_copy": identity,
  "aten.positive": identity,
  "aten.resolve_conj": identity,
  "aten.resolve_neg": identity,
  "aten.to": cast,
  "aten.to.other": castLike,
  "aten.type_as": castLike,
  "aten._to_copy": cast,
  "prims.convert_element_type": {
    operator: "Cast",
    inputs: [port("a", "x")],
    attributes: (node) => ({ dtype: node.dtype("dtype") }),
  },

  "aten.copy": { operator: "LikeFirst", inputs: [port("self", "input"), port("src", "source")] },
  "aten.copy_": { operator: "LikeFirst", inputs: [port("self", "input"), port("src", "source")] },
  "aten.fill": filled,
  "aten.fill_": filled,
  "aten.zero": filled,
  "aten.zero_": filled,
  "aten.bernoulli": filled,
  "aten.bernoulli_": filled,
  "aten.normal_": filled,
  "aten.uniform_": filled,
  "aten.uniform": filled,
  "aten.exponential": filled,
  "aten.exponential_": filled,
};
