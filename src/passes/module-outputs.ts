/** What a call of a module gives, as far as the rows in it and those around tell. */

import type { ValueRef } from "../ir/graph.ts";
import type { TensorType } from "../ir/tensor.ts";
import type { Row } from "./fold-rows.ts";
import { membership } from "./module-calls.ts";

/** Gives its input itself, or may. */
const renames = /^aten\.(\w+_|to|type_as|detach|alias|contiguous|lift_fresh|lift_fresh_copy|dropout)$/;

/** Gives what came out at each step, and then its state, whatever of that is used. */
const recurs = /^aten\.(lstm|gru|rnn_tanh|rnn_relu)$/;

/**
 * Values that are used outside of the rows; of rows that nothing outside uses, what the last one gives. `own`: those of the
 * rows that are in no module inside. `users`: by row and output, the rows that use it.
 */
export function outputsOf(
  members: readonly number[],
  own: readonly number[],
  rows: readonly Row[],
  users: readonly (readonly (readonly number[])[])[],
): readonly ValueRef[] {
  const isInside = membership(members);
  const used: ValueRef[] = [];
  let last: ValueRef | null = null;
  for (const i of members) {
    const types = rows[i]?.facts?.calls[0]?.types ?? [];
    for (let output = 0; output < types.length; output++) {
      // A size that is handed around is no output of the module.
      if (rows[i]?.layer.plumbing && types[output]?.shape?.length === 0) continue;
      last = { layer: i, call: 0, output };
      if (users[i]?.[output]?.every(isInside) === false) used.push(last);
    }
  }
  const given = [...used, ...leftAtEnd(own, used, rows, users)].filter(
    (ref, _, all) => all.length === 1 || !isNewName(ref, isInside, rows),
  );
  const [first] = used;
  if (!first) return last ? [last] : [];
  const state = used.every(({ layer, output }) => layer === first.layer && output > 0);
  if (state && recurs.test(rows[first.layer]?.layer.source.type ?? ""))
    return [{ ...first, output: 0 }, ...used];
  return given.length > 0 ? given : used;
}

/** What the last rows make, and nobody uses: it is a part of what the module gives, whoever calls it leaves it. */
function leftAtEnd(
  own: readonly number[],
  used: readonly ValueRef[],
  rows: readonly Row[],
  users: readonly (readonly (readonly number[])[])[],
): readonly ValueRef[] {
  const end = used.at(-1)?.layer ?? -1;
  const found: ValueRef[] = [];
  for (let at = own.length - 1; at >= 0; at--) {
    const i = own[at] ?? 0;
    if (i <= end) break;
    const types = rows[i]?.facts?.calls[0]?.types ?? [];
    const isUsed = types.some((_, output) => (users[i]?.[output]?.length ?? 0) > 0);
    if (!isUsed && types.length === 1 && types[0]?.shape?.length !== 0)
      found.push({ layer: i, call: 0, output: 0 });
  }
  return found.reverse();
}

/**
 * Whether a value is one from outside: what works in place, or hands on its input, gives it a new name, and whoever uses
 * the value later uses it by that.
 */
function isNewName(ref: ValueRef, isInside: (row: number) => boolean, rows: readonly Row[]): boolean {
  for (let at: ValueRef | undefined = ref; at && isInside(at.layer); ) {
    const row: Row | undefined = rows[at.layer];
    const before: ValueRef | undefined = row?.inputs[0]?.[0];
    if (!row || !renames.test(row.layer.source.type)) return false;
    if (!before || before.layer >= at.layer) return false;
    at = before;
  }
  return true;
}

export function typeOf({ layer, output }: ValueRef, rows: readonly Row[]): TensorType {
  return rows[layer]?.facts?.calls[0]?.types[output] ?? { dtype: null, shape: null };
}
