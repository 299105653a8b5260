/** Small models of one trap each, against what they were built of. */

import { describe, expect, test } from "vitest";
import { expectedOf, imbalance, weighFile } from "./fixture-files.ts";

interface Built {
  readonly learned?: number | null;
  readonly quantized?: number;
  readonly statistics?: number;
}

const models: Readonly<Record<string, Built>> = expectedOf("structure").models ?? {};
const files = Object.keys(models).filter((file) => file.endsWith(".onnx") && file !== "tensor.onnx");

/** Where we count otherwise, and why. */
const differences: Readonly<Record<string, { readonly ours: number; readonly reason: string }>> = {
  "gru-keras.onnx": {
    ours: 165,
    reason: "that half of the bias is zeros is in the payload, which is not read",
  },
  "lstm-keras.onnx": {
    ours: 220,
    reason: "that half of the bias is zeros is in the payload, which is not read",
  },
  "generated-kernel.onnx": { ours: 112, reason: "what is made when the model runs counts as its weights" },
  "ml-tree.onnx": { ours: 5, reason: "thresholds and leaves of a tree are learned, too" },
  "nested-graphs.onnx": { ours: 16, reason: "what a branch adds may be learned or not: 12 are unclassified" },
  "sparse-initializer.onnx": { ours: 5, reason: "of a sparse weight the stored elements count" },
};

describe("learned elements", () => {
  test.each(files)("%s", async (file) => {
    const { learned, quantized } = models[file] as Built;
    const weighed = await weighFile("structure", file);
    expect(imbalance(weighed)).toEqual([]);
    if (typeof learned !== "number" && quantized === undefined) return;
    const { parameters, statistics } = weighed.report.totals;
    const built = (learned ?? 0) + (quantized ?? 0);
    expect(parameters - statistics).toBe(differences[file]?.ours ?? built);
    expect(differences[file]?.ours).not.toBe(built);
  });
});
