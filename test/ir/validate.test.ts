import { describe, expect, test } from "vitest";
import { validateModel } from "../../src/ir/validate.ts";

type Fields = Record<string, unknown>;

function layer(name: string, rest: Fields = {}): Fields {
  const source = { dialect: "onnx", type: "Relu" };
  const own = { name, source, kind: "operation", operator: "Relu", attributes: {}, scope: "" };
  return { ...own, trainable: null, weights: [], calls: [{ inputs: [] }], ...rest };
}

function use(from: number, rest: Fields = {}): Fields {
  return { kind: "value", value: { layer: from, call: 0, output: 0 }, ...rest };
}

function model(layers: readonly unknown[], rest: Fields = {}): Fields {
  return {
    file: { name: "m", size: 1, format: "onnx", variant: "onnx" },
    producer: { framework: null, version: null },
    name: "m",
    type: "m",
    kind: "graph",
    trainable: null,
    freezing: "owner",
    graph: { topology: "functional", layers, inputs: [], outputs: [] },
    weights: [],
    tensors: [],
    optimizer: null,
    ...rest,
  };
}

const named = (rest: Fields): Fields => {
  return { name: "w", role: "kernel", class: "parameter", trainable: null, dtype: null, ...rest };
};
const around = { path: "a", type: null };
const type = { dtype: "float32", shape: [1, null, 3] };

describe("a sound model", () => {
  test("has no fault, also where layers use values of later ones and share what is said of them", () => {
    const call = { inputs: [use(1)], declaredTypes: [type, null, type] };
    const layers = [
      layer("a", { calls: [call], modules: [around] }),
      layer("b", { calls: [{ ...call, inputs: [use(0)] }], modules: [around, { path: "a.b", type: "B" }] }),
      layer("c", { weights: [named({ shared: 3 })] }),
      layer("d", { weights: [named({ shared: 3, shape: [2, null] })] }),
    ];
    expect(validateModel(model(layers))).toBeNull();
  });
});

const at = (layers: readonly unknown[]): string | null => validateModel(model(layers));

describe("the first fault is told with its place", () => {
  test.each<[unknown, string]>([
    [null, "model is not an object"],
    [model([null]), "model.graph.layers[0] is not an object"],
    [model([], { file: { name: 1 } }), "model.file.name is not a string"],
    [model([], { kind: "net" }), "model.kind is not one of graph, weights-only"],
    [
      model([], { tensors: [{ path: "t", dtype: "float" }] }),
      "model.tensors[0].dtype is not an element type",
    ],
    [
      model([], { weights: [named({ tensor: 0 })] }),
      "model.weights[0].tensor is not an index into model.tensors",
    ],
    [
      model([], { weights: [named({ packing: { values: 0 } })] }),
      "model.weights[0].packing.values is not at least 1",
    ],
  ])("of a model", (value, fault) => {
    expect(validateModel(value)).toBe(fault);
  });

  test("modules of a layer that only begin like those of the layer before it", () => {
    const layers = [layer("a", { modules: [around] }), layer("b", { modules: [around, undefined] })];
    expect(at(layers)).toBe("model.graph.layers[1].modules[1] is not an object");
  });

  test.each<[number, string]>([
    [1, "value.call is not the number of a call of that layer"],
    [2, "value.layer is not the number of a layer of this graph"],
    [-1, "value.layer is not a whole number"],
    [0.5, "value.layer is not a whole number"],
  ])("a use of layer %s", (from, fault) => {
    const layers = [layer("a", { calls: [{ inputs: [use(from)] }] }), layer("b", { calls: [] })];
    expect(at(layers)).toBe(`model.graph.layers[0].calls[0].inputs[0].${fault}`);
    const turned = [
      layer("b", { calls: [] }),
      layer("a", { calls: [{ inputs: [use(from === 1 ? 0 : from)] }] }),
    ];
    expect(at(turned)).toBe(`model.graph.layers[1].calls[0].inputs[0].${fault}`);
  });

  test("a type that is not sound, after one that is", () => {
    const wrong = { dtype: "float32", shape: [-1] };
    const calls = [{ inputs: [], declaredTypes: [type, wrong] }];
    expect(at([layer("a", { calls })])).toBe(
      "model.graph.layers[0].calls[0].declaredTypes[1].shape[0] is not a whole number",
    );
  });

  test("uses of one weight that contradict one another", () => {
    const weights = [named({ shared: 3 }), named({ shared: 3, class: "statistic" })];
    expect(at([layer("a", { weights })])).toBe(
      "weight 3 that layers share is not of one class and one stored tensor",
    );
  });
});
