/** Every committed safetensors file against what PyTorch and the safetensors package say (fixtures/build/safetensors). */

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
import { checkFigures } from "../../hostile/survive.ts";

const base = join(import.meta.dirname, "../../../fixtures/safetensors");

interface Expected {
  readonly models: readonly { readonly file: string }[];
  /** Elements of the parameters of the float network. */
  readonly parameters?: number;
  /** By file, as stored. */
  readonly elements?: Readonly<Record<string, number>>;
  readonly bytes?: Readonly<Record<string, number>>;
  readonly tensors?: Readonly<
    Record<string, Readonly<Record<string, { readonly dtype: string; readonly shape: readonly number[] }>>>
  >;
  /** Shapes of packed weights in the float network. */
  readonly shapes?: Readonly<Record<string, readonly number[]>>;
}

const cases = readdirSync(base)
  .filter((name) => existsSync(join(base, name, "expected.json")))
  .map((name) => ({
    name,
    expected: JSON.parse(readFileSync(join(base, name, "expected.json"), "utf8")) as Expected,
  }));

describe.each(cases)("$name", ({ name, expected }) => {
  test.each(expected.models.map(({ file }) => file))("%s", async (file) => {
    const path = join(base, name, file);
    const imported = await readModelFile(path);
    const report = await inspectFile(path);
    checkFigures(report, file);
    const { parameters, elements, bytes, tensors, shapes } = expected;
    if (parameters !== undefined) {
      expect(report.totals).toMatchObject({ parameters, status: "complete" });
      expect(formatSummary(report)).toContain(`Total params: ${parameters.toLocaleString("en")} `);
    }
    if (elements) expect(report.ledger.elements).toBe(elements[file]);
    if (bytes) expect(report.ledger.bytes).toBe(bytes[file]);
    const stored = imported.model.tensors.map(({ path, dtype, shape }) => [path, { dtype, shape }]);
    if (tensors) expect(Object.fromEntries(stored)).toEqual(tensors[file]);
    const weights = report.layers.flatMap((layer) => layer.weights);
    for (const [weight, shape] of Object.entries(shapes ?? {}))
      expect([weight, weights.find((w) => w.name === weight)?.shape]).toEqual([weight, shape]);
    if (shapes) expect(report.ledger.classes.unclassified.tensors).toBe(0);

    // The model document gives the same.
    const text = formatJson(reportOf(imported));
    expect(formatJson(report)).toBe(text);
    const document = new TextEncoder().encode(serializeModel(imported));
    expect(formatJson(await inspect(document))).toBe(text);
    expect((await readModel(document)).model).toEqual(imported.model);
  });
});
