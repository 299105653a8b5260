import { type Dim, productOfDims } from "./dim.ts";

/** Dimensions in order, or `null` when not even the rank is known. */
export type Shape = readonly Dim[] | null;

/** A shape of which everything is known, as stored tensors have it. */
export type StaticShape = readonly number[];

/** Product of the dimensions; 1 for a scalar; unknown when any dimension is. */
export function elementsOf(shape: Shape): Dim {
  return shape === null ? null : productOfDims(shape);
}

export function sameShape(a: Shape, b: Shape): boolean {
  if (a === null || b === null) return a === b;
  return a.length === b.length && a.every((dim, i) => dim === b[i]);
}

/** `(3, 3, ?, 64)`: for messages. */
export function formatShape(shape: Shape): string {
  return shape === null ? "?" : `(${shape.map((dim) => dim ?? "?").join(", ")})`;
}
