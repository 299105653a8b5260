/**
 * What our rules infer for the backend tests of the onnx package, held against what the models declare, and against what
 * onnx itself infers.
 *
 * `ONNX_OPS=Conv,Gemm npx vitest run test/importers/onnx/backend.test.ts` shows the differences of some operators.
 */

import { beforeAll, describe, expect, test } from "vitest";
import { type BackendResult, readPeerTable, runBackend } from "./backend-models.ts";

const wanted = process.env.ONNX_OPS?.split(",");
let results: readonly BackendResult[] = [];

beforeAll(async () => {
  results = await runBackend(wanted);
});

describe("types of outputs", () => {
  test("are inferred wherever onnx infers them", () => {
    const lost = results.flatMap(({ outputs }) =>
      outputs.filter(({ ours, onnx }) => onnx && !ours).map(({ text }) => text),
    );
    expect(lost).toEqual([]);
  });

  test("are never others than the declared ones", () => {
    const wrong = results.flatMap(({ outputs }) =>
      outputs.filter(({ contradicts }) => contradicts).map(({ text }) => text),
    );
    expect(wrong).toEqual([]);
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
    if (wanted) return;
    expect(solved("onnx")).toBe(readPeerTable().all.all.onnx);
    expect(solved("ours")).toBeGreaterThan(solved("onnx"));
  });
});
