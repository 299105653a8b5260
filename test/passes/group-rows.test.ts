import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { onnx as onnxProto } from "onnx-proto";
import { describe, expect, test } from "vitest";
import {
  formatSummary,
  type InspectOptions,
  inspect,
  inspectFile,
  type Report,
} from "../../src/public/node.ts";

const onnx = resolve(import.meta.dirname, "../../fixtures/onnx");

function torch(name: string, options: InspectOptions = {}): Promise<Report> {
  return inspectFile(join(onnx, "torch", name, "model.onnx"), options);
}

function row(report: Report, name: string): Report["layers"][number] {
  const found = report.layers.find((layer) => layer.name === name);
  if (!found) throw new Error(`no row ${name} among ${report.layers.map((layer) => layer.name).join(", ")}`);
  return found;
}

const networks = ["alexnet", "resnet18", "lstm"].flatMap((name) => [`${name}-script`, `${name}-dynamo`]);

test.each(networks)(
  "%s: totals and ledger are the same in any rows, and rows sum to the total",
  async (name) => {
    const folded = await torch(name);
    const all = await torch(name, { allNodes: true });
    expect(folded.layers.length).toBeLessThanOrEqual(all.layers.length);
    expect(folded.totals).toEqual(all.totals);
    expect(folded.ledger).toEqual(all.ledger);
    expect(folded.layers.reduce((sum, layer) => sum + layer.params, 0)).toBe(folded.totals.parameters);
  },
);

describe("graphs inside operations", () => {
  const rowsOf = (layer: Report["layers"][number]): unknown =>
    layer.layers
      ? [layer.name, layer.params, layer.layers.map(rowsOf)]
      : [layer.name, layer.type, layer.params];

  // What both branches capture, 12 weights and 3, is in the sum of the operation once.
  test("branches are rows inside, with their own folding", async () => {
    const report = await inspectFile(join(onnx, "structure/if-branches.onnx"));
    expect(rowsOf(row(report, "n_y"))).toEqual([
      "n_y",
      39,
      [
        [
          "else_branch",
          24,
          [
            ["n_y/else_branch/n_c", "MatMul", 12],
            ["n_y/else_branch/n_d", "MatMul", 12],
            ["n_y/else_branch/n_no", "Sub", 0],
          ],
        ],
        [
          "then_branch",
          27,
          [
            ["n_y/then_branch/n_a", "MatMul", 15],
            ["n_y/then_branch/n_t2", "MatMul", 12],
            ["n_y/then_branch/n_yes", "Add", 0],
          ],
        ],
      ],
    ]);
    expect(report.totals.parameters).toBe(39);
    const shown = formatSummary(report, { expandNested: true, lineLength: 120 });
    expect(shown).toMatch(/ {4}└ else_branch \(Graph\) +│ \(N, 3\)/);
    expect(shown).toMatch(/ {7}└ n_yes \(Add\) +│ \(N, 3\)/);
    expect(formatSummary(report)).not.toContain("else_branch");
  });

  /** So many slopes, one after the other, of 2 numbers each, on what `start` names. */
  const slopes = (count: number, start: string): onnxProto.IGraphProto => ({
    name: "chain",
    initializer: Array.from({ length: count }, (_, i) => ({
      name: `w${i}`,
      dims: [2],
      dataType: 1,
      floatData: [1, 2],
    })),
    node: Array.from({ length: count }, (_, i) => ({
      name: `n${i}`,
      opType: "PRelu",
      input: [i === 0 ? start : `v${i - 1}`, `w${i}`],
      output: [`v${i}`],
    })),
    output: [{ name: `v${count - 1}` }],
  });
  const opsetImport = [{ domain: "", version: 17 }];
  const encoded = (graph: onnxProto.IGraphProto): Uint8Array =>
    onnxProto.ModelProto.encode({ irVersion: 8, opsetImport, graph }).finish();
  const float = (dims: readonly number[]): onnxProto.ITypeProto => ({
    tensorType: { elemType: 1, shape: { dim: dims.map((dimValue) => ({ dimValue })) } },
  });

  test("what works on captured values is no constant: each operation of a long branch has its row", async () => {
    const branch = slopes(1500, "x");
    const report = await inspect(
      encoded({
        name: "g",
        input: [
          { name: "c", type: { tensorType: { elemType: 9, shape: {} } } },
          { name: "x", type: float([3, 2]) },
        ],
        node: [
          {
            name: "if",
            opType: "If",
            input: ["c"],
            output: ["y"],
            attribute: [
              { name: "then_branch", type: 5, g: branch },
              { name: "else_branch", type: 5, g: branch },
            ],
          },
        ],
        output: [{ name: "y" }],
      }),
    );
    expect(report.totals.parameters).toBe(report.ledger.classes.parameter.elements);
    expect(row(report, "if").layers?.map(({ layers }) => layers?.length)).toEqual([1500, 1500]);
  });

  test("no weight is lost that stands behind more constants than are looked through", async () => {
    const { initializer = [], node = [], output } = slopes(1500, "start");
    const start = { name: "start", dims: [3, 2], dataType: 1, floatData: [1, 2, 3, 4, 5, 6] };
    const add = { name: "add", opType: "Add", input: ["x", "v1499"], output: ["y"] };
    const report = await inspect(
      encoded({
        name: "g",
        input: [{ name: "x", type: float([3, 2]) }],
        initializer: [...(initializer ?? []), start],
        node: [...(node ?? []), add],
        output: [{ name: "y" }, ...(output ?? []).slice(1)],
      }),
    );
    expect(report.ledger.classes.parameter.elements).toBeGreaterThanOrEqual(3000);
    expect(report.totals.parameters).toBe(report.ledger.classes.parameter.elements);
  });

  test("those of a PyTorch program are shown in the tree, without the modules around them", async () => {
    const file = resolve(onnx, "../pytorch/program-tied/model.pt2");
    const cond = row(await inspectFile(file), "cond");
    expect(cond.layers?.map(({ name, type }) => [name, type])).toEqual([
      ["true_graph_0", "GraphModule"],
      ["false_graph_0", "GraphModule"],
    ]);
    expect(cond.layers?.[0]?.layers?.at(-1)).toMatchObject({ type: "aten.mul", outputShapes: [["s77", 5]] });
    expect(formatSummary(await inspectFile(file))).toContain("true_graph_0 (GraphModule)");
  });
});

