/** Functions of tf.nn and tf.image. */

import type { Json, JsonObject } from "../../../src/ir/graph.ts";
import { asInteger, asList, asString } from "../json-access.ts";
import {
  type AttributeReader,
  alike,
  layoutOf,
  type OperationTable,
  tensorflowFunction as tf,
} from "./operation.ts";

const activations = ["relu6", "gelu", "silu", "swish", "selu", "log_softmax", "hard_swish"] as const;

/** Numbers for the spatial axes out of those for all four or five, or one for all. */
function spatial(value: Json | undefined, rank: number, layout: string): Json {
  const list = asList(value);
  if (!list) return Array.from({ length: rank }, () => value ?? 1);
  if (list.length === 1) return Array.from({ length: rank }, () => list[0] ?? 1);
  if (list.length !== rank + 2) return list;
  return layout === "channels-first" ? list.slice(2) : list.slice(1, -1);
}

/** "SAME", "VALID", or pairs for every axis. */
function paddingOf(value: Json | undefined, layout: string): Json {
  const pairs = asList(value);
  if (!pairs) return (asString(value) ?? "valid").toLowerCase();
  return layout === "channels-first" ? pairs.slice(2) : pairs.slice(1, -1);
}

function pool(rank: number): AttributeReader {
  return (stated) => {
    const layout = layoutOf(stated.data_format);
    return {
      kernelSize: spatial(stated.ksize ?? stated.window_shape, rank, layout),
      strides: spatial(stated.strides, rank, layout),
      padding: paddingOf(stated.padding, layout),
      layout,
    };
  };
}

function convolution(rank: number, kind: string): AttributeReader {
  return (stated) => {
    const layout = layoutOf(stated.data_format);
    return {
      kind,
      strides: spatial(stated.strides ?? stated.stride ?? 1, rank, layout),
      dilations: spatial(stated.dilations ?? stated.rate ?? 1, rank, layout),
      padding: paddingOf(stated.padding, layout),
      layout,
    };
  };
}

function convFunctions(): OperationTable {
  const table: Record<string, NonNullable<OperationTable[string]>> = {};
  for (const [rank, name] of [
    [1, "conv1d"],
    [2, "conv2d"],
    [3, "conv3d"],
  ] as const) {
    const rule = tf(
      "Convolve",
      ["input:x", "value:x", "filters:kernel", "filter:kernel"],
      convolution(rank, "dense"),
    );
    const transpose = tf("Fill", ["input"], ({ output_shape: shape }) => ({ shape: shape ?? null }));
    for (const prefix of ["nn.", "compat.v1.nn."]) {
      table[`${prefix}${name}`] = rule;
      table[`${prefix}${name}_transpose`] = transpose;
    }
  }
  const depthwise = tf("Convolve", ["input:x", "filter:kernel"], convolution(2, "depthwise"));
  const separable = tf(
    "Convolve",
    ["input:x", "depthwise_filter:kernel", "pointwise_filter:pointwiseKernel"],
    convolution(2, "separable"),
  );
  for (const prefix of ["nn.", "compat.v1.nn."]) {
    table[`${prefix}depthwise_conv2d`] = depthwise;
    table[`${prefix}separable_conv2d`] = separable;
  }
  return table;
}

function poolFunctions(): OperationTable {
  const table: Record<string, NonNullable<OperationTable[string]>> = {};
  for (const [name, operator] of [
    ["max_pool", "MaxPool"],
    ["avg_pool", "AveragePool"],
  ] as const) {
    for (const prefix of ["nn.", "compat.v1.nn."]) {
      for (const rank of [1, 2, 3]) table[`${prefix}${name}${rank}d`] = tf(operator, ["input"], pool(rank));
      table[`${prefix}${name}`] = tf(operator, ["input"], pool(2));
    }
  }
  return table;
}

function size(stated: JsonObject): JsonObject {
  const [height = null, width = null] = asList(stated.size) ?? [];
  return {
    height: height ?? stated.target_height ?? null,
    width: width ?? stated.target_width ?? null,
  };
}

const cropped = (stated: JsonObject): JsonObject => {
  const border = (value: Json | undefined): Json => value ?? null;
  return {
    top: border(stated.offset_height),
    left: border(stated.offset_width),
    targetHeight: border(stated.target_height),
    targetWidth: border(stated.target_width),
  };
};

const sameImage = [
  "flip_left_right",
  "flip_up_down",
  "random_flip_left_right",
  "random_flip_up_down",
  "adjust_brightness",
  "adjust_contrast",
  "adjust_gamma",
  "adjust_hue",
  "adjust_saturation",
  "random_brightness",
  "random_contrast",
  "random_hue",
  "random_saturation",
  "per_image_standardization",
  "rgb_to_hsv",
  "hsv_to_rgb",
  "rgb_to_yiq",
  "yiq_to_rgb",
  "rgb_to_yuv",
  "yuv_to_rgb",
] as const;

const same = (name: string): NonNullable<OperationTable[string]> => tf(name, ["image:x", "images:x"]);

