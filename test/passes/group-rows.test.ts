import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { type InspectOptions, inspectFile, type Report } from "../../src/public/node.ts";

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
