/** ONNX files made up to look like those of PyTorch's exporters, with more of everything than these ever write. */

import { it } from "vitest";
import { times } from "./keras-config.ts";
import { model, node } from "./onnx-model.ts";
import { survive } from "./survive.ts";

it("thousands of attentions in the same two scopes", async () => {
  const weight = (i: number): string => `a${i}.out_proj.weight`;
  const nodes = times(12_000, (i) => ({
    ...node("MatMul", ["x", weight(i >> 1)], [`y${i}`]),
    name: `/${i % 2 === 0 ? "p" : "q"}/MatMul_${i}`,
  }));
  const initializers = times(6000, (i) => ({
    name: weight(i),
    dims: [2, 2],
    dataType: 1,
    rawData: new Uint8Array(16),
  }));
  await survive(model(nodes, { producer: "pytorch", initializers }), "attention", false);
});
