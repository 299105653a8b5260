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
