/**
 * Element by element arithmetic on values known without running the model. Elements are whole numbers, fractions in
 * floating-point tensors, expressions over named sizes, or unknown; what cannot be told exactly is unknown.
 */

import {
  addDims,
  ceilDim,
  type Dim,
  divideProducts,
  floorDim,
  floorDivideDim,
  isAtMostDim,
  isWholeDim,
  maxDims,
  minDims,
  moduloDim,
  multiplyDims,
  sameDim,
  subtractDims,
} from "../ir/dim.ts";
import { bitsOf, type DType } from "../ir/dtype.ts";
import { countOf, type Shape } from "../ir/shape.ts";
import type { TensorType } from "../ir/tensor.ts";
import { maxFoldedOperands, maxKnownValues, maxSymbolicPower } from "../limits.ts";
import type { RuleInput } from "./operator.ts";
import type { Value } from "./tensor-values.ts";

export type Fold = (...elements: readonly Dim[]) => Dim;

/** Elements in row-major order, fractions among them; undefined when nothing is known or the count does not fit the shape. */
export function knownElements({ value, shape }: RuleInput): readonly Dim[] | undefined {
  if (value === undefined || value === null) return undefined;
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (list.length > maxKnownValues || countOf(shape) !== list.length) return undefined;
  const elements = list.map(asElement);
  return elements.every((element) => element !== undefined) ? elements : undefined;
}

function asElement(value: unknown): Dim | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (value === null) return null;
  return typeof value === "object" && "terms" in value ? (value as Dim) : undefined;
}

/** Elements of a result of that shape, as a value: a scalar is no list. */
export function asValue(elements: readonly Dim[], shape: Shape): Value | undefined {
  return shape?.length === 0 ? elements[0] : elements;
}

/** `f` of the operands' elements, broadcast to the type's shape; undefined unless all operands are known. */
export function foldElements(
  inputs: readonly RuleInput[],
  { dtype, shape }: TensorType,
  f: Fold,
): Value | undefined {
  if (inputs.length === 0 || inputs.length > maxFoldedOperands) return undefined;
  if (inputs.some(({ value }) => value === undefined)) return undefined;
  const count = countOf(shape);
  if (shape === null || count === null || count > maxKnownValues) return undefined;
  const operands: ((index: number) => Dim)[] = [];
  for (const input of inputs) {
    const elements = knownElements(input);
    if (!elements || input.shape === null) return undefined;
    operands.push(broadcastReader(elements, input.shape, shape));
  }
  const results = Array.from({ length: count }, (_, index) =>
    storedAs(f(...operands.map((read) => read(index))), dtype),
  );
  return asValue(results, shape);
}

/** Reads an operand at a flat index of the result. */
function broadcastReader(elements: readonly Dim[], from: Shape, to: Shape): (index: number) => Dim {
  const own = (from ?? []).map(Number);
  const result = (to ?? []).map(Number);
  return (index) => {
    let rest = index;
    let at = 0;
    let stride = 1;
    for (let axis = result.length - 1; axis >= 0; axis--) {
      const size = result[axis] ?? 1;
      const ownSize = own[axis - result.length + own.length] ?? 1;
      if (ownSize !== 1) at += (rest % size) * stride;
      stride *= ownSize;
      rest = Math.floor(rest / size);
    }
    return elements[at] ?? null;
  };
}

/** A number as an element of `dtype` keeps it; unknown where it overflows or where rounding is not ours to work out. */
export function storedAs(element: Dim, dtype: DType | null): Dim {
  if (typeof element !== "number") return isWholeDim(element) || isReal(dtype) ? element : null;
  if (!Number.isFinite(element)) return null;
  if (dtype === "float64") return element + 0;
  if (dtype === "float32") return Math.fround(element) + 0;
  if (!Number.isSafeInteger(element)) return null;
  if (dtype === "float16" || dtype === "bfloat16") return Math.abs(element) <= 256 ? element + 0 : null;
  if (dtype === null || dtype === "bool") return element + 0;
  const integer = /^(u?)int/.exec(dtype);
  if (!integer) return null;
  const bits = bitsOf(dtype) ?? 0;
  const [low, high] = integer[1] === "u" ? [0, 2 ** bits] : [-(2 ** (bits - 1)), 2 ** (bits - 1)];
  return element >= low && element < high ? element + 0 : null;
}

function isReal(dtype: DType | null): boolean {
  return dtype === "float32" || dtype === "float64";
}

/** `numbers` of two numbers; `dims` where a size is named, and then only of whole numbers. */
function pair(numbers: (a: number, b: number) => number, dims: (a: Dim, b: Dim) => Dim): Fold {
  return (a = null, b = null) => {
    if (a === null || b === null) return null;
    if (typeof a === "number" && typeof b === "number") return numbers(a, b);
    return isWholeDim(a) && isWholeDim(b) ? dims(a, b) : null;
  };
}

/** `numbers` of two numbers; `dims` where a size is named, also of halves, quarters and the like, which stay exact. */
function exactPair(numbers: (a: number, b: number) => number, dims: (a: Dim, b: Dim) => Dim): Fold {
  return (a = null, b = null) => {
    if (a === null || b === null) return null;
    if (typeof a === "number" && typeof b === "number") return numbers(a, b);
    return isDyadic(a) && isDyadic(b) ? dims(a, b) : null;
  };
}

/** A whole number of 1024ths. Named sizes times such a number are exact in single precision up to millions. */
function isDyadic(element: Dim): boolean {
  return isWholeDim(multiplyDims(element, 1024));
}

