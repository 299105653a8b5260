/**
 * ONNX gives recurrent layers two biases, one for the input and one for the state. PyTorch learns both; Keras learns one, and
 * converters fill the other with zeros.
 */

import type { Diagnostic } from "../../src/diagnostics.ts";
import type { StoredTensor, Weight } from "../../src/ir/tensor.ts";
import type { Draft } from "./frame.ts";
import type { NodeFacts } from "./graph.ts";
import type { OnnxGraph, OnnxModel } from "./proto.ts";
import { bareType, type Facts } from "./static-values.ts";
import type { TensorTable } from "./tensor-table.ts";

const recurrent = /^(RNN|GRU|LSTM)$/;

/**
 * Names of biases that are zeros altogether in LSTMs of tf2onnx, which writes them so for a layer without a bias. A bias that
 * was never trained may be all zeros too.
 */
export function zeroBiases(onnx: OnnxModel, graph: OnnxGraph): readonly string[] {
  if (onnx.producerName !== "tf2onnx") return [];
  const biases = new Set(
    graph.nodes.flatMap(({ opType, inputs }) => (opType === "LSTM" && inputs[3] ? [inputs[3]] : [])),
  );
  return graph.initializers
    .filter(({ name, values }) => biases.has(name) && values?.every((value) => value === 0))
    .map(({ name }) => name);
}

/** Counts only the first half of biases whose second half is padding, and reports how many elements that leaves out. */
export function halvePadded(
  onnx: OnnxModel,
  facts: Facts,
  table: TensorTable,
  report: (diagnostic: Diagnostic) => void,
): void {
  const padded = new Map<number, number>();
  let layers = 0;
  for (const [draft, { view }] of facts) {
    if (!view || !recurrent.test(bareType(draft))) continue;
    const bias = draft.weights.find(({ role }) => role === "bias");
    if (bias?.tensor === undefined || bias.class !== "parameter") continue;
    const stored = table.get(bias.tensor);
    const [directions = 0, width = 0] = stored.shape;
    if (stored.shape.length !== 2 || width % 2 !== 0) continue;
    if (!isPadded(onnx.producerName, draft, view, stored)) continue;
    layers += 1;
    padded.set(bias.tensor, (directions * width) / 2);
    const halved: Weight = {
      ...bias,
      shape: [directions, width / 2],
      packing: { values: 1, axis: 1, padded: true },
    };
    draft.weights = draft.weights.map((weight) => (weight === bias ? halved : weight));
  }
  if (layers === 0) return;
  const elements = [...padded.values()].reduce((a, b) => a + b, 0);
  report({ code: "bias-padded", args: { layers, elements }, at: "" });
}

/**
 * What tf2onnx writes is known from its source: LSTMs have zeros for the state, and so have GRUs that reset the state before
 * the product. Of others the elements tell, where they are few enough to be read; zeros of PyTorch are its own.
 */
function isPadded(
  producer: string,
  draft: Draft,
  view: NonNullable<NodeFacts["view"]>,
  { shape, values }: StoredTensor,
): boolean {
  if (producer === "pytorch") return false;
  if (values === undefined) {
    const resets = bareType(draft) === "GRU" && view.int("linear_before_reset", 0) === 0;
    return producer === "tf2onnx" && (bareType(draft) === "LSTM" || resets);
  }
  const width = shape[1] ?? 0;
  const zero = values.map((value) => value === 0);
  return !zero.every(Boolean) && zero.every((is, i) => i % width < width / 2 || is);
}
