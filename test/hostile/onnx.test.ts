/** ONNX files that no exporter writes: what they claim, name, nest and ask to be computed. */

import type { onnx } from "onnx-proto";
import { describe, expect, it } from "vitest";
import { memorySource } from "../../src/io/memory.ts";
import { times } from "./keras-config.ts";
import {
  field,
  float,
  ints,
  joined,
  model,
  node,
  numbers,
  rawModel,
  subgraph,
  varint,
} from "./onnx-model.ts";
import { named, readable, said, survive, unreadable } from "./survive.ts";

const file = (bytes: Uint8Array) => named("m.onnx", bytes);
const relu = node("Relu", ["x"], ["y"]);

describe("lengths and types of fields", () => {
  it.each([1, 100, 2 ** 31, 2 ** 40, 2 ** 53])(
    "a payload that claims %d bytes more than there are",
    async (more) => {
      const tensor = joined(
        varint(8),
        varint(4),
        varint(16),
        varint(1),
        field(9, new Uint8Array(16), 16 + more),
      );
      const graph = joined(field(1, "bent"), field(5, tensor, tensor.length + more));
      const bytes = joined(
        Uint8Array.from([8, 8]),
        field(8, Uint8Array.from([16, 18])),
        field(7, graph, graph.length + more),
      );
      expect((await unreadable(file(bytes))).kind).toBe("malformed-file");
    },
  );

  it("a payload that claims more than the graph around it", async () => {
    const tensor = joined(varint(8), varint(4), varint(16), varint(1), field(9, new Uint8Array(16), 50));
    const error = await unreadable(
      file(rawModel(field(1, field(4, "Relu")), field(5, tensor), field(2, "x".repeat(99)))),
    );
    expect(error.message).toMatch(/ends at byte \d+, after the end of/);
  });

  it("a field of the wrong wire type, wherever it is", async () => {
    for (const [number, wire] of [
      [1, 0],
      [5, 1],
      [11, 5],
      [2, 0],
    ] as const) {
      const wrong = joined(varint(number * 8 + wire), new Uint8Array(8));
      const error = await unreadable(
        file(rawModel(field(1, field(4, "Relu")), wrong)),
        `${number} as ${wire}`,
      );
      expect(error.kind).toBe("malformed-file");
    }
  });

  it("names that are not UTF-8, or hold what a terminal obeys", async () => {
    const name = Uint8Array.from([0xff, 0xfe, 0x1b, 0x5b, 0x32, 0x4a, 0]);
    const bent = joined(field(1, "x"), field(2, name), field(3, name), field(4, name));
    const report = await readable(file(rawModel(field(1, bent), field(12, field(1, name)), field(2, name))));
    expect(said(report, "names-not-utf8")).toHaveLength(1);
  });

  it("an attribute of two million numbers", async () => {
    const report = await readable(
      file(
        model([
          node(
            "Relu",
            ["x"],
            ["y"],
            [
              ints(
                "axes",
                times(2_000_000, (i) => i),
              ),
            ],
          ),
        ]),
      ),
    );
    expect(report.layers.some(({ type }) => type === "Relu")).toBe(true);
  });

  it("a hundred thousand attributes on one node", async () => {
    const attributes = times(100_000, (i): onnx.IAttributeProto => ({ name: `a${i}`, type: 2, i }));
    await readable(file(model([node("Relu", ["x"], ["y"], attributes)])));
  });

  it("a million empty nodes", async () => {
    const nodes = new Uint8Array(2_000_000).map((_, i) => (i % 2 === 0 ? 10 : 0));
    expect(await unreadable(file(rawModel(nodes)))).toMatchObject({
      kind: "limit-exceeded",
      limit: "maxOnnxNodes",
    });
  });

  it("a node of 300,000 inputs, and one of as many outputs", async () => {
    const names = times(300_000, () => "x");
    await survive(file(model([node("Sum", names, ["y"])])), "inputs");
    await survive(
      file(
        model([
          node(
            "Split",
            ["x"],
            times(300_000, (i) => `y${i}`),
          ),
        ]),
      ),
      "outputs",
    );
  });
});

describe("names", () => {
  it("a cycle, and a node that feeds itself", async () => {
    const nodes = [node("Add", ["x", "b"], ["a"]), node("Relu", ["a"], ["b"]), node("Relu", ["c"], ["c"])];
    const report = await readable(file(model(nodes, { outputs: ["b", "c"] })));
    expect(said(report, "graph-cycle")).toHaveLength(1);
    expect(said(report, "graph-dangling").length).toBeGreaterThan(0);
  });

  it("values, initializers, inputs and nodes of one name", async () => {
    const initializers = [numbers("x", [1, 2]), numbers("y", [1]), numbers("y", [1, 2, 3])];
    const report = await readable(file(model([relu, relu, node("Neg", ["y"], ["y"])], { initializers })));
    expect(report.ledger.elements).toBe(6);
    expect(said(report, "name-defined-twice").length).toBeGreaterThan(0);
  });

  it.each(["__proto__", "constructor", "toString", "hasOwnProperty"])(
    "%s as the name of all",
    async (name) => {
      const attributes = [ints(name, [1]), subgraph("then_branch", { node: [relu], output: [{ name }] })];
      const nodes = [{ ...node("If", ["x"], [name], attributes), name }, node(name, [name], ["z"])];
      const report = await readable(
        file(model(nodes, { initializers: [numbers(name, [1])], outputs: [name, "z"] })),
      );
      expect(report.ledger.elements).toBe(1);
    },
  );
});

