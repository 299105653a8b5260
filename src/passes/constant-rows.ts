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
  const making = new Map<string, boolean>();
  for (const row of rows) {
    const { layer, weights, inputs } = row;
    const counts = layer.operator !== "Input" && !layer.graph;
    const made =
      counts && weights.length === 0 && (isMaking(layer.source.type, making) || areAll(inputs, workedOut));
    workedOut.push(made);
    fixed.push(made || (counts && isFixed(row, fixed)));
  }
  return { workedOut, fixed };
}

/** Asked for each row, and there are few types. */
function isMaking(type: string, known: Map<string, boolean>): boolean {
  let answer = known.get(type);
  if (answer === undefined) {
    answer = makes.test(type);
    known.set(type, answer);
  }
  return answer;
}

/** Whether there are inputs, and what gives them is so. */
function areAll(inputs: Row["inputs"], so: readonly boolean[]): boolean {
  let some = false;
  for (const refs of inputs) {
    for (const { layer } of refs) if (so[layer] !== true) return false;
    some ||= refs.length > 0;
  }
  return some;
}

function isFixed({ layer, weights, inputs }: Row, before: readonly boolean[]): boolean {
  for (const refs of inputs) for (const { layer: at } of refs) if (before[at] !== true) return false;
  return layer.calls.some((call) => call.inputs.length > 0) && !weights.some(isParameter);
}

export function isParameter({ weight }: ResolvedWeight): boolean {
  return weight.class === "parameter";
}
