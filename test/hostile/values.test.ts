/** Configurations with values no Keras writes: what is impossible is reported at its layer, the rest is read. */

import { describe, expect, it } from "vitest";
import { maxModelElements } from "../../src/limits.ts";
import {
  call,
  functional,
  input,
  inputNode,
  layer,
  node,
  sequential,
  tensor,
  times,
} from "./keras-config.ts";
import { readable, said, survive, unreadable } from "./survive.ts";

const json = JSON.stringify;

describe("numbers that cannot be", () => {
  it.each([1e308, -1, 0, 2 ** 53, "x", [], {}, null, true, 1.5])("Dense(units=%j)", async (units) => {
    const report = await readable(json(sequential([input(), layer("Dense", { units }), layer("ReLU")])));
    expect(said(report, "shape-rule-failed")).toEqual([
      expect.stringMatching(
        /^dense: output shape of Dense could not be derived: attribute "units" should be/,
      ),
    ]);
    expect(report.totals.status).toBe("partial");
  });

  it.each(["NaN", "Infinity", "-Infinity"])("units as Python writes %s", async (number) => {
    const text = json(sequential([input(), layer("Dense", { units: "@" })])).replace('"@"', number);
    expect(said(await readable(text), "shape-rule-failed")).toHaveLength(1);
  });

  const image = input([null, 8, 8, 3]);
  const windows = [
    { kernel_size: times(1_000_000, () => 1) },
    { kernel_size: ["a", "b"] },
    { kernel_size: [2 ** 53, 2 ** 53] },
    { kernel_size: {} },
    { strides: [0, 0] },
    { strides: [-1, -1] },
    { strides: times(1_000_000, () => 1) },
    { padding: { a: 1 } },
    { groups: 0 },
    { groups: 2 ** 53 - 1 },
  ];
  it.each(windows.map((wrong) => [json(wrong).slice(0, 50), wrong] as const))(
    "Conv2D with %s",
    async (_, wrong) => {
      const config = { filters: 4, kernel_size: [3, 3], ...wrong };
      const report = await readable(json(sequential([image, layer("Conv2D", config), layer("Flatten")])));
      expect(said(report, "shape-rule-failed")).toHaveLength(1);
      expect(said(report, "shape-rule-failed")[0]?.length).toBeLessThan(300);
    },
  );

  const lengths = [2 ** 53 - 1, 1e9, 1e308, -1, 0, "q", null, [[]]];
  it.each([
    "LocallyConnected2D",
    "Conv2DTranspose",
    "DepthwiseConv2D",
    "SeparableConv2D",
    "MaxPooling2D",
    "UpSampling2D",
    "ZeroPadding2D",
    "Cropping2D",
    "ConvLSTM2D",
    "Embedding",
    "RepeatVector",
    "Reshape",
    "BatchNormalization",
    "LayerNormalization",
    "MultiHeadAttention",
    "RandomCrop",
    "CategoryEncoding",
    "Hashing",
    "GroupNormalization",
    "EinsumDense",
  ])("%s with absurd lengths", async (type) => {
    for (const n of lengths) {
      for (const shape of [
        [null, 1e9, 1e9, 3],
        [null, 5, 8, 8, 3],
        [null, 8],
      ]) {
        const pair = [n, n];
        const config = {
          ...{
            filters: 4,
            kernel_size: pair,
            pool_size: pair,
            size: pair,
            cropping: pair,
            depth_multiplier: n,
          },
          ...{ input_dim: n, output_dim: n, n, target_shape: pair, axis: n, num_heads: n, key_dim: n },
          ...{
            height: n,
            width: n,
            num_tokens: n,
            num_bins: n,
            groups: n,
            equation: "ab,bc->ac",
            output_shape: n,
          },
          ...{ padding: type.startsWith("Zero") ? pair : "valid", strides: [1, 1] },
        };
        await survive(json(sequential([input(shape), layer(type, config)], "2.4.0")), `${type} ${json(n)}`);
      }
    }
  });
});

