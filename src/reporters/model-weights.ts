import type { Report, ReportLayer, ReportWeight } from "../report/report.ts";

/** Weights of a layer and of everything inside it. */
export function weightsOf(layer: ReportLayer): readonly ReportWeight[] {
  if (!layer.layers) return layer.weights;
  const before = known.get(layer);
  if (before) return before;
  const weights = [...layer.weights, ...layer.layers.flatMap(weightsOf)];
  known.set(layer, weights);
  return weights;
}

/** Every row of a tree asks for its own, and each row around it for the same again. */
const known = new WeakMap<ReportLayer, readonly ReportWeight[]>();

/** Weights of the whole model. */
export function modelWeights(report: Report): readonly ReportWeight[] {
  const weights = [...report.model.weights];
  for (const layer of report.layers) for (const weight of weightsOf(layer)) weights.push(weight);
  return weights;
}
