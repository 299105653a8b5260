import type { Report, ReportLayer, ReportWeight } from "../report/report.ts";

/** Weights of a layer and of everything inside it. */
export function weightsOf(layer: ReportLayer): readonly ReportWeight[] {
  if (!layer.layers) return layer.weights;
  const before = known.get(layer);
  if (before) return before;
  const weights: ReportWeight[] = [];
  addWeights(weights, layer);
  known.set(layer, weights);
  return weights;
}

/** Every row of a tree may ask for its own. */
const known = new WeakMap<ReportLayer, readonly ReportWeight[]>();

/** Weights of the whole model. */
export function modelWeights(report: Report): readonly ReportWeight[] {
  const before = ofModels.get(report);
  if (before) return before;
  const weights = report.model.weights.slice();
  for (const layer of report.layers) addWeights(weights, layer);
  ofModels.set(report, weights);
  return weights;
}

/** What stands above a table and what stands below it ask for them. */
const ofModels = new WeakMap<Report, readonly ReportWeight[]>();

/** Adds those of a layer, then those of what is inside it. */
function addWeights(weights: ReportWeight[], { weights: own, layers }: ReportLayer): void {
  for (let i = 0; i < own.length; i++) weights.push(own[i] as ReportWeight);
  if (layers) for (let i = 0; i < layers.length; i++) addWeights(weights, layers[i] as ReportLayer);
}
