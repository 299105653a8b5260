/**
 * Keras 1 spelled classes and arguments differently. Both are renamed here, once, so that every rule sees the names of
 * today (Keras 2 source, legacy/interfaces.py; real files of 1.1.2 and 1.2.2).
 */

import type { Json, JsonObject } from "../../src/ir/graph.ts";

const classes: Readonly<Record<string, string>> = {
  Convolution1D: "Conv1D",
  Convolution2D: "Conv2D",
  Convolution3D: "Conv3D",
  AtrousConvolution1D: "Conv1D",
  AtrousConvolution2D: "Conv2D",
  Deconvolution2D: "Conv2DTranspose",
  SeparableConvolution2D: "SeparableConv2D",
};

/** Newest name of a layer class. */
export function modernClass(type: string): string {
  return Object.hasOwn(classes, type) ? (classes[type] ?? type) : type;
}

const renamed: Readonly<Record<string, string>> = {
  output_dim: "units",
  nb_filter: "filters",
  border_mode: "padding",
  dim_ordering: "data_format",
  init: "kernel_initializer",
  inner_init: "recurrent_initializer",
  inner_activation: "recurrent_activation",
  bias: "use_bias",
  sigma: "stddev",
  dropout_W: "dropout",
  dropout_U: "recurrent_dropout",
  forget_bias_init: "unit_forget_bias",
  input_dtype: "dtype",
  atrous_rate: "dilation_rate",
  nb_row: "",
  nb_col: "",
};

const dataFormats: Readonly<Record<string, string>> = { tf: "channels_last", th: "channels_first" };

/** Arguments of one layer in their newest spelling; keys without a new name stay. */
export function modernConfig(type: string, config: JsonObject): JsonObject {
  // Keys come from the file: without a prototype "__proto__" is a key like any other.
  const result: Record<string, Json> = Object.create(null);
  for (const [key, value] of Object.entries(config)) {
    const target = Object.hasOwn(renamed, key) ? (renamed[key] ?? key) : key;
    if (target !== "") result[target] = value;
  }
  if (type === "Embedding" && config.output_dim !== undefined) {
    result.output_dim = config.output_dim;
    delete result.units;
  }
  if (typeof result.data_format === "string") {
    const written = result.data_format;
    const format = Object.hasOwn(dataFormats, written) ? (dataFormats[written] ?? written) : written;
    result.data_format = format === "default" ? null : format;
  }
  if (typeof config.consume_less === "string") {
    result.implementation = ["cpu", "mem", "gpu"].indexOf(config.consume_less);
  }
  Object.assign(result, windowArguments(type, config));
  if (type.includes("Dropout") && config.p !== undefined) result.rate = config.p;
  return result;
}

function windowArguments(type: string, config: JsonObject): JsonObject {
  const result: Record<string, Json> = {};
  if (config.nb_row !== undefined && config.nb_col !== undefined)
    result.kernel_size = [config.nb_row, config.nb_col];
  if (config.filter_length !== undefined) result.kernel_size = [config.filter_length];
  if (config.kernel_dim1 !== undefined)
    result.kernel_size = [config.kernel_dim1, config.kernel_dim2 ?? 1, config.kernel_dim3 ?? 1];
  if (config.subsample !== undefined) result.strides = config.subsample;
  if (config.subsample_length !== undefined) result.strides = [config.subsample_length];
  if (config.pool_length !== undefined) result.pool_size = [config.pool_length];
  if (config.stride !== undefined) result.strides = config.stride;
  if (type === "UpSampling1D" && config.length !== undefined) result.size = config.length;
  return result;
}
