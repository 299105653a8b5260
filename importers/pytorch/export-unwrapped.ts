/**
 * Tensors of torchao in programs: whole, as a pickle of their class, or taken apart into `parametrizations.weight.original0` and so on,
 * as it has to be before a program is brought down to core ATen.
 */

import { bitsOf } from "../../src/ir/dtype.ts";
import { countOf } from "../../src/ir/shape.ts";
import type { Held } from "./export-tensors.ts";

/**
 * What stands beside quantised numbers, told apart from them: what each such tensor is in truth. Of the parts of one weight the largest are the numbers, when
 * they are narrow; weight_norm takes apart too, and has none.
 */
export function tellScales(all: readonly Held[]): ReadonlyMap<Held, Held> {
  const weights = new Map<string, Held[]>();
  for (const held of all) {
    if (held.class !== "parameter" || !held.name.includes("parametrizations.")) continue;
    const weight = /^(.*parametrizations\.[^.]+)\.original\d+$/.exec(held.name)?.[1];
    if (weight === undefined) continue;
    const parts = weights.get(weight) ?? [];
    parts.push(held);
    weights.set(weight, parts);
  }
  const told = new Map<Held, Held>();
  for (const parts of weights.values()) {
    const numbers = parts.reduce((most, one) => (elementsOf(one) > elementsOf(most) ? one : most));
    if (parts.length < 2 || (bitsOf(numbers.dtype) ?? 64) > 8) continue;
    for (const part of parts)
      if (part !== numbers) told.set(part, { ...part, class: "quantization", trainable: false });
  }
  return told;
}

function elementsOf({ shape }: Held): number {
  return countOf(shape) ?? 0;
}
