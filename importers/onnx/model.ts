/** An ONNX file as a model of the IR. */

import { counted } from "../../src/counted.ts";
import type { Diagnostic } from "../../src/diagnostics.ts";
import type { ByteSource } from "../../src/io/byte-source.ts";
import { refuseCompanionName } from "../../src/io/companions.ts";
import type { Model } from "../../src/ir/model.ts";
import type { Imported } from "../importer.ts";
import { settleAttention } from "./attention-calls.ts";
import { classifyTensors } from "./classify.ts";
import { readStated } from "./exporter-word.ts";
import { reportFolded, settleCopies } from "./folded.ts";
import { buildGraph } from "./graph.ts";
import { addHiddenTensors } from "./hidden-tensors.ts";
import { nameLayers } from "./layer-names.ts";
import { placeMadeUp } from "./made-up-nodes.ts";
import type { OnnxAttribute, OnnxGraph, OnnxModel, OnnxNode, OnnxTensor } from "./proto.ts";
import { settleQuantizedBiases } from "./quantized-biases.ts";
import { emptyGraph } from "./read-graph.ts";
import { readOnnxModel } from "./read-model.ts";
import { halvePadded, zeroBiases } from "./recurrent-bias.ts";
import { settleCalls } from "./repeated-calls.ts";
import { reportSparse } from "./sparse-weights.ts";
import type { Facts } from "./static-values.ts";
import { TensorTable } from "./tensor-table.ts";
import { placeByWeights } from "./weight-modules.ts";
import { reportExcess, reportWorkedOut } from "./worked-out.ts";

/** @throws MalformedFileError and the rest of `readOnnxModel`. */
export async function importOnnx(source: ByteSource): Promise<Imported> {
  const diagnostics: Diagnostic[] = [];
  const report = (diagnostic: Diagnostic): void => void diagnostics.push(diagnostic);
  const onnx = await readOnnxModel(source, report);
  const written = onnx.graph ?? emptyGraph();
  if (onnx.opsets.length === 0)
    report({ code: "opset-missing", args: { domain: "ai.onnx", assumed: 1 }, at: "" });
  const table = new TensorTable(report);
  const { graph, facts, closed } = buildGraph(onnx, written, table, report);
  const stated = readStated(onnx, written, table.tensors, zeroBiases(onnx, written));
  classifyTensors(facts, table, stated, report);
  addHiddenTensors(onnx, closed, table, report);
  halvePadded(onnx, facts, table, report);
  const folded = reportFolded(onnx, written, facts, table, report);
  settleCalls(written, facts, table, report);
  if (stated.traced) settleAttention(facts, table, report);
  settleQuantizedBiases(onnx, facts, table, report);
  reportWorkedOut(onnx, written, { facts, table, folded }, report);
  settleCopies(facts, table, stated, report);
  reportExcess(written, { facts, table, folded }, report);
  reportSparse(facts, table, report);
  reportBlocks(facts, report);
  reportCompiled(facts, report);
  addTraining(onnx, table);
  placeMadeUp(facts, onnx.producerName);
  placeByWeights(facts);
  nameLayers(facts);
  await checkExternal(source, externalTensors(onnx), report);
  const model: Model = {
    file: { name: source.name, size: source.size, format: "onnx", variant: variantOf(onnx) },
    producer: { framework: onnx.producerName || null, version: onnx.producerVersion || null },
    name: written.name || source.name,
    type: "Graph",
    kind: "graph",
    trainable: null,
    freezing: "enclosing",
    graph,
    weights: [],
    tensors: table.tensors,
    optimizer: null,
  };
  return { model, diagnostics };
}

function reportBlocks(facts: Facts, report: (diagnostic: Diagnostic) => void): void {
  let layers = 0;
  for (const { node } of facts.values())
    if (node?.domain === "com.microsoft.nchwc" && node.opType === "Conv") layers += 1;
  if (layers > 0) report({ code: "channels-in-blocks", args: { layers }, at: "" });
}

/** Of a part of the network that was compiled for a device, a node holds all, or the name of the file that does. */
function reportCompiled(facts: Facts, report: (diagnostic: Diagnostic) => void): void {
  const nodes = new Map<string, number>();
  for (const { node } of facts.values())
    if (node?.domain === "com.microsoft" && /^(EPContext|Snpe)$/.test(node.opType))
      nodes.set(node.opType, (nodes.get(node.opType) ?? 0) + 1);
  for (const [type, count] of nodes) report({ code: "part-compiled", args: { nodes: count, type }, at: "" });
}

function variantOf(onnx: OnnxModel): string {
  return onnx.irVersion === null ? "onnx" : `onnx-ir${onnx.irVersion}`;
}

/** Tensors of the graphs that train the model: no part of what it computes. */
function addTraining(onnx: OnnxModel, table: TensorTable): void {
  for (const [i, training] of onnx.training.entries()) {
    for (const [part, graph] of Object.entries({
      initialization: training.initialization,
      algorithm: training.algorithm,
    })) {
      for (const tensor of graph ? tensorsOf(graph) : []) {
        const index = table.add(`training[${i}]/${part}/${tensor.name}`, tensor);
        if (index !== null) table.settle(index, "optimizer");
      }
    }
  }
}

function externalTensors(onnx: OnnxModel): readonly OnnxTensor[] {
  const graphs = [
    onnx.graph,
    ...onnx.training.flatMap((training) => [training.initialization, training.algorithm]),
  ];
  return graphs
    .flatMap((graph) => (graph ? tensorsOf(graph) : []))
    .filter((tensor) => tensor.external !== null);
}

/** Every tensor of a graph and of the graphs inside it. */
function tensorsOf(graph: OnnxGraph): OnnxTensor[] {
  const sparse = graph.sparseInitializers.flatMap(({ values, indices }) =>
    indices ? [values, indices] : [values],
  );
  return [...graph.initializers, ...sparse, ...graph.nodes.flatMap(tensorsOfNode)];
}

function tensorsOfNode(node: OnnxNode): OnnxTensor[] {
  return node.attributes.flatMap((attribute: OnnxAttribute): OnnxTensor[] => {
    if (attribute.kind === "tensor") return [attribute.value];
    if (attribute.kind === "tensors") return [...attribute.values];
    if (attribute.kind === "graph") return tensorsOf(attribute.value);
    return attribute.kind === "graphs" ? attribute.values.flatMap(tensorsOf) : [];
  });
}

/** Whether the files that hold the payloads are there, are safe to name, and are long enough. They are never read. */
async function checkExternal(
  source: ByteSource,
  tensors: readonly OnnxTensor[],
  report: (diagnostic: Diagnostic) => void,
): Promise<void> {
  const needed = new Map<string, number>();
  for (const { external, bytes } of tensors) {
    if (external === null) continue;
    const end = (external.offset ?? 0) + (external.length ?? bytes);
    needed.set(external.location, Math.max(needed.get(external.location) ?? 0, end));
  }
  for (const [location, end] of needed) {
    const beside = location.replace(/^\.\//, "");
    const reason = refuseCompanionName(beside);
    if (reason !== null) {
      report({ code: "companion-refused", args: { name: location, reason }, at: "" });
      continue;
    }
    if (source.companion === undefined) continue;
    const file = await source.companion(beside);
    if (file === null) report({ code: "companion-missing", args: { name: location }, at: "" });
    else {
      const args = { stored: counted(file.size, "byte"), expected: counted(end, "byte") };
      if (file.size < end) report({ code: "payload-mismatch", args, at: location });
      file.close?.();
    }
  }
}
