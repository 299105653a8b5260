/** Random numbers, and what picks or makes tensors of sizes that no shape tells. */

import { constant, type OnnxOp, type OnnxOps } from "../op.ts";

const random: OnnxOp = {
  operator: "GraphRandom",
  inputs: [],
  attributes: (node) => ({
    dtype: node.has("dtype") ? node.dtype("dtype") : "float32",
    shape: node.ints("shape"),
  }),
};

const randomLike: OnnxOp = {
  operator: "GraphRandomLike",
  inputs: ["input"],
  attributes: (node) => ({ dtype: node.dtype("dtype") }),
};

export const randomOps: OnnxOps = {
  RandomNormal: random,
  RandomUniform: random,
  RandomNormalLike: randomLike,
  RandomUniformLike: randomLike,
  Bernoulli: randomLike,
  Multinomial: {
    operator: "GraphMultinomial",
    inputs: ["input"],
    attributes: (node) => ({
      dtype: node.has("dtype") ? node.dtype("dtype") : "int32",
      samples: node.int("sample_size", 1),
    }),
  },
  NonMaxSuppression: {
    operator: "GraphNonMaxSuppression",
    inputs: [
      "boxes",
      "scores",
      constant("max_output_boxes_per_class"),
      constant("iou_threshold"),
      constant("score_threshold"),
    ],
  },
  // Experimental, in opset 1 alone.
  GivenTensorFill: {
    operator: "GraphGivenFill",
    inputs: ["shape"],
    attributes: (node) => ({
      shape: node.ints("shape"),
      extra: node.ints("extra_shape"),
      inputIsShape: node.int("input_as_shape", 0) === 1,
    }),
  },
};
