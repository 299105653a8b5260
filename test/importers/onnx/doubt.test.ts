import { expect, test } from "vitest";
import { reportDoubt } from "../../../importers/onnx/doubt.ts";
import { type Diagnostic, formatDiagnostic } from "../../../src/diagnostics.ts";
import type { StoredTensor } from "../../../src/ir/tensor.ts";

function textOf(count: number): string[] {
  const found: Diagnostic[] = [];
  const tensors = Array.from(
    { length: count },
    (_, i): StoredTensor => ({
      path: `t${i}`,
      dtype: "float32",
      shape: [3],
      bytes: 12,
      unclaimed: "unclassified",
    }),
  );
  reportDoubt("class-ambiguous", tensors, (diagnostic) => found.push(diagnostic));
  return found.map(formatDiagnostic);
}

test("names the first tensors and says how many more there are", () => {
  expect(textOf(0)).toEqual([]);
  expect(textOf(1)[0]).toMatch(/^1 tensor \(3 elements\) .*lower bound: t0$/);
  expect(textOf(5)[0]).toMatch(/^5 tensors .*: t0, t1, t2, t3, t4$/);
  expect(textOf(7)[0]).toMatch(/^7 tensors \(21 elements\).*: t0, t1, t2, t3, t4 and 2 more$/);
});
