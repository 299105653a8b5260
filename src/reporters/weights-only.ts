import type { Report } from "../report/report.ts";
import { modelWeights } from "./model-weights.ts";

/** What a summary says of a file that holds weights without an architecture: its groups are the rows. */

export function isWeightsOnly(report: Report): boolean {
  return report.model.kind === "weights-only";
}

/** First line of a summary. Keras never printed one of weights alone, so it says what it is instead of `Model`. */
export function heading(report: Report, show: (name: string) => string): string {
  const name = `"${show(report.model.name)}"`;
  return isWeightsOnly(report) ? `Weights only: ${name}` : `Model: ${name}`;
}

/** By report, because each of its rows may ask. */
const known = new WeakMap<Report, boolean>();

/** False when the file says of no weight whether it is trainable: the totals then leave the question open. */
export function trainableIsKnown(report: Report): boolean {
  const before = known.get(report);
  if (before !== undefined) return before;
  const answer = recordsTrainable(report);
  known.set(report, answer);
  return answer;
}

function recordsTrainable(report: Report): boolean {
  const weights = modelWeights(report);
  if (isWeightsOnly(report)) return weights.some((weight) => weight.trainable !== null);
  // A statistic is never trainable, which says nothing of the rest.
  let isLearned = false;
  for (const weight of weights) {
    if (weight.class !== "parameter") continue;
    if (weight.trainable !== null) return true;
    isLearned = true;
  }
  return !isLearned && report.file.format === "keras";
}
