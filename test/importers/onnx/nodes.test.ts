/** Single nodes that ONNX Runtime ran: windows, factors and its own operators (fixtures/onnx/nodes). */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { memorySource } from "../../../src/io/memory.ts";
import { operators } from "../../../src/operators/index.ts";
import { inferShapes } from "../../../src/passes/infer-shapes.ts";
import { readModel } from "../../../src/public/inspect.ts";
import { openZip } from "../../../src/wire/zip.ts";
import { type StatedType, sameAsDeclared } from "./stated-type.ts";

interface Case {
  readonly op: string;
  readonly outputs: readonly StatedType[];
}

const folder = join(import.meta.dirname, "../../../fixtures/onnx/nodes");

test("outputs have the types that running them gives", async () => {
  const zip = await openZip(memorySource(readFileSync(join(folder, "models.zip")), "models.zip"));
  const cases = JSON.parse(readFileSync(join(folder, "expected.json"), "utf8")) as Record<string, Case>;
  const wrong: string[] = [];
  for (const [name, { outputs }] of Object.entries(cases)) {
    const entry = zip.find(`${name}.onnx`);
    if (!entry) throw new Error(`${name} is not in the archive`);
    const { model } = await readModel(await zip.openEntry(entry));
    const facts = inferShapes(model, operators);
    const types = model.graph.outputs.map((ref) => {
      const layer = model.graph.layers[ref.layer];
      return layer && facts.layers.get(layer)?.calls[ref.call]?.types[ref.output];
    });
    outputs.forEach((stated, i) => {
      if (sameAsDeclared(types[i], stated)) return;
      wrong.push(`${name} ${i}: ${JSON.stringify(types[i])}, not ${JSON.stringify(stated)}`);
    });
  }
  expect(wrong).toEqual([]);
  expect(Object.keys(cases).length).toBeGreaterThan(800);
});

test("packed bytes of a table count as what they hold", async () => {
  const zip = await openZip(memorySource(readFileSync(join(folder, "models.zip")), "models.zip"));
  const kernel = async (name: string) => {
    const entry = zip.find(`${name}.onnx`);
    if (!entry) throw new Error(`${name} is not in the archive`);
    const { model } = await readModel(await zip.openEntry(entry));
    const weights = model.graph.layers.flatMap((layer) => layer.weights);
    return weights.find((weight) => weight.class === "parameter");
  };
  expect(await kernel("ms_gather4")).toMatchObject({ shape: [6, 32], packing: { values: 2 } });
  expect(await kernel("ms_gather8")).not.toHaveProperty("packing");
  expect(await kernel("ms_nbits")).toMatchObject({ shape: [64, 10], packing: { values: 2 } });
});
