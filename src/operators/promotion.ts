/** dtype of a result of several operands: the promotion lattice of Keras 3 (backend/common/dtypes.py), which is JAX's. */

import { bitsOf, type DType } from "../ir/dtype.ts";
import type { Json, JsonObject } from "../ir/graph.ts";
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

/** What an operand is that has no element type of its own: a plain number, or one worked out from sizes. */
export type NumberKind = "bool" | "int" | "float" | "complex";

const typeOfNumber: Readonly<Record<NumberKind, DType>> = {
  bool: "bool",
  int: "int64",
  float: "float32",
  complex: "complex64",
};

/** Kinds of the operands that are numbers, by position, null for tensors; null where absent: all promote alike. */
export function readNumbers(raw: JsonObject): readonly (NumberKind | null)[] | null {
  const value = raw.numbers ?? null;
  if (!Array.isArray(value)) return null;
  return (value as readonly Json[]).map((kind) =>
    typeof kind === "string" && Object.hasOwn(typeOfNumber, kind) ? (kind as NumberKind) : null,
  );
}

/**
 * PyTorch's promotion (c10 ResultTypeState): tensors with axes come before those without, and these before numbers; what
 * comes later counts only when it is of a higher category (whole numbers, fractions, complex ones).
 */
export function promoteRanked(
  inputs: readonly RuleInput[],
  numbers: readonly (NumberKind | null)[],
): DType | null {
  const ranks: [DType[], DType[], DType[]] = [[], [], []];
  const tensors = inputs.filter((_, i) => !numbers[i]);
  const [first] = tensors;
  const alike = tensors.every(({ dtype }) => dtype === first?.dtype);
  for (const [i, { dtype, shape }] of inputs.entries()) {
    const kind = numbers[i];
    if (kind) ranks[2].push(typeOfNumber[kind]);
    else if (dtype === null || (!alike && (shape === null || dtype === "complex32"))) return null;
    else ranks[shape?.length === 0 ? 1 : 0].push(dtype);
  }
  const [axes, scalars, plain] = ranks.map((types) => (types.length === 0 ? undefined : promoteAll(types)));
  return combineCategories(axes, combineCategories(scalars, plain)) ?? null;
}

function combineCategories(
  higher: DType | null | undefined,
  lower: DType | null | undefined,
): DType | null | undefined {
  if (!higher || !lower) return higher === undefined ? lower : higher && lower === null ? null : higher;
  const [high, low] = [kindOf(higher), kindOf(lower)];
  if (high === "complex") return higher;
  if (high === "float") return low === "complex" ? complexOf(higher) : higher;
  return high === "bool" || low === "float" || low === "complex" ? promotePair(higher, lower) : higher;
}

/** Complex numbers with parts of that type; of whole numbers it is not told. */
export function complexOf(dtype: DType | null): DType | null {
  if (dtype === "float64") return "complex128";
  if (dtype === "float16") return "complex32";
  if (dtype?.startsWith("complex")) return dtype;
  return dtype === "float32" || dtype === "bfloat16" ? "complex64" : null;
}

/** Type of the parts of complex numbers; of others their own. */
export function realOf(dtype: DType | null): DType | null {
  if (dtype === "complex128") return "float64";
  return dtype === "complex64" ? "float32" : dtype === "complex32" ? "float16" : dtype;
}
