/** Which rows of a program are worked out from constants and sizes alone. */

import type { Row } from "./fold-rows.ts";

/** Makes a tensor of constants, or a number of a shape. */
const makes =
  /^aten\.(arange|zeros|ones|full|empty|scalar_tensor|eye|linspace|tril_indices|triu_indices|new_\w+|(zeros|ones|full|empty)_like|sym_\w+)$/;

/** By row. */
export function workedOutOf(rows: readonly Row[]): readonly boolean[] {
  const workedOut: boolean[] = [];
  const making = new Map<string, boolean>();
  for (const { layer, weights, inputs } of rows) {
    const counts = layer.operator !== "Input" && !layer.graph && weights.length === 0;
    workedOut.push(counts && (isMaking(layer.source.type, making) || areAll(inputs, workedOut)));
  }
  return workedOut;
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
  for (let call = 0; call < inputs.length; call++) {
    const refs = inputs[call] as Row["inputs"][number];
    for (let k = 0; k < refs.length; k++) if (so[refs[k]?.layer ?? -1] !== true) return false;
    some ||= refs.length > 0;
  }
  return some;
}
