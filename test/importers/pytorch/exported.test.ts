/** Exported programs of torchvision, timm and transformers against what hooks saw in the modules they were made from. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { memorySource } from "../../../src/io/memory.ts";
import { type Model, walkLayers } from "../../../src/ir/model.ts";
import type { Shape } from "../../../src/ir/shape.ts";
import type { Weight } from "../../../src/ir/tensor.ts";
import { readModel, reportOf } from "../../../src/public/inspect.ts";
import type { Report, ReportLayer } from "../../../src/report/report.ts";
import { openZip } from "../../../src/wire/zip.ts";
import { checkFigures } from "../../hostile/survive.ts";
import { buildZip } from "../../wire/zip-builder.ts";

const fixtures = join(import.meta.dirname, "../../../fixtures/pytorch");

type Shapes = Readonly<Record<string, readonly number[]>>;

interface Expected {
  readonly name: string;
  readonly batch: number;
  readonly parameters: number;
  readonly buffers: number;
  /** Parameters that are not frozen; all where absent. */
  readonly trainable?: number;
  /** What others say, and who. */
  readonly published?: { readonly parameters: number; readonly source: string };
  readonly modules: readonly {
    readonly path: string;
    readonly class: string;
    readonly parameters?: Shapes;
    readonly buffers?: Shapes;
    /** By call: the shapes of the tensors that came out. */
    readonly outputs?: readonly (readonly (readonly number[])[])[];
    /** Parameters of the module and of all inside it, each once. */
    readonly subtree: number;
  }[];
}

const archives = await Promise.all(
  ["programs", "structures"].map((name) =>
    openZip(memorySource(readFileSync(join(fixtures, `programs/${name}.zip`)))),
  ),
);
const names = archives
  .flatMap(({ entries }) => entries)
  .flatMap(({ name }) => /^(.+)\/expected\.json$/.exec(name)?.[1] ?? []);

async function entry(name: string): Promise<Uint8Array> {
  for (const zip of archives) {
    const found = zip.find(name);
    if (!found) continue;
    const source = await zip.openEntry(found);
    return source.read(0, source.size);
  }
  throw new Error(`there is no ${name}`);
}

const product = (shape: readonly number[]): number => shape.reduce((all, size) => all * size, 1);

function weightsOf(model: Model): ReadonlyMap<string, Weight> {
  const all = new Map(model.weights.map((weight) => [weight.name, weight]));
  walkLayers(model.graph.layers, ({ weights }) => {
    for (const weight of weights) all.set(weight.name, weight);
  });
  return all;
}

function shapeOf(model: Model, weight: Weight): Shape {
  return weight.view ?? weight.shape ?? model.tensors[weight.tensor ?? -1]?.shape ?? null;
}

/** Every tensor of every module, of the right class; gives the elements of all that are no parameters. */
function checkWeights(model: Model, expected: Expected, constants: ReadonlySet<string>): void {
  const weights = weightsOf(model);
  const wrong: unknown[] = [];
  for (const { path, parameters = {}, buffers = {} } of expected.modules) {
    for (const [name, shape] of [...Object.entries(parameters), ...Object.entries(buffers)]) {
      const full = path === "" ? name : `${path}.${name}`;
      const weight = weights.get(full);
      const found = weight && [shapeOf(model, weight)?.join(), weight.class === "parameter"];
      const right = [shape.join(), Object.hasOwn(parameters, name)];
      if (JSON.stringify(found) !== JSON.stringify(right)) wrong.push({ full, found, right });
    }
  }
  expect(wrong).toEqual([]);
  const buffers = [...weights.values()].filter(
    ({ name, class: kind }) => kind !== "parameter" && !constants.has(name),
  );
  const elements = buffers.map((weight) => product((shapeOf(model, weight) ?? []).map(Number)));
  expect(elements.reduce((sum, one) => sum + one, 0)).toBe(expected.buffers);
}

