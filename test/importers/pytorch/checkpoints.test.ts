/** Every committed checkpoint and TorchScript archive against what PyTorch says of it (fixtures/build/pytorch). */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  formatJson,
  formatSummary,
  inspect,
  readModel,
  reportOf,
  serializeModel,
} from "../../../src/public/index.ts";
import { inspectFile, readModelFile } from "../../../src/public/node.ts";
import type { Report, ReportWeight } from "../../../src/report/report.ts";
import { checkFigures, said } from "../../hostile/survive.ts";

const base = join(import.meta.dirname, "../../../fixtures/pytorch");

interface Expected {
  readonly models: readonly { readonly file: string }[];
  /** Tensors of the state dict by name. */
  readonly state?: Readonly<Record<string, { readonly shape: readonly number[]; readonly dtype: string }>>;
  /** Shapes of weights as PyTorch shows them. */
  readonly shapes?: Readonly<Record<string, readonly number[]>>;
  readonly storedBytes?: number;
  readonly parameters?: number;
  readonly buffers?: number;
  /** Parameters by name, and classes of modules. */
  readonly named?: Readonly<Record<string, readonly number[]>>;
  readonly classes?: Readonly<Record<string, string>>;
  /** Parameters that need no gradient. */
  readonly frozen?: readonly string[];
  readonly optimizer?: number;
  readonly optimizerTensors?: number;
  readonly copies?: number;
  /** Elements that are neither a model's nor an optimizer's. */
  readonly training?: number;
  readonly seen?: number;
  /** Elements of its tensors that other processes saved. */
  readonly elsewhere?: number;
  readonly stored?: number;
}

const cases = readdirSync(base)
  .filter((name) => existsSync(join(base, name, "expected.json")))
  .map((name) => ({
    name,
    expected: JSON.parse(readFileSync(join(base, name, "expected.json"), "utf8")) as Expected,
  }));

/** The buffer of `Small`, floating point under a name that no buffer is known by: a state dict does not tell. */
const undecided = 16;

function weightsOf(report: Report): readonly ReportWeight[] {
  return report.layers.flatMap(({ weights }) => weights);
}