/** For any number of operands. */
function chain(f: Fold): Fold {
  return (first = null, ...rest) => rest.reduce((a, b) => f(a, b), first);
}

/** 1 for true and 0 for false, as elements of bool tensors have it. */
function truth(value: boolean): number {
  return value ? 1 : 0;
}

export const foldAdd: Fold = chain(exactPair((a, b) => a + b, addDims));
export const foldSubtract: Fold = exactPair((a, b) => a - b, subtractDims);
export const foldMultiply: Fold = chain(exactPair((a, b) => a * b, multiplyDims));
export const foldMaximum: Fold = chain(pair(Math.max, maxDims));
export const foldMinimum: Fold = chain(pair(Math.min, minDims));
export const foldFloorDivide: Fold = pair((a, b) => Math.floor(a / b), floorDivideDim);

/** Of floating-point numbers: exact, or unknown where a named size is divided and leaves what is no 1024th. */
export const foldDivide: Fold = exactPair(
  (a, b) => a / b,
  (a, b) => {
    const exact = isWholeDim(a) && isWholeDim(b) ? divideProducts([a], [b]) : null;
    if (exact !== null || typeof b !== "number" || b === 0) return exact;
    return isDyadic(1 / b) ? foldMultiply(a, 1 / b) : null;
  },
);

/** Of whole numbers, rounding toward zero. */
export const foldTruncatingDivide: Fold = pair(
  (a, b) => Math.trunc(a / b),
  (a, b) => (areNatural(a, b) ? floorDivideDim(a, b) : divideProducts([a], [b])),
);

function areNatural(a: Dim, b: Dim): boolean {
  return isAtMostDim(0, a) && isAtMostDim(1, b);
}

/** The remainder with the sign of the divisor (Python's %). */
export const foldModulo: Fold = pair((a, b) => a - Math.floor(a / b) * b, moduloDim);

/** The remainder with the sign of the dividend (C's fmod). */
export const foldRemainder: Fold = pair(
  (a, b) => a % b,
  (a, b) => (areNatural(a, b) ? moduloDim(a, b) : null),
);

export const foldPower: Fold = pair(
  (a, b) => a ** b,
  (a, b) => {
    if (typeof b !== "number" || b < 0 || b > maxSymbolicPower) return null;
    return multiplyDims(...new Array<Dim>(b).fill(a));
  },
);

const areOrdered = (a: Dim, b: Dim): boolean => isAtMostDim(addDims(a, 1), b);

export const foldEqual: Fold = pair(
  (a, b) => truth(a === b),
  (a, b) => {
    if (sameDim(a, b)) return 1;
    return areOrdered(a, b) || areOrdered(b, a) ? 0 : null;
  },
);

export const foldLess: Fold = pair(
  (a, b) => truth(a < b),
  (a, b) => {
    if (areOrdered(a, b)) return 1;
    return isAtMostDim(b, a) ? 0 : null;
  },
);

export const foldNot: Fold = (a = null) => (typeof a === "number" ? truth(a === 0) : null);
export const foldNotEqual: Fold = (a, b) => foldNot(foldEqual(...defined(a, b)));
export const foldGreater: Fold = (a, b) => foldLess(...defined(b, a));
export const foldLessEqual: Fold = (a, b) => foldNot(foldLess(...defined(b, a)));
export const foldGreaterEqual: Fold = (a, b) => foldNot(foldLess(...defined(a, b)));

function defined(a: Dim | undefined, b: Dim | undefined): readonly [Dim, Dim] {
  return [a ?? null, b ?? null];
}

/** One false operand settles it, whatever the other is. */
export const foldAnd: Fold = (a, b) => {
  if (a === 0 || b === 0) return 0;
  return typeof a === "number" && typeof b === "number" ? 1 : null;
};

export const foldOr: Fold = (a, b) => foldNot(foldAnd(foldNot(a ?? null), foldNot(b ?? null)));
export const foldXor: Fold = (a, b) =>
  typeof a === "number" && typeof b === "number" ? truth((a === 0) !== (b === 0)) : null;

/** Of a number; `dim` of a named size, which is whole. */
function single(number: (a: number) => number, dim: (a: Dim) => Dim = () => null): Fold {
  return (a = null) => {
    if (a === null) return null;
    return typeof a === "number" ? number(a) : dim(a);
  };
}

function wholeOnly(a: Dim): Dim {
  return isWholeDim(a) ? a : null;
}

/** Halves go to the even neighbour. */
function roundToEven(a: number): number {
  const rounded = Math.round(a);
  return Math.abs(a % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

export const foldNegative: Fold = single(
  (a) => -a,
  (a) => multiplyDims(a, -1),
);
export const foldAbs: Fold = single(Math.abs, (a) => maxDims(a, multiplyDims(a, -1)));
export const foldFloor: Fold = single(Math.floor, floorDim);
export const foldCeil: Fold = single(Math.ceil, ceilDim);
export const foldTrunc: Fold = single(Math.trunc, (a) => (isAtMostDim(0, a) ? floorDim(a) : wholeOnly(a)));
export const foldRound: Fold = single(roundToEven, wholeOnly);
export const foldSqrt: Fold = single(Math.sqrt);
export const foldReciprocal: Fold = single((a) => 1 / a);
export const foldSign: Fold = single(Math.sign, (a) => (isAtMostDim(1, a) ? 1 : null));
export const foldSquare: Fold = single(
  (a) => a * a,
  (a) => multiplyDims(a, a),
);
