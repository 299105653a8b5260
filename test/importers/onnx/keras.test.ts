/** Keras networks as tf2onnx writes them, against what Keras counts. */

import { describe, expect, test } from "vitest";
import { expectedOf, imbalance, weighZipped } from "./fixture-files.ts";

interface KerasLayer {
  readonly class: string;
  readonly parameters: number;
  readonly layers?: readonly KerasLayer[];
}

interface Network {
  readonly parameters: number;
  readonly layers: readonly KerasLayer[];
  readonly onnx: { readonly floatElements: number; readonly otherElements: number };
}

const networks: Readonly<Record<string, Network>> = expectedOf("keras").networks ?? {};

/** Elements by which the file has more or fewer learned ones than the network, beside batch normalization, and why. */
const differences: Readonly<Record<string, { readonly off: number; readonly reason: string }>> = {
  ConvNeXtTiny: { off: -768, reason: "a scale that the exporter moved behind a sum is unclassified" },
  bidirectional: { off: 80, reason: "recurrent biases are padded with zeros" },
  lstm: { off: 160, reason: "recurrent biases are padded with zeros" },
  lstm_opset9: { off: 160, reason: "recurrent biases are padded with zeros" },
  simple_rnn: { off: 72, reason: "a recurrent layer is written as an LSTM, with gates of zeros" },
  time_distributed: { off: 24, reason: "recurrent biases are padded with zeros" },
  convolutions: {
    off: -20,
    reason: "slopes of PReLU in arithmetic, and sizes of a resize, are unclassified",
  },
};

/** Normalizations may go into the weights before them: of four numbers a channel one or none is left. */
function normalized(layers: readonly KerasLayer[]): number {
  return layers.reduce((sum, layer) => {
    const own = /Normalization$/.test(layer.class) ? layer.parameters : 0;
    return sum + own + normalized(layer.layers ?? []);
  }, 0);
}

describe("parameters of the network", () => {
  test.each(Object.keys(networks))("%s", async (name) => {
    const { parameters, layers, onnx } = networks[name] as Network;
    for (const weighed of await weighZipped("keras", [name])) {
      expect(imbalance(weighed)).toEqual([]);
      // Constants in the bodies of loops are no initializers.
      const initializers = onnx.floatElements + onnx.otherElements;
      expect(weighed.report.ledger.elements).toBeGreaterThanOrEqual(initializers);
      const off = weighed.report.totals.parameters - parameters;
      const known = differences[name]?.off ?? 0;
      const folded = normalized(layers);
      if (folded === 0) expect(off).toBe(known);
      expect(off).toBeLessThanOrEqual(Math.max(0, known));
      expect(off).toBeGreaterThanOrEqual(Math.min(0, known) - folded);
    }
  });
});
