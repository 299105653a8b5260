/** LeNet-5 and AlexNet, against the figures of their papers. */

import { describe, expect, test } from "vitest";
import { elementsOf, expectedOf, imbalance, weighFile, weightsOf } from "./fixture-files.ts";

interface Worked {
  readonly totals: { readonly parameters: number; readonly fixed: number };
  readonly layers: readonly { readonly weights: readonly string[]; readonly parameters: number }[];
}

const models: Readonly<Record<string, Worked>> = expectedOf("worked").models ?? {};

describe("networks of the papers", () => {
  test.each(Object.keys(models))("%s", async (file) => {
    const { totals, layers } = models[file] as Worked;
    const weighed = await weighFile("worked", file);
    expect(weighed.report.totals.parameters).toBe(totals.parameters);
    // Nothing in the file tells fixed codes from learned ones.
    expect(elementsOf(weighed, "unclassified")).toBe(totals.fixed);
    expect(imbalance(weighed)).toEqual([]);
    const weights = weightsOf(weighed);
    for (const layer of layers.filter(({ parameters }) => parameters > 0)) {
      const elements = layer.weights.map((name) => weights.get(name)?.elements ?? 0);
      expect(elements.reduce((a, b) => a + b, 0)).toBe(layer.parameters);
    }
  });
});
