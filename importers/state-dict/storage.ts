/** Stored tensors behind names: one storage under several names is stored once. */

import { counted } from "../../src/counted.ts";
import { LimitExceededError } from "../../src/errors.ts";
import { elementsOf } from "../../src/ir/shape.ts";
import type { StoredTensor } from "../../src/ir/tensor.ts";
import { maxModelElements } from "../../src/limits.ts";
import type { NamedTensor } from "./state-dict.ts";

export interface Storage {
  readonly tensors: readonly StoredTensor[];
  readonly indexOf: ReadonlyMap<NamedTensor, number>;
  /** Names of one storage after its first. */
  readonly ties: readonly { readonly name: string; readonly first: string }[];
}

/** The stored tensors of a state dict, in order. @throws LimitExceededError for more elements than any model has */
export function storeTensors(named: readonly NamedTensor[], file: string): Storage {
  const tensors: StoredTensor[] = [];
  const indexOf = new Map<NamedTensor, number>();
  const seen = new Map<string, { index: number; name: string }>();
  const ties: { name: string; first: string }[] = [];
  for (const tensor of named) {
    const first = tensor.identity === undefined ? undefined : seen.get(tensor.identity);
    if (first) {
      indexOf.set(tensor, first.index);
      // What is in no row is not shown under either name.
      if (tensor.row !== false) ties.push({ name: tensor.name, first: first.name });
      continue;
    }
    const index = tensors.length;
    indexOf.set(tensor, index);
    if (tensor.identity !== undefined) seen.set(tensor.identity, { index, name: tensor.name });
    tensors.push({
      path: tensor.path ?? tensor.name,
      dtype: tensor.dtype,
      shape: tensor.stored ?? tensor.shape,
      bytes: tensor.bytes,
      unclaimed: tensor.class ?? "unclassified",
    });
  }
  checkElements(tensors, file);
  return { tensors, indexOf, ties };
}

function checkElements(tensors: readonly StoredTensor[], file: string): void {
  const elements = tensors.reduce(
    (sum, { shape }) => sum + (elementsOf(shape) ?? Number.POSITIVE_INFINITY),
    0,
  );
  if (elements <= maxModelElements) return;
  const message = `${file}: ${counted(elements, "element")}, the limit is ${maxModelElements} (maxModelElements)`;
  throw new LimitExceededError(message, {
    limit: "maxModelElements",
    actual: elements,
    maximum: maxModelElements,
    file,
  });
}
