/** Quantized and fused models, against the float networks that they were made from. */

import { describe, expect, test } from "vitest";
import { elementsOf, expectedOf, imbalance, weightsOf, weighZipped } from "./fixture-files.ts";

interface Quantized {
  readonly twin?: string;
  readonly parameters: number;
  readonly weights?: Readonly<Record<string, readonly [string, number]>>;
}

const models: Readonly<Record<string, Quantized>> = expectedOf("quantized").models ?? {};

/** Where the file cannot have the network's count. */
const differences: readonly { readonly names: RegExp; readonly off: number; readonly reason: string }[] = [
  {
    names: /^cnn-/,
    off: -16,
    reason: "batch normalization of 16 channels went into a convolution: 32 became a bias of 16",
  },
];

describe("parameters are those of the float network", () => {
  test.each(Object.keys(models))("%s", async (name) => {
    const expected = models[name] as Quantized;
    for (const weighed of await weighZipped("quantized", [name])) {
      const known = differences.filter(({ names }) => names.test(name)).map(({ off }) => off);
      expect(weighed.report.totals.parameters).toBe(expected.parameters + (known[0] ?? 0));
      expect(elementsOf(weighed, "unclassified")).toBe(0);
      expect(elementsOf(weighed, "quantization") > 0).toBe(expected.weights !== undefined);
      expect(imbalance(weighed)).toEqual([]);
      const weights = weightsOf(weighed);
      // Scalars are constants of an activation; ones and zeros of a normalization of groups are literals.
      const matrices = Object.entries(expected.weights ?? {}).filter(
        ([stored, [, elements]]) => elements > 1 && !stored.includes("/Constant_"),
      );
      for (const [stored, [, elements]] of matrices)
        expect([stored, weights.get(stored)?.elements]).toEqual([stored, elements]);
    }
  });
});

test.each(Object.keys(models).filter((name) => /^cnn-(?!ort-all)/.test(name)))(
  "%s says that a normalization was folded",
  async (name) => {
    for (const { imported } of await weighZipped("quantized", [name])) {
      const said = imported.diagnostics.find(({ code }) => code === "normalization-likely-folded");
      expect(said?.args).toEqual({ modules: 1, parameters: 32, statistics: 32 });
    }
  },
);

test.each(["shared-qdq", "shared-qdq-16bit"])("%s stores a bias again", async (name) => {
  for (const { imported } of await weighZipped("quantized", [name])) {
    const said = imported.diagnostics.find(({ code }) => code === "weight-repeated");
    expect(said?.args).toEqual({ modules: 1, tensors: 1, elements: 16 });
  }
});
