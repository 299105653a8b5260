/** dtype of a result of several operands: the promotion lattice of Keras 3 (backend/common/dtypes.py), which is JAX's. */

import { bitsOf, type DType } from "../ir/dtype.ts";
import type { RuleInput } from "./operator.ts";

type Kind = "bool" | "uint" | "int" | "float" | "complex" | "other";

function kindOf(dtype: DType): Kind {
  if (dtype === "bool") return "bool";
  if (dtype.startsWith("uint")) return "uint";
  if (dtype.startsWith("int")) return "int";
  if (dtype.startsWith("complex")) return "complex";
  return dtype.startsWith("float") || dtype === "bfloat16" ? "float" : "other";
}

const ranks: Readonly<Record<Kind, number>> = { bool: 0, uint: 1, int: 2, float: 3, complex: 4, other: 5 };

function promotePair(a: DType, b: DType): DType | null {
  if (a === b) return a;
  const [low, high] = ranks[kindOf(a)] <= ranks[kindOf(b)] ? [a, b] : [b, a];
  const [lowKind, highKind] = [kindOf(low), kindOf(high)];
  if (highKind === "other") return null;
  const [lowBits, highBits] = [bitsOf(low) ?? 0, bitsOf(high) ?? 0];
  if (lowKind === highKind) {
    if (lowBits === highBits) return "float32";
    return lowBits > highBits ? low : high;
  }
  if (lowKind === "uint" && highKind === "int") {
    const bits = Math.max(highBits, lowBits * 2);
    return bits > 64 ? "float32" : (`int${bits}` as DType);
  }
  if (highKind === "complex" && low === "float64") return "complex128";
  return high;
}

/** Promotes all; `null` (unknown) makes the result unknown. */
export function promoteDTypes(...dtypes: readonly (DType | null)[]): DType | null {
  return promoteAll(dtypes);
}

/** For lists from a file, which may be too long for the arguments of a call. */
function promoteAll([first, ...rest]: readonly (DType | null)[]): DType | null {
  if (first === undefined) return null;
  let result = first;
  for (const dtype of rest) {
    if (result === null || dtype === null) return null;
    result = promotePair(result, dtype);
  }
  return result;
}

/** Promotes operands; a plain number among them is weak, it only turns whole numbers to floats. */
export function promoteInputs(inputs: readonly RuleInput[]): DType | null {
  const strong = inputs.filter((input) => input.dtype !== null || input.value === undefined);
  const result = promoteAll(strong.map((input) => input.dtype));
  const fraction = inputs.some((input) => typeof input.value === "number" && !Number.isInteger(input.value));
  return fraction ? floatOf(result) : result;
}

/** dtype of a function that has only floating-point results. */
export function floatOf(dtype: DType | null): DType | null {
  if (dtype === null) return null;
  const kind = kindOf(dtype);
  return kind === "float" || kind === "complex" ? dtype : "float32";
}