describe("plumbing", () => {
  test("the slices that put a recurrent kernel together are part of the layer that has it", async () => {
    const report = await torch("lstm-dynamo");
    const types = report.layers.map((layer) => layer.type);
    for (const type of ["Slice", "Concat", "Shape", "Expand", "Unsqueeze"]) expect(types).not.toContain(type);
    expect(report.layers.filter(({ type }) => type === "LSTM").map(({ params }) => params)).toEqual([
      124_416, 222_720,
    ]);
    expect(report.model.linear).toBe(true);
  });

  test("a row of every node is there for the asking", async () => {
    const report = await torch("lstm-dynamo", { allNodes: true });
    expect(report.layers.filter(({ type }) => type === "Slice").length).toBeGreaterThan(30);
  });

  test("connections go through it to the rows behind it", async () => {
    const report = await torch("lstm-script");
    const names = new Set(report.layers.map((layer) => layer.name));
    for (const { calls } of report.layers)
      for (const { layer } of calls.flatMap((call) => call.inputs)) expect(names).toContain(layer);
    expect(row(report, "lstm/Reshape").connectedTo).toEqual(["lstm/Transpose_1[0][0]"]);
  });
});

test("a bias is added in the row of its product", async () => {
  const report = await torch("lstm-script");
  const tag = row(report, "tag");
  expect(tag.type).toBe("MatMul");
  expect(tag.outputShapes).toEqual([["batch", 11, 17]]);
  expect(tag.weights.map(({ shape }) => shape)).toEqual([[192, 17], [17]]);
  // The addition of a shortcut is a row.
  expect((await torch("resnet18-script")).layers.filter(({ type }) => type === "Add")).toHaveLength(8);
});

