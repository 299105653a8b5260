/** Small models of other converters, against what their own libraries hold (fixtures/onnx/converters). */

import { expect, test } from "vitest";
import { elementsOf, expectedOf, imbalance, weighZipped } from "./fixture-files.ts";

interface Converted {
  readonly learned: Readonly<Record<string, number>>;
}

const models = Object.entries(expectedOf("converters").models ?? {}) as [string, Converted][];

async function weighed(name: string) {
  const [found] = await weighZipped("converters", [name]);
  if (!found) throw new Error(name);
  expect(imbalance(found)).toEqual([]);
  return found;
}

test.each(models.filter(([, { learned }]) => "parameters" in learned))(
  "%s: parameters",
  async (name, { learned }) => {
    const found = await weighed(name);
    expect(elementsOf(found, "parameter")).toBe(learned.parameters);
    expect(found.report.totals.status).toBe("complete");
  },
);

/** What a file has beside the tree: a number to start from for each class. */
const starts: Readonly<Record<string, number>> = { xgboost_classifier: 3, xgboost_regressor: 1 };

test.each(models.filter(([, { learned }]) => "splits" in learned))(
  "%s: splits and leaves",
  async (name, { learned }) => {
    const { leaves = 0, splits = 0 } = learned;
    // Leaves have a threshold, too, which nothing reads, and a weight.
    expect(elementsOf(await weighed(name), "parameter")).toBe(splits + leaves + leaves + (starts[name] ?? 0));
  },
);

test("a type that a converter declares for one row, or for no column, does not hide what follows from the operator", async () => {
  const said = async (name: string) =>
    (await weighed(name)).report.diagnostics.map(({ code, message }) => [code, message.replace(/;.*/, "")]);
  expect(await said("lightgbm_classifier")).toEqual([
    ["declared-inferred-mismatch", "the file declares int64 (1), but int64 (?X:0) follows from the operator"],
  ]);
  expect(await said("catboost_regressor")).toEqual([
    [
      "declared-inferred-mismatch",
      "the file declares float32 (N), but float32 (N, 1) follows from the operator",
    ],
  ]);
});
