/** What a file declares of a value, held against what a rule infers. */

import { contradicts, type Dim, largestOf, sameDim, sharperDim } from "../ir/dim.ts";
import { formatShape, type Shape } from "../ir/shape.ts";
import type { TensorType } from "../ir/tensor.ts";

/**
 * Both put together; the inferred one wins where they contradict each other. Keeps what else the inferred one carries. A declared
 * number where a size follows that the inputs name is the one of some run, unless the declaration is `traced`.
 */
export function mergeTypes<T extends TensorType>(
  inferred: T,
  declared: TensorType,
  traced: boolean,
): { readonly merged: T; readonly conflict: boolean } {
  if (inferred.of || declared.of) {
    const known = inferred.of !== undefined || inferred.shape !== null || inferred.dtype !== null;
    return { merged: known ? inferred : { ...inferred, ...declared }, conflict: false };
  }
  if (isSame(inferred, declared)) return { merged: inferred, conflict: false };
  const dtypes = inferred.dtype !== null && declared.dtype !== null && inferred.dtype !== declared.dtype;
  const shapes = conflicting(inferred.shape, declared.shape, traced);
  const shape = shapes ? inferred.shape : mergeShapes(inferred.shape, declared.shape);
  return {
    merged: { ...inferred, dtype: inferred.dtype ?? declared.dtype, shape },
    conflict: dtypes || shapes,
  };
}

/** Nothing to put together: most rules give just what the file declares. */
function isSame(a: TensorType, b: TensorType): boolean {
  if (a.dtype !== b.dtype || a.shape === null || a.shape.length !== b.shape?.length) return false;
  return a.shape.every((dim, i) => dim === b.shape?.[i]);
}

function conflicting(a: Shape, b: Shape, traced: boolean): boolean {
  if (a === null || b === null) return false;
  if (a.length !== b.length) return true;
  return a.some((dim, i) => {
    const stated = b[i] ?? null;
    return contradicts(dim, stated) || (!traced && typeof stated === "number" && isNamed(dim));
  });
}

/** Sizes that inputs name, and what adding and multiplying makes of them: never the choice between several. */
function isNamed(dim: Dim): boolean {
  if (dim === null || typeof dim === "number") return false;
  return dim.terms.every(({ atoms }) => atoms.every((atom) => "symbol" in atom));
}

function mergeShapes(inferred: Shape, declared: Shape): Shape {
  if (inferred === null || declared === null) return inferred ?? declared;
  return inferred.map((dim, i): Dim => {
    const stated = declared[i] ?? null;
    // Which of several sizes is the larger one, a rule leaves open; the file may know.
    return stated !== null && isOneOf(stated, dim) ? stated : sharperDim(dim, stated);
  });
}

function isOneOf(stated: Dim, dim: Dim): boolean {
  return typeof dim === "object" && dim !== null && largestOf(dim).some((part) => sameDim(part, stated));
}

/** `float32 (1, 64, ?)`: for messages. */
export function formatType(type: TensorType): string {
  if (type.of) return `${type.of.container} of ${type.of.element ? formatType(type.of.element) : "?"}`;
  return `${type.dtype ?? "?"} ${formatShape(type.shape)}`;
}
