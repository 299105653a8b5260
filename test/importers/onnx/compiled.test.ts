/** Parts of a network that were compiled for a device: their weights are in no tensor. */

import { onnx } from "onnx-proto";
import { expect, test } from "vitest";
import { type Report, readModel, reportOf } from "../../../src/public/index.ts";

async function weigh(domain: string, opType: string): Promise<Report> {
  const float = { tensorType: { elemType: 1, shape: { dim: [{ dimValue: 2 }] } } };
  const context = { name: "ep_cache_context", type: 3, s: new TextEncoder().encode("part.bin") };
  const model = onnx.ModelProto.create({
    irVersion: 8,
    opsetImport: [{ version: 17 }, { domain, version: 1 }],
    graph: {
      input: [{ name: "x", type: float }],
      output: [{ name: "z", type: float }],
      node: [
        { opType, domain, input: ["x"], output: ["y"], attribute: [context] },
        { opType, domain, input: ["y"], output: ["z"], attribute: [context] },
      ],
    },
  });
  return reportOf(await readModel(new Uint8Array(onnx.ModelProto.encode(model).finish())));
}

test.each(["EPContext", "Snpe"])("%s: the totals are a lower bound, and a note says why", async (type) => {
  const { totals, diagnostics } = await weigh("com.microsoft", type);
  expect([totals.parameters, totals.status]).toEqual([0, "partial"]);
  expect(diagnostics.find(({ code }) => code === "part-compiled")?.message).toMatch(
    new RegExp(`^2 nodes hold parts .*\\(${type}\\)`),
  );
});

test("an operator of another domain that has the name is none", async () => {
  const { totals, diagnostics } = await weigh("mine", "EPContext");
  expect(totals.status).toBe("complete");
  expect(diagnostics.map(({ code }) => code)).toEqual(["operator-unknown"]);
});
