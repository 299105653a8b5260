/** Windows on storages: sizes and strides out of a pickle, and where they end. */

import { counted } from "../../src/counted.ts";
import { productOfDims } from "../../src/ir/dim.ts";
import { maxModelElements, maxRank } from "../../src/limits.ts";
import { isRecord, itemsOf, type PickleValue } from "../../src/wire/pickle-value.ts";
import { TensorFault, type TorchStorage, type TorchTensor } from "./tensor.ts";

export function fail(what: string): never {
  throw new TensorFault(what);
}

export function count(value: PickleValue | undefined, what: string): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0)
    fail(`its ${what} is no whole number`);
  if (value > maxModelElements) fail(`its ${what} is ${value}, beyond anything that exists`);
  return value;
}

/** Sizes: a tuple, a list, or `torch.Size` of one. */
export function dimensions(value: PickleValue | undefined, what: string): readonly number[] {
  const wrapped = isRecord(value) && value.kind === "object" ? itemsOf(value.args)?.[0] : value;
  const items = itemsOf(wrapped) ?? fail(`its ${what} is no list of numbers`);
  if (items.length > maxRank) fail(`it has ${counted(items.length, "dimension")}`);
  return items.map((item) => count(item, what));
}

/** Elements from the first to the last that a tensor can see; 0 for an empty one. */
export function spanOf(tensor: Pick<TorchTensor, "size" | "stride">): number {
  if (tensor.size.includes(0)) return 0;
  return tensor.size.reduce((span, dim, i) => span + (dim - 1) * (tensor.stride[i] ?? 0), 1);
}

/** Refuses a window that reaches out of its storage. @throws TensorFault */
export function checkWindow(tensor: TorchTensor, storage: TorchStorage): void {
  const { size, stride, offset, itemBytes } = tensor;
  if (size.length !== stride.length)
    fail(`its size has ${counted(size.length, "dimension")} and its stride ${stride.length}`);
  const elements = productOfDims(size);
  if (elements === null || elements > maxModelElements)
    fail(`its shape (${size.join(", ")}) is beyond anything that exists`);
  const end = (offset + spanOf(tensor)) * itemBytes;
  // An empty tensor may point anywhere.
  if (elements > 0 && end > storage.bytes)
    fail(`it reaches to byte ${end} of a storage of ${counted(storage.bytes, "byte")}`);
}

/** A storage by itself, as a row of its elements. */
export function wholeStorage(storage: TorchStorage): TorchTensor {
  const { dtype, bytes } = storage.type;
  return {
    dtype,
    itemBytes: bytes,
    size: [Math.floor(storage.bytes / bytes)],
    stride: [1],
    storage,
    offset: 0,
    requiresGrad: false,
    parameter: false,
    form: "dense",
    parts: [],
  };
}

/** Strides of elements one after the other. */
export function rowMajor(size: readonly number[]): readonly number[] {
  let step = 1;
  return size
    .toReversed()
    .map((dim) => {
      const own = step;
      step *= dim;
      return own;
    })
    .toReversed();
}
