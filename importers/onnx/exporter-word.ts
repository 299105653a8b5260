/** What PyTorch's exporter leaves of the program that it exported: kinds of its inputs, and which are gone. */

import type { Diagnostic } from "../../src/diagnostics.ts";
import type { StatedKinds } from "./classify.ts";
import { modulesOf } from "./names.ts";
import type { OnnxGraph } from "./proto.ts";
import type { TensorTable } from "./tensor-table.ts";

type Kind = "parameter" | "buffer" | "constant";

const kinds: ReadonlyMap<string, Kind> = new Map([
  ["PARAMETER", "parameter"],
  ["BUFFER", "buffer"],
  ["CONSTANT_TENSOR", "constant"],
]);

const kindKey = "pkg.torch.export.graph_signature.InputSpec.kind";
const signatureKey = "pkg.torch.export.ExportedProgram.graph_signature";

/** Kinds by name of the tensor: those of the program's signature, and those noted at the tensors themselves. */
export function statedKinds(graph: OnnxGraph): StatedKinds {
  const stated = new Map<string, Kind>(signature(graph));
  const note = (name: string, kind: string | undefined): void => {
    const known = kind === undefined ? undefined : kinds.get(kind.replace(/^InputKind\./, ""));
    if (known) stated.set(name, known);
  };
  for (const value of graph.valueInfo) note(value.name, value.metadata.get(kindKey));
  for (const tensor of graph.initializers) note(tensor.name, tensor.metadata.get(kindKey));
  return stated;
}

/** `p_conv1_weight: PARAMETER target='conv1.weight'`, a line each. */
function signature(graph: OnnxGraph): ReadonlyMap<string, Kind> {
  const text = graph.metadata.get(signatureKey) ?? "";
  const found = new Map<string, Kind>();
  for (const line of text.split("\n")) {
    const match = /^\w+: (PARAMETER|BUFFER|CONSTANT_TENSOR) target='([^']*)'/.exec(line.trim());
    const kind = match && kinds.get(match[1] ?? "");
    if (kind && match?.[2]) found.set(match[2], kind);
  }
  return found;
}

/**
 * Batch normalizations of the exported program of which no tensor is left: they went into the weights before them, and
 * the node that is left bears their name. Its bias has their channels.
 */
export function reportFolded(
  graph: OnnxGraph,
  table: TensorTable,
  report: (diagnostic: Diagnostic) => void,
): void {
  const stated = signature(graph);
  if (stated.size === 0) return;
  const stored = new Map(table.tensors.map(({ path, shape }) => [path, shape]));
  const folded = new Map<string, number>();
  for (const node of graph.nodes) {
    const rules = node.metadata.get("pkg.onnxscript.rewriter.rule_name") ?? "";
    const module = modulesOf(node).at(-1)?.path;
    const bias = stored.get(node.inputs[2] ?? "");
    if (!/FuseBatchNorm/.test(rules) || module === undefined || bias?.length !== 1) continue;
    if (stated.get(`${module}.running_mean`) !== "buffer" || stored.has(`${module}.running_mean`)) continue;
    folded.set(module, bias[0] ?? 0);
  }
  let parameters = 0;
  let statistics = 0;
  for (const [module, channels] of folded) {
    statistics += 2 * channels;
    for (const part of ["weight", "bias"])
      if (stated.get(`${module}.${part}`) === "parameter") parameters += channels;
  }
  const args = { modules: folded.size, parameters, statistics };
  if (folded.size > 0) report({ code: "normalization-folded", args, at: "" });
}
