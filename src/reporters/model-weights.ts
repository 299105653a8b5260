import type { Report, ReportLayer, ReportWeight } from "../report/report.ts";

/** Weights of a layer and of everything inside it. */
export function weightsOf(layer: ReportLayer): readonly ReportWeight[] {
  return layer.layers ? [...layer.weights, ...layer.layers.flatMap(weightsOf)] : layer.weights;
}

/** Weights of the whole model. */
export function modelWeights(report: Report): readonly ReportWeight[] {
  const weights = [...report.model.weights];
  for (const layer of report.layers) for (const weight of weightsOf(layer)) weights.push(weight);
  return weights;
}
