/** A graph as a table shows it: layers that are no rows of their own are put into those that are. */

import type { Layer } from "../ir/graph.ts";
import type { Model } from "../ir/model.ts";
import type { Analysis } from "./analyze.ts";
import { foldRows, type Row } from "./fold-rows.ts";
import type { LayerFacts } from "./infer-shapes.ts";
import type { ResolvedWeight } from "./resolve-weights.ts";

export interface RowOptions {
  /** A row for every node, plumbing too. */
  readonly allNodes?: boolean | undefined;
}

export interface RowView {
  readonly model: Model;
  readonly analysis: Analysis;
}

/** Files of this kind have a node for every step of the computation, and so many that are no layers to anybody. */
const nodeDialect = "onnx";

/**
 * The model with rows as its layers, and what is known of them. Sums stay: every weight is in some row, and the ledger is
 * that of the file. Models of layers come back as they are.
 */
export function groupRows(model: Model, analysis: Analysis, options: RowOptions): RowView {
  if (!model.graph.layers.some((layer) => layer.source.dialect === nodeDialect)) return { model, analysis };
  const { rows, outputs } = foldRows(model.graph, analysis, options.allNodes === true);
  const facts = new Map<Layer, LayerFacts>(analysis.shapes.layers);
  const weights = new Map<Layer, readonly ResolvedWeight[]>(analysis.weights.byLayer);
  const layers = rows.map((row) => {
    const layer = layerOf(row);
    if (row.facts) facts.set(layer, row.facts);
    weights.set(layer, row.weights);
    return layer;
  });
  const inputs = model.graph.inputs.flatMap((ref) => {
    const layer = rows.findIndex((row) => row.layer === model.graph.layers[ref.layer]);
    return layer < 0 ? [] : [{ ...ref, layer }];
  });
  return {
    model: { ...model, graph: { ...model.graph, layers, inputs, outputs } },
    analysis: {
      ...analysis,
      shapes: { ...analysis.shapes, layers: facts },
      weights: { ...analysis.weights, byLayer: weights },
    },
  };
}

function layerOf({ layer, weights, inputs }: Row): Layer {
  return {
    ...layer,
    weights: weights.map(({ weight }) => weight),
    calls: layer.calls.map((call, i) => ({
      ...call,
      inputs: (inputs[i] ?? []).map((value) => ({ kind: "value", value })),
    })),
  };
}
