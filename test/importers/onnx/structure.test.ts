/** Small models of one trap each, against what they were built of. */

import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Dim } from "../../../src/ir/dim.ts";
import type { Shape } from "../../../src/ir/shape.ts";
import { substitute, symbolsOf } from "../../../src/ir/symbolic-dim.ts";
import { operators } from "../../../src/operators/index.ts";
import { inferShapes } from "../../../src/passes/infer-shapes.ts";
import { inspectFile } from "../../../src/public/node.ts";
import { elementsOf, expectedOf, imbalance, type Weighed, weighFile } from "./fixture-files.ts";

const folder = join(import.meta.dirname, "../../../fixtures/onnx/structure");

interface Built {
  readonly learned?: number | null;
  readonly quantized?: number;
  readonly statistics?: number;
  readonly unusedElements?: number;
  readonly unclassifiedElements?: number;
  /** By name, in the file's order. */
  readonly outputs: Readonly<Record<string, unknown>>;
  /** Where onnxruntime ran the model with every size that has only a name set to 2. */
  readonly shapes?: Readonly<Record<string, readonly unknown[]>> | null;
  /** The same with other sizes. */
  readonly shapesAt?: Readonly<Record<string, Readonly<Record<string, readonly unknown[]>>>>;
}

const models: Readonly<Record<string, Built>> = expectedOf("structure").models ?? {};
const files = Object.keys(models).filter((file) => file.endsWith(".onnx") && file !== "tensor.onnx");

/** Where we count otherwise, and why. */
const differences: Readonly<Record<string, { readonly ours: number; readonly reason: string }>> = {
  "generated-kernel.onnx": { ours: 112, reason: "what is made when the model runs counts as its weights" },
  "ml-tree.onnx": { ours: 5, reason: "thresholds and leaves of a tree are learned, too" },
  "nested-graphs.onnx": { ours: 16, reason: "what a branch adds may be learned or not: 12 are unclassified" },
  "sparse-initializer.onnx": { ours: 5, reason: "of a sparse weight the stored elements count" },
};

describe("learned elements", () => {
  test.each(files)("%s", async (file) => {
    const { learned, quantized } = models[file] as Built;
    const weighed = await weighFile("structure", file);
    expect(imbalance(weighed)).toEqual([]);
    const { unusedElements, unclassifiedElements } = models[file] as Built;
    if (unusedElements !== undefined) expect(elementsOf(weighed, "unused")).toBe(unusedElements);
    if (unclassifiedElements !== undefined)
      expect(elementsOf(weighed, "unclassified")).toBe(unclassifiedElements);
    if (typeof learned !== "number" && quantized === undefined) return;
    const { parameters, statistics } = weighed.report.totals;
    const built = (learned ?? 0) + (quantized ?? 0);
    expect(parameters - statistics).toBe(differences[file]?.ours ?? built);
    expect(differences[file]?.ours).not.toBe(built);
  });
});

test("a weight that is stored sparse is told, with the elements that it has in the network", async () => {
  const { report } = await weighFile("structure", "sparse-initializer.onnx");
  const said = report.diagnostics.find(({ code }) => code === "weights-sparse");
  expect(said?.message).toContain("1 weight is stored sparse: 2 elements of 12;");
});

/** Outputs of which the size depends on what is fed to the model. */
const open: Readonly<Record<string, Readonly<Record<string, Shape>>>> = {
  "if-ranks.onnx": { y: null },
  "if-sizes.onnx": { y: [2, null] },
  "unsorted-capture.onnx": { y: [2, null] },
  "loop-while.onnx": { rows: [null, 2, 4] },
  // What single precision makes of a third, where halves go in rounding, and the length of a range of fractions.
  "fractions.onnx": { third: [null], even: [null], range: [null] },
};

function sized(dim: Dim, size: number): Dim {
  if (dim === null || typeof dim === "number") return dim;
  return substitute(dim, new Map([...symbolsOf(dim)].map((name) => [name, size])));
}

/** Shapes of outputs by their names, with `size` for every size that has only a name. */
function outputShapes({ imported: { model } }: Weighed, names: readonly string[], size: number) {
  return Object.fromEntries(
    claimed(model).map((shape, i) => [names[i], shape?.map((dim) => sized(dim, size)) ?? null]),
  );
}

function claimed(model: Weighed["imported"]["model"]): readonly Shape[] {
  const { layers } = inferShapes(model, operators);
  return model.graph.outputs.map(({ layer, call, output }) => {
    const found = model.graph.layers[layer];
    return (found && layers.get(found)?.calls[call]?.types[output]?.shape) ?? null;
  });
}

describe("shapes of outputs are those that onnxruntime computes", () => {
  const ran = files.filter((file) => models[file]?.shapes);
  test.each(ran)("%s", async (file) => {
    const { outputs, shapes } = models[file] as Built;
    const weighed = await weighFile("structure", file);
    expect(outputShapes(weighed, Object.keys(outputs), 2)).toEqual({ ...shapes, ...open[file] });
  });

  const others = files.filter((file) => models[file]?.shapesAt);
  test.each(others)("%s, of several sizes", async (file) => {
    const { outputs, shapesAt } = models[file] as Built;
    const weighed = await weighFile("structure", file);
    for (const [size, shapes] of Object.entries(shapesAt ?? {}))
      expect(outputShapes(weighed, Object.keys(outputs), Number(size))).toEqual({ ...shapes, ...open[file] });
  });
});

describe("files beside", () => {
  const codes = async (file: string): Promise<readonly string[]> =>
    (await inspectFile(join(folder, file))).diagnostics.map(({ code, at }) => `${code} ${at}`);

  test.each([
    ["external-present.onnx", []],
    ["external-whole.onnx", []],
    ["external-past-end.onnx", ["payload-mismatch external-present.bin"]],
    ["external-far.onnx", ["payload-mismatch external-present.bin"]],
    ["external-missing.onnx", ["companion-missing "]],
    ["external-above.onnx", ["companion-refused "]],
    ["external-absolute.onnx", ["companion-refused "]],
  ])("%s", async (file, expected) => expect(await codes(file)).toEqual(expected));
});
