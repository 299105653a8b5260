/** Classes read from names and shapes against the real ones (fixtures/build/pytorch/kinds.py). */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { formatSummary } from "../../../src/public/index.ts";
import { inspectFile } from "../../../src/public/node.ts";

const folder = join(import.meta.dirname, "../../../fixtures/pytorch/kinds");
const expected: {
  readonly parameters: number;
  readonly buffers: number;
  readonly classes: Readonly<Record<string, string>>;
} = JSON.parse(readFileSync(join(folder, "kinds.json"), "utf8"));
const report = await inspectFile(join(folder, "legacy.pt"));

/** Weights that two classes own alike: what is taken, being far more frequent, or the word for both. */
const ambiguous: Readonly<Record<string, string>> = {
  // Transposed: [in, out / groups, ...], which without a telling bias is a convolution's [out, in / groups, ...].
  ct2nb: "Conv2d",
  ct2sq: "Conv2d",
  ct2dw: "Conv2d",
  bilinear: "Conv1d",
  bilnb: "Conv1d",
  // Names that do not say that they are tables.
  tok: "Linear",
  ebag: "Linear",
  bnnostat: "Norm",
  inorm: "Norm",
  inormt: "BatchNorm",
  norm1: "Norm",
  norm2: "Norm",
  norm3: "Norm",
  // A lone vector.
  lnnb: "?",
  rms: "?",
  act: "?",
  out_proj: "Linear",
};

test("totals are PyTorch's", () => {
  expect(report.totals).toMatchObject({ parameters: expected.parameters, status: "complete" });
  expect(report.ledger.elements).toBe(expected.parameters + expected.buffers);
  const { statistic, bookkeeping } = report.ledger.classes;
  expect(statistic.elements + bookkeeping.elements).toBe(expected.buffers);
});

test.each(report.layers.map(({ name, type, recognized }) => [name, type, recognized] as const))(
  "%s is recognised as %s",
  (name, type, recognized) => {
    const real = expected.classes[name]?.replace(/^(Sync)?BatchNorm(\dd)?$/, "BatchNorm");
    const last = name.slice(name.lastIndexOf(".") + 1);
    expect(type).toBe(ambiguous[last] ?? real);
    expect(recognized).toBe(type === "?" ? undefined : true);
  },
);

test("the mark is shown", () => {
  expect(formatSummary(report)).toContain("lstm2b (~LSTM)");
});
