/** What hangs on a tensor beside its numbers: attributes of its class or of a program, and how it was quantised. */

import { elementsOf, sameShape } from "../../src/ir/shape.ts";
import { maxTorchStateDepth, maxTorchStateValues } from "../../src/limits/pytorch.ts";
import {
  entriesOf,
  globalName,
  isRecord,
  itemsOf,
  type PickleRecord,
  type PickleValue,
} from "../../src/wire/pickle-value.ts";
import { packedValues } from "../state-dict/packed.ts";
import { TensorFault, type TorchTensor } from "./tensor.ts";
import { dimensions } from "./window.ts";

/** The tensor that a value stands for; `null` when it stands for none. */
export type ReadTensor = (value: PickleValue | undefined) => TorchTensor | null;

/** What an object was last handed as its state. */
export function stateOf(value: PickleValue | undefined): ReadonlyMap<PickleValue, PickleValue> {
  return isRecord(value) && value.kind === "object" ? stateDictOf(value.states.at(-1)) : new Map();
}

/** Many tensors may share one state, which is gone through once. */
const known = new WeakMap<PickleRecord, ReadonlyMap<PickleValue, PickleValue>>();

/** A state: a dictionary, or a pair of one and the slots, either of which may be missing. */
export function stateDictOf(state: PickleValue | undefined): ReadonlyMap<PickleValue, PickleValue> {
  if (!isRecord(state)) return new Map();
  const before = known.get(state);
  if (before) return before;
  const entries = new Map<PickleValue, PickleValue>();
  for (const part of itemsOf(state)?.slice(0, 2) ?? [state]) {
    if (!isRecord(part) || part.kind !== "dict") continue;
    for (const [key, value] of entriesOf(part)) entries.set(key, value);
  }
  known.set(state, entries);
  return entries;
}

/** Tensors in the state of a tensor, and in what that holds, by their names. Modules are none of it: a weight may name its own. */
export function tensorsIn(state: PickleValue | undefined, read: ReadTensor): TorchTensor["parts"] {
  const found: { name: string; tensor: TorchTensor }[] = [];
  const seen = new Set<PickleRecord>();
  let left = maxTorchStateValues;
  const walkAll = (
    before: string,
    held: Iterable<readonly [PickleValue, PickleValue]>,
    depth: number,
  ): void => {
    for (const [key, item] of held) {
      if (left <= 0) return;
      left -= 1;
      if (typeof key !== "object") walk(`${before}${key}`, item, depth);
    }
  };
  const walk = (name: string, value: PickleValue, depth: number): void => {
    if (!isRecord(value) || seen.has(value) || depth > maxTorchStateDepth) return;
    seen.add(value);
    const tensor = readable(value, read);
    if (tensor !== null) {
      found.push({ name, tensor });
      return;
    }
    const held = value.kind === "object" ? stateOf(value) : value.kind === "dict" ? stateDictOf(value) : null;
    if (held?.has("_parameters")) return;
    walkAll(`${name}.`, held ?? (itemsOf(value) ?? []).entries(), depth + 1);
  };
  walkAll("", stateDictOf(state), 0);
  return found;
}

/** What is no tensor after all is passed over: the storage it would have seen is told as one that no tensor sees. */
function readable(value: PickleValue, read: ReadTensor): TorchTensor | null {
  try {
    return read(value);
  } catch (error) {
    if (!(error instanceof TensorFault)) throw error;
    return null;
  }
}

/**
 * A tensor with what hangs on it. A weight of bitsandbytes says in its `quant_state` of which shape it was before two values went
 * into each byte; one of 8 bits has `SCB`, its scales.
 */
export function withState(
  tensor: TorchTensor,
  state: PickleValue | undefined,
  read: ReadTensor,
): TorchTensor {
  const hanging = tensorsIn(state, read).filter((part) => !isSameWindow(part.tensor, tensor));
  if (hanging.length === 0) return tensor;
  const parts = [...tensor.parts, ...hanging];
  if (tensor.form !== "dense") return { ...tensor, parts };
  const held = stateDictOf(state);
  const shape = shapeOf(held.get("quant_state"));
  // Always 4 bits, whatever type they are kept in.
  const values = 2 * tensor.itemBytes;
  if (shape !== null && Math.ceil((elementsOf(shape) ?? 0) / values) === elementsOf(tensor.size))
    return { ...tensor, packed: { values, size: shape }, form: "quantized", parts };
  if (tensor.dtype === "int8" && hanging.some(({ name }) => name === "SCB"))
    return { ...tensor, form: "quantized", parts };
  return { ...tensor, parts };
}

/** The tensor as one of another shape, whose values it has several of in each element; `null` when they have no room in it. */
export function asPacked(
  tensor: TorchTensor,
  shape: readonly number[],
  parts: TorchTensor["parts"],
): TorchTensor | null {
  const values = packedValues(tensor.dtype, elementsOf(tensor.size), elementsOf(shape));
  if (values === null) return null;
  const packed = values === 1 && sameShape(shape, tensor.size) ? {} : { packed: { values, size: shape } };
  return { ...tensor, ...packed, form: "quantized", parts };
}

/** `QuantState` of bitsandbytes, and the list that it was up to 0.40: `[absmax, shape, dtype, ...]`. */
function shapeOf(state: PickleValue | undefined): readonly number[] | null {
  return sizeFrom(itemsOf(state)?.[1] ?? stateOf(state).get("shape"));
}

/** Sizes, where a value is some. */
export function sizeFrom(value: PickleValue | undefined): readonly number[] | null {
  if (
    !itemsOf(value) &&
    globalName(isRecord(value) && value.kind === "object" ? value.callable : null) !== "torch.Size"
  )
    return null;
  try {
    return dimensions(value, "size");
  } catch (error) {
    if (!(error instanceof TensorFault)) throw error;
    return null;
  }
}

function isSameWindow(one: TorchTensor, other: TorchTensor): boolean {
  return (
    one.storage !== null &&
    one.storage === other.storage &&
    one.offset === other.offset &&
    one.dtype === other.dtype &&
    one.size.join() === other.size.join()
  );
}
