import { type Dim, formatDim, numberOf, productOfDims, sameDim } from "./dim.ts";

/** Dimensions in order, or `null` when not even the rank is known. */
export type Shape = readonly Dim[] | null;

/** A shape of which everything is known, as stored tensors have it. */
export type StaticShape = readonly number[];

/** Product of the dimensions; 1 for a scalar; unknown when any dimension is. */
export function elementsOf(shape: StaticShape): number | null;
export function elementsOf(shape: Shape): Dim;
export function elementsOf(shape: Shape): Dim {
  return shape === null ? null : productOfDims(shape);
}

export function sameShape(a: Shape, b: Shape): boolean {
  if (a === null || b === null) return a === b;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    const dim = a[i] ?? null;
    if (dim !== b[i] && !sameDim(dim, b[i] ?? null)) return false;
  }
  return true;
}

/** Product of the dimensions as a number; null when it is not known, or depends on named sizes. */
export function countOf(shape: Shape): number | null {
  if (shape === null) return null;
  let count = 1;
  for (let i = 0; i < shape.length; i++) {
    const dim = shape[i];
    // Unless a size is 0, a named one is in the product.
    if (typeof dim !== "number") return shape.includes(0) ? numberOf(elementsOf(shape)) : null;
    count *= dim;
  }
  return Number.isSafeInteger(count) ? count : null;
}

/** `(3, 3, ?, 2*seq)`: for messages. */
export function formatShape(shape: Shape): string {
  return shape === null ? "?" : `(${shape.map(formatDim).join(", ")})`;
}
