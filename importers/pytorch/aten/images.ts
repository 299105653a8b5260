/** Images of another size, regions of them, and spectra. */

import type { JsonObject } from "../../../src/ir/graph.ts";
import { type AtenOp, type AtenOps, type NodeView, port } from "../aten.ts";

/** The first overload calls the image `self`, `.vec` calls it `input` and has sizes or scales. */
const resize: AtenOp = {
  operator: "SpatialResize",
  inputs: [port("self", "input"), port("input", "input"), port("output_size", "sizes")],
  attributes: (node) => {
    const sizes = node.sizes("output_size");
    return { sizes: sizes && [...sizes], scales: sizes ? null : node.floats("scale_factors") };
  },
};

function modes(...names: readonly string[]): AtenOps {
  return Object.fromEntries(names.map((name) => [`aten.${name}`, resize]));
}

function regions(operator: string, more: JsonObject = {}): AtenOp {
  return {
    operator,
    inputs: ["input", port("rois", "regions")],
    attributes: (node) => ({
      outputSize: [node.int("pooled_height", 1), node.int("pooled_width", 1)],
      ...more,
    }),
  };
}

interface Spectrum {
  readonly half?: "made" | "given";
  readonly result?: "real";
}

/** Along one axis. */
function fourier({ half = undefined, result = undefined }: Spectrum = {}): AtenOp {
  return {
    operator: "FourierTransform",
    inputs: [port("self", "input"), port("n", "lengths")],
    attributes: (node) => ({
      axes: [node.int("dim", -1)],
      ...(node.has("n") && { lengths: node.sizes("n") }),
      ...(half && { half }),
      ...(result && { result }),
    }),
  };
}

/** Along several axes: those stated, else `usual`, else all. */
function fourierN(
  usual: readonly number[] | null,
  { half = undefined, result = undefined }: Spectrum = {},
): AtenOp {
  return {
    operator: "FourierTransform",
    inputs: [port("self", "input"), port("s", "lengths")],
    attributes: (node) => ({
      axes: axesOf(node) ?? usual,
      ...(node.has("s") && { lengths: [...(node.sizes("s") ?? [])] }),
      ...(half && { half }),
      ...(result && { result }),
    }),
  };
}

function axesOf(node: NodeView): readonly number[] | null {
  return node.has("dim") ? node.ints("dim") : null;
}

const halfMade: Spectrum = { half: "made" };
const halfGiven: Spectrum = { half: "given", result: "real" };
const lastTwo = [-2, -1];

export const imageOps: AtenOps = {
  ...modes("upsample_nearest1d", "upsample_nearest2d", "upsample_nearest3d"),
  ...modes("_upsample_nearest_exact1d", "_upsample_nearest_exact2d", "_upsample_nearest_exact3d"),
  ...modes("upsample_linear1d", "upsample_bilinear2d", "upsample_trilinear3d", "upsample_bicubic2d"),
  ...modes("_upsample_bilinear2d_aa", "_upsample_bicubic2d_aa", "_upsample_lanczos2d_aa"),
  "torchvision.roi_align": regions("RoiAlign"),
  "torchvision.roi_pool": regions("MaxRoiPool", { places: true }),
  "torchvision.ps_roi_align": regions("RoiAlign", { ownChannels: true, places: true }),
  "torchvision.ps_roi_pool": regions("MaxRoiPool", { ownChannels: true, places: true }),
  "torchvision.deform_conv2d": {
    operator: "DeformConv",
    inputs: ["input", port("weight", "kernel"), "offset", "mask", "bias"],
    attributes(node) {
      const [height, width] = [node.int("pad_h", 0), node.int("pad_w", 0)];
      return {
        strides: [node.int("stride_h", 1), node.int("stride_w", 1)],
        dilations: [node.int("dilation_h", 1), node.int("dilation_w", 1)],
        padding: [
          [height, height],
          [width, width],
        ],
        layout: "channels-first",
        // The number of groups is worked out from the shapes, so that they fit.
        blocked: true,
      };
    },
  },
  "torchvision.nms": { operator: "SuppressOverlaps", inputs: [port("dets", "boxes"), "scores"] },
  "aten.fft_fft": fourier(),
  "aten.fft_ifft": fourier(),
  "aten.fft_rfft": fourier(halfMade),
  "aten.fft_irfft": fourier(halfGiven),
  "aten.fft_hfft": fourier(halfGiven),
  "aten.fft_ihfft": fourier(halfMade),
  "aten.fft_fft2": fourierN(lastTwo),
  "aten.fft_ifft2": fourierN(lastTwo),
  "aten.fft_rfft2": fourierN(lastTwo, halfMade),
  "aten.fft_irfft2": fourierN(lastTwo, halfGiven),
  "aten.fft_fftn": fourierN(null),
  "aten.fft_ifftn": fourierN(null),
  "aten.fft_rfftn": fourierN(null, halfMade),
  "aten.fft_irfftn": fourierN(null, halfGiven),
  "aten._fft_c2c": fourierN(null),
  "aten._fft_r2c": {
    operator: "FourierTransform",
    inputs: [port("self", "input")],
    attributes: (node) => ({ axes: axesOf(node), half: node.flag("onesided", false) ? "made" : "none" }),
  },
  "aten._fft_c2r": {
    operator: "FourierTransform",
    inputs: [port("self", "input"), port("last_dim_size", "lengths")],
    attributes: (node) => ({
      axes: axesOf(node),
      lengths: node.sizes("last_dim_size"),
      lastOnly: true,
      half: "given",
      result: "real",
    }),
  },
  "aten.fft_fftshift": { operator: "Roll", inputs: [port("self", "x")] },
  "aten.fft_ifftshift": { operator: "Roll", inputs: [port("self", "x")] },
  "aten.fft_fftfreq": {
    operator: "Fill",
    inputs: [],
    attributes: (node) => ({ shape: [node.optionalInt("n")], dtype: node.dtype("dtype") }),
  },
  "aten.fft_rfftfreq": {
    operator: "Fill",
    inputs: [],
    attributes(node) {
      const length = node.optionalInt("n");
      return { shape: [length === null ? null : Math.floor(length / 2) + 1], dtype: node.dtype("dtype") };
    },
  },
  "aten.stft": {
    operator: "ShortTimeFourier",
    inputs: [port("self", "input"), "window"],
    attributes: (node) => ({
      size: node.int("n_fft", 1),
      step: node.int("hop_length", Math.floor(node.int("n_fft", 4) / 4)),
      onesided: node.flag("onesided", true),
      complex: node.flag("return_complex", false),
    }),
    // Of complex signals the whole spectrum is made.
    applies: (node) => !node.flag("center", false),
  },
  "aten.istft": {
    operator: "InverseShortTimeFourier",
    inputs: [port("self", "input"), "window"],
    attributes: (node) => ({
      size: node.int("n_fft", 1),
      step: node.int("hop_length", Math.floor(node.int("n_fft", 4) / 4)),
      center: node.flag("center", true),
      length: node.optionalInt("length"),
    }),
    applies: (node) => !node.flag("return_complex", false),
  },
  "aten.view_as_real": { operator: "ViewAsReal", inputs: [port("self", "x")] },
  "aten.view_as_complex": { operator: "ViewAsComplex", inputs: [port("self", "x")] },
  "aten.complex": { operator: "ComplexNumbers", inputs: ["real", port("imag", "imaginary")] },
  "aten.polar": { operator: "ComplexNumbers", inputs: [port("abs", "real"), port("angle", "imaginary")] },
};
