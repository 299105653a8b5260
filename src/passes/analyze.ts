/** All passes, in their order. */

import type { Diagnostic } from "../diagnostics.ts";
import type { LayerTable } from "../ir/graph.ts";
import type { Model } from "../ir/model.ts";
import { inferShapes, type LayerFacts, type Operators } from "./infer-shapes.ts";
import { type LedgerSums, sumLedger } from "./ledger.ts";
import { resolveWeights, type WeightFacts } from "./resolve-weights.ts";

export interface Analysis {
  readonly shapes: { readonly layers: LayerTable<LayerFacts> };
  readonly weights: WeightFacts;
  readonly ledger: LedgerSums;
  readonly diagnostics: readonly Diagnostic[];
}

/** Works out what can be known of a model. Pure: the model stays as it is. */
export function analyze(model: Model, operators: Operators): Analysis {
  const shapes = inferShapes(model, operators);
  const weights = resolveWeights(model, shapes.layers);
  const ledger = sumLedger(model);
  return { shapes, weights, ledger, diagnostics: [...shapes.diagnostics, ...weights.diagnostics] };
}
