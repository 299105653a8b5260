/** Fourier transforms, windows, decoded images. */

import { constant, type NodeView, type OnnxOp, type OnnxOps, type Port } from "../op.ts";

function outputType(node: NodeView): string | null {
  return node.has("output_datatype") ? node.dtype("output_datatype") : "float32";
}

const windowFunction: OnnxOp = {
  operator: "GraphWindow",
  inputs: [constant("size")],
  attributes: (node) => ({ dtype: outputType(node) }),
};

/** The axis is an attribute before opset 20. */
function dftPorts(node: NodeView): readonly Port[] {
  const ports = ["input", constant("length")];
  return node.version < 20 ? ports : [...ports, constant("axis")];
}

export const signalOps: OnnxOps = {
  DFT: {
    operator: "GraphDft",
    inputs: dftPorts,
    attributes: (node) => ({
      axis: node.version < 20 ? node.int("axis", 1) : -2,
      onesided: node.int("onesided", 0) === 1,
      inverse: node.int("inverse", 0) === 1,
    }),
  },
  STFT: {
    operator: "GraphStft",
    inputs: ["signal", constant("frame_step"), constant("window"), constant("frame_length")],
    attributes: (node) => ({ onesided: node.int("onesided", 1) === 1 }),
  },
  HannWindow: windowFunction,
  HammingWindow: windowFunction,
  BlackmanWindow: windowFunction,
  MelWeightMatrix: {
    operator: "GraphMelWeights",
    inputs: [
      constant("num_mel_bins"),
      constant("dft_length"),
      constant("sample_rate"),
      constant("lower_edge_hertz"),
      constant("upper_edge_hertz"),
    ],
    attributes: (node) => ({ dtype: outputType(node) }),
  },
  ImageDecoder: {
    operator: "GraphDecodeImage",
    inputs: ["stream"],
    attributes: (node) => ({ channels: node.text("pixel_format", "RGB") === "Grayscale" ? 1 : 3 }),
  },
};