describe("weights in other files", () => {
  const refused = [
    "../w",
    "/etc/passwd",
    "a/../../w",
    "C:\\w",
    "\\\\host\\w",
    "https://example.org/w",
    "file:///w",
    "w\u001b[2J",
    "w\n",
    "",
    ".",
    "..",
    "nul",
    `${"w".repeat(300)}`,
  ];
  it.each(refused)("%j is not opened", async (location) => {
    const asked: string[] = [];
    const initializers = [
      {
        name: "w",
        dataType: 1,
        dims: [3, 4],
        dataLocation: 1,
        externalData: [{ key: "location", value: location }],
      },
    ];
    const bytes = model([node("MatMul", ["x", "w"], ["y"])], { initializers });
    const source = {
      ...memorySource(bytes, "m.onnx"),
      companion: async (name: string) => {
        asked.push(name);
        return null;
      },
    };
    const report = await readable(source);
    expect(asked).toEqual([]);
    expect(report.totals.parameters).toBe(12);
    expect(said(report, "companion-refused")).toHaveLength(1);
  });

  it("offsets and lengths that are no numbers, or beyond any file", async () => {
    for (const value of ["-1", "1e400", "99999999999999999999999", "0x10", " 1", "NaN", ""]) {
      const externalData = ["offset", "length"].map((key) => ({ key, value }));
      const initializers = [
        {
          name: "w",
          dataType: 1,
          dims: [3, 4],
          dataLocation: 1,
          externalData: [{ key: "location", value: "w.bin" }, ...externalData],
        },
      ];
      await survive(file(model([node("MatMul", ["x", "w"], ["y"])], { initializers })), value);
    }
  });
});

describe("sizes", () => {
  it.each([
    [[2 ** 53]],
    [[2 ** 31, 2 ** 31]],
    [times(64, () => 2 ** 20)],
    [[-1, 4]],
    [[0, 2 ** 60]],
    [times(10_000, () => 1)],
  ])("an initializer of %j", async (dims) => {
    const initializers = [{ name: "w", dataType: 1, dims, rawData: new Uint8Array(16) }];
    const { report, error } = await survive(
      file(model([node("MatMul", ["x", "w"], ["y"])], { initializers })),
      "dims",
    );
    if (report) expect(report.ledger.elements).toBeLessThanOrEqual(2 ** 46);
    expect(error ?? report?.diagnostics[0]).toBeDefined();
  });

  const huge = 2 ** 50;
  const explosions: readonly (readonly [string, readonly number[]])[] = [
    ["Tile", [huge, huge]],
    ["Expand", [huge, huge, 3]],
    ["Reshape", [huge, -1]],
    ["Reshape", times(10_000, () => 1)],
    ["Reshape", [-1, -1, 0, 0, 0, 0]],
    ["Unsqueeze", times(10_000, (i) => i)],
    ["Unsqueeze", [huge, -huge, 0, 0]],
    ["Squeeze", times(10_000, (i) => i)],
    ["Pad", [huge, huge, -huge, huge]],
    ["Gather", times(4096, () => huge)],
    ["Split", times(4096, () => huge)],
    ["ReduceSum", times(4096, (i) => i - 2048)],
    ["TopK", [huge]],
    ["OneHot", [huge]],
    ["Resize", [huge, huge]],
    ["Trilu", [huge]],
    ["CumSum", [huge]],
    ["Compress", [1]],
    ["AffineGrid", [huge, huge, huge, huge]],
    ["CenterCropPad", [huge, huge]],
  ];
  it.each(explosions)("%s by %#", async (type, values) => {
    const initializers = [numbers("s", values)];
    const nodes = [
      node(type, ["x", "s"], ["y"]),
      node("Shape", ["y"], ["z"]),
      node("Expand", ["x", "z"], ["w"]),
    ];
    await readable(file(model(nodes, { initializers, outputs: ["y", "w"] })), type);
  });

  it.each(["ConstantOfShape", "RandomUniform", "EyeLike"])(
    "%s of 2^50 elements, used as a weight",
    async (type) => {
      const initializers = [numbers("s", [huge, 4])];
      const nodes = [node(type, ["s"], ["w"], [ints("shape", [huge, 4])]), node("MatMul", ["x", "w"], ["y"])];
      await readable(file(model(nodes, { initializers })), type);
    },
  );

  it("Range of 2^50 numbers, and without an end", async () => {
    for (const delta of [1, 0, -1]) {
      const initializers = [numbers("a", [0], []), numbers("b", [huge], []), numbers("d", [delta], [])];
      const nodes = [node("Range", ["a", "b", "d"], ["r"]), node("Reshape", ["x", "r"], ["y"])];
      await readable(file(model(nodes, { initializers })), `${delta}`);
    }
  });

  it("values that double with every node", async () => {
    const nodes = times(60, (i) =>
      node("Concat", [`v${i}`, `v${i}`], [`v${i + 1}`], [{ name: "axis", type: 2, i: 0 }]),
    );
    const initializers = [numbers("v0", [1, 2])];
    await readable(file(model([...nodes, node("Reshape", ["x", "v60"], ["y"])], { initializers })));
  });

  it("named sizes that grow with every node", async () => {
    const nodes = times(200, (i) => [
      node("Mul", [`v${i}`, "s"], [`m${i}`]),
      node("Add", [`m${i}`, `v${i}`], [`v${i + 1}`]),
    ]).flat();
    const inputs = [{ name: "x", type: float("n + m", "a*b - 1", "floor(q/2)") }];
    const all = [
      node("Shape", ["x"], ["s"]),
      node("Shape", ["x"], ["v0"]),
      ...nodes,
      node("Expand", ["x", "v200"], ["y"]),
    ];
    await readable(file(model(all, { inputs })));
  });

  it("names of sizes that are formulas, endless or none", async () => {
    for (const text of [
      "(".repeat(50_000),
      `${"a*".repeat(20_000)}a`,
      "1/0",
      "n^n^n^n",
      "\u001b[2J",
      "__proto__",
      "-",
      "2".repeat(5000),
    ]) {
      await survive(
        file(model([relu], { inputs: [{ name: "x", type: float(text, 3) }] })),
        text.slice(0, 20),
      );
    }
  });
});

