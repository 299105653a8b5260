import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../../src/ir/graph.ts";
import { inspect, serializeModel } from "../../../src/public/index.ts";
import { inspectFile, readModelFile } from "../../../src/public/node.ts";
import type { Report } from "../../../src/report/report.ts";

const folder = join(import.meta.dirname, "../../../fixtures/keras");

async function told(file: string): Promise<readonly unknown[]> {
  const { totals, ledger, diagnostics } = await inspectFile(join(folder, file));
  const { parameter, statistic, unused } = ledger.classes;
  return [
    totals.parameters,
    parameter.elements + statistic.elements,
    unused.elements,
    diagnostics.map(({ code }) => code).join(),
  ];
}

const again = "shared-weight-stored-again";
const once = "shared-weight-stored-once";
const forgotten = "shared-object-repeated";

describe("a layer in several places: parameters, and what is stored of them", () => {
  test.each([
    ["direct-and-wrapped.h5", 20, 20, 20, again],
    ["direct-and-wrapped.json", 20, 0, 0, ""],
    ["cell-of-two.h5", 120, 120, 120, again],
    ["sequential-and-wrapped.h5", 36, 36, 36, again],
    ["functional-and-wrapped.json", 72, 0, 0, forgotten],
    ["around-functional.h5", 60, 60, 0, forgotten],
    ["around-functional.json", 60, 0, 0, forgotten],
    ["inside-one.h5", 30, 30, 0, ""],
    ["two-models.json", 40, 0, 0, ""],
    ["bidirectional.json", 288, 0, 0, ""],
    ["beside-sequential-2.13.json", 40, 0, 0, forgotten],
    ["beside-sequential-2.15.h5", 20, 20, 20, again],
  ])("Keras 2, %s", async (file, ...expected) => {
    expect(await told(`k2-shared-objects/${file}`)).toEqual(expected);
  });

  test.each([
    ["direct-and-wrapped.keras", 20, ""],
    ["functional-and-wrapped.keras", 36, ""],
    ["stacked-cells.keras", 144, ""],
    ["wrapped-twice.keras", 20, once],
    ["two-models.keras", 20, once],
  ])("Keras 3, %s", async (file, parameters, codes) => {
    expect(await told(`k3-shared-objects/${file}`)).toEqual([parameters, parameters, 0, codes]);
  });
});

describe("one weight has one number", () => {
  const numbers = (report: Report): readonly unknown[] =>
    report.layers.map(({ weights }) => weights.map(({ shared }) => shared));

  test("in the report, stored or not", async () => {
    for (const file of ["direct-and-wrapped.h5", "direct-and-wrapped.json"])
      expect(numbers(await inspectFile(join(folder, "k2-shared-objects", file)))).toEqual([
        [],
        [],
        [0, 1],
        [0, 1],
      ]);
  });

  test("and a model document may not contradict it", async () => {
    const model = serializeModel(
      await readModelFile(join(folder, "k2-shared-objects/direct-and-wrapped.json")),
    );
    const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
    expect((await inspect(encode(model))).totals.parameters).toBe(20);
    const broken = model.replace(/"class": ?"parameter"/, '"class":"statistic"');
    expect(broken).not.toBe(model);
    await expect(inspect(encode(broken))).rejects.toThrow(/share is not of one class/);
  });

  test("a copy that nothing can be worked out of has the shapes of the first", async () => {
    const text = readFileSync(join(folder, "k2-shared-objects/direct-and-wrapped.json"), "utf8");
    const config = JSON.parse(text) as { config: { layers: { name: string; class_name: string }[] } };
    for (const layer of config.config.layers)
      if (layer.class_name === "TimeDistributed") layer.class_name = "Unheard";
    const report = await inspect(new TextEncoder().encode(JSON.stringify(config)));
    // What else the class may hold is not known.
    expect(report.totals).toMatchObject({ parameters: 20, status: "partial" });
  });
});

describe("marks that no Keras writes", () => {
  const dense = (id: number, name: string): JsonObject => ({
    class_name: "Dense",
    config: { name, units: 3 },
    shared_object_id: id,
  });
  const sequential = (layers: readonly JsonObject[], more: JsonObject = {}): JsonObject => ({
    class_name: "Sequential",
    config: { name: "s", layers },
    ...more,
  });
  const functional = (layers: readonly JsonObject[]): Uint8Array =>
    new TextEncoder().encode(
      JSON.stringify({
        class_name: "Functional",
        config: { name: "f", layers, input_layers: [], output_layers: [] },
        keras_version: "2.12.0",
        backend: "tensorflow",
      }),
    );

  test("doubling thirty times is a limit, as is nesting by reference", async () => {
    const layers: JsonObject[] = [sequential([dense(0, "d")], { shared_object_id: 1 })];
    for (let id = 2; id < 32; id += 1) {
      const before = { class_name: "Sequential", config: {}, shared_object_id: id - 1 };
      layers.push(sequential([before, before], { shared_object_id: id }));
    }
    await expect(inspect(functional(layers))).rejects.toMatchObject({ limit: "maxKerasLayers" });
    const chain: JsonObject[] = [sequential([dense(0, "d")], { shared_object_id: 1 })];
    for (let id = 2; id < 100; id += 1) {
      const before = { class_name: "Sequential", config: {}, shared_object_id: id - 1 };
      chain.push(sequential([before], { shared_object_id: id }));
    }
    await expect(inspect(functional(chain))).rejects.toMatchObject({ limit: "maxKerasNesting" });
  });

  test("a layer marked as what it stands in is a layer of its own", async () => {
    const report = await inspect(functional([sequential([dense(1, "d")], { shared_object_id: 1 })]));
    expect(report.layers[0]?.layers).toHaveLength(1);
  });
});
