/** Numbers with a scale and a zero point: torch.ao's decomposed operators. */

import { type AtenOp, type AtenOps, type NodeView, port } from "../aten.ts";

function quantize(scales: string): AtenOp {
  return {
    operator: "QuantizeLinear",
    inputs: ["input", port(scales, "scale")],
    attributes: (node) => ({ dtype: node.dtype("dtype") }),
    applies: (node) => node.dtype("dtype") !== null,
  };
}

/** Without a stated type float32 comes out. */
function dequantize(scales: string, result: string): AtenOp {
  return {
    operator: "DequantizeLinear",
    inputs: ["input", port(scales, "scale")],
    attributes: (node) => ({ dtype: node.has(result) ? node.dtype(result) : "float32" }),
    applies: (node) => !node.has(result) || node.dtype(result) !== null,
  };
}

/** The same numbers, rounded to what is left of them when they are quantised. */
function simulate(argument: string): AtenOp {
  return { operator: "SimulateQuantization", inputs: [port(argument, "input")] };
}

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
  [`${d}.fake_quant_per_channel`]: simulate("input"),
  [`${d}.convert_element_type`]: {
    operator: "GraphCast",
    inputs: ["input"],
    attributes: (node) => ({ dtype: node.dtype("dtype") }),
  },
  "aten.fake_quantize_per_tensor_affine": simulate("self"),
  "aten.fake_quantize_per_channel_affine": simulate("self"),
  "aten._weight_int8pack_mm": {
    operator: "FusedMatMul",
    inputs: [port("self", "input"), port("mat2", "kernel"), port("scales", "scale")],
    attributes: () => ({ transposeB: true }),
  },
};
