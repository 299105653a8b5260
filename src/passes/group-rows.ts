/** A graph as a table shows it: layers that are no rows of their own are put into those that are. */

import type { Diagnostic } from "../diagnostics.ts";
import { InvalidOptionError } from "../errors.ts";
import type { LayerTable } from "../ir/graph.ts";
import type { Model } from "../ir/model.ts";
import type { Analysis } from "./analyze.ts";
import { foldRows } from "./fold-rows.ts";
import { growTree } from "./module-tree.ts";

export interface RowOptions {
  /** A row for every node, plumbing too. */
  readonly allNodes?: boolean | undefined;
  /** `module`: a row for each module of the network that was exported, as a tree. */
  readonly group?: "module" | undefined;
  /** How many levels the tree goes down; all by default. */
  readonly depth?: number | undefined;
}

export interface RowView {
  readonly model: Model;
  readonly analysis: Analysis;
  /** What was asked for and cannot be shown. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Files of this kind have a node for every step of the computation, and so many that are no layers to anybody. */
const nodeDialect = "onnx";

/**
 * The model with rows as its layers, and what is known of them. Sums stay: every weight is in some row, and the ledger is
 * that of the file. Models of layers come back as they are.
 * @throws InvalidOptionError for a depth that is none.
 */
export function groupRows(model: Model, analysis: Analysis, options: RowOptions): RowView {
  const depth = depthOf(options);
  const nodes = model.graph.layers.some((layer) => layer.source.dialect === nodeDialect);
  // What has weights only has a row for each module that owns some.
  const owners = model.kind === "weights-only" && depth > 0;
  const named = model.graph.layers.some(({ modules = [] }) => modules.length > 0);
  const missing = { code: "modules-missing", args: { layers: model.graph.layers.length }, at: "" } as const;
  const diagnostics = depth > 0 && !named ? [missing] : [];
  if (!nodes && !owners) return { model, analysis, diagnostics };
  const rows = foldRows(model.graph, analysis, owners || options.allNodes === true);
  const { layers, facts, weights, place } = growTree(rows, depth, model.graph.topology);
  const inputs = layers.flatMap((layer, i) =>
    layer.operator === "Input" ? [{ layer: i, call: 0, output: 0 }] : [],
  );
  const outputs = rows.outputs.flatMap((ref) => place(ref) ?? []);
  return {
    diagnostics,
    model: { ...model, graph: { ...model.graph, layers, inputs, outputs } },
    analysis: {
      ...analysis,
      shapes: { layers: inFrontOf(analysis.shapes.layers, facts) },
      weights: { ...analysis.weights, byLayer: inFrontOf(analysis.weights.byLayer, weights) },
    },
  };
}

/** Rows are layers of their own; those inside their subgraphs are the model's. */
function inFrontOf<Known>(layers: LayerTable<Known>, rows: LayerTable<Known>): LayerTable<Known> {
  return { get: (layer) => rows.get(layer) ?? layers.get(layer) };
}

function depthOf({ group, depth }: RowOptions): number {
  if (group !== undefined && group !== "module") {
    throw new InvalidOptionError(`group is ${JSON.stringify(group)}: only "module" can be asked for`);
  }
  if (depth === undefined) return group === undefined ? 0 : Number.POSITIVE_INFINITY;
  if (group === undefined) throw new InvalidOptionError("depth is that of a tree: it goes with group");
  if (Number.isSafeInteger(depth) && depth > 0) return depth;
  throw new InvalidOptionError(`depth is ${depth}: give a whole number of levels from 1`);
}
