/** Archives of every layout that PyTorch had, against what the release that wrote each says of its tensors. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { ModuleRef } from "../../../src/ir/graph.ts";
import { type Model, walkLayers } from "../../../src/ir/model.ts";
import type { Weight } from "../../../src/ir/tensor.ts";
import { inspect, readModel, reportOf } from "../../../src/public/inspect.ts";
import { checkFigures } from "../../hostile/survive.ts";
import { buildZip } from "../../wire/zip-builder.ts";

const folder = join(import.meta.dirname, "../../../fixtures/pytorch/archives");

/** Type, shape, whether it is a parameter, and the number of its storage. */
type Stored = Readonly<Record<string, readonly [string, readonly number[], boolean, number]>>;
type Shapes = Readonly<Record<string, readonly number[]>>;

interface Expected {
  readonly name: string;
  readonly stored: Stored;
  readonly modules: readonly {
    readonly path: string;
    readonly class: string;
    readonly parameters?: Shapes;
    readonly buffers?: Shapes;
  }[];
}

function linesOf<T>(release: string, file: string): readonly T[] {
  const text = readFileSync(join(folder, release, file), "utf8").trim();
  return text.split("\n").map((line): T => JSON.parse(line));
}

const product = (shape: readonly number[]): number => shape.reduce((all, size) => all * size, 1);

/** Elements of the parameters, each storage once. */
function parametersOf(stored: Stored): number {
  const parameters = Object.values(stored).filter(([, , parameter]) => parameter);
  const unique = new Map(parameters.map(([, shape, , storage]) => [storage, product(shape)]));
  return [...unique.values()].reduce((sum, one) => sum + one, 0);
}

function weightsOf(model: Model): ReadonlyMap<string, Weight> {
  const all = new Map(model.weights.map((weight) => [weight.name, weight]));
  walkLayers(model.graph.layers, ({ weights }) => {
    for (const weight of weights) all.set(weight.name, weight);
  });
  return all;
}

function shapeOf(model: Model, weight: Weight): unknown {
  return weight.view ?? weight.shape ?? model.tensors[weight.tensor ?? -1]?.shape;
}

const releases = readdirSync(folder).toSorted();
const cases = releases.flatMap((release) =>
  linesOf<Expected>(release, "modules.jsonl").map((expected) => ({ release, name: expected.name, expected })),
);

test("six layouts are here", () => {
  expect(releases).toEqual(["2.1.2", "2.14.1", "2.2.2", "2.4.1", "2.6.0", "2.8.0"]);
  expect(cases).toHaveLength(30);
});

describe.each(cases)("$name of PyTorch $release", ({ release, name, expected }) => {
  const load = () => readModel(readFileSync(join(folder, release, `${name}.pt2`)));

  test("has the tensors that PyTorch stored, each once", async () => {
    const imported = await load();
    const report = reportOf(imported);
    checkFigures(report, name);
    expect(report.totals.trainable).toBe(parametersOf(expected.stored));
    expect(report.ledger.classes.parameter.elements).toBe(parametersOf(expected.stored));
    const weights = [...weightsOf(imported.model).values()];
    const facts = weights.map((weight) => [
      weight.dtype,
      shapeOf(imported.model, weight),
      weight.class === "parameter",
    ]);
    const stored = Object.values(expected.stored).map(([type, shape, parameter]) => [type, shape, parameter]);
    expect(facts.map((one) => JSON.stringify(one)).sort()).toEqual(
      stored.map((one) => JSON.stringify(one)).sort(),
    );
    expect(report.diagnostics.map(({ code }) => code)).not.toContain("weights-not-read");
  });

  test("calls them as the modules do", async () => {
    const { model } = await load();
    const known = new Map<string, readonly number[]>();
    for (const { path, parameters, buffers } of expected.modules)
      for (const [own, shape] of Object.entries({ ...parameters, ...buffers }))
        known.set(path === "" ? own : `${path}.${own}`, shape);
    for (const [full, weight] of weightsOf(model)) {
      // PyTorch 2.1 says nowhere that `first_weight` is in a module, and others name what is no attribute of a module.
      if (full === "constant" || full.startsWith("other.same.") || (release === "2.1.2" && name === "branch"))
        continue;
      expect(known.get(full), full).toEqual(shapeOf(model, weight));
    }
  });

  test("has nodes in modules of the classes they have", async () => {
    const { model } = await load();
    const classes = new Map(expected.modules.map(({ path, class: type }) => [path, type]));
    const seen = new Map<string, ModuleRef>();
    walkLayers(model.graph.layers, ({ modules = [] }) => {
      for (const ref of modules) seen.set(ref.path, ref);
    });
    for (const [path, { type }] of seen)
      if (!path.startsWith("other.same")) expect(type, path).toBe(classes.get(path));
  });
});

const packages = releases.flatMap((release) =>
  readdirSync(join(folder, release)).includes("packages.jsonl")
    ? linesOf<{ name: string; stored?: Stored; programs?: Record<string, Stored> }>(
        release,
        "packages.jsonl",
      ).map((expected) => ({ release, ...expected }))
    : [],
);

const bytesOf = ({ release, name }: (typeof packages)[number]): Uint8Array =>
  readFileSync(join(folder, release, `${name}.pt2`));

describe("packages of several programs", () => {
  test.each(packages.filter(({ programs }) => programs))("$name of PyTorch $release", async (expected) => {
    const { name, programs } = expected;
    const report = await inspect(bytesOf(expected));
    checkFigures(report, name);
    const models = report.layers.map((layer) => [layer.name, layer.trainable]);
    expect(models).toEqual(Object.entries(programs ?? {}).map(([key, one]) => [key, parametersOf(one)]));
  });
});

describe("weights that are left in compiled code", () => {
  test.each(packages.filter(({ stored }) => stored))("$name of PyTorch $release", async (one) => {
    const { stored } = one;
    const imported = await readModel(bytesOf(one));
    const report = reportOf(imported);
    expect(report.file.variant).toBe("compiled-package");
    const found = Object.fromEntries(
      [...weightsOf(imported.model).values()].map((weight) => [
        weight.name,
        [weight.dtype, shapeOf(imported.model, weight), weight.class === "parameter"],
      ]),
    );
    const expected = Object.entries(stored ?? {}).map(([key, [type, shape, parameter]]) => [
      key,
      [type, shape, parameter],
    ]);
    expect(found).toEqual(Object.fromEntries(expected));
    expect(report.diagnostics.some(({ message }) => message.includes("AOTInductor compiled it"))).toBe(true);
  });
});

test("weights that are kept apart are read without the source of the code too", async () => {
  const { openZip } = await import("../../../src/wire/zip.ts");
  const { memorySource } = await import("../../../src/io/memory.ts");
  const zip = await openZip(memorySource(readFileSync(join(folder, "2.14.1/compiled-apart.pt2"))));
  const entries = zip.entries.filter((entry) => !entry.name.endsWith(".cpp"));
  const built = await Promise.all(
    entries.map(async (entry) => {
      const opened = await zip.openEntry(entry);
      return { name: entry.name, data: await opened.read(0, opened.size) };
    }),
  );
  const [expected] = linesOf<{ stored: Stored }>("2.14.1", "packages.jsonl").slice(-1);
  const report = await inspect(buildZip(built));
  expect(report.totals.trainable).toBe(parametersOf(expected?.stored ?? {}));
});