/** As `torch.export.save` writes it, but for the elements. */
async function archiveOf(name: string): Promise<Uint8Array> {
  const files = ["models/model.json", "data/weights/model_weights_config.json"];
  return buildZip(
    await Promise.all(
      files.map(async (file) => ({ name: `net/${file}`, data: await entry(`${name}/${file}`) })),
    ),
  );
}

function everyRow(layers: readonly ReportLayer[]): readonly ReportLayer[] {
  return layers.flatMap((layer) => [layer, ...everyRow(layer.layers ?? [])]);
}

/** Class, parameters and output of each row that is a module. Gives the paths of all that have one. */
function checkRows(report: Report, expected: Expected): ReadonlySet<string> {
  const modules = new Map(expected.modules.map((module) => [module.path, module]));
  const seen = new Set<string>();
  const wrong: unknown[] = [];
  for (const row of everyRow(report.layers)) {
    if (row.operator !== "Module") continue;
    const [, path = "", call = "0"] = /^(.*?)(?:@(\d+))?$/.exec(row.name) ?? [];
    const module = modules.get(path);
    seen.add(path);
    if (!module) {
      wrong.push({ path, is: "no module" });
      continue;
    }
    const own = Object.values(module.parameters ?? {}).reduce((sum, shape) => sum + product(shape), 0);
    if (row.type !== module.class) wrong.push({ path, type: row.type, class: module.class });
    if (call === "0" && row.ownParams !== own) wrong.push({ path, own: row.ownParams, expected: own });
    if (call === "0" && row.params !== module.subtree)
      wrong.push({ path, params: row.params, expected: module.subtree });
    const outputs = module.outputs?.[Number(call)];
    if (outputs?.length !== 1) continue;
    const found = row.outputShapes.map((shape) => JSON.stringify(shape));
    if (found.join() !== JSON.stringify(outputs[0]))
      wrong.push({ name: row.name, type: row.type, found, outputs });
  }
  expect(wrong).toEqual([]);
  return seen;
}

/** What has no row has no node: it hands on what it gets. */
function checkMissing(seen: ReadonlySet<string>, expected: Expected, text: string): void {
  const missing = expected.modules.filter(({ path, outputs }) => path !== "" && outputs && !seen.has(path));
  const traced = missing.filter(({ path, class: type }) =>
    new RegExp(`,${path.replaceAll(".", "\\.")}(@\\d+)?,[\\w.]*\\b${type}\\b`).test(text),
  );
  expect(traced.map(({ path, class: type }) => `${path} (${type})`)).toEqual([]);
}

test("networks of all kinds are here", () => {
  const count = (suite: string): number => names.filter((name) => name.startsWith(`${suite}/`)).length;
  expect(count("torchvision")).toBeGreaterThanOrEqual(60);
  expect(count("timm")).toBeGreaterThanOrEqual(60);
  expect(count("transformers")).toBeGreaterThanOrEqual(20);
});

describe.each(names)("%s", (name) => {
  test("has the modules that PyTorch ran", async () => {
    const expected: Expected = JSON.parse(new TextDecoder().decode(await entry(`${name}/expected.json`)));
    const data = await entry(`${name}/models/model.json`);
    const text = new TextDecoder().decode(data);
    const imported = await readModel(await archiveOf(name), { batch: expected.batch });
    const named = [...text.matchAll(/"tensor_constant_name":"([^"]*)"/g)].map(([, one]) => one ?? "");
    checkWeights(imported.model, expected, new Set(named));
    const report = reportOf(imported);
    checkFigures(report, name);
    expect(report.totals.trainable).toBe(expected.parameters);
    if (expected.published)
      expect(report.totals.trainable, expected.published.source).toBe(expected.published.parameters);
    checkMissing(checkRows(report, expected), expected, text);
    expect(report.diagnostics.map(({ code }) => code)).not.toContain("declared-inferred-mismatch");
  });
});

