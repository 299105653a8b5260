/** Numbers with a scale and a zero point: torch.ao's decomposed operators. */

import { type AtenOp, type AtenOps, type NodeView, port } from "../aten.ts";

function quantize(scales: string, result = "dtype"): AtenOp {
  return {
    operator: "QuantizeLinear",
    inputs: ["input", port(scales, "scale")],
    attributes: (node) => ({ dtype: node.dtype(result) }),
  };
}

/** Without a stated type float32 comes out. */
function dequantize(scales: string, result: string): AtenOp {
  return {
    operator: "DequantizeLinear",
    inputs: ["input", port(scales, "scale")],
    attributes: (node) => ({ dtype: node.has(result) ? node.dtype(result) : "float32" }),
  };
}

/** The same numbers, rounded to what is left of them when they are quantised. */
const simulate: AtenOp = { operator: "SimulateQuantization", inputs: ["input"] };

/** For the whole tensor, or for each of its rows. */
function choose(rows: boolean): AtenOp {
  return {
    operator: "ChooseQuantization",
    inputs: ["input"],
    attributes: () => ({ rows }),
    applies: (node: NodeView) => node.rank("input") !== 0,
  };
}

const d = "quantized_decomposed";

export const quantizedOps: AtenOps = {
  [`${d}.quantize_per_tensor`]: quantize("scale"),
  [`${d}.quantize_per_channel`]: quantize("scales"),
  [`${d}.quantize_per_token`]: quantize("scales"),
  [`${d}.quantize_per_channel_group`]: quantize("scales"),
  [`${d}.dequantize_per_tensor`]: dequantize("scale", "out_dtype"),
  [`${d}.dequantize_per_channel`]: dequantize("scales", "out_dtype"),
  [`${d}.dequantize_per_token`]: dequantize("scales", "output_dtype"),
  [`${d}.dequantize_per_channel_group`]: dequantize("scales", "output_dtype"),
  [`${d}.choose_qparams`]: choose(false),
  [`${d}.choose_qparams_symmetric`]: choose(false),
  [`${d}.choose_qparams_per_token`]: choose(true),
  [`${d}.choose_qparams_per_token_asymmetric`]: choose(true),
  [`${d}._choose_qparams_per_token_asymmetric_impl`]: choose(true),
  [`${d}.fake_quant_per_channel`]: simulate,
  [`${d}.convert_element_type`]: {
    operator: "GraphCast",
    inputs: ["input"],
    attributes: (node) => ({ dtype: node.dtype("dtype") }),
  },
  "torchao.quantize_affine": quantize("scale", "output_dtype"),
  "torchao.dequantize_affine": dequantize("scale", "output_dtype"),
  "torchao.choose_qparams_affine": {
    operator: "ChooseBlockQuantization",
    inputs: ["input", port("block_size", "block")],
    attributes: (node) => ({
      block: node.sizes("block_size"),
      keepsAxes: node.flag("keepdim", false),
      scaleType: node.dtype("scale_dtype"),
      zeroType: node.dtype("zero_point_dtype"),
    }),
  },
  "torchao.choose_scale_float8": {
    operator: "ChooseBlockQuantization",
    inputs: [port("tensor", "input"), port("block_size", "block")],
    attributes: (node) => ({
      block: node.sizes("block_size"),
      keepsAxes: true,
      scaleType: node.dtype("scale_dtype") ?? "float32",
      scaleOnly: true,
    }),
  },
  "torchao.quantize_affine_float8_non_decomposed": {
    operator: "QuantizeLinear",
    inputs: [port("tensor", "input"), "scale"],
    attributes: (node) => ({ dtype: node.dtype("float8_dtype") ?? "float8_e4m3fn" }),
  },
  "torchao.dequantize_affine_float8_non_decomposed": {
    operator: "DequantizeLinear",
    inputs: [port("tensor", "input"), "scale"],
    attributes: (node) => ({ dtype: node.dtype("output_dtype") ?? "float32" }),
  },
  "aten._weight_int8pack_mm": {
    operator: "FusedMatMul",
    inputs: [port("self", "input"), port("mat2", "kernel"), port("scales", "scale")],
    attributes: () => ({ transposeB: true }),
  },
};
