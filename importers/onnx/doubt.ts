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
  const names = listNames(tensors.map(({ path }) => path));
  report({ code, args: { tensors: tensors.length, elements, names }, at: "" });
}

/** The first of them, and how many more there are. */
export function listNames(names: readonly string[]): string {
  const left = names.length - maxNames;
  return names.slice(0, maxNames).join(", ") + (left > 0 ? ` and ${left} more` : "");
}
