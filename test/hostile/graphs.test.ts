/** Graphs that are none: cycles, references to nothing, wrong types everywhere, depth and blow-up, and sheer size. */

import { describe, expect, it } from "vitest";
import { formatSummary, inspect } from "../../src/public/index.ts";
import { cpuMilliseconds } from "../cpu-time.ts";
import {
  type Config,
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
const ends = [["i", 0, 0] as const, ["a", 0, 0] as const] as const;
const dense = (name: string, ...from: readonly unknown[]): Config =>
  node("Dense", name, { units: 8 }, [call(...from)]);

describe("connections", () => {
  it("a cycle of two", async () => {
    const layers = [inputNode(), dense("a", tensor("b")), dense("b", tensor("a"))];
    const report = await readable(json(functional(layers, ...ends)));
    expect(said(report, "graph-cycle")).toEqual([
      ": layers depend on one another in a cycle: b; their shapes are unknown",
    ]);
  });

  it("a layer that feeds itself", async () => {
    const report = await readable(json(functional([inputNode(), dense("a", tensor("a"))], ...ends)));
    expect(said(report, "graph-cycle")).toHaveLength(1);
  });

  it("layers, calls and outputs that do not exist", async () => {
    const layers = [
      inputNode(),
      dense("a", tensor("nope")),
      dense("b", tensor("a", 7)),
      dense("c", tensor("a", 0, -1)),
    ];
    const report = await readable(json(functional(layers, ["i", 0, 0], ["z", 0, 0])));
    expect(said(report, "graph-dangling")).toEqual([
      ": refers to nope[0][0], which does not exist; shapes that depend on it are unknown",
      ": refers to a[7][0], which does not exist; shapes that depend on it are unknown",
      ": refers to a[0][-1], which does not exist; shapes that depend on it are unknown",
      ": refers to z[0][0], which does not exist; shapes that depend on it are unknown",
    ]);
  });

  it("two layers of one name are both shown", async () => {
    const layers = [inputNode(), dense("a", tensor("i")), dense("a", tensor("a"))];
    const report = await readable(json(functional(layers, ...ends)));
    expect(report.layers.map(({ name }) => name)).toEqual(["i", "a", "a"]);
  });

  const numbers = [1e9, 2 ** 31, 2 ** 32 - 2, 2 ** 32, 2 ** 53 - 1, 19_999, -1, 1.5, "x", null, [], {}];
  it.each(numbers.map((number) => [json(number), number] as const))(
    "call and output number %s",
    async (_, n) => {
      for (const [at, output] of [
        [n, 0],
        [0, n],
        [n, n],
      ] as const) {
        const layers = [
          inputNode(),
          dense("a", tensor("i", at, output)),
          node("Unknown", "u", {}, [call(tensor("a", at, output))]),
          dense("b", tensor("u", at, output)),
        ];
        await survive(json(functional(layers, ["i", at, output], ["b", at, output])), `[${at}][${output}]`);
        const old = [inputNode(), node("Dense", "a", { units: 8 }, [[["i", at, output, {}]]])];
        await survive(json(functional(old, [["i", at, output]], [["a", at, output]], "2.4.0")), "old form");
      }
    },
  );

  const histories = [
    5,
    "x",
    null,
    {},
    [],
    [1, 2, 3],
    [null, null, null],
    ["i"],
    ["i", "0", "0"],
    [["i"], 0, 0],
  ];
  it.each(histories.map((history) => [json(history), history] as const))(
    "keras_history %s",
    async (_, history) => {
      const wrong = {
        class_name: "__keras_tensor__",
        config: { shape: history, dtype: history, keras_history: history },
      };
      const bare = { class_name: "__keras_tensor__", config: history };
      const layers = [
        inputNode(),
        node("Dense", "a", { units: 8 }, [{ args: [wrong], kwargs: { x: bare } }]),
      ];
      await survive(json(functional(layers, ...ends)), json(history));
    },
  );

  const nodes: readonly unknown[] = [
    ...[5, "x", null, {}, [], [5], ["x"], [null], [[]], [[[]]], [[["i"]]], [[["i", 0]]], [[[["i", 0, 0]]]]],
    [{ args: 5, kwargs: 7 }],
    [{ args: {}, kwargs: [] }],
    [{ args: [null, [[], {}]], kwargs: { a: { b: [tensor("i")] } } }],
    { a: ["i", 0, 0] },
    [[["i", 0, 0, { a: ["i", 0, 0], b: { c: [["i", 0, 0]] } }]]],
    [[["_CONSTANT_VALUE", -1, [1, 2, [3]], {}]]],
  ];
  it.each(nodes.map((value) => [json(value), value] as const))("inbound_nodes %s", async (_, value) => {
    for (const type of [
      "Dense",
      "LSTM",
      "Concatenate",
      "MultiHeadAttention",
      "TFOpLambda",
      "TensorFlowOpLayer",
      "Add",
    ]) {
      const config = {
        units: 8,
        function: "math.add",
        num_heads: 2,
        key_dim: 2,
        node_def: json(value),
        constants: value,
      };
      for (const version of ["1.2.2", "2.4.0", "3.8.0"]) {
        const layers = [inputNode("i", [null, 4, 8]), node(type, "a", config, value)];
        await survive(json(functional(layers, ...ends, version)), `${type} ${version}`, version === "3.8.0");
      }
    }
  });
});

describe("depth", () => {
  const nested = (depth: number): Config => {
    let model = sequential([input(), layer("Dense", { units: 8 })]);
    for (let i = 0; i < depth; i++) {
      model = sequential([input(), { ...model, config: { ...(model.config as Config), name: `n${i}` } }]);
    }
    return model;
  };
  it("models inside models: 60 are read, 1000 are not", async () => {
    expect((await readable(json(nested(60)))).totals.parameters).toBe(72);
    expect(await unreadable(json(nested(80)))).toMatchObject({ limit: "maxKerasNesting" });
    expect(await unreadable(json(nested(1000)))).toMatchObject({ kind: "limit-exceeded" });
  });

  it.each([
    ["TimeDistributed", "layer"],
    ["Bidirectional", "layer"],
    ["SpectralNormalization", "layer"],
    ["Wrapper", "layer"],
    ["RNN", "cell"],
    ["StackedRNNCells", "cells"],
    ["Pipeline", "layers"],
  ])("%s inside itself", async (type, key) => {
    for (const depth of [5, 20, 60, 200]) {
      let inner = layer("Dense", { units: 8 });
      for (let i = 0; i < depth; i++) inner = layer(type, { [key]: key.endsWith("s") ? [inner] : inner });
      await survive(json(sequential([input([null, ...times(50, () => 2)]), inner])), `${type} ${depth}`);
    }
  });

  it("containers of outputs and arguments", async () => {
    let deep: unknown = ["i", 0, 0];
    for (let i = 0; i < 900; i++) deep = [deep];
    const report = await readable(json(functional([inputNode()], ["i", 0, 0], [deep, ["i", 0, 0]])));
    expect(report.layers).toHaveLength(1);
    const layers = [inputNode(), node("Dense", "a", { units: 2 }, [{ args: [deep], kwargs: { deep } }])];
    await survive(json(functional(layers, ...ends)), "arguments");
  });

  it("a model that runs twice in each of its runs ends at the limit of steps", async () => {
    const one = dense("one", tensor("i"));
    const plus = (name: string, ...from: readonly unknown[]): Config =>
      node("Concatenate", name, { axis: -1 }, [call(from)]);
    const shape = [null, 3];
    let model = functional(
      [inputNode("i", shape), plus("c", tensor("i"), tensor("i"))],
      ["i", 0, 0],
      ["c", 0, 0],
    );
    for (let i = 0; i < 40; i++) {
      const twice = { ...model, name: "m", inbound_nodes: [call(tensor("x")), call(tensor("y"))] };
      const layers = [
        inputNode("i", shape),
        node("Dense", "one", { units: 1 }, one.inbound_nodes),
        plus("x", tensor("i"), tensor("i")),
        plus("y", tensor("i"), tensor("i"), tensor("one")),
        twice,
        plus("c", tensor("m", 0), tensor("m", 1)),
      ];
      model = functional(layers, ["i", 0, 0], ["c", 0, 0]);
    }
    const report = await readable(json(model));
    expect(said(report, "shape-rule-failed")[0]).toMatch(
      /the model needs more than 1000000 steps, the limit/,
    );
  });
});

describe("size", () => {
  const count = 10_000;
  const chain = (version = "3.8.0"): Config =>
    version === "3.8.0"
      ? functional(
          [inputNode(), ...times(count, (i) => dense(`d${i}`, tensor(i ? `d${i - 1}` : "i")))],
          ["i", 0, 0],
          [`d${count - 1}`, 0, 0],
        )
      : functional(
          [
            inputNode(),
            ...times(count, (i) =>
              node("Dense", `d${i}`, { units: 8 }, [[[i ? `d${i - 1}` : "i", 0, 0, {}]]]),
            ),
          ],
          [["i", 0, 0]],
          [[`d${count - 1}`, 0, 0]],
          version,
        );
  const branches = functional(
    [
      inputNode(),
      ...times(count, (i) => dense(`d${i}`, tensor("i"))),
      node("Concatenate", "c", {}, [call(times(count, (i) => tensor(`d${i}`)))]),
    ],
    ["i", 0, 0],
    ["c", 0, 0],
  );
  const shared = functional(
    [
      inputNode(),
      node(
        "Dense",
        "d",
        { units: 8 },
        times(count, (i) => call(i ? tensor("d", i - 1) : tensor("i"))),
      ),
    ],
    ["i", 0, 0],
    ["d", count - 1, 0],
  );
  const many = functional(
    [inputNode(), ...times(count, (i) => dense(`d${i}`, tensor("i")))],
    ["i", 0, 0],
    times(count, (i) => [`d${i}`, 0, 0]),
  );
  const cells = sequential([
    input([null, 3, 8]),
    layer("RNN", { cell: times(count, (i) => layer("SimpleRNNCell", { units: 2, name: `c${i}` })) }),
  ]);
  const models: readonly (readonly [string, Config])[] = [
    ["a chain", chain()],
    ["a chain of Keras 2.2", chain("2.2.4")],
    ["parallel branches into one Concatenate", branches],
    ["calls of one shared layer", shared],
    ["outputs", many],
    ["cells in one RNN", cells],
  ];
  it.each(models)("10 000 of %s: linear time, in every style", async (_, model) => {
    const text = json(model);
    const start = cpuMilliseconds();
    const report = await inspect(new TextEncoder().encode(text));
    for (const style of ["keras3", "keras2", "keras2.7", "keras2.3", "keras2.2"] as const)
      formatSummary(report, { style });
    // A second or two where nothing is quadratic; 10 000 squared of anything takes longer.
    expect(cpuMilliseconds() - start).toBeLessThan(15_000);
    expect(report.diagnostics).toEqual([]);
  });
});
