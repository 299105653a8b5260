/**
 * The backend tests of the onnx package, with every declared type but those of the inputs taken away: what our rules
 * infer is held against what the models declare, and against what onnx itself infers (fixtures/onnx/backend).
 *
 * `ONNX_OPS=Conv,Gemm npx vitest run test/importers/onnx/backend.test.ts` shows the differences of some operators.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { memorySource } from "../../../src/io/memory.ts";
import type { Model } from "../../../src/ir/model.ts";
import type { TensorType } from "../../../src/ir/tensor.ts";
import { operators } from "../../../src/operators/index.ts";
import { inferShapes } from "../../../src/passes/infer-shapes.ts";
import { readModel } from "../../../src/public/inspect.ts";
import { openZip } from "../../../src/wire/zip.ts";
import { withoutDeclared } from "./measured-shapes.ts";
import { type StatedType, sameAsDeclared } from "./stated-type.ts";

interface Case {
  readonly ops: readonly string[];
  readonly outputs: Readonly<Record<string, StatedType>>;
  readonly onnx: Readonly<Record<string, StatedType | null>> | null;
}

interface Result {
  readonly name: string;
  readonly ops: readonly string[];
  /** By output: solved by us, by onnx. */
  readonly outputs: readonly { readonly ours: boolean; readonly onnx: boolean; readonly text: string }[];
}

const folder = join(import.meta.dirname, "../../../fixtures/onnx/backend");
const wanted = process.env.ONNX_OPS?.split(",");

function outputTypes(model: Model): readonly (TensorType | undefined)[] {
  const graph = withoutDeclared(model.graph);
  const facts = inferShapes({ ...model, graph }, operators);
  return graph.outputs.map((ref) => {
    const layer = graph.layers[ref.layer];
    return layer && facts.layers.get(layer)?.calls[ref.call]?.types[ref.output];
  });
}

const results: Result[] = [];

beforeAll(async () => {
  const source = memorySource(readFileSync(join(folder, "models.zip")), "models.zip");
  const zip = await openZip(source);
  const expected = JSON.parse(readFileSync(join(folder, "expected.json"), "utf8")).models as Record<
    string,
    Case
  >;
  for (const [name, { ops, outputs, onnx }] of Object.entries(expected)) {
    if (wanted && !ops.some((op) => wanted.includes(op))) continue;
    const entry = zip.find(`${name}.onnx`);
    if (!entry) throw new Error(`${name} is not in the archive`);
    const bytes = await zip.openEntry(entry);
    const { model } = await readModel(bytes);
    const types = outputTypes(model);
    results.push({
      name,
      ops,
      outputs: Object.entries(outputs).map(([output, stated], i) => ({
        ours: sameAsDeclared(types[i], stated),
        onnx: onnx?.[output] !== undefined && JSON.stringify(onnx[output]) === JSON.stringify(stated),
        text: `${name} ${output}: ${JSON.stringify(stated)} / ${JSON.stringify(types[i])}`,
      })),
    });
  }
}, 120_000);

describe("types of outputs", () => {
  test("are inferred wherever onnx infers them", () => {
    const lost = results.flatMap(({ outputs }) =>
      outputs.filter(({ ours, onnx }) => onnx && !ours).map(({ text }) => text),
    );
    expect(lost).toEqual([]);
  });

  test("are inferred for strictly more models", () => {
    const solved = (by: "ours" | "onnx"): number =>
      results.filter(({ outputs }) => outputs.every((output) => output[by])).length;
    if (wanted)
      for (const { outputs } of results)
        for (const { ours, text } of outputs) if (!ours) process.stdout.write(`${text}\n`);
    process.stdout.write(
      `backend tests: ${results.length} models, ${solved("ours")} solved here, ${solved("onnx")} by onnx\n`,
    );
    if (!wanted) expect(solved("ours")).toBeGreaterThan(solved("onnx"));
  });
});
