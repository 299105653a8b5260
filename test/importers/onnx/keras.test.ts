/** Keras networks as tf2onnx writes them, against what Keras counts. */

import { describe, expect, test } from "vitest";
import { elementsOf, expectedOf, imbalance, moduleSums, type Weighed, weighZipped } from "./fixture-files.ts";

interface KerasLayer {
  readonly name: string;
  readonly class: string;
  readonly parameters: number;
  readonly weights?: readonly (readonly [string, readonly number[]])[];
  readonly layers?: readonly KerasLayer[];
}

interface Network {
  readonly parameters: number;
  readonly layers: readonly KerasLayer[];
  readonly onnx: { readonly floatElements: number; readonly otherElements: number };
}

const networks: Readonly<Record<string, Network>> = expectedOf("keras").networks ?? {};

/** Elements that are learned in the network and unclassified here, beside batch normalization, and why. */
const unclassified: Readonly<Record<string, { readonly elements: number; readonly reason: string }>> = {
  ConvNeXtTiny: { elements: 6, reason: "mean and variance of the data, as numbers of arithmetic" },
  EfficientNetB0: { elements: 6, reason: "mean and variance of the data, as numbers of arithmetic" },
  EfficientNetV2B0: { elements: 6, reason: "mean and variance of the data, as numbers of arithmetic" },
  simple_rnn: {
    elements: 72,
    reason: "the bias of an LSTM without one is zeros, as one before training may be",
  },
  convolutions: { elements: 16, reason: "slopes of PReLU, turned around and written as arithmetic" },
};

const all = (layers: readonly KerasLayer[]): readonly KerasLayer[] =>
  layers.flatMap((layer) => (layer.layers ? all(layer.layers) : [layer]));

const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** Batch normalizations of which the file has no tensor: they went into the convolutions before them. */
function folded(layers: readonly KerasLayer[], { imported }: Weighed): readonly KerasLayer[] {
  const paths = imported.model.tensors.map(({ path }) => path);
  return all(layers).filter(
    (layer) =>
      layer.class === "BatchNormalization" && !paths.some((path) => path.includes(`/${layer.name}/`)),
  );
}

/** Elements of the biases that are left of them, in convolutions that had none, by the name of the convolution. */
function madeBiases(layers: readonly KerasLayer[], { imported }: Weighed): ReadonlyMap<string, number> {
  const bare = all(layers).filter(({ weights }) => !weights?.some(([weight]) => /\/bias/.test(weight)));
  return new Map(
    imported.model.tensors.flatMap(({ path, shape }) => {
      const layer =
        path.endsWith("_bias_fused_bn") && bare.find(({ name }) => path.includes(`/${name}/`))?.name;
      return layer ? [[layer, size(shape)] as const] : [];
    }),
  );
}

const sum = (numbers: Iterable<number>): number => [...numbers].reduce((a, b) => a + b, 0);

/** Elements that are in no tensor of the file, beside what was folded. */
const absent: Readonly<Record<string, { readonly elements: number; readonly reason: string }>> = {
  ConvNeXtTiny: { elements: -6, reason: "mean and variance are those of the configuration, no weights" },
  EfficientNetB0: { elements: 1, reason: "the counter of the normalization of the data is not exported" },
  EfficientNetV2B0: { elements: -6, reason: "mean and variance are those of the configuration, no weights" },
  simple_rnn: { elements: -72, reason: "the layer has no bias" },
  conv1d: { elements: 32, reason: "of a normalization that stands alone a scale and a shift are left" },
};

describe("parameters of the network", () => {
  test.each(Object.keys(networks))("%s", async (name) => {
    const { parameters, layers, onnx } = networks[name] as Network;
    for (const weighed of await weighZipped("keras", [name])) {
      expect(imbalance(weighed)).toEqual([]);
      // Constants in the bodies of loops are no initializers.
      const initializers = onnx.floatElements + onnx.otherElements;
      expect(weighed.report.ledger.elements).toBeGreaterThanOrEqual(initializers);
      const unknown = unclassified[name]?.elements ?? 0;
      expect(elementsOf(weighed, "unclassified")).toBe(unknown);
      const gone = sum(folded(layers, weighed).map((layer) => layer.parameters));
      const left = sum(madeBiases(layers, weighed).values());
      expect(weighed.report.totals.parameters + unknown + (absent[name]?.elements ?? 0)).toBe(
        parameters - gone + left,
      );
    }
  });
});

/** Layers of which no row has the count, and why. */
const strays: readonly { readonly reason: string; readonly layers: Readonly<Record<string, string>> }[] = [
  {
    reason: "the node has no name of a layer's, and what it gets is another layer's",
    layers: { bidirectional: "bidirectional_1" },
  },
  {
    reason: "kernels were reshaped, and they and their products have names of the exporter's",
    layers: { attention: "multi_head_attention", ResNet50: "conv1_conv" },
  },
  {
    reason: "unclassified, or worked into a scale and a shift, as above",
    layers: { conv1d: "batch_normalization", convolutions: "p_re_lu", EfficientNetB0: "normalization" },
  },
];

describe("parameters of each layer", () => {
  test.each(Object.keys(networks))("%s", async (name) => {
    const { layers } = networks[name] as Network;
    const [weighed] = (await weighZipped("keras", [name])) as readonly [Weighed];
    const rows = [...moduleSums(weighed, ["parameter", "statistic"])];
    const gone = new Set(folded(layers, weighed));
    const left = madeBiases(layers, weighed);
    const wrong = all(layers).filter((layer) => {
      if (layer.parameters === 0 || gone.has(layer)) return false;
      const expected = layer.parameters + (left.get(layer.name) ?? 0);
      // Layers of nested models have their model's name in front.
      const own = rows.filter(([path]) => path === layer.name || path.endsWith(`/${layer.name}`));
      return !own.some(([, elements]) => elements === expected);
    });
    const known = strays.map((stray) => stray.layers[name]).find((names) => names !== undefined);
    expect(wrong.map((layer) => layer.name).join(", ")).toBe(known ?? "");
  });
});

function noteOf({ imported }: Weighed, code: string): object | undefined {
  return imported.diagnostics.find((diagnostic) => diagnostic.code === code)?.args;
}

describe("what the exporter did", () => {
  test.each(Object.keys(networks))("%s: normalizations that were folded", async (name) => {
    const [weighed] = (await weighZipped("keras", [name])) as readonly [Weighed];
    const gone = folded(networks[name]?.layers ?? [], weighed);
    const statistics = gone.flatMap(({ weights }) =>
      (weights ?? []).filter(([weight]) => weight.includes("/moving_")).map(([, shape]) => size(shape)),
    );
    // Of scale and shift a network may have left out one.
    const args = { modules: gone.length, parameters: sum(statistics), statistics: sum(statistics) };
    const found = noteOf(weighed, "normalization-likely-folded");
    expect(found).toEqual(gone.length > 0 ? args : undefined);
  });

  test.each([
    ["lstm", 2, 96 + 64],
    ["bidirectional", 1, 2 * 40],
    ["time_distributed", 1, 24],
  ])("%s: biases that were padded", async (name, layers, elements) => {
    const [weighed] = (await weighZipped("keras", [name])) as readonly [Weighed];
    expect(noteOf(weighed, "bias-padded")).toEqual({ layers, elements });
  });

  test("a GRU that learned both biases has no padding", async () => {
    const [weighed] = (await weighZipped("keras", ["gru"])) as readonly [Weighed];
    expect(noteOf(weighed, "bias-padded")).toBeUndefined();
  });
});
