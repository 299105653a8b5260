/** Cells of convolutional recurrent layers (Keras 3.15 layers/rnn/conv_lstm.py, tf-keras base_conv_lstm.py). */

import { type Dim, multiplyDims } from "../ir/dim.ts";
import type { Shape } from "../ir/shape.ts";
import { mainInput, realType } from "./arguments.ts";
import { readFlag, readInteger } from "./attributes.ts";
import type { OperatorDef } from "./operator.ts";
import { defineOperator, reshaped } from "./tensor-rule.ts";
import { joinSpatial, readWindows, splitSpatial, type Windows, windowPositions } from "./windows.ts";

interface ConvLstmAttributes {
  readonly filters: number;
  readonly useBias: boolean;
  readonly windows: Windows;
}

/**
 * step (batch, spatial..., C) -> convolved (batch, spatial..., filters), and two states like it. Kernel
 * (k..., C, 4 f), recurrent kernel (k..., f, 4 f), bias (4 f), channels last also in channels-first layers.
 */
const convLstmCell = defineOperator<ConvLstmAttributes>({
  name: "ConvLstmCell",
  attributes: (raw) => ({
    filters: readInteger(raw, "filters"),
    useBias: readFlag(raw, "useBias", true),
    windows: readWindows(raw),
  }),
  weights({ attributes: { filters, useBias, windows }, inputs }): Readonly<Record<string, Shape>> {
    const { shape } = mainInput(inputs);
    const { kernelSize, layout } = windows;
    const channels: Dim = shape === null ? null : splitSpatial(shape, kernelSize.length, layout).channels;
    const width = multiplyDims(filters, 4);
    return {
      kernel: [...kernelSize, channels, width],
      "recurrent-kernel": [...kernelSize, filters, width],
      ...(useBias && { bias: [width] }),
    };
  },
  infer({ attributes: { filters, windows }, inputs }) {
    const step = mainInput(inputs);
    const type = reshaped(
      step,
      (shape) => {
        const parts = splitSpatial(shape, windows.kernelSize.length, windows.layout);
        const spatial = parts.spatial.map((length, axis) => windowPositions(length, windows, axis));
        return joinSpatial({ ...parts, spatial, channels: filters }, windows.layout);
      },
      realType(step.dtype),
    );
    return { types: [type, type, type], structure: { tuple: [0, { list: [1, 2] }] } };
  },
});

export const convRecurrentOperators: readonly OperatorDef<unknown>[] = [convLstmCell];
