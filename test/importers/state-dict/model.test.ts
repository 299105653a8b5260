import { describe, expect, test } from "vitest";
import { formatSummary, reportOf } from "../../../src/public/index.ts";
import { modelOf, type Recorded, recorded, tensor } from "./recorded.ts";

/** Real classes whose weights say less than their name: what may be recognised instead. */
const others: Readonly<Record<string, readonly string[]>> = {
  SyncBatchNorm: ["BatchNorm"],
  InstanceNorm2d: ["BatchNorm"],
  FrozenBatchNorm2d: ["BatchNorm"],
  BatchNormAct2d: ["BatchNorm"],
  // Named like neither, its matrix could be either.
  EmbeddingBag: ["Embedding", "Linear"],
  // The weight of both has three dimensions; one of the two is everywhere.
  Bilinear: ["Conv1d"],
  NonDynamicallyQuantizableLinear: ["Linear"],
  ParametrizedLinear: ["Linear"],
  ParametrizedConv2d: ["Conv2d"],
  // A linear layer, and what comes after it.
  DeepseekV3TopkRouter: ["Linear"],
  MiniMaxTopKRouter: ["Linear"],
};

function mayBe(real: string, recognized: string): boolean {
  if (recognized === "?" || recognized === real) return true;
  if (recognized === "Norm") return /norm/i.test(real);
  if (others[real]?.includes(recognized)) return true;
  // Their own subclasses keep the word.
  return real.toLowerCase().includes(recognized.toLowerCase());
}

/** Buffers that no rule can know from a name, and parameters that look like buffers: what is wrong, by model. */
function wrong({ model, tensors }: Recorded): string[] {
  const imported = modelOf(tensors.map(([name, dtype, shape]) => tensor(name, dtype, shape)));
  const weights = imported.model.graph.layers.flatMap((layer) => layer.weights);
  const classes = new Map(weights.map((weight) => [weight.name, weight.class]));
  return tensors.flatMap(([name, , , parameter]) => {
    const found = classes.get(name) ?? "missing";
    const right = parameter === 1 ? found === "parameter" : found !== "parameter";
    return right ? [] : [`${model}: ${name} is ${parameter ? "a parameter" : "a buffer"}, not ${found}`];
  });
}

/** Beyond a state dict: a loss keeps its class weights as a buffer named like everything that is learned. */
const undecidable = "torch.nn: cross_entropy.weight";

describe("classes of tensors are those of PyTorch", () => {
  test.each(recorded.map((entry) => [entry.model, entry] as const))("%s", (_, entry) => {
    const faults = wrong(entry).filter((fault) => !fault.startsWith(undecidable));
    expect(faults).toEqual([]);
  });
});

describe("recognised classes are right, or the word for several that own the same", () => {
  test.each(recorded.map((entry) => [entry.model, entry] as const))("%s", (_, { tensors }) => {
    const { model } = modelOf(tensors.map(([name, dtype, shape]) => tensor(name, dtype, shape)));
    const real = new Map(tensors.map(([name, , , , type]) => [name, type]));
    const faults = model.graph.layers.flatMap((layer) => {
      const type = real.get(layer.weights[0]?.name ?? "") ?? "";
      return layer.name === layer.weights[0]?.name || mayBe(type, layer.source.type)
        ? []
        : [`${layer.name}: ${type} was recognised as ${layer.source.type}`];
    });
    expect(faults).toEqual([]);
  });
});

