import type { Dim } from "../ir/dim.ts";
import { formatExpression } from "../ir/format-expression.ts";
import type { Shape } from "../ir/shape.ts";
import { symbolsOf } from "../ir/symbolic-dim.ts";
import type { ReportDim, ReportShape } from "./report.ts";

/** A size that nobody named is unknown to people, and so is what is made of it. */
export function reportShape(shape: Shape): ReportShape {
  if (shape === null || isPlain(shape)) return shape as ReportShape;
  let known = shapes.get(shape);
  if (known === undefined) {
    known = textual(shape);
    shapes.set(shape, known);
  }
  return known;
}

/** Many values of a model have one shape between them. */
const shapes = new WeakMap<readonly Dim[], ReportShape>();

function textual(shape: readonly Dim[]): readonly ReportDim[] {
  const dims: (Dim | ReportDim)[] = shape.slice();
  for (let i = 0; i < shape.length; i++) dims[i] = reportDim(shape[i] ?? null);
  return dims as ReportDim[];
}

/** Whether a report says all of its dimensions as they are. */
function isPlain(shape: readonly Dim[]): boolean {
  for (let i = 0; i < shape.length; i++) {
    const dim = shape[i];
    if (typeof dim === "object" && dim !== null) return false;
  }
  return true;
}

function reportDim(dim: Dim): ReportDim {
  if (dim === null || typeof dim === "number") return dim;
  let known = dims.get(dim);
  if (known === undefined) {
    known = dimText(dim);
    dims.set(dim, known);
  }
  return known;
}

/** A model has few dimensions in very many shapes. */
const dims = new WeakMap<object, string | null>();

function dimText(dim: Exclude<Dim, number | null>): string | null {
  for (const name of symbolsOf(dim)) if (name.startsWith("?")) return null;
  return formatExpression(dim);
}
