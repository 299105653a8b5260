/** Types as the fixtures write them, and whether an inferred one is the same. */

import { formatExpression } from "../../../src/ir/format-expression.ts";
import type { TensorType } from "../../../src/ir/tensor.ts";

export type StatedType =
  | { readonly tensor: string; readonly shape: readonly (number | string | null)[] | null }
  | { readonly sequence: StatedType }
  | { readonly optional: StatedType }
  | { readonly map: unknown }
  | { readonly sparse: unknown };

/** Whether the inferred type says at least what is stated. */
export function sameAsDeclared(type: TensorType | undefined, stated: StatedType): boolean {
  if (!type) return false;
  if ("tensor" in stated) {
    if (type.dtype !== stated.tensor) return false;
    if (stated.shape === null) return true;
    return (
      type.shape?.length === stated.shape.length &&
      stated.shape.every((dim, i) => {
        const found = type.shape?.[i] ?? null;
        return dim === null || (found !== null && String(dim) === formatExpression(found));
      })
    );
  }
  const [container, element] = Object.entries(stated)[0] as [string, StatedType];
  if (type.of?.container !== container) return false;
  if (container !== "sequence" && container !== "optional") return true;
  return type.of.element !== null && sameAsDeclared(type.of.element, element);
}

/** Whether the inferred type says something else than what is stated; not knowing says nothing. */
export function contradictsDeclared(type: TensorType | undefined, stated: StatedType): boolean {
  if (!type) return false;
  if (!("tensor" in stated)) {
    const [container, element] = Object.entries(stated)[0] as [string, StatedType];
    if (type.of === undefined) return type.dtype !== null || type.shape !== null;
    if (type.of.container !== container) return true;
    if (container !== "sequence" && container !== "optional") return false;
    return type.of.element !== null && contradictsDeclared(type.of.element, element);
  }
  if (type.of !== undefined || (type.dtype !== null && type.dtype !== stated.tensor)) return true;
  if (type.shape === null || stated.shape === null) return false;
  return (
    type.shape.length !== stated.shape.length ||
    type.shape.some((dim, i) => {
      const size = stated.shape?.[i];
      return typeof dim === "number" && typeof size === "number" && dim !== size;
    })
  );
}

/** Whether a type that another engine inferred says at least what is stated. */
export function saysDeclared(found: StatedType | null | undefined, stated: StatedType): boolean {
  if (!found) return false;
  if ("tensor" in stated) {
    if (!("tensor" in found) || found.tensor !== stated.tensor) return false;
    const { shape } = found;
    if (stated.shape === null) return true;
    return (
      shape?.length === stated.shape.length &&
      stated.shape.every((dim, i) => dim === null || dim === shape[i])
    );
  }
  const [kind, element] = Object.entries(stated)[0] as [string, StatedType | null];
  const inner = (found as Readonly<Record<string, StatedType | null>>)[kind];
  if (kind === "sequence" || kind === "optional")
    return element === null || (inner !== undefined && saysDeclared(inner, element));
  return JSON.stringify(found) === JSON.stringify(stated);
}
