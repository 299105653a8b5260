/** `--group module` on files of weights: the tree of PyTorch's own named_modules, with the sums of its parameters. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { formatSummary, inspect } from "../../../src/public/index.ts";
import { inspectFile } from "../../../src/public/node.ts";
import type { ReportLayer } from "../../../src/report/report.ts";
import { said } from "../../hostile/survive.ts";

const base = join(import.meta.dirname, "../../../fixtures/pytorch");

interface Facts {
  /** Classes by module path. */
  readonly classes: Readonly<Record<string, string>>;
  /** Shapes of parameters by name. */
  readonly named: Readonly<Record<string, readonly number[]>>;
}

function factsOf(path: string): Facts {
  const { classes, named, shapes } = JSON.parse(readFileSync(join(base, path), "utf8"));
  return { classes, named: named ?? shapes };
}

function flatten(layers: readonly ReportLayer[], level: number): { layer: ReportLayer; level: number }[] {
  return layers.flatMap((layer) => [{ layer, level }, ...flatten(layer.layers ?? [], level + 1)]);
}

/** Elements of the parameters below a path, those of tied ones once. */
function elementsBelow({ named }: Facts, path: string, tied: readonly string[]): number {
  return Object.entries(named)
    .filter(([name]) => name.startsWith(`${path}.`) && !tied.includes(name))
    .reduce((sum, [, shape]) => sum + shape.reduce((product, dim) => product * dim, 1), 0);
}

const cases = [
  ["module/zip.pt", "module/expected.json", true],
  ["module/legacy.pt", "module/expected.json", true],
  ["module-language/zip.pt", "module-language/expected.json", true],
  ["script-small/model.pt", "script-small/expected.json", true],
  ["script-language/model.pt", "script-language/expected.json", true],
  ["hub-sharded", "hub-sharded/folder.json", false],
  ["hub-single/pytorch_model.bin", "hub-single/folder.json", false],
] as const;

describe.each(cases)("%s", (file, expected, known) => {
  const facts = factsOf(expected);
  // Parameters that are another one, where both are in one module.
  const tied = ["cls.predictions.decoder.bias", "shared.second.weight", "shared.second.bias"].concat(
    file.startsWith("module-language") ? [] : ["language.head.weight"],
  );

  test("every level has its sums and classes", async () => {
    const report = await inspectFile(join(base, file), { group: "module" });
    const all = flatten(report.layers, 1);
    for (const { layer, level } of all) {
      // The row of what a module owns itself stands in the module.
      const own = layer.layers === undefined && facts.classes[layer.name] === undefined;
      if (own || layer.weights.some(({ name }) => name.startsWith("CONSTANTS"))) continue;
      const parts = all.filter((one) => one.layer.name === layer.name && one.level > level);
      if (parts.length === 0 && layer.layers === undefined && level > layer.name.split(".").length) continue;
      expect(layer.name.split(".").length, layer.name).toBe(level);
      if (known) expect(layer.type, layer.name).toBe(facts.classes[layer.name]);
      else if (layer.layers) expect(layer).toMatchObject({ type: "Module", kind: "model" });
      const direct = elementsBelow(facts, layer.name, []);
      // PyTorch lists the parameters of a script once: one that is tied has its first name.
      if (direct === 0 && layer.params > 0) {
        expect(said(report, "weight-tied").join(" "), layer.name).toContain(`${layer.name}.`);
        continue;
      }
      expect([direct, elementsBelow(facts, layer.name, tied)], layer.name).toContain(layer.params);
    }
    const leaves = all.filter(({ layer }) => layer.layers === undefined);
    const flat = await inspectFile(join(base, file));
    const row = ({ name, type, params }: ReportLayer) => `${name} ${type} ${params}`;
    // Rows of one module stand together, wherever a shard had them.
    expect(leaves.map(({ layer }) => row(layer)).sort()).toEqual(flat.layers.map(row).sort());
    expect(report.totals).toEqual(flat.totals);
    expect(report.ledger).toEqual(flat.ledger);
  });

  test("a depth cuts the tree, and what is below counts", async () => {
    const whole = await inspectFile(join(base, file), { group: "module" });
    const cut = await inspectFile(join(base, file), { group: "module", depth: 2 });
    const pick = (layers: readonly ReportLayer[]) =>
      flatten(layers, 1)
        .filter(({ level }) => level <= 2)
        .map(({ layer }) => [layer.name, layer.params, layer.trainable]);
    expect(pick(cut.layers)).toEqual(pick(whole.layers));
    expect(flatten(cut.layers, 1).every(({ level }) => level <= 2)).toBe(true);
    expect(cut.totals).toEqual(whole.totals);
  });
});

test("a module with parameters of its own holds a row of them", async () => {
  const report = await inspectFile(join(base, "script-language/model.pt"), { group: "module" });
  const attention = flatten(report.layers, 1).find(({ layer }) => layer.name === "language.attention");
  expect(attention?.layer.layers?.map(({ name, params }) => [name, params])).toEqual([
    ["language.attention", 816],
    ["language.attention.out_proj", 272],
  ]);
});

test("seventy blocks are one row", async () => {
  const names = Array.from({ length: 70 }, (_, i) => [
    `model.layers.${i}.self_attn.q_proj.weight`,
    `model.layers.${i}.mlp.up_proj.weight`,
  ]).flat();
  const all = [...names, "model.embed_tokens.weight", "lm_head.weight"];
  const entries = all.map((name, i) => [
    name,
    { dtype: "F32", shape: [2, 3], data_offsets: [24 * i, 24 * i + 24] },
  ]);
  const header = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  const file = new Uint8Array(8 + header.length + 24 * all.length);
  new DataView(file.buffer).setUint32(0, header.length, true);
  file.set(header, 8);
  const report = await inspect(file, { group: "module", depth: 2 });
  const rows = flatten(report.layers, 1).map(({ layer }) => `${layer.name} ${layer.type} ${layer.params}`);
  expect(rows).toEqual([
    "lm_head Linear 6",
    "model Module 846",
    "model.embed_tokens Embedding 6",
    "model.layers Module 840",
  ]);
  expect(formatSummary(report)).toContain("lm_head (~Linear)");
  const deeper = await inspect(file, { group: "module", depth: 3 });
  expect(deeper.layers[1]?.layers?.[1]?.layers).toHaveLength(70);
  expect(deeper.layers[1]?.layers?.[1]?.layers?.at(-1)).toMatchObject({
    name: "model.layers.69",
    params: 12,
  });
});

test("names made of dots end at a level that no network has", async () => {
  const name = `${"a.".repeat(5000)}weight`;
  const header = JSON.stringify({ [name]: { dtype: "F32", shape: [2], data_offsets: [0, 8] } });
  const file = new Uint8Array(8 + header.length + 8);
  new DataView(file.buffer).setUint32(0, header.length, true);
  file.set(new TextEncoder().encode(header), 8);
  const report = await inspect(file, { group: "module" });
  expect(flatten(report.layers, 1).at(-1)?.level).toBeLessThanOrEqual(64);
  expect(report.totals.parameters).toBe(2);
});
