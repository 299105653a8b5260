/** Which rows of a program the inputs of the model have no part in. */

import type { Row } from "./fold-rows.ts";
import type { ResolvedWeight } from "./resolve-weights.ts";

/** By row. */
export interface Constancy {
  /** Worked out from constants and sizes alone. */
  readonly workedOut: readonly boolean[];
  /** Worked out from those and from buffers. */
  readonly fixed: readonly boolean[];
}

/** Makes a tensor of constants, or a number of a shape. */
const makes =
  /^aten\.(arange|zeros|ones|full|empty|scalar_tensor|eye|linspace|tril_indices|triu_indices|new_\w+|(zeros|ones|full|empty)_like|sym_\w+)$/;

export function constancyOf(rows: readonly Row[]): Constancy {
  const workedOut: boolean[] = [];
  const fixed: boolean[] = [];
  for (const row of rows) {
    const made = isWorkedOut(row, workedOut);
    workedOut.push(made);
    fixed.push(made || isFixed(row, fixed));
  }
  return { workedOut, fixed };
}

function isWorkedOut({ layer, weights, inputs }: Row, before: readonly boolean[]): boolean {
  if (layer.operator === "Input" || weights.length > 0 || layer.graph) return false;
  if (makes.test(layer.source.type)) return true;
  const known = inputs.every((refs) => refs.every(({ layer: at }) => before[at] === true));
  return known && inputs.some((refs) => refs.length > 0);
}

function isFixed({ layer, weights, inputs }: Row, before: readonly boolean[]): boolean {
  if (layer.operator === "Input" || layer.graph || weights.some(isParameter)) return false;
  const known = inputs.every((refs) => refs.every(({ layer: at }) => before[at] === true));
  return known && layer.calls.some((call) => call.inputs.length > 0);
}

export function isParameter({ weight }: ResolvedWeight): boolean {
  return weight.class === "parameter";
}
