import type { Report } from "../report/report.ts";
import { modelWeights } from "./weight-totals.ts";

/** What a summary says of a file that holds weights without an architecture: its groups are the rows. */

export function isWeightsOnly(report: Report): boolean {
  return report.model.kind === "weights-only";
}

/** First line of a summary. Keras never printed one of weights alone, so it says what it is instead of `Model`. */
export function heading(report: Report, show: (name: string) => string): string {
  const name = `"${show(report.model.name)}"`;
  return isWeightsOnly(report) ? `Weights only: ${name}` : `Model: ${name}`;
}

/** False when the file says of no weight whether it is trainable: the totals then leave the question open. */
export function trainableIsKnown(report: Report): boolean {
  return !isWeightsOnly(report) || modelWeights(report).some((weight) => weight.trainable !== null);
}
