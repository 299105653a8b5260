/** Exported programs of torchvision and timm against what hooks saw in the modules they were made from. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { memorySource } from "../../../src/io/memory.ts";
import type { Layer } from "../../../src/ir/graph.ts";
import { type Model, walkLayers } from "../../../src/ir/model.ts";
import type { Shape } from "../../../src/ir/shape.ts";
import { substitute, symbolsOf } from "../../../src/ir/symbolic-dim.ts";
import type { Weight } from "../../../src/ir/tensor.ts";
import { readModel, reportOf } from "../../../src/public/inspect.ts";
import { openZip } from "../../../src/wire/zip.ts";
import { checkFigures } from "../../hostile/survive.ts";
import { buildZip } from "../../wire/zip-builder.ts";

const fixtures = join(import.meta.dirname, "../../../fixtures/pytorch");

interface Expected {
  readonly name: string;
  readonly batch: number;
  readonly parameters: number;
  readonly buffers: number;
  readonly modules: readonly {
    readonly path: string;
    readonly class: string;
    readonly parameters?: Readonly<Record<string, readonly number[]>>;
    readonly buffers?: Readonly<Record<string, readonly number[]>>;
    /** By call: the shapes of the tensors that came out. */
    readonly outputs?: readonly (readonly (readonly number[])[])[];
  }[];
}

const networks = readFileSync(join(fixtures, "programs/expected.jsonl"), "utf8")
  .trim()
  .split("\n")
  .map((line): Expected => JSON.parse(line));
const programs = await openZip(memorySource(readFileSync(join(fixtures, "programs/programs.zip"))));

async function entry(name: string): Promise<Uint8Array | null> {
  const found = programs.find(name);
  if (!found) return null;
  const source = await programs.openEntry(found);
  return source.read(0, source.size);
}

/** The sizes PyTorch saw: every name stands for the size of the batch. */
function sized(shape: Shape, batch: number): readonly (number | null)[] | null {
  return (
    shape?.map((dim) => {
      if (typeof dim === "number" || dim === null) return dim;
      const size = substitute(dim, new Map([...symbolsOf(dim)].map((name) => [name, batch])));
      return typeof size === "number" ? size : null;
    }) ?? null
  );
}

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

function checkWeights(model: Model, expected: Expected): void {
  const weights = weightsOf(model);
  for (const { path, parameters = {}, buffers = {} } of expected.modules) {
    for (const [name, shape] of [...Object.entries(parameters), ...Object.entries(buffers)]) {
      const full = path === "" ? name : `${path}.${name}`;
      const weight = weights.get(full);
      expect(weight && shapeOf(model, weight), full).toEqual(shape);
      expect(weight?.class === "parameter", full).toBe(Object.hasOwn(parameters, name));
    }
  }
}

/** Modules whose result is one tensor: the last node inside makes it. Gives how many there are. */
function checkModules(model: Model, expected: Expected): number {
  const last = new Map<string, { readonly layer: Layer; readonly type: string | null }>();
  for (const layer of model.graph.layers) {
    if (!layer.plumbing || layer.source.type === "aten.contiguous")
      for (const { path, type } of layer.modules ?? []) last.set(path, { layer, type });
  }
  const wrong: unknown[] = [];
  let checked = 0;
  for (const { path, class: type, outputs } of expected.modules) {
    const found = last.get(path);
    const seen = outputs?.at(-1);
    if (!found) continue;
    expect(found.type, path).toBe(type);
    if (seen?.length !== 1) continue;
    checked += 1;
    const shape = found.layer.calls[0]?.declaredTypes?.[0]?.shape ?? null;
    if (JSON.stringify(sized(shape, expected.batch)) !== JSON.stringify(seen[0]))
      wrong.push({ path, type, node: found.layer.name, shape, seen: seen[0] });
  }
  expect(wrong).toEqual([]);
  return checked;
}

/** `constants`: tensors that are attributes of no module, or of one without being registered. */
function countBuffers(model: Model, constants: ReadonlySet<string>): number {
  let elements = 0;
  for (const weight of weightsOf(model).values()) {
    if (weight.class === "parameter" || constants.has(weight.name)) continue;
    elements += (shapeOf(model, weight) ?? []).reduce<number>((product, dim) => product * Number(dim), 1);
  }
  return elements;
}

describe.each(networks)("$name", (expected) => {
  test("by its JSON alone", async () => {
    const data = await entry(`${expected.name}/models/model.json`);
    const imported = await readModel(data ?? new Uint8Array());
    const { model } = imported;
    checkWeights(model, expected);
    const checked = checkModules(model, expected);
    expect(checked).toBeGreaterThan(expected.modules.length / 4);
    const report = reportOf(imported);
    checkFigures(report, expected.name);
    expect(report.totals.trainable).toBe(expected.parameters);
    const text = new TextDecoder().decode(data ?? undefined);
    const constants = [...text.matchAll(/"tensor_constant_name":"([^"]*)"/g)].map(([, name]) => name ?? "");
    expect(countBuffers(model, new Set(constants))).toBe(expected.buffers);
    expect(new Set(report.diagnostics.map(({ code }) => code))).not.toContain("declared-inferred-mismatch");
  });

  test("as an archive without payloads", async () => {
    const names = ["models/model.json", "data/weights/model_weights_config.json"];
    const entries = await Promise.all(
      names.map(async (name) => ({
        name: `net/${name}`,
        data: (await entry(`${expected.name}/${name}`)) ?? new Uint8Array(),
      })),
    );
    const imported = await readModel(buildZip(entries));
    checkWeights(imported.model, expected);
    expect(reportOf(imported).totals.trainable).toBe(expected.parameters);
  });
});

describe.each(["tied", "half", "recurrent"])("archive %s", (name) => {
  const folder = join(fixtures, `program-${name}`);
  const expected: Expected = JSON.parse(readFileSync(join(folder, "modules.json"), "utf8"));

  test("holds what PyTorch counts", async () => {
    const imported = await readModel(readFileSync(join(folder, "model.pt2")));
    checkWeights(imported.model, expected);
    const report = reportOf(imported);
    checkFigures(report, name);
    expect(report.totals.trainable).toBe(expected.parameters);
    const { parameter, ...others } = report.ledger.classes;
    expect(parameter.elements).toBe(expected.parameters);
    const rest = Object.values(others).reduce((sum, { elements }) => sum + elements, 0);
    // A tensor that is neither parameter nor buffer is stored too.
    expect(rest).toBe(expected.buffers + (name === "tied" ? 2 : 0));
  });
});
