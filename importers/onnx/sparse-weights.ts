/** Weights of which the file leaves out the zeros: what is stored counts, and the network has more. */

import type { Diagnostic } from "../../src/diagnostics.ts";
import { countOf } from "../../src/ir/shape.ts";
import type { Facts } from "./static-values.ts";
import type { TensorTable } from "./tensor-table.ts";

/** Says how many elements the weights have that are stored sparse. */
export function reportSparse(
  facts: Facts,
  table: TensorTable,
  report: (diagnostic: Diagnostic) => void,
): void {
  const dense = new Map<number, number>();
  for (const [{ weights }, { slots }] of facts) {
    for (const { found } of slots) {
      const { source } = found;
      if (source.kind !== "tensor" || !source.type || source.tensor < 0) continue;
      const learned = weights.some(
        ({ tensor, class: kind }) => tensor === source.tensor && kind === "parameter",
      );
      const elements = countOf(source.type.shape);
      if (learned && elements !== null) dense.set(source.tensor, elements);
    }
  }
  if (dense.size === 0) return;
  const args = { tensors: dense.size, stored: 0, elements: 0 };
  for (const [index, elements] of dense) {
    args.stored += countOf(table.get(index).shape) ?? 0;
    args.elements += elements;
  }
  report({ code: "weights-sparse", args, at: "" });
}