describe("a tree of modules", () => {
  /** Rows of the tree, by name. */
  function everyRow(layers: Report["layers"]): Report["layers"] {
    return layers.flatMap((layer) => [layer, ...everyRow(layer.layers ?? [])]);
  }

  test.each(networks)("%s: totals stay, and every module has what is inside it", async (name) => {
    const tree = await torch(name, { group: "module" });
    const flat = await torch(name);
    expect(tree.totals).toEqual(flat.totals);
    expect(tree.ledger).toEqual(flat.ledger);
    for (const { params, layers } of everyRow(tree.layers))
      if (layers) expect(layers.reduce((sum, layer) => sum + layer.params, 0)).toBe(params);
  });

  test("has PyTorch's own figures for the modules of AlexNet", async () => {
    const { networks: truth } = JSON.parse(readFileSync(join(onnx, "torch/expected.json"), "utf8"));
    const modules: Record<string, [string, Record<string, number[]>, unknown, unknown, number[][][]]> =
      truth.alexnet.modules;
    for (const kind of ["script", "dynamo"]) {
      const rows = everyRow((await torch(`alexnet-${kind}`, { group: "module", batch: 2 })).layers);
      const named = rows.filter(({ operator }) => operator === "Module");
      expect(named.length).toBeGreaterThan(15);
      for (const { name, params, outputShapes } of named) {
        const within = Object.entries(modules).filter(
          ([path]) => path === name || path.startsWith(`${name}.`),
        );
        const shapes = within.flatMap(([, [, weights]]) => Object.values(weights));
        const expected = shapes.reduce((sum, shape) => sum + shape.reduce((a, b) => a * b, 1), 0);
        expect([name, params]).toEqual([name, expected]);
        expect([name, outputShapes]).toEqual([name, modules[name]?.[4][0]]);
      }
    }
  });

  test("goes as deep as asked", async () => {
    const top = await torch("resnet18-dynamo", { group: "module", depth: 1 });
    expect(top.layers.filter(({ layers }) => layers !== undefined)).toEqual([]);
    expect(row(top, "layer1")).toMatchObject({ type: "Sequential", params: 147_712 });
    const two = await torch("resnet18-dynamo", { group: "module", depth: 2 });
    expect(row(two, "layer1").layers?.map(({ type }) => type)).toEqual(["BasicBlock", "BasicBlock"]);
  });

  test("calls a convolution that took in its normalization by its own name", async () => {
    expect(row(await torch("resnet18-dynamo", { group: "module" }), "conv1")).toMatchObject({
      type: "Conv",
      params: 9472,
    });
  });

  test("marks a module that is called again", async () => {
    const tree = await torch("resnet18-dynamo", { group: "module" });
    const block = row(tree, "layer1").layers?.[0]?.layers ?? [];
    const relus = block.filter(({ type }) => type === "ReLU");
    expect(relus.map(({ name }) => name)).toEqual(["layer1.0.relu", "layer1.0.relu@1"]);
    expect(block.find(({ type }) => type === "Add")?.calls[0]?.inputs.map(({ layer }) => layer)).toEqual([
      "layer1.0.conv2",
    ]);
  });

  test.each([
    { depth: 1 },
    { group: "node", depth: 1 },
    { group: "module", depth: 0 },
    { group: "module", depth: 1.5 },
    { group: "name" },
  ])("%j is refused", async (options) => {
    await expect(torch("alexnet-script", options as InspectOptions)).rejects.toThrow(/depth|group/);
  });
});

test("a file that names no modules says so when it is to be grouped by them", async () => {
  const codes = async (path: string, options: InspectOptions): Promise<readonly string[]> =>
    (await inspectFile(join(onnx, path), options)).diagnostics.map(({ code }) => code);
  expect(await codes("structure/loop.onnx", { group: "module" })).toContain("modules-missing");
  expect(await codes("structure/loop.onnx", {})).not.toContain("modules-missing");
  expect(await codes("torch/resnet18-script/model.onnx", { group: "module" })).not.toContain(
    "modules-missing",
  );
});

describe("a program of PyTorch", () => {
  const archives = resolve(import.meta.dirname, "../../fixtures/pytorch/archives");
  const again = (options: InspectOptions = {}, release = "2.14.1"): Promise<Report> =>
    inspectFile(join(archives, release, "again.pt2"), options);
  const names = (layers: Report["layers"]): unknown[] =>
    layers.map(({ name, layers: inside }) => (inside ? [name, names(inside)] : name));

  test("is a tree of its modules by default, each call of one by itself", async () => {
    const report = await again();
    expect(names(report.layers)).toEqual([
      "x",
      ["block", ["block.0", "block.1"]],
      ["block@1", ["block.0@1", "block.1@1"]],
      "add",
      "other.own",
      ["other.same", ["other.same.0", "other.same.1"]],
    ]);
    const [, first, second] = report.layers;
    expect([first?.params, first?.ownParams, first?.recursive]).toEqual([20, 0, undefined]);
    expect([second?.params, second?.ownParams, second?.recursive]).toEqual([0, 0, true]);
    expect(second?.layers?.map(({ recursive }) => recursive)).toEqual([true, undefined]);
    expect(formatSummary(report)).toContain("(recursive)");
  });

  test("is a row an operation where that is asked for, and one a node with all", async () => {
    const nodes = await again({ group: "node" });
    expect(nodes.layers.map(({ type }) => type)).toEqual([
      "Input",
      ...["linear", "relu", "linear", "relu", "add", "linear", "linear", "relu"].map(
        (name) => `aten.${name}`,
      ),
    ]);
    expect(nodes.totals).toEqual((await again()).totals);
    const file = join(archives, "2.14.1/types.pt2");
    expect((await inspectFile(file)).layers.map(({ type }) => type)).not.toContain("aten.to");
    expect((await inspectFile(file, { allNodes: true })).layers.map(({ type }) => type)).toContain("aten.to");
  });

  test("goes as deep as asked", async () => {
    expect(names((await again({ depth: 1 })).layers)).toEqual([
      ...["x", "block", "block@1", "add", "other.own", "other.same"],
    ]);
  });

  test("is one tree for each program of a package", async () => {
    const report = await inspectFile(join(archives, "2.14.1/several.pt2"));
    expect(report.layers.map(({ layers }) => layers?.some(({ operator }) => operator === "Module"))).toEqual([
      true,
      true,
    ]);
    expect(formatSummary(report)).toContain("└ stem (Sequential)");
  });
});