describe("shapes that cannot be", () => {
  it.each([
    ["an input of 10 000 dimensions", [input(times(10_000, () => 2))]],
    [
      "a target of 100 000 dimensions",
      [input(), layer("Reshape", { target_shape: times(100_001, (i) => (i ? 1 : 8)) })],
    ],
  ])("%s is unknown from there on", async (_, first) => {
    const rest = times(500, (i) => layer("ReLU", { name: `r${i}` }));
    const report = await readable(json(sequential([...first, ...rest, layer("Dense", { units: 3 })])));
    expect(said(report, "shape-rule-failed")).toEqual([
      expect.stringMatching(/a tensor of \d+ dimensions; the limit is 64$/),
    ]);
  });

  it("kernels of more dimensions than the stack holds", async () => {
    const shape = [null, ...times(200_000, () => 1)];
    const conv = layer("Conv2D", { filters: 4, kernel_size: times(199_998, () => 1) });
    const report = await readable(json(sequential([input(shape), conv, layer("Flatten")])));
    expect(said(report, "shape-rule-failed").join()).not.toMatch(/call stack/);
  });

  it("weights beyond exact numbers are left out, with a word, and the rest adds up", async () => {
    const layers = [2 ** 45, 2 ** 45, 7, 2 ** 52, 2 ** 53 - 1].map((input_dim, i) =>
      layer("Embedding", { name: `e${i}`, input_dim, output_dim: 1 }),
    );
    const report = await readable(
      json(sequential([input(), ...layers], "3.8.0", { compile_config: { optimizer: "adam" } })),
    );
    expect(report.totals).toMatchObject({ parameters: maxModelElements, status: "partial" });
    expect(said(report, "shape-suspicious")).toEqual([
      expect.stringMatching(/^e2: shape \(7, 1\) is suspicious: weight embeddings is left out, with it/),
      expect.stringMatching(/^e3: /),
      expect.stringMatching(/^e4: /),
    ]);
  });

  it("products beyond every number, with an optimizer", async () => {
    const shape = [null, ...times(40, () => 2 ** 53 - 1)];
    const optimizer = { compile_config: { optimizer: "adafactor" } };
    const report = await readable(json(sequential([input(shape), layer("PReLU")], "3.8.0", optimizer)));
    expect(said(report, "shape-suspicious")).toHaveLength(1);
    expect(report.totals.parameters).toBe(0);
  });
});

describe("counts that would fill the memory", () => {
  const operation = (type: string, config: object) =>
    functional(
      [
        inputNode("i", [4, 8]),
        { ...node(type, "a", { ...config }, [call(tensor("i"))]), module: "keras.src.ops.numpy" },
      ],
      ["i", 0, 0],
      ["a", 0, 0],
    );
  it.each([
    ["Split", { indices_or_sections: 1e9 }],
    ["Split", { indices_or_sections: 2 ** 53 - 1 }],
    ["Split", { indices_or_sections: times(50_000, (i) => i) }],
    ["Unstack", { num: 1e9 }],
    ["UnravelIndex", { shape: times(1_000_000, () => 2) }],
    ["Tile", { repeats: times(1_000_000, () => 1e9) }],
    ["Repeat", { repeats: 1e9 }],
    ["ExpandDims", { axis: times(100_000, (i) => i) }],
    ["Moveaxis", { source: times(100_000, () => 0), destination: times(100_000, () => 1) }],
    ["Einsum", { subscripts: "a".repeat(1_000_000) }],
    ["Linspace", { num: 1e9 }],
    ["OneHot", { num_classes: 1e9 }],
    ["Histogram", { bins: 2 ** 53 - 1 }],
  ])("%s %.40j", async (type, config) => {
    const report = await readable(json(operation(type, config)));
    expect(report.layers.at(-1)?.outputShapes.length).toBeLessThan(100);
  });

  it("a TensorFlow split into 1e9, and a reference to the last part", async () => {
    const layers = [
      inputNode(),
      node("TFOpLambda", "s", { function: "split" }, [["i", 0, 0, { num_or_size_splits: 1e9, axis: 1 }]]),
    ];
    const report = await readable(json(functional(layers, [["i", 0, 0]], [["s", 0, 999_999_999]], "2.9.0")));
    expect(said(report, "graph-dangling")).toEqual([
      expect.stringMatching(/refers to s\[0]\[999999999], which/),
    ]);
    expect(said(report, "shape-rule-failed")).toHaveLength(1);
  });

  it("more layers than any model", async () => {
    const error = await unreadable(json(sequential(times(200_000, (i) => layer("ReLU", { name: `r${i}` })))));
    expect(error).toMatchObject({ kind: "limit-exceeded", limit: "maxKerasLayers", maximum: 100_000 });
  });
});
