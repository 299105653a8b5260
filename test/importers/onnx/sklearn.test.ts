/** scikit-learn's estimators: what is learned is in attributes of nodes (fixtures/onnx/sklearn). */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { memorySource } from "../../../src/io/memory.ts";
import type { TensorType } from "../../../src/ir/tensor.ts";
import { operators } from "../../../src/operators/index.ts";
import { inferShapes } from "../../../src/passes/infer-shapes.ts";
import { inspect, readModel } from "../../../src/public/inspect.ts";

interface Case {
  readonly learned: Readonly<Record<string, unknown>>;
  /** Elements of lists of real numbers, by node. */
  readonly floats: readonly (readonly [domain: string, type: string, count: number])[];
  /** For 3 rows. */
  readonly shapes: Readonly<Record<string, readonly number[] | { readonly items: number }>>;
}

const folder = join(import.meta.dirname, "../../../fixtures/onnx/sklearn");
const cases = Object.entries(
  JSON.parse(readFileSync(join(folder, "expected.json"), "utf8")).models as Record<string, Case>,
);

const source = (name: string) => memorySource(readFileSync(join(folder, name)), name);

async function outputsOf(name: string): Promise<readonly (TensorType | undefined)[]> {
  const { model } = await readModel(source(name));
  const { layers, diagnostics } = inferShapes(model, operators);
  expect(diagnostics).toEqual([]);
  return model.graph.outputs.map(({ layer, call, output }) => {
    const found = model.graph.layers[layer];
    return found && layers.get(found)?.calls[call]?.types[output];
  });
}

test.each(cases)("%s: shapes of outputs", async (name, { shapes }) => {
  const types = await outputsOf(name);
  for (const [i, stated] of Object.values(shapes).entries()) {
    if ("items" in stated) expect(types[i]?.of?.container).toBe("sequence");
    // The number of rows has no name.
    else expect(types[i]?.shape?.slice(1)).toEqual(stated.slice(1));
    if (!("items" in stated)) expect(types[i]?.shape?.length).toBe(stated.length);
  }
});

describe("the ledger", () => {
  /** Linear models and scalers: all that is learned, and nothing else, is in lists of real numbers. */
  const direct = cases.filter(
    ([, { floats, learned }]) =>
      floats.length > 0 &&
      floats.every(([, type]) => /^(Linear|Scaler)/.test(type)) &&
      floats.reduce((sum, [, , count]) => sum + count, 0) ===
        Object.values(learned).reduce<number>((sum, count) => sum + Number(count), 0),
  );

  test.each(direct)("%s", async (name, { learned }) => {
    const { ledger } = await inspect(source(name));
    const count = (...keys: readonly string[]) =>
      keys.reduce((sum, key) => sum + Number(learned[key] ?? 0), 0);
    expect(ledger.classes.parameter.elements).toBe(count("coef", "intercept"));
    expect(ledger.classes.statistic.elements).toBe(count("mean", "scale"));
  });

  test("has every split, leaf value and count of a tree", async () => {
    // 5 nodes with a threshold and a number of samples each, 3 leaves with a weight for each of 3 classes.
    const { ledger } = await inspect(source("decision_tree_classifier.onnx"));
    expect(ledger.classes.parameter.elements).toBe(5 + 3 * 3);
    expect(ledger.classes.statistic.elements).toBe(5);
  });

  test("has the parts of a machine of support vectors", async () => {
    // 74 vectors of 4 features, 148 coefficients, 3 offsets, two fits of probabilities for each of 3 pairs.
    const { ledger } = await inspect(source("svc_rbf.onnx"));
    expect(ledger.classes.parameter.elements).toBe(74 * 4 + 148 + 3 + 2 * 3);
  });
});
