/** Spectrograms (Keras 3.15 layers/preprocessing/mel_spectrogram.py, stft_spectrogram.py). */

import { asInteger } from "../json-access.ts";
import type { LayerRule } from "../layer-rule.ts";
import { layoutOf } from "./config-reading.ts";

const melSpectrogram: LayerRule = ({ config }) => ({
  operator: "MelSpectrogram",
  attributes: { stride: config.sequence_stride ?? 512, bins: config.num_mel_bins ?? 128 },
  weights: [],
});

/** Smallest power of two that is not below `length`. */
function powerOfTwo(length: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(length, 1)));
}

/** `frame_step` null: half a frame; `fft_length` null: the frame up to a power of two. */
const stftSpectrogram: LayerRule = ({ config }) => {
  const frame = asInteger(config.frame_length) ?? 256;
  const mode = config.mode ?? "log";
  return {
    operator: "StftSpectrogram",
    attributes: {
      mode,
      kernelSize: [frame],
      strides: [asInteger(config.frame_step) ?? Math.floor(frame / 2)],
      fftLength: config.fft_length ?? powerOfTwo(frame),
      padding: config.padding ?? "valid",
      layout: layoutOf(config),
      expandDims: config.expand_dims === true,
    },
    weights: [
      ...(mode === "imag" ? [] : [{ name: "real_kernel", role: "real-kernel" }]),
      ...(mode === "real" ? [] : [{ name: "imag_kernel", role: "imaginary-kernel" }]),
    ],
  };
};

export const audioLayers: Readonly<Record<string, LayerRule>> = {
  MelSpectrogram: melSpectrogram,
  STFTSpectrogram: stftSpectrogram,
};
