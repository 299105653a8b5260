/** What the optimizer's variables come to, from the weights it would train. */

import { numberOf, productOfDims } from "../ir/dim.ts";
import { bitsOf, isDType } from "../ir/dtype.ts";
import type { Optimizer, OptimizerSlot } from "../ir/model.ts";
import { maxModelElements } from "../limits.ts";
import type { LedgerSums } from "../passes/ledger.ts";
import type { CountedWeight } from "./counted-weight.ts";
import type { Report, ReportDim } from "./report.ts";

/** Elements and bytes of all variables of a built optimizer; zero for one that is not built. `ledger` has those in the file. */
export function sumOptimizer(
  optimizer: Optimizer,
  weights: readonly CountedWeight[],
  ledger: LedgerSums,
): Report["optimizer"] {
  if (optimizer.stored) {
    const { elements, bytes } = ledger.classes.optimizer;
    return { name: optimizer.name, built: optimizer.built, elements, bytes };
  }
  let elements = 0;
  let bytes = 0;
  const add = (count: number, dtype: string | null): void => {
    elements += count;
    const bits = dtype !== null && isDType(dtype) ? bitsOf(dtype) : null;
    bytes += Math.ceil((count * (bits ?? 32)) / 8);
  };
  if (optimizer.built) {
    for (const scalar of optimizer.scalars) add(1, scalar.dtype);
    const seen = new Set<unknown>();
    for (const { report, identity } of weights) {
      if (report.trainable === false || seen.has(identity)) continue;
      seen.add(identity);
      const shape = report.storedShape ?? report.shape;
      // Of a weight that is not counted, neither are its slots.
      if (shape === null) continue;
      for (const slot of optimizer.slots) {
        const name = `${report.stored ?? ""}/${report.name}`;
        if (keeps(slot, shape.length, name)) add(slotElements(slot, shape), report.dtype);
      }
    }
  }
  return { name: optimizer.name, built: optimizer.built, elements, bytes };
}

function keeps(slot: OptimizerSlot, rank: number, name: string): boolean {
  if (slot.minRank !== undefined && rank < slot.minRank) return false;
  if (slot.maxRank !== undefined && rank > slot.maxRank) return false;
  if (slot.exceptRank !== rank) return true;
  return slot.unlessNamed !== undefined && name.toLowerCase().includes(slot.unlessNamed);
}

function slotElements(slot: OptimizerSlot, shape: readonly ReportDim[]): number {
  if (slot.shape === "scalar") return 1;
  const dims = shape.map((dim) => (typeof dim === "number" ? dim : 0));
  const kept =
    slot.shape === "rows"
      ? dims.slice(0, -1)
      : slot.shape === "columns"
        ? [...dims.slice(0, -2), ...dims.slice(-1)]
        : dims;
  const count = numberOf(productOfDims(kept));
  // A shape with a 0 in it may have any other dimensions.
  return count !== null && count <= maxModelElements ? count : 0;
}
