/** Model and analysis to the report: the one place where figures for people and programs are put together. */

import { type Diagnostic, formatDiagnostic, severityOf } from "../diagnostics.ts";
import type { Convention } from "../ir/convention.ts";
import type { Graph, ValueRef } from "../ir/graph.ts";
import type { Model } from "../ir/model.ts";
import { maxDiagnostics } from "../limits.ts";
import type { Analysis } from "../passes/analyze.ts";
import { LayerBuilder } from "./build-layers.ts";
import { countingOf } from "./convention.ts";
import type { Report, ReportNetwork, ReportValue } from "./report.ts";
import { reportShape } from "./report-shapes.ts";
import { sumOptimizer } from "./sum-optimizer.ts";
import { WeightList } from "./weight-list.ts";

/** Builds the report. `diagnostics` are the importer's; the analysis has its own. `network`: the program that the rows are of. */
export function buildReport(
  model: Model,
  analysis: Analysis,
  diagnostics: readonly Diagnostic[],
  asked?: Convention,
  network: Graph | null = null,
): Report {
  const { convention, classes: counted } = countingOf(model, asked);
  const weights = new WeightList(counted);
  const builder = new LayerBuilder(analysis, model.freezing, weights);
  // Keras 2 restores no flag of a model, only those of its layers.
  const trainable = model.freezing === "enclosing" || model.trainable !== false;
  const layers = builder.layers(model.graph, trainable);
  const inLayers = weights.all.length;
  for (const weight of analysis.weights.ofModel) weights.add(weight, trainable);
  const totals = weights.sums(0, weights.all.length);
  const optimizer = model.optimizer && sumOptimizer(model.optimizer, weights.all, analysis.ledger);
  const unknown =
    diagnostics.some(({ code }) => incomplete.has(code)) ||
    analysis.weights.diagnostics.some(
      (d) => d.code === "weight-shape-unknown" || d.code === "shape-suspicious",
    );
  return {
    file: model.file,
    producer: model.producer,
    model: {
      name: model.name,
      ...(model.unnamed !== undefined && { unnamed: model.unnamed }),
      type: model.type,
      kind: model.kind,
      topology: model.graph.topology,
      linear: isLinear(model.graph),
      built: layers.some(({ built }) => built),
      weights: weights.all.slice(inLayers).map(({ report }) => report),
      ...(network && { network: networkOf(network, analysis) }),
    },
    layers,
    totals: {
      convention,
      classes: counted,
      parameters: totals.params,
      trainable: totals.trainable,
      nonTrainable: totals.nonTrainable,
      statistics: weights.elementsOf("statistic"),
      optimizer: optimizer?.elements ?? 0,
      bytes: weights.bytes(),
      status: unknown ? "partial" : "complete",
    },
    ledger: analysis.ledger,
    optimizer,
    ...(model.globals && { globals: model.globals }),
    diagnostics: reportDiagnostics(diagnostics.concat(analysis.diagnostics)),
  };
}

/** What an importer finds that leaves totals a lower bound. */
const incomplete: ReadonlySet<Diagnostic["code"]> = new Set([
  "tensors-unclassified",
  "class-ambiguous",
  "part-compiled",
  "weights-packed",
  "weights-left-out",
  "shard-not-read",
  "tensors-missing",
]);

function reportDiagnostics(found: readonly Diagnostic[]): Report["diagnostics"] {
  const count = found.length - maxDiagnostics;
  const more: Diagnostic = { code: "diagnostics-left-out", args: { count }, at: "" };
  return [...found.slice(0, maxDiagnostics), ...(count > 0 ? [more] : [])].map((d) => ({
    code: d.code,
    severity: severityOf(d.code),
    message: formatDiagnostic(d),
    at: d.at,
  }));
}

/** What the program of a network says of the whole. */
function networkOf(
  { modules = [], layers, inputs, outputs, outputStructure }: Graph,
  { shapes }: Analysis,
): ReportNetwork {
  const typeOf = ({ layer, call, output }: ValueRef): ReportValue => {
    const made = layers[layer];
    const type = made && shapes.layers.get(made)?.calls[call]?.types[output];
    return { shape: reportShape(type?.shape ?? null), dtype: type?.dtype ?? null };
  };
  return {
    modules,
    inputs: inputs.map(typeOf),
    outputs: outputs.map(typeOf),
    outputStructure: outputStructure ?? null,
  };
}

/** No branches, no call with several inputs, no layer called twice: Keras prints such a model without connections. */
function isLinear(graph: Graph): boolean {
  if (graph.topology !== "functional") return true;
  const consumers = new Map<string, number>();
  let calls = 0;
  for (const layer of graph.layers) {
    if (layer.calls.length > 1) return false;
    for (const call of layer.calls) {
      calls += 1;
      const values = call.inputs.filter((input) => input.kind === "value");
      if (values.length > 1) return false;
      for (const { value } of values) {
        const key = `${value.layer}/${value.call}`;
        const count = (consumers.get(key) ?? 0) + 1;
        if (count > 1) return false;
        consumers.set(key, count);
      }
    }
  }
  // A chain has exactly one end.
  return calls - consumers.size <= 1;
}
