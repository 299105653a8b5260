/**
 * Every committed Keras file against what real Keras releases measured of it, and what must hold of any file: the
 * ledger sums, rows sum to totals, two runs agree, and the model document gives the same report.
 */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { formatJson, inspect, readModel, reportOf, serializeModel } from "../src/public/index.ts";
import { inspectFile, readModelFile } from "../src/public/node.ts";
import type { Report } from "../src/report/report.ts";
import { isKnown, knownDifferences } from "./known-differences.ts";
import { differences, type Measured } from "./truth.ts";

/** FIXTURES names another folder of cases, as `npm run truth` makes them. */
const base = process.env.FIXTURES ?? join(import.meta.dirname, "../fixtures/keras");

interface Expected {
  readonly models: readonly { readonly file: string; readonly measured: readonly Measured[] }[];
}

function cases(folder: string): { name: string; path: string; expected: Expected }[] {
  return readdirSync(folder)
    .filter((name) => existsSync(join(folder, name, "expected.json")))
    .map((name) => ({
      name,
      path: join(folder, name),
      expected: JSON.parse(readFileSync(join(folder, name, "expected.json"), "utf8")) as Expected,
    }));
}

function checkInvariants(report: Report): void {
  const entries = Object.values(report.ledger.classes);
  expect(entries.reduce((sum, entry) => sum + entry.elements, 0)).toBe(report.ledger.elements);
  expect(entries.reduce((sum, entry) => sum + entry.bytes, 0)).toBe(report.ledger.bytes);
  expect(report.totals.trainable + report.totals.nonTrainable).toBe(report.totals.parameters);
  for (const layer of report.layers) expect(layer.trainable + layer.nonTrainable).toBe(layer.params);
}

const stacked = join(base, "zoo/stacked");
for (const { name, path, expected } of [...cases(base), ...(existsSync(stacked) ? cases(stacked) : [])]) {
  describe(name, () => {
    for (const { file, measured } of expected.models) {
      it(`${file} is what Keras holds after loading it`, async () => {
        const report = await inspectFile(join(path, file));
        checkInvariants(report);
        for (const truth of measured) {
          if (isKnown(knownDifferences, { name, oracle: truth.oracle })) continue;
          expect(differences(report, truth), truth.oracle).toEqual([]);
        }
      });

      it(`${file} gives the same report twice, and from its model document`, async () => {
        const imported = await readModelFile(join(path, file));
        const report = formatJson(reportOf(imported));
        expect(formatJson(await inspectFile(join(path, file)))).toBe(report);
        const document = new TextEncoder().encode(serializeModel(imported));
        expect(formatJson(await inspect(document))).toBe(report);
        expect((await readModel(document)).model).toEqual(imported.model);
      });
    }
  });
}
