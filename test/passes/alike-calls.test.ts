import { describe, expect, test } from "vitest";
import type { Call, Layer } from "../../src/ir/graph.ts";
import type { Model } from "../../src/ir/model.ts";
import type { TensorType } from "../../src/ir/tensor.ts";
import { type OperatorDef, RuleError } from "../../src/operators/operator.ts";
import { inferShapes } from "../../src/passes/infer-shapes.ts";

const attributes = {};

function layer(name: string, call: Partial<Call>, rest: Partial<Layer> = {}): Layer {
  const source = { dialect: "onnx", type: "Op" };
  const own = { name, source, kind: "operation", operator: "Op", attributes, scope: "" } as const;
  return { ...own, trainable: null, weights: [], calls: [{ inputs: [], ...call }], ...rest };
}

function constant(shape: TensorType["shape"], rest: object = {}): Call["inputs"][number] {
  return { kind: "constant", type: { dtype: "float32", shape }, ...rest };
}

/** How often the rule ran for these layers, and what came of them. */
function run(layers: readonly Layer[], infer?: OperatorDef["infer"]) {
  let runs = 0;
  const operator: OperatorDef = {
    name: "Op",
    attributes: () => null as never,
    weights: ({ inputs }) => ({ kernel: inputs[0]?.shape ?? null }),
    infer(context) {
      runs += 1;
      if (infer) return infer(context);
      return { types: [{ dtype: "float32", shape: context.inputs[0]?.shape ?? null }] };
    },
  };
  const graph = { topology: "functional", layers, inputs: [], outputs: [] } as const;
  const model = { graph, tensors: [] } as unknown as Model;
  const { layers: facts, diagnostics } = inferShapes(model, new Map([["Op", operator]]));
  const known = layers.map((layer) => facts.get(layer));
  return {
    runs,
    diagnostics,
    known,
    shapes: known.map((facts) => facts?.calls.map(({ types }) => types[0]?.shape)),
  };
}

describe("the rule runs once for calls that are alike", () => {
  test("and each layer has its results", () => {
    const inputs = [constant([1, 2])];
    const blocks = [1, 2, 3].flatMap((i) => [
      layer(`a${i}`, { inputs }),
      layer(`b${i}`, { inputs: [constant([1, 3])] }),
      layer(`c${i}`, { inputs: [{ kind: "value", value: { layer: 3 * i - 3, call: 0, output: 0 } }] }),
    ]);
    const { runs, shapes, known } = run(blocks);
    expect(runs).toBe(3);
    expect(shapes).toEqual([1, 2, 3].flatMap(() => [[[1, 2]], [[1, 3]], [[1, 2]]]));
    expect(known.map((facts) => facts?.weights.kernel)).toEqual(shapes.map((shape) => shape?.[0]));
  });

  test.each<[string, Partial<Call>, Partial<Layer>]>([
    ["another shape", { inputs: [constant([2, 2])] }, {}],
    ["another name", { inputs: [constant([1, 2], { name: "x" })] }, {}],
    ["another value", { inputs: [constant([1, 2], { value: 3 })] }, {}],
    ["another input", { inputs: [constant([1, 2]), constant([1, 2])] }, {}],
    ["other attributes", {}, { attributes: { axis: 1 } }],
    ["attributes of the call", { attributes: { axis: 1 } }, {}],
    ["a type that is stated", { declaredTypes: [{ dtype: "float32", shape: [1, null] }] }, {}],
    ["a shape that is stated", { declaredOutputs: [[1, 2]] }, {}],
    ["a number of outputs", { outputs: 2 }, {}],
    ["layers inside", {}, { inner: [] }],
  ])("but not where one has %s", (_, call, rest) => {
    const inputs = [constant([1, 2])];
    expect(run([layer("a", { inputs }), layer("b", { inputs, ...call }, rest)]).runs).toBe(2);
  });

  test("also where the file says the same attributes and values again", () => {
    const again = (i: number): Layer => {
      const inputs = [constant([2], { value: [1, 2] })];
      return layer(`a${i}`, { inputs }, { attributes: { axis: 1, pads: [[i > 2 ? 1 : 0]] } });
    };
    expect(run([1, 2, 3, 4].map(again)).runs).toBe(2);
  });

  test("but not once many were like none", () => {
    const different = [...new Array(80).keys()].map((i) => layer(`a${i}`, { inputs: [constant([i])] }));
    expect(run([...different, ...different]).runs).toBe(160);
  });

  test("but not where something is to be said of it", () => {
    const inputs = [constant([1, 2])];
    const declaredTypes = [{ dtype: "float32", shape: [7, 7] }] as const;
    const odd = run(["a", "b"].map((name) => layer(name, { inputs, declaredTypes })));
    expect(odd.diagnostics.map(({ at }) => at)).toEqual(["a", "b"]);
    const failing = run(
      ["a", "b"].map((name) => layer(name, { inputs })),
      () => {
        throw new RuleError("no");
      },
    );
    expect(failing.diagnostics.map(({ at }) => at)).toEqual(["a", "b"]);
    expect(failing.known.map((facts) => facts?.failed)).toEqual([true, true]);
  });

  test("a layer with several calls has a result for each", () => {
    const calls = [
      { inputs: [constant([1, 2])] },
      { inputs: [constant([1, 3])] },
      { inputs: [constant([1, 2])] },
    ];
    const { runs, shapes } = run([layer("a", {}, { calls }), layer("b", {}, { calls })]);
    // Only a layer's first call is kept: weights follow from it alone.
    expect(runs).toBe(3);
    expect(shapes).toEqual(
      [1, 2].map(() => [
        [1, 2],
        [1, 3],
        [1, 2],
      ]),
    );
  });
});