test("where nothing says which storage a tensor is in, what nothing reads may be a second name", async () => {
  const { diagnostics, totals } = reportOf(
    await readModel(await entry("transformers/bart/models/model.json")),
  );
  const { parameters } = JSON.parse(new TextDecoder().decode(await entry("transformers/bart/expected.json")));
  expect(totals.trainable).toBeGreaterThan(parameters);
  expect(diagnostics.map(({ message }) => message).join()).toMatch(/that nothing reads .* may be another/);
  const plain = reportOf(await readModel(await entry("torchvision/alexnet/models/model.json")));
  expect(plain.diagnostics.map(({ message }) => message).join()).not.toMatch(/that nothing reads/);
});

test.each(names.filter((name) => /\/(plain|strict)(-core)?$/.test(name)))(
  "%s has the same totals by nodes and at any depth",
  async (name) => {
    const imported = await readModel(await entry(`${name}/models/model.json`));
    const { totals } = reportOf(imported);
    expect(reportOf(imported, { group: "node" }).totals).toEqual(totals);
    expect(reportOf(imported, { depth: 1 }).totals).toEqual(totals);
  },
);

test("a parameter that is cast stands at the cast, an input steps back for a module of its name", async () => {
  const report = reportOf(await readModel(await entry("inputs/plain/models/model.json")));
  const rows = everyRow(report.layers).map(({ name, type, params }) => `${name} ${type} ${params}`);
  expect(rows).toEqual(expect.arrayContaining(["text_1 Input 0", "text Embedding 36", "to aten.to 12"]));
  expect(rows.join()).not.toContain("_assert");
});

test("tensors without elements share one empty record, and are none the less as many", async () => {
  const folder = join(fixtures, "program-outline");
  const expected: Expected = JSON.parse(readFileSync(join(folder, "modules.json"), "utf8"));
  const imported = await readModel(readFileSync(join(folder, "model.pt2")));
  checkWeights(imported.model, expected, new Set());
  const report = reportOf(imported);
  checkFigures(report, "outline");
  expect(report.totals.parameters).toBe(expected.parameters);
  expect(report.ledger.elements).toBe(0);
  checkRows(report, expected);
});

describe.each(["tied", "half", "recurrent", "frozen", "plain"])("archive %s", (name) => {
  const folder = join(fixtures, `program-${name}`);
  const expected: Expected = JSON.parse(readFileSync(join(folder, "modules.json"), "utf8"));

  test("holds what PyTorch counts", async () => {
    const imported = await readModel(readFileSync(join(folder, "model.pt2")));
    checkWeights(imported.model, expected, new Set(["constant"]));
    const report = reportOf(imported);
    checkFigures(report, name);
    expect(report.totals.trainable).toBe(expected.trainable ?? expected.parameters);
    const { parameter, ...others } = report.ledger.classes;
    expect(parameter.elements).toBe(expected.parameters);
    const rest = Object.values(others).reduce((sum, { elements }) => sum + elements, 0);
    // A tensor that is neither parameter nor buffer is stored too.
    expect(rest).toBe(expected.buffers + (name === "tied" ? 2 : 0));
  });
});

test("a name that is a number is none, and links nothing", async () => {
  const value = (name: string | number): object => ({ as_tensor: { name } });
  const node = (target: string, from: string | number, to: string | number): object => ({
    target: `torch.ops.aten.${target}.default`,
    inputs: [{ name: "self", arg: value(from), kind: 1 }],
    outputs: [value(to)],
    metadata: {},
  });
  const type = { dtype: 7, sizes: [{ as_int: 2 }] };
  const graph = {
    inputs: [value(7), value("x")],
    outputs: [value(9)],
    nodes: [node("relu", "x", 8), node("neg", 8, "y")],
    tensor_values: { x: type, y: type },
  };
  const program = {
    graph_module: { graph, signature: { input_specs: [], output_specs: [] }, module_call_graph: [] },
    schema_version: { major: 8, minor: 1 },
  };
  const { model } = await readModel(new TextEncoder().encode(JSON.stringify(program)));
  const { layers } = model.graph;
  expect(layers.map(({ name }) => name)).toEqual(["x", "relu", "neg"]);
  expect(layers.map(({ calls }) => calls[0]?.inputs.length)).toEqual([0, 1, 0]);
});
