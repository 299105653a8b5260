/** Networks whose weights are filled in by ConstantOfShape, against sizes that onnxruntime computed. */

import { describe, expect, test } from "vitest";
import { elementsOf, expectedOf, imbalance, weighFile } from "./fixture-files.ts";

interface Light {
  readonly totals: { readonly learned: number; readonly statistics: number; readonly unused: number };
  readonly weights: Readonly<Record<string, { readonly generated: boolean }>>;
}

const models: Readonly<Record<string, Light>> = expectedOf("light").models ?? {};

describe("generated weights", () => {
  test.each(Object.keys(models))("%s", async (file) => {
    const { totals, weights } = models[file] as Light;
    const weighed = await weighFile("light", file);
    const { parameters, statistics } = weighed.report.totals;
    expect({ learned: parameters - statistics, statistics }).toEqual({
      learned: totals.learned,
      statistics: totals.statistics,
    });
    expect(elementsOf(weighed, "unused")).toBe(totals.unused);
    expect(elementsOf(weighed, "unclassified")).toBe(0);
    expect(imbalance(weighed)).toEqual([]);
    const said = weighed.imported.diagnostics.filter(({ code }) => code === "weight-generated");
    expect(said.length).toBe(Object.values(weights).filter(({ generated }) => generated).length);
  });
});
