/** Weights whose layer no rule knows: what they are can only be told from their names and element types. */

import type { DType } from "../../src/ir/dtype.ts";
import type { StoredTensor, TensorClass } from "../../src/ir/tensor.ts";
import type { WeightSlot } from "./architecture.ts";

/** `conv1/kernel:0` -> `kernel`. */
export function baseName(name: string): string {
  return (name.split(/[/\\]/).pop() ?? name).replace(/:\d+$/, "");
}

const statistics = /^(moving|running)_|(^|_)(mean|variance|std|stddev)$|^vector_u$/;
const counters = /(^|_)(count|counter|iterations?|steps?|seed|seed_generator_state)$/;

/** Class of a weight by the name its layer gave it. Whole numbers are never learned. */
export function classByName(name: string, dtype: DType): TensorClass {
  const base = baseName(name);
  if (statistics.test(base)) return "statistic";
  if (counters.test(base) || /^u?int|^bool/.test(dtype)) return "bookkeeping";
  return "parameter";
}

/** A slot made from the file, already filled. */
export function slotFromFile(name: string, index: number, tensor: StoredTensor): WeightSlot {
  const base = baseName(name);
  const kind = classByName(name, tensor.dtype);
  return {
    declaration: {
      name: base,
      role: base,
      class: kind,
      dtype: tensor.dtype,
      // Learned or fixed: neither the name nor the file can tell.
      ...(kind === "parameter" && { trainable: null }),
    },
    tensor: index,
    storedName: name,
  };
}