const imageFunctions: OperationTable = {
  ...alike(
    sameImage.map((name) => `image.${name}`),
    same("TransformImage"),
  ),
  ...alike(
    [
      "image.resize",
      "image.resize_with_pad",
      "image.resize_with_crop_or_pad",
      "compat.v1.image.resize",
      "compat.v1.image.resize_images",
      "compat.v1.image.resize_bilinear",
      "compat.v1.image.resize_nearest_neighbor",
      "compat.v1.image.resize_bicubic",
      "compat.v1.image.resize_area",
      "compat.v1.image.resize_image_with_crop_or_pad",
    ],
    tf("ResizeImage", ["images:x", "image:x"], size),
  ),
  "image.central_crop": tf("CentralCrop", ["image:x"], (s) => ({ fraction: s.central_fraction ?? null })),
  "image.crop_to_bounding_box": tf("CropImage", ["image:x"], cropped),
  "image.pad_to_bounding_box": tf("PadImage", ["image:x"], cropped),
  "image.rgb_to_grayscale": tf("ConvertColors", ["images:x"], { channels: 1 }),
  "image.grayscale_to_rgb": tf("ConvertColors", ["images:x"], { channels: 3 }),
  "image.rot90": tf("SwapAxes", ["image:x"], ({ k }) => ({
    axes: (asInteger(k) ?? 1) % 2 === 1 ? [-3, -2] : [0, 0],
  })),
  "image.transpose": tf("SwapAxes", ["image:x"], { axes: [-3, -2] }),
  "image.convert_image_dtype": tf("Cast", ["image:x"], ({ dtype }) => ({ dtype: dtype ?? null })),
  "image.crop_and_resize": tf(
    "CropAndResize",
    ["image:x", "boxes", "box_indices"],
    ({ crop_size: crop }) => ({
      size: crop ?? null,
    }),
  ),
  "image.extract_patches": tf("ExtractPatches", ["images:x"], (s) => ({
    kernelSize: spatial(s.sizes, 2, "channels-last"),
    strides: spatial(s.strides, 2, "channels-last"),
    dilations: spatial(s.rates, 2, "channels-last"),
    padding: paddingOf(s.padding, "channels-last"),
  })),
  "image.sobel_edges": tf("SobelEdges", ["image:x"]),
  "image.ssim": tf("StructuralSimilarity", ["img1:x", "img2"]),
  "image.psnr": tf("StructuralSimilarity", ["a:x", "b"]),
  "image.total_variation": tf("StructuralSimilarity", ["images:x"]),
};

export const nnFunctions: OperationTable = {
  ...Object.fromEntries(
    activations.map((name) => [`nn.${name}`, tf("Activation", ["features:x", "x"], { function: name })]),
  ),
  "nn.relu": tf("Relu", ["features:x"]),
  "nn.elu": tf("Elu", ["features:x"]),
  "nn.leaky_relu": tf("LeakyRelu", ["features:x"]),
  ...alike(["nn.crelu", "compat.v1.nn.crelu"], tf("ConcatRelu", ["features:x"])),
  ...alike(["nn.softmax", "compat.v1.nn.softmax", "compat.v1.math.softmax"], tf("Softmax", ["logits:x"])),
  ...alike(["compat.v1.nn.log_softmax"], tf("Activation", ["logits:x"], { function: "log_softmax" })),
  ...alike(
    ["nn.dropout", "nn.experimental.stateless_dropout", "compat.v1.nn.dropout"],
    tf("Dropout", ["x"], {}),
  ),
  ...convFunctions(),
  ...poolFunctions(),
  "nn.max_pool_with_argmax": tf("MaxPoolWithIndices", ["input:x"], pool(2)),
  ...alike(["nn.bias_add", "compat.v1.nn.bias_add"], tf("AddBias", ["value:x", "bias"])),
  ...alike(
    ["nn.batch_normalization", "nn.local_response_normalization", "nn.lrn", "compat.v1.nn.lrn"],
    tf("NormalizeWithStatistics", ["x", "input:x", "mean", "variance", "offset", "scale"]),
  ),
  "nn.moments": tf("Moments", ["x"], ({ axes, keepdims }) => ({
    axis: axes ?? null,
    keepDims: keepdims === true,
  })),
  ...alike(["nn.l2_loss"], tf("ScalarProduct", ["t:x"])),
  ...alike(
    [
      "nn.sigmoid_cross_entropy_with_logits",
      "compat.v1.nn.sigmoid_cross_entropy_with_logits",
      "nn.weighted_cross_entropy_with_logits",
    ],
    tf("CrossEntropy", ["labels:target", "logits:output"], {}),
  ),
  ...alike(
    [
      "nn.softmax_cross_entropy_with_logits",
      "compat.v1.nn.softmax_cross_entropy_with_logits",
      "compat.v1.nn.softmax_cross_entropy_with_logits_v2",
      "nn.sparse_softmax_cross_entropy_with_logits",
      "compat.v1.nn.sparse_softmax_cross_entropy_with_logits",
    ],
    tf("CrossEntropy", ["labels:target", "logits:output"], ({ axis }) => ({ axis: axis ?? -1 })),
  ),
  ...alike(
    ["nn.embedding_lookup", "compat.v1.nn.embedding_lookup"],
    tf("EmbeddingLookup", ["params:x", "ids:indices"], (stated, { inputs }) => ({
      ...(stated.axis !== undefined && { axis: stated.axis }),
      // A list of rows is a list of tables to TensorFlow.
      partitioned: inputs.some((input) => input.name === "x" && input.kind === "constant"),
    })),
  ),
  "nn.depth_to_space": tf("DepthToSpace", ["input:x"]),
  "nn.space_to_depth": tf("SpaceToDepth", ["input:x"]),
  ...alike(["compat.v1.depth_to_space"], tf("DepthToSpace", ["input:x"])),
  ...alike(["compat.v1.space_to_depth"], tf("SpaceToDepth", ["input:x"])),
  ...imageFunctions,
};