describe("a state dict as a model", () => {
  test("one storage under two names is stored and counted once", () => {
    const wte = { ...tensor("wte.weight", "float32", [50, 8]), identity: "a" };
    const head = { ...tensor("lm_head.weight", "float32", [50, 8]), identity: "a" };
    const report = reportOf(modelOf([wte, head]));
    expect(report.totals.parameters).toBe(400);
    expect(report.ledger.classes.parameter).toEqual({ tensors: 1, elements: 400, bytes: 1600 });
    expect(report.layers.map(({ name, params }) => [name, params])).toEqual([
      ["wte", 400],
      ["lm_head", 400],
    ]);
    expect(report.diagnostics.map(({ code }) => code)).toContain("weight-tied");
  });

  test("GPT-2's masks are constants, though they are floats named bias", () => {
    const report = reportOf(
      modelOf([
        tensor("h.0.attn.bias", "float32", [1, 1, 1024, 1024]),
        tensor("h.0.attn.masked_bias", "float32", []),
        tensor("h.0.attn.c_attn.weight", "float32", [768, 2304]),
        tensor("h.0.attn.c_attn.bias", "float32", [2304]),
        tensor("h.0.attn.c_proj.weight", "float32", [768, 768]),
        tensor("h.0.attn.c_proj.bias", "float32", [768]),
        tensor("h.0.mlp.c_proj.weight", "float32", [3072, 768]),
        tensor("h.0.mlp.c_proj.bias", "float32", [768]),
      ]),
    );
    expect(report.ledger.classes.constant.elements).toBe(1024 * 1024 + 1);
    const typed = report.layers.map(({ name, type, params }) => [name, type, params]);
    expect(typed).toEqual([
      ["h.0.attn", "?", 0],
      ["h.0.attn.c_attn", "Conv1D", 768 * 2304 + 2304],
      ["h.0.attn.c_proj", "Conv1D", 768 * 768 + 768],
      ["h.0.mlp.c_proj", "Conv1D", 3072 * 768 + 768],
    ]);
  });

  test("what is packed in a way that nobody states leaves the totals a lower bound", () => {
    const report = reportOf(
      modelOf([tensor("fc.qweight", "int32", [512, 4096]), tensor("fc.scales", "float16", [32, 4096])]),
    );
    expect(report.totals).toMatchObject({ parameters: 0, status: "partial" });
    expect(report.ledger.classes).toMatchObject({
      unclassified: { elements: 512 * 4096 },
      quantization: { elements: 32 * 4096 },
    });
  });

  test("what the file says goes before what a name suggests", () => {
    const { model } = modelOf([
      { ...tensor("body.bn.weight", "float32", [4]), kind: "buffer" },
      { ...tensor("pe", "float32", [1, 5, 8]), kind: "parameter" },
      { ...tensor("opt.exp_avg", "float32", [4]), class: "optimizer", row: false },
    ]);
    expect(model.graph.layers.flatMap(({ weights }) => weights.map((w) => [w.name, w.class]))).toEqual([
      ["body.bn.weight", "constant"],
      ["pe", "parameter"],
    ]);
    expect(model.tensors.map(({ unclaimed }) => unclaimed)).toEqual([
      "unclassified",
      "unclassified",
      "optimizer",
    ]);
  });

  test("rows are modules under their full names, their classes marked as recognised", () => {
    const report = reportOf(
      modelOf([
        tensor("layer1.0.conv1.weight", "float32", [64, 3, 7, 7]),
        tensor("layer1.0.bn1.weight", "float32", [64]),
        tensor("layer1.0.bn1.running_mean", "float32", [64]),
        tensor("layer1.0.bn1.running_var", "float32", [64]),
        tensor("cls_token", "float32", [1, 1, 8]),
      ]),
    );
    const rows = formatSummary(report, { style: "keras2" }).split("\n");
    expect(rows.filter((row) => row.includes("~")).map((row) => row.trim().split(/ {2,}/))).toEqual([
      ["layer1.0.conv1 (~Conv2d)", "?", "9408"],
      ["layer1.0.bn1 (~BatchNorm)", "?", "64"],
      ["cls_token (~Parameter)", "?", "8"],
    ]);
  });

  test("layers of a file that sorts by name come back in order", () => {
    const names = ["h.10.w.weight", "h.2.w.weight", "h.1.w.weight", "a.weight"];
    const { model } = modelOf(
      names.map((name) => tensor(name, "float32", [2, 2])),
      "m",
      "natural",
    );
    expect(model.graph.layers.map(({ name }) => name)).toEqual(["a", "h.1.w", "h.2.w", "h.10.w"]);
  });
});
