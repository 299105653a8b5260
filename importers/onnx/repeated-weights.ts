import type { Diagnostic } from "../../src/diagnostics.ts";
import type { TensorTable } from "./tensor-table.ts";

/** Says how much of what is stored is weights of so many modules again, which count once. */
export function reportRepeated(
  copies: ReadonlySet<number>,
  modules: number,
  table: TensorTable,
  report: (diagnostic: Diagnostic) => void,
): void {
  if (copies.size === 0) return;
  const args = { modules, tensors: copies.size, elements: table.elementsOf(copies) };
  report({ code: "weight-repeated", args, at: "" });
}