describe.each(cases)("$name", ({ name, expected }) => {
  const pickledModules = /^(module|script)/.test(name);
  const files = expected.models.map(({ file }) => file);

  test.each(files)("%s has the tensors that PyTorch loads", async (file) => {
    const { model } = await readModelFile(join(base, name, file));
    const report = await inspectFile(join(base, name, file));
    checkFigures(report, file);
    if (expected.storedBytes !== undefined) expect(report.ledger.bytes).toBe(expected.storedBytes);
    if (expected.stored !== undefined)
      expect(report.ledger.elements).toBe(expected.stored + report.ledger.classes.unused.elements);
    const paths = new Map(model.tensors.map((tensor) => [tensor.path, tensor]));
    const names = new Map(
      model.graph.layers.flatMap(({ weights }) => weights).map((weight) => [weight.name, weight]),
    );
    const shapes = new Map(weightsOf(report).map((weight) => [weight.name, weight.shape]));
    for (const [key, shape] of Object.entries(expected.shapes ?? {}))
      expect(shapes.get(key), key).toEqual(shape);
    if (pickledModules) return;
    for (const [key, { shape, dtype }] of Object.entries(expected.state ?? {})) {
      const weight = names.get(key);
      const tensor = weight?.tensor === undefined ? paths.get(key) : model.tensors[weight.tensor];
      expect(weight?.dtype ?? tensor?.dtype, key).toBe(dtype);
      expect(weight?.view ?? tensor?.shape, key).toEqual(shape);
    }
  });

  test.each(files)("%s adds up to what PyTorch counts", async (file) => {
    const report = await inspectFile(join(base, name, file));
    const { classes } = report.ledger;
    if (expected.optimizer !== undefined) {
      expect(classes.optimizer.elements).toBe(expected.optimizer);
      expect(classes.optimizer.tensors).toBe(expected.optimizerTensors);
      expect(report.totals.optimizer).toBe(expected.optimizer);
      expect(report.optimizer).toMatchObject({ built: true, bytes: classes.optimizer.bytes });
      expect(formatSummary(report)).toContain(
        `Optimizer params: ${expected.optimizer.toLocaleString("en")} (`,
      );
    } else expect(report.optimizer).toBe(null);
    if (expected.copies !== undefined) expect(classes.unused.elements).toBe(expected.copies);
    if (expected.elsewhere !== undefined)
      expect(said(report, "weights-left-out").join()).toContain(`${expected.elsewhere} elements more`);
    if (expected.seen !== undefined) expect(report.totals.parameters).toBe(expected.seen);
    if (expected.parameters === undefined || name === "script-frozen") return;
    const guessed = !pickledModules && Object.keys(expected.state ?? {}).some((key) => key.endsWith("table"));
    const packed = name === "script-quantized" ? 45 : 0;
    expect(report.totals.parameters).toBe(expected.parameters + (guessed ? undecided : 0) + packed);
    if (guessed) expect(report.diagnostics.map(({ code }) => code)).toContain("names-guessed");
    if (!pickledModules) return;
    expect(classes.statistic.elements + classes.bookkeeping.elements + classes.constant.elements).toBe(
      (expected.buffers ?? 0) + (expected.training ?? 0) + (name === "script-language" ? 3 : 0),
    );
  });

  if (pickledModules && name !== "script-frozen") {
    test.each(files)("%s has its modules and parameters by name", async (file) => {
      const report = await inspectFile(join(base, name, file));
      const shapes = new Map(
        weightsOf(report)
          .filter((weight) => weight.class === "parameter")
          .map((weight) => [weight.name, weight.shape]),
      );
      for (const [key, shape] of Object.entries(expected.named ?? {})) {
        // A module under two names is pickled once, and has the first.
        if (name === "module-shared" && key.startsWith("second.")) continue;
        expect(shapes.get(key), key).toEqual(shape);
      }
      for (const layer of report.layers) {
        const known = expected.classes?.[layer.name] ?? expected.classes?.[""];
        if (layer.weights.some((weight) => weight.class === "parameter")) expect(layer.type).toBe(known);
      }
      // Every module that holds no other has its row, also when it owns nothing.
      const paths = Object.keys(expected.classes ?? {});
      const leaves = paths.filter(
        (path) => !paths.some((other) => other.startsWith(`${path}.`)) && path !== "",
      );
      const rows = new Map(report.layers.map((layer) => [layer.name, layer.type]));
      for (const path of leaves) expect(rows.get(path), path).toBe(expected.classes?.[path]);
    });
  }

  test.each(files)("%s says what is frozen, when it knows", async (file) => {
    const weights = weightsOf(await inspectFile(join(base, name, file)));
    const known = pickledModules || name === "parameters";
    if (name === "script-frozen") return;
    const parameters = weights.filter((one) => one.class === "parameter" && !one.name.includes("_packed"));
    for (const weight of parameters)
      expect(weight.trainable, weight.name).toBe(known ? !expected.frozen?.includes(weight.name) : null);
  });

  test.each(files)("%s gives the same report twice, and from its model document", async (file) => {
    const imported = await readModelFile(join(base, name, file));
    const report = formatJson(reportOf(imported));
    expect(formatJson(await inspectFile(join(base, name, file)))).toBe(report);
    const document = new TextEncoder().encode(serializeModel(imported));
    expect(formatJson(await inspect(document))).toBe(report);
    expect((await readModel(document)).model).toEqual(imported.model);
  });
});

test("every form of one state dict gives the same rows", async () => {
  for (const name of ["state-dict", "module", "views"]) {
    const files = cases.find((one) => one.name === name)?.expected.models ?? [];
    const reports = await Promise.all(files.map(({ file }) => inspectFile(join(base, name, file))));
    const rows = reports.map(({ layers }) =>
      layers.map(({ params, weights }) => [params, weights.map((weight) => [weight.name, weight.shape])]),
    );
    for (const other of rows) expect(other).toEqual(rows[0]);
  }
});

test.each([
  ["trained-sgd", "~SGD"],
  ["trained-adam", "~Adam"],
  ["trained-adamw", "~AdamW"],
  ["lightning", "~Adam"],
  ["wrapped-fsdp", "~AdamW"],
])("the settings of %s are those of %s", async (name, optimizer) => {
  expect((await inspectFile(join(base, name, "zip.pt"))).optimizer?.name).toBe(optimizer);
});

test("names that wrappers and parametrizations lengthen are recognised as without them", async () => {
  const { layers } = await inspectFile(join(base, "wrapped-parametrized/zip.pt"));
  const types = ["Linear", "Conv2d", "ConvTranspose1d", "Linear", "Linear", "Linear"];
  expect(layers.map(({ type }) => type)).toEqual(types);
  const compiled = await inspectFile(join(base, "wrapped-compiled/zip.pt"));
  expect(compiled.layers.find(({ name }) => name === "module._orig_mod.blocks.0.norm")?.type).toBe(
    "BatchNorm",
  );
});
