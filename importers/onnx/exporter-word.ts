/** What PyTorch's exporter leaves of the program that it exported: kinds of its inputs, and which are gone. */

import type { StoredTensor } from "../../src/ir/tensor.ts";
import { knownBuffers } from "../state-dict/known-buffers.ts";
import { nameBefore } from "./names.ts";
import { cutMark, type OnnxGraph, type OnnxModel } from "./proto.ts";
import { signatureKey } from "./read-context.ts";
import type { Stated } from "./slot-class.ts";

type Kind = "parameter" | "buffer" | "constant";

const kinds: ReadonlyMap<string, Kind> = new Map([
  ["PARAMETER", "parameter"],
  ["BUFFER", "buffer"],
  ["CONSTANT_TENSOR", "constant"],
]);

const kindKey = "pkg.torch.export.graph_signature.InputSpec.kind";

/** The program's signature, and what is noted at the tensors themselves; `unknown` are tensors that nothing can tell of. */
export function readStated(
  onnx: OnnxModel,
  graph: OnnxGraph,
  tensors: readonly StoredTensor[],
  unknown: readonly string[],
): Stated {
  const kinds = statedKinds(graph);
  const unsure = unknown.map((name) => [name, "unknown"] as const);
  const literal = tracedLiterals(onnx, graph).map((name) => [name, "constant"] as const);
  const gone = goneFrom(graph, kinds);
  return {
    kinds: new Map([...literal, ...unsure, ...kinds]),
    gone,
    losing: signature(graph).size > 0 ? losing(gone) : null,
    traced: onnx.producerName === "pytorch" && kinds.size === 0,
    buffers: buffersByName(tensors, kinds),
  };
}

/** What the names of tensors tell, those in branches too, where the exporter says nothing of them. */
function buffersByName(
  tensors: readonly StoredTensor[],
  stated: ReadonlyMap<string, Kind>,
): Stated["buffers"] {
  // One of a name: some rules look at all names beside.
  const byName = new Map(tensors.map((tensor) => [tensor.path, tensor]));
  const open = [...byName.values()].filter(({ path }) => !stated.has(path));
  const found = knownBuffers(
    open.map(({ path, dtype, shape, bytes }) => ({ name: path, dtype, shape, bytes })),
  );
  const named = new Map([...found].map(([name, rule]) => [name, rule.class]));
  for (const { path, dtype } of open)
    if (/^b?float/.test(dtype) && fixedTable.test(path)) named.set(path, "constant");
  return named;
}

/** What TensorFlow works out from a few numbers (tf.signal), by its names, and matrices of tf2onnx for a Fourier transform. */
const fixedTable =
  /(^|\/)(cst_(rfft|irfft|fft|ifft)_\w+|linear_to_mel_weight_matrix|(hann|hamming|kaiser|kaiser_bessel_derived|vorbis)_window(\/\w+)?)(:\d+)?$/;

/**
 * Outputs of Constant nodes that hold literals. In a trace, weights and buffers are inputs, which become initializers, and what
 * stands in a Constant node was made in the program: zeros that a recurrent layer starts with, a mask. A module that was frozen
 * before has its weights there, too: then nothing is known.
 */
function tracedLiterals(onnx: OnnxModel, graph: OnnxGraph): readonly string[] {
  if (onnx.producerName !== "pytorch" || signature(graph).size > 0) return [];
  const literals = new Set(
    graph.nodes.flatMap(({ opType, outputs }) => (opType === "Constant" ? outputs : [])),
  );
  const frozen = graph.nodes.some(
    ({ opType, inputs }) => weighted.test(opType) && inputs.slice(1, 3).some((name) => literals.has(name)),
  );
  const stored = graph.initializers.some(({ dtype }) => /^b?float/.test(dtype));
  return frozen || !stored ? [] : [...literals];
}

const weighted = /^(Conv|ConvTranspose|Gemm|MatMul|LSTM|GRU|RNN)$/;

/** What the program had and no tensor bears the name of, by the module that it was the own of. */
function goneFrom(graph: OnnxGraph, stated: ReadonlyMap<string, Kind>): Stated["gone"] {
  const gone = new Map<string, { parameters: number; buffers: number }>();
  if (stated.size === 0) return gone;
  const stored = new Set(graph.initializers.map(({ name }) => nameBefore(name)));
  for (const [name, kind] of stated) {
    if (stored.has(name) || kind === "constant") continue;
    const module = name.slice(0, Math.max(0, name.lastIndexOf(".")));
    const counts = gone.get(module) ?? { parameters: 0, buffers: 0 };
    counts[kind === "parameter" ? "parameters" : "buffers"] += 1;
    gone.set(module, counts);
  }
  return gone;
}

function losing(gone: Stated["gone"]): readonly string[] {
  return [...gone].flatMap(([module, { parameters }]) => (parameters > 0 ? [module] : []));
}

/** Kinds by name of the tensor. */
function statedKinds(graph: OnnxGraph): ReadonlyMap<string, Kind> {
  const stated = new Map(signature(graph));
  const note = (name: string, kind: string | undefined): void => {
    const known = kind === undefined ? undefined : kinds.get(kind.replace(/^InputKind\./, ""));
    if (known) stated.set(name, known);
  };
  for (const value of graph.valueInfo) note(value.name, value.metadata.get(kindKey));
  for (const tensor of graph.initializers) note(tensor.name, tensor.metadata.get(kindKey));
  return stated;
}

/** `p_conv1_weight: PARAMETER target='conv1.weight'`, a line each; empty where the list is not whole, as it is read for what is missing. */
export function signature(graph: OnnxGraph): ReadonlyMap<string, Kind> {
  const text = graph.metadata.get(signatureKey) ?? "";
  const found = new Map<string, Kind>();
  if (text.endsWith(cutMark)) return found;
  for (const line of text.split("\n")) {
    const match = /^\w+: (PARAMETER|BUFFER|CONSTANT_TENSOR) target='([^']*)'/.exec(line.trim());
    const kind = match && kinds.get(match[1] ?? "");
    if (kind && match?.[2]) found.set(match[2], kind);
  }
  return found;
}
