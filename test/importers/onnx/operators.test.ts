/** Small models whose outputs onnxruntime computed (fixtures/onnx/operators). */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { memorySource } from "../../../src/io/memory.ts";
import type { TensorType } from "../../../src/ir/tensor.ts";
import { operators } from "../../../src/operators/index.ts";
import { inferShapes } from "../../../src/passes/infer-shapes.ts";
import { readModel } from "../../../src/public/inspect.ts";
import { openZip } from "../../../src/wire/zip.ts";

type Stated = "sequence" | readonly [dtype: string, shape: readonly number[]];

const folder = join(import.meta.dirname, "../../../fixtures/onnx/operators");
const zip = await openZip(memorySource(readFileSync(join(folder, "models.zip"))));
const cases = Object.entries(
  JSON.parse(readFileSync(join(folder, "expected.json"), "utf8")).models as Record<
    string,
    { readonly outputs: readonly Stated[] }
  >,
);

async function outputsOf(name: string): Promise<readonly (TensorType | undefined)[]> {
  const entry = zip.find(`${name}.onnx`);
  if (!entry) throw new Error(`${name} is not in the archive`);
  const { model } = await readModel(await zip.openEntry(entry));
  const { layers, diagnostics } = inferShapes(model, operators);
  expect(diagnostics).toEqual([]);
  return model.graph.outputs.map(({ layer, call, output }) => {
    const found = model.graph.layers[layer];
    return found && layers.get(found)?.calls[call]?.types[output];
  });
}

/** Sizes that only the values of inputs decide, and how often a loop runs. */
const open: Readonly<Record<string, readonly (readonly (number | null)[])[]>> = {
  bifurcation: [[null], [1]],
  loop_ends: [
    [2, 4],
    [null, 2, 4],
  ],
  loop_grows: [
    [null, 4],
    [3, 2, 4],
  ],
  time_warping: [[2, null]],
  tokenizer: [[2, null]],
  tokenizer_matrix: [[1, 2, null]],
  unique: [[null], [5], [null]],
};

test.each(cases)("%s", async (name, { outputs }) => {
  const types = await outputsOf(name);
  expect(types.length).toBe(outputs.length);
  for (const [i, stated] of outputs.entries()) {
    if (stated === "sequence") {
      expect(types[i]?.of?.container).toBe("sequence");
      expect(types[i]?.of?.element?.of?.container).toBe("map");
    } else {
      expect(types[i]?.dtype).toBe(stated[0]);
      expect(types[i]?.shape).toEqual(open[name]?.[i] ?? stated[1]);
    }
  }
});
