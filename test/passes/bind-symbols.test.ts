import { describe, expect, test } from "vitest";
import type { Graph, Layer } from "../../src/ir/graph.ts";
import type { Model } from "../../src/ir/model.ts";
import type { Shape } from "../../src/ir/shape.ts";
import { floorDivideExpressions, symbol } from "../../src/ir/symbolic-dim.ts";
import { operators } from "../../src/operators/index.ts";
import { analyze } from "../../src/passes/analyze.ts";
import { bindSymbols } from "../../src/passes/bind-symbols.ts";

const h = symbol("h");

function layer(name: string, operator: string, rest: Partial<Layer>): Layer {
  return {
    name,
    source: { dialect: "onnx", type: operator },
    kind: "operation",
    operator,
    attributes: {},
    scope: "",
    trainable: null,
    weights: [],
    calls: [],
    ...rest,
  };
}

function input(name: string, shape: Shape): Layer {
  return layer(name, "Input", { calls: [{ inputs: [], declaredTypes: [{ dtype: "float32", shape }] }] });
}

function modelOf(layers: readonly Layer[]): Model {
  const graph: Graph = { topology: "functional", layers, inputs: [], outputs: [] };
  return {
    file: { name: "m.onnx", size: 1, format: "onnx", variant: "onnx" },
    producer: { framework: null, version: null },
    name: "m",
    type: "Graph",
    kind: "graph",
    trainable: null,
    freezing: "enclosing",
    graph,
    weights: [],
    tensors: [],
    optimizer: null,
  };
}

function shapesOf(model: Model): (Shape | undefined)[] {
  const { layers } = analyze(model, operators).shapes;
  return model.graph.layers.map((layer) => layers.get(layer)?.calls[0]?.types[0]?.shape);
}

const half = floorDivideExpressions(h, 2);
const open = modelOf([
  input("x", [symbol("batch"), 3, h]),
  input("y", [symbol("?y:0"), half as Exclude<typeof half, null>]),
  layer("z", "Identity", {
    calls: [{ inputs: [{ kind: "value", value: { layer: 0, call: 0, output: 0 }, name: "input" }] }],
  }),
]);

describe("named sizes", () => {
  test("go in wherever the name stands, also inside an expression, and flow on", () => {
    const bound = bindSymbols(open, { dims: { h: 9 } });
    expect(shapesOf(bound)).toEqual([
      [symbol("batch"), 3, 9],
      [symbol("?y:0"), 4],
      [symbol("batch"), 3, 9],
    ]);
  });

  test("that nobody named are refused, with those there are", () => {
    expect(() => bindSymbols(open, { dims: { seq: 1 } })).toThrow(
      'the model names no dimension "seq": it names "batch", "h"',
    );
    expect(() => bindSymbols(open, { dims: { "?y:0": 1 } })).toThrow("names no dimension");
    expect(() => bindSymbols(modelOf([]), { dims: { n: 1 } })).toThrow("it names none at all");
  });

  test.each([0, -1, 1.5, Number.NaN, 2 ** 53])("are no size when %s", (size) => {
    expect(() => bindSymbols(open, { dims: { h: size } })).toThrow("whole number");
    expect(() => bindSymbols(open, { batch: size })).toThrow("whole number");
  });
});

describe("the batch", () => {
  test("is the first dimension of every input, named or not; a size of its own name comes first", () => {
    expect(shapesOf(bindSymbols(open, { batch: 2 }))).toEqual([
      [2, 3, h],
      [2, half],
      [2, 3, h],
    ]);
    expect(shapesOf(bindSymbols(open, { batch: 2, dims: { batch: 5 } }))[0]).toEqual([5, 3, h]);
  });

  test("goes into a Keras input, the nested model's too", () => {
    const keras = layer("in", "Input", {
      kind: "layer",
      attributes: { shape: [null, 8] },
      calls: [{ inputs: [] }],
    });
    const nested = layer("nested", "Model", {
      kind: "model",
      graph: { topology: "functional", layers: [keras], inputs: [], outputs: [] },
    });
    const bound = bindSymbols(modelOf([keras, nested]), { batch: 7 });
    expect(bound.graph.layers[0]?.attributes.shape).toEqual([7, 8]);
    expect(bound.graph.layers[1]?.graph?.layers[0]?.attributes.shape).toEqual([7, 8]);
  });

  test("that no input leaves open is refused, unless it is what they have", () => {
    const fixed = modelOf([input("x", [1, 3])]);
    expect(() => bindSymbols(fixed, { batch: 8 })).toThrow("x has 1");
    expect(shapesOf(bindSymbols(fixed, { batch: 1 }))).toEqual([[1, 3]]);
    expect(() => bindSymbols(modelOf([]), { batch: 8 })).toThrow("no inputs");
  });
});

test("without sizes the model is the very same", () => {
  expect(bindSymbols(open, {})).toBe(open);
  expect(bindSymbols(open, { dims: {} })).toBe(open);
});
