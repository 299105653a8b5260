/** Formats and widths of compressed-tensors, against the network before (fixtures/build/safetensors/compressed.py). */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { inspectFile } from "../../../src/public/node.ts";
import { checkFigures } from "../../hostile/survive.ts";

const folder = join(import.meta.dirname, "../../../fixtures/safetensors/compressed");

const facts = JSON.parse(readFileSync(join(folder, "facts.json"), "utf8")) as Readonly<
  Record<
    string,
    { readonly parameters: number; readonly shapes: Readonly<Record<string, readonly number[]>> }
  >
>;

test.each(Object.entries(facts))("%s", async (name, { parameters, shapes }) => {
  const report = await inspectFile(join(folder, name));
  checkFigures(report, name);
  expect(report.totals).toMatchObject({ parameters, status: "complete" });
  const weights = new Map(report.layers.flatMap(({ weights }) => weights.map((one) => [one.name, one])));
  for (const [weight, shape] of Object.entries(shapes))
    expect(weights.get(weight), weight).toMatchObject({ shape });
});
