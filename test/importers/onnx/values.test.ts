/** Elements that rules work out of stored ones, against ONNX Runtime (fixtures/onnx/values). */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { memorySource } from "../../../src/io/memory.ts";
import { operators } from "../../../src/operators/index.ts";
import { inferShapes } from "../../../src/passes/infer-shapes.ts";
import { readModel } from "../../../src/public/inspect.ts";
import { openZip } from "../../../src/wire/zip.ts";

interface Expected {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly elements: readonly (number | null)[];
}

const folder = join(import.meta.dirname, "../../../fixtures/onnx/values");

/** Sums of fractions depend on the order; everything else is exact. */
function differs(ours: unknown, theirs: number | null | undefined, dtype: string): boolean {
  if (theirs === null || theirs === undefined || typeof ours !== "number") return ours !== null;
  const slack = dtype === "float32" ? 2e-7 : dtype === "float64" ? 1e-15 : 0;
  return Math.abs(ours - theirs) > slack * Math.max(1, Math.abs(theirs));
}

/** Results that leave the range of their type are unknown, where the runtime wraps around. */
const isSmall = (dtype: string): boolean => /^u?int8$/.test(dtype);

test("elements are those of ONNX Runtime, or unknown where they overflow", async () => {
  const zip = await openZip(memorySource(readFileSync(join(folder, "models.zip")), "models.zip"));
  const { models } = JSON.parse(readFileSync(join(folder, "expected.json"), "utf8")) as {
    models: Record<string, Expected>;
  };
  const wrong: string[] = [];
  for (const [name, { dtype, shape, elements }] of Object.entries(models)) {
    const entry = zip.find(`${name}.onnx`);
    if (!entry) throw new Error(`${name} is not in the archive`);
    const { model } = await readModel(await zip.openEntry(entry));
    const [ref] = model.graph.outputs;
    const layer = ref && model.graph.layers[ref.layer];
    const type = layer && inferShapes(model, operators).layers.get(layer)?.calls[0]?.types[0];
    const value = type && "value" in type ? [type.value].flat() : [];
    const missing = value.length !== elements.length || (value.includes(null) && !isSmall(dtype));
    const different = value.some((element, i) =>
      isSmall(dtype) && element === null ? false : differs(element, elements[i], dtype),
    );
    const sameType = type?.dtype === dtype && JSON.stringify(type.shape) === JSON.stringify(shape);
    if (missing || different || !sameType)
      wrong.push(`${name}: ${JSON.stringify(type)} / ${dtype} ${JSON.stringify(elements)}`);
  }
  expect(Object.keys(models).length).toBeGreaterThan(400);
  expect(wrong).toEqual([]);
});
