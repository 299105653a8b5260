/**
 * A dimension is a whole number, an expression over named sizes, or unknown (`null`: Keras's None). Rules do arithmetic
 * through these functions only, so that unknown stays unknown and never becomes a number.
 */

import { type Expression, onlyAtom, type SymbolicDim, sameExpression } from "./expression.ts";
import { formatExpression } from "./format-expression.ts";
import {
  addExpressions,
  divideExactly,
  floorDivideExpressions,
  floorExpression,
  hasFractions,
  isAtMost,
  maxExpressions,
  minExpressions,
  moduloExpressions,
  multiplyExpressions,
  subtractExpressions,
} from "./symbolic-dim.ts";

export type Dim = number | SymbolicDim | null;

/** Applies `f` when every dimension is a number; else unknown. A result that is no safe integer is unknown too. */
export function mapDims(f: (...values: number[]) => number, ...dims: readonly Dim[]): Dim {
  const known: number[] = [];
  for (const dim of dims) {
    if (typeof dim !== "number") return null;
    known.push(dim);
  }
  const result = f(...known);
  return Number.isSafeInteger(result) ? result : null;
}

/** The number it is, or null when it is symbolic or unknown. */
export function numberOf(dim: Dim | undefined): number | null {
  return typeof dim === "number" ? dim : null;
}

/** Known to be equal: the same number or the same expression. An unknown dimension equals nothing for certain. */
export function sameDim(a: Dim, b: Dim): boolean {
  return a !== null && b !== null && sameExpression(a, b);
}

/** Known to differ whatever the named sizes are: two numbers that are not equal. */
export function contradicts(a: Dim, b: Dim): boolean {
  return typeof a === "number" && typeof b === "number" && a !== b;
}

/** Of two dimensions that must be equal, what is known best: a number, else an expression, else unknown. */
export function sharperDim(a: Dim, b: Dim): Dim {
  if (typeof a === "number" || b === null) return a;
  return typeof b === "number" || a === null ? b : a;
}

/** `64`, `2*seq`, `?`: for messages. */
export function formatDim(dim: Dim): string {
  return dim === null ? "?" : formatExpression(dim);
}

export function addDims(...dims: readonly Dim[]): Dim {
  return sumOfDims(dims);
}

export function multiplyDims(...dims: readonly Dim[]): Dim {
  return productOfDims(dims);
}

/** For lists from a file: spread over the arguments of a call, a hundred thousand of them overflow the stack. */
export function sumOfDims(dims: readonly Dim[]): Dim {
  return fold(dims, 0, (a, b) => a + b, addExpressions);
}

export function productOfDims(dims: readonly number[]): number | null;
export function productOfDims(dims: readonly Dim[]): Dim;
export function productOfDims(dims: readonly Dim[]): Dim {
  return fold(dims, 1, (a, b) => a * b, multiplyExpressions);
}

export function subtractDims(a: Dim, b: Dim): Dim {
  return combine(a, b, (x, y) => x - y, subtractExpressions);
}

/** Rounds down. Unknown for a division by 0. */
export function floorDivideDim(dim: Dim, by: Dim): Dim {
  return combine(dim, by, (a, b) => Math.floor(a / b), floorDivideExpressions);
}

/** Rounds up. */
export function ceilDivideDim(dim: Dim, by: Dim): Dim {
  if (typeof dim === "number" && typeof by === "number") return mapDims((a, b) => Math.ceil(a / b), dim, by);
  return floorDivideDim(addDims(dim, by, -1), by);
}

/** A whole number whatever the named sizes are; values of floating-point tensors may be others. */
export function isWholeDim(dim: Dim): boolean {
  if (dim === null || typeof dim === "number") return Number.isSafeInteger(dim);
  return !hasFractions(dim);
}

/** Rounded down to a whole number. */
export function floorDim(dim: Dim): Dim {
  if (dim === null || typeof dim !== "number") return dim && floorExpression(dim);
  return mapDims(Math.floor, dim);
}

/** Rounded up to a whole number. */
export function ceilDim(dim: Dim): Dim {
  return multiplyDims(floorDim(multiplyDims(dim, -1)), -1);
}

/** The remainder, with the sign of `by`. */
export function moduloDim(dim: Dim, by: Dim): Dim {
  return combine(dim, by, (a, b) => a - Math.floor(a / b) * b, moduloExpressions);
}

export function maxDims(a: Dim, b: Dim): Dim {
  return combine(a, b, Math.max, maxExpressions);
}

/** The dimensions of which it is the largest; none when it is no such choice. */
export function largestOf(dim: SymbolicDim): readonly Dim[] {
  const atom = onlyAtom(dim);
  return atom && "max" in atom ? atom.max : [];
}

export function minDims(a: Dim, b: Dim): Dim {
  return combine(a, b, Math.min, minExpressions);
}

/** Whether a <= b, whatever the named sizes are; false also where it cannot be told. */
export function isAtMostDim(a: Dim, b: Dim): boolean {
  if (a === null || b === null) return false;
  return typeof a === "number" && typeof b === "number" ? a <= b : isAtMost(a, b);
}

/**
 * Product of `dims` over product of `by`, where it divides without a rest for all sizes; else unknown. Dimensions that
 * stand on both sides go first, so that an unknown one may cancel out too if it is the same object on both sides.
 */
export function divideProducts(dims: readonly Dim[], by: readonly Dim[]): Dim {
  const above = [...dims];
  const below: Dim[] = [];
  for (const dim of by) {
    const at = above.findIndex((other) => sameDim(dim, other));
    if (at < 0) below.push(dim);
    else above.splice(at, 1);
  }
  const product = productOfDims(above);
  const divisor = productOfDims(below);
  if (product === null || divisor === null || divisor === 0) return null;
  return divideExactly(product, divisor);
}

function combine(
  a: Dim,
  b: Dim,
  numbers: (a: number, b: number) => number,
  expressions: (a: Expression, b: Expression) => Expression | null,
): Dim {
  if (a === null || b === null) return null;
  if (typeof a !== "number" || typeof b !== "number") return expressions(a, b);
  const result = numbers(a, b);
  return Number.isSafeInteger(result) ? result : null;
}

function fold(
  dims: readonly Dim[],
  start: number,
  numbers: (a: number, b: number) => number,
  expressions: (a: Expression, b: Expression) => Expression | null,
): Dim {
  let result: Dim = start;
  for (const dim of dims) {
    if (dim === null || result === null) return null;
    result =
      typeof dim === "number" && typeof result === "number" ? numbers(result, dim) : expressions(result, dim);
  }
  return typeof result !== "number" || Number.isSafeInteger(result) ? result : null;
}
