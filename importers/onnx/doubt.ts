import type { Diagnostic } from "../../src/diagnostics.ts";
import { countOf } from "../../src/ir/shape.ts";
import type { StoredTensor } from "../../src/ir/tensor.ts";

/** As many as find room in a line. */
const maxNames = 5;

/** One note on all tensors of which nothing tells, or not surely, or a name alone, whether they were learned; none on none. */
export function reportDoubt(
  code: "class-ambiguous" | "class-likely" | "class-by-name",
  tensors: readonly StoredTensor[],
  report: (diagnostic: Diagnostic) => void,
): void {
  if (tensors.length === 0) return;
  const elements = tensors.reduce((sum, { shape }) => sum + (countOf(shape) ?? 0), 0);
  const first = tensors.slice(0, maxNames).map(({ path }) => path);
  const left = tensors.length - first.length;
  const names = first.join(", ") + (left > 0 ? ` and ${left} more` : "");
  report({ code, args: { tensors: tensors.length, elements, names }, at: "" });
}