describe("graphs in graphs", () => {
  const branch = (nodes: onnx.INodeProto[]): onnx.IGraphProto => ({
    node: nodes,
    output: [{ name: nodes.at(-1)?.output?.[0] ?? "x" }],
  });
  const nested = (type: string, names: readonly string[], levels: number): onnx.INodeProto => {
    let inner = node("Relu", ["x"], ["y0"]);
    for (let level = 1; level <= levels; level++)
      inner = node(
        type,
        ["x", "x"],
        [`y${level}`],
        names.map((name) => subgraph(name, branch([inner]))),
      );
    return inner;
  };

  it.each([
    ["If", ["then_branch"], 30],
    ["If", ["then_branch", "else_branch"], 12],
    ["Loop", ["body"], 30],
    ["Scan", ["body"], 30],
    ["SequenceMap", ["body"], 30],
    ["Loop", ["body", "other"], 12],
  ] as const)("%s of %j, %d levels deep", async (type, names, levels) => {
    await survive(file(model([nested(type, names, levels)])), type);
  });

  it("more levels than protobuf's own limit", async () => {
    let inner = field(1, joined(field(1, "x"), field(4, "Relu")));
    for (let level = 0; level < 500; level++)
      inner = field(1, joined(field(4, "If"), field(5, joined(field(1, "g"), field(6, inner)))));
    expect(await unreadable(file(rawModel(inner)))).toMatchObject({ limit: "maxProtobufDepth" });
  });

  const call = (name: string, from: string, to: string): onnx.INodeProto => ({
    ...node(name, [from], [to]),
    domain: "local",
  });
  const made = (name: string, nodes: onnx.INodeProto[]): onnx.IFunctionProto => ({
    name,
    domain: "local",
    input: ["x"],
    output: ["y"],
    node: nodes,
    opsetImport: [{ domain: "", version: 18 }],
  });

  it("functions that call the next one twice, 40 levels", async () => {
    const functions = times(40, (i) =>
      made(`f${i}`, i === 39 ? [relu] : [call(`f${i + 1}`, "x", "h"), call(`f${i + 1}`, "h", "y")]),
    );
    const report = await readable(file(model([call("f0", "x", "y")], { functions })));
    expect(report.diagnostics.length).toBeGreaterThan(0);
  });

  it("functions that call themselves and one another", async () => {
    const functions = [
      made("f", [call("g", "x", "y")]),
      made("g", [call("f", "x", "h"), call("g", "h", "y")]),
    ];
    const report = await readable(file(model([call("f", "x", "y")], { functions })));
    expect(report.diagnostics.length).toBeGreaterThan(0);
  });

  it("a function that hands on its input a million times", async () => {
    const functions = [
      made("f", [node("Identity", ["x"], ["y"])]),
      made(
        "g",
        times(1000, () => call("f", "x", "y")),
      ),
    ];
    await survive(
      file(
        model(
          times(1000, () => call("g", "x", "y")),
          { functions },
        ),
      ),
      "calls",
    );
  });
});
