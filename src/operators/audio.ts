/** Spectrograms (Keras 3.15 layers/preprocessing/mel_spectrogram.py, stft_spectrogram.py). */

import { mapDims, multiplyDims } from "../ir/dim.ts";
import type { Shape } from "../ir/shape.ts";
import { dimAt, mainInput, requireRank } from "./arguments.ts";
import { readChoice, readFlag, readInteger } from "./attributes.ts";
import { type OperatorDef, RuleError } from "./operator.ts";
import { defineOperator, only, reshaped } from "./tensor-rule.ts";
import { readWindows, splitSpatial, type Windows, windowPositions } from "./windows.ts";

/** x (batch, n) or (n) -> (batch, bins, frames) or (bins, frames). */
const melSpectrogram = defineOperator<{ stride: number; bins: number }>({
  name: "MelSpectrogram",
  attributes: (raw) => ({ stride: readInteger(raw, "stride"), bins: readInteger(raw, "bins") }),
  infer: ({ attributes: { stride, bins }, inputs }) =>
    only(
      reshaped(mainInput(inputs), (shape) => {
        if (shape.length === 0) throw new RuleError("expects signals, found a number");
        // What Keras says: of more axes than two it sees the first ones.
        const [batch, length] =
          shape.length === 1 ? [[], dimAt(shape, 0)] : [shape.slice(0, 1), dimAt(shape, 1)];
        return [...batch, bins, mapDims((n) => Math.floor((n + stride + 1) / stride), length)];
      }),
    ),
});

const stftModes = ["log", "magnitude", "psd", "real", "imag", "angle", "stft"] as const;

interface StftAttributes {
  readonly mode: (typeof stftModes)[number];
  readonly bins: number;
  readonly windows: Windows;
  readonly expandDims: boolean;
}

/**
 * x (batch, n, C) -> (batch, frames, bins C) or, expanded, (batch, frames, bins, C). A convolution with kernels
 * (frame, 1, bins) for the real and the imaginary part, one of which is missing in modes "real" and "imag".
 */
const stftSpectrogram = defineOperator<StftAttributes>({
  name: "StftSpectrogram",
  attributes: (raw) => ({
    mode: readChoice(raw, "mode", stftModes, "log"),
    bins: Math.floor(readInteger(raw, "fftLength") / 2) + 1,
    windows: readWindows(raw),
    expandDims: readFlag(raw, "expandDims", false),
  }),
  weights({ attributes: { mode, bins, windows } }): Readonly<Record<string, Shape>> {
    const kernel = [windows.kernelSize[0] ?? null, 1, bins];
    return {
      ...(mode !== "imag" && { "real-kernel": kernel }),
      ...(mode !== "real" && { "imaginary-kernel": kernel }),
    };
  },
  infer: ({ attributes: { mode, bins, windows, expandDims }, inputs }) =>
    only(
      reshaped(mainInput(inputs), (shape) => {
        requireRank(shape, 3);
        const { channels, spatial } = splitSpatial(shape, 1, windows.layout);
        const frames = windowPositions(spatial[0] ?? null, windows, 0);
        const values = mode === "stft" ? bins * 2 : bins;
        const batch = dimAt(shape, 0);
        const last = windows.layout === "channels-last";
        if (expandDims) return last ? [batch, frames, values, channels] : [batch, channels, frames, values];
        const width = multiplyDims(values, channels);
        return last ? [batch, frames, width] : [batch, width, frames];
      }),
    ),
});

export const audioOperators: readonly OperatorDef<unknown>[] = [melSpectrogram, stftSpectrogram];
