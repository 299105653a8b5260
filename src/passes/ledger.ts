/** The ledger: every stored tensor in exactly one class. */

import type { Layer } from "../ir/graph.ts";
import { type Model, walkLayers } from "../ir/model.ts";
import { countOf } from "../ir/shape.ts";
import { type StoredTensor, type TensorClass, tensorClasses, type Weight } from "../ir/tensor.ts";

export interface LedgerSums {
  readonly elements: number;
  readonly bytes: number;
  readonly classes: Readonly<Record<TensorClass, { tensors: number; elements: number; bytes: number }>>;
}

/** Sums the stored tensors by class: that of the weight that claims a tensor, else what the importer says of it. */
export function sumLedger(model: Model): LedgerSums {
  const claimed = new Array<TensorClass | undefined>(model.tensors.length);
  const claim = (weights: readonly Weight[]): void => {
    for (const weight of weights) {
      if (weight.tensor !== undefined) claimed[weight.tensor] ??= weight.class;
    }
  };
  claim(model.weights);
  // Programs come without their tensors, and with thousands of layers.
  if (claimed.length > 0) walkLayers(model.graph.layers, (layer: Layer) => claim(layer.weights));
  const classes = Object.fromEntries(
    tensorClasses.map((name) => [name, { tensors: 0, elements: 0, bytes: 0 }]),
  ) as Record<TensorClass, { tensors: number; elements: number; bytes: number }>;
  let elements = 0;
  let bytes = 0;
  for (let i = 0; i < model.tensors.length; i++) {
    const tensor = model.tensors[i] as StoredTensor;
    const entry = classes[claimed[i] ?? tensor.unclaimed];
    const count = countOf(tensor.shape) ?? 0;
    entry.tensors += 1;
    entry.elements += count;
    entry.bytes += tensor.bytes;
    elements += count;
    bytes += tensor.bytes;
  }
  return { elements, bytes, classes };
}
