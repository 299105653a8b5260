/** Quantised weights as programs pickle them, against the network before it was quantised (fixtures/build/pytorch/packed.py). */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { inspect } from "../../../src/public/index.ts";
import { inspectFile } from "../../../src/public/node.ts";
import { checkFigures, said } from "../../hostile/survive.ts";

const folder = join(import.meta.dirname, "../../../fixtures/pytorch/packed");

interface Facts {
  readonly parameters: number;
  /** Of weights that have another shape in the file. */
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  readonly lacks?: number;
  readonly constant?: number;
}

const { files } = JSON.parse(readFileSync(join(folder, "facts.json"), "utf8")) as {
  readonly files: Readonly<Record<string, Facts>>;
};

test.each(Object.entries(files))("%s", async (file, { parameters, shapes, lacks, constant }) => {
  const report = await inspectFile(join(folder, file));
  checkFigures(report, file);
  expect(report.totals).toMatchObject({
    parameters: parameters - (lacks ?? 0),
    status: lacks === undefined ? "complete" : "partial",
  });
  expect(report.diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  expect(said(report, "weights-packed")).toHaveLength(lacks === undefined ? 0 : 1);
  if (constant !== undefined) expect(report.ledger.classes.constant.elements).toBe(constant);
  const weights = new Map(report.layers.flatMap(({ weights }) => weights.map((one) => [one.name, one])));
  for (const [name, shape] of Object.entries(shapes)) {
    expect(weights.get(name), name).toMatchObject({ shape, class: "parameter" });
    expect(weights.get(name)?.bytes, name).toBeLessThan(2 * (weights.get(name)?.elements ?? 0));
  }
});

test("scales of a module's quantised weight stand with it, once", async () => {
  const { ledger } = await inspectFile(join(folder, "bnb4-module.pt"));
  // Of each of two weights: 16 values of the code, absmax in two levels with a code of 256 and an offset.
  const { absmax, code, nested, offset } = { absmax: 8 + 1, code: 2 * 16, nested: 2 * (1 + 256), offset: 2 };
  expect(ledger.classes.quantization.elements).toBe(absmax + code + nested + offset);
  expect(ledger.classes.constant.elements).toBe(0);
});

test("a shape that the numbers have no room for is not believed", async () => {
  const bytes = readFileSync(join(folder, "bnb4-parameters.pt"));
  const text = bytes.toString("latin1");
  // Size (8, 64) of the first weight, as it stands in its quant_state.
  const at = text.indexOf("K\x08K@\x86", text.indexOf("quant_state"));
  for (const rows of [1, 3, 9, 200]) {
    const made = Uint8Array.from(bytes);
    made[at + 1] = rows;
    const report = await inspect(made);
    expect(report.totals).toMatchObject({ parameters: 8 + 16 + 27, status: "partial" });
    expect(said(report, "weights-packed")).toHaveLength(1);
  }
});
