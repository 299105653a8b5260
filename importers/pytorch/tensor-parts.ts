/** Tensors that are put together from others: sparse, quantised and nested ones, and shells of classes of their own. */

import { productOfDims } from "../../src/ir/dim.ts";
import type { TensorClass } from "../../src/ir/tensor.ts";
import type { Leaf } from "./sections.ts";
import type { TorchTensor } from "./tensor.ts";

/** What a tensor is put down as. */
export interface Entry {
  readonly name: string;
  readonly path: string;
  readonly tensor: TorchTensor;
  readonly leaf?: Leaf;
  readonly class?: TensorClass;
  readonly row: boolean;
}

/** How many tensors `partsOf` gives at most. Two parts that are one tensor, sixty levels deep, are more than can be listed. */
export function countParts(tensor: TorchTensor, known: Map<TorchTensor, number>): number {
  const before = known.get(tensor);
  if (before !== undefined) return before;
  let count = 1;
  for (const part of tensor.parts) count += countParts(part.tensor, known);
  known.set(tensor, count);
  return count;
}

/** Scales and the like are part of the weight that has them, and no module of that name has a row. */
const rowless: ReadonlySet<TorchTensor["form"]> = new Set(["quantized", "distributed", "nested", "dense"]);

/** A tensor that is put together from others gives them; one that is quantised gives itself and its scales. */
export function partsOf(entry: Entry): Entry[] {
  const { tensor, name, path } = entry;
  const part = (one: TorchTensor["parts"][number], kind?: TensorClass): Entry[] =>
    partsOf({
      ...entry,
      name: `${name}.${one.name}`,
      path: `${path}.${one.name}`,
      tensor: one.tensor,
      ...(entry.class === undefined && kind !== undefined && { class: kind }),
      // Scales are part of the weight that has them, and no module of that name has a row.
      ...(rowless.has(tensor.form) && { row: false }),
    });
  switch (tensor.form) {
    case "sparse":
      return tensor.parts.flatMap((one) => part(one, one.name === "values" ? undefined : "bookkeeping"));
    case "quantized":
      return [
        { ...entry, tensor: { ...tensor, parts: [] } },
        ...tensor.parts.flatMap((one) => part(one, "quantization")),
      ];
    case "distributed":
    case "nested":
      return [
        { ...entry, tensor: { ...tensor, parts: [] } },
        ...tensor.parts.flatMap((one) => part(one, "bookkeeping")),
      ];
    case "subclass":
      return quantizedParts(entry) ?? tensor.parts.flatMap((one) => part(one));
    default:
      // What programs hang on a tensor is neither learned nor a buffer.
      return [
        tensor.parts.length === 0 ? entry : { ...entry, tensor: { ...tensor, parts: [] } },
        ...tensor.parts.flatMap((one) => part(one, "constant")),
      ];
  }
}

/**
 * A tensor of torchao, which says its own shape and holds the numbers, narrow ones, and scales beside them. The numbers stand
 * for the tensor; where there are fewer of them than it has elements, each holds several. `null`: it is something else.
 */
function quantizedParts(entry: Entry): Entry[] | null {
  const { tensor, name, path } = entry;
  const split = splitQuantized(tensor);
  if (split === null) return null;
  const { data, values, beside } = split;
  const { parameter, requiresGrad } = tensor;
  const own = {
    ...data,
    parameter,
    requiresGrad,
    ...(values > 1 && { packed: { values, size: tensor.size } }),
  };
  return [
    { ...entry, tensor: own, class: entry.class ?? "parameter" },
    ...beside.map((part) => {
      const inside = { name: `${name}.${part.name}`, path: `${path}.${part.name}`, tensor: part.tensor };
      return { ...entry, ...inside, class: entry.class ?? ("quantization" as const), row: false };
    }),
  ];
}

/** A quantised tensor that is put together from others: its numbers, how many of them one element holds, and what they are scaled with. */
export interface SplitQuantized {
  readonly data: TorchTensor;
  readonly values: number;
  readonly beside: TorchTensor["parts"];
}

/** `null` for a tensor that is nothing of the kind. */
export function splitQuantized(tensor: TorchTensor): SplitQuantized | null {
  // A weight has two or three: numbers, scales, zero points.
  if (countParts(tensor, new Map()) > 64) return null;
  const parts = flatParts(tensor, "");
  const counts = parts.map((part) => productOfDims(part.tensor.size) ?? 0);
  const most = Math.max(0, ...counts);
  const data = parts[counts.indexOf(most)]?.tensor;
  const values = (productOfDims(tensor.size) ?? 0) / most;
  if (parts.length < 2 || !data || !/^(u?int(8|16|32)|float8|float4)/.test(data.dtype)) return null;
  if (![1, 2, 4, 8].includes(values) || (values === 1 && data.itemBytes > 1)) return null;
  return { data, values, beside: parts.filter((part) => part.tensor !== data) };
}

/** The parts of a tensor, and of those that are put together themselves theirs. */
function flatParts({ parts }: TorchTensor, before: string): TorchTensor["parts"] {
  return parts.flatMap(({ name, tensor }) =>
    tensor.form === "subclass"
      ? flatParts(tensor, `${before}${name}.`)
      : [{ name: `${before}${name}`, tensor }],
  );
}
