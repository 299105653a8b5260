/** What a call of a module gives, as far as the rows in it and those around tell. */

import type { ValueRef } from "../ir/graph.ts";
import type { TensorType } from "../ir/tensor.ts";
import type { Row } from "./fold-rows.ts";
import type { Part } from "./module-part.ts";
import type { Parts } from "./module-parts.ts";
import { isSize, type RowValues } from "./module-values.ts";

/** Gives its input itself, or may. */
const renames = /^aten\.(\w+_|to|type_as|detach|alias|contiguous|lift_fresh|lift_fresh_copy|dropout)$/;

/** Gives what came out at each step, and then its state, whatever of that is used. */
const recurs = /^aten\.(lstm|gru|rnn_tanh|rnn_relu)$/;

export interface Surroundings {
  readonly rows: readonly Row[];
  readonly parts: Parts;
  readonly values: RowValues;
  /** Whether a row is in no module inside the part. */
  isOwn(row: number, part: Part): boolean;
}

/** Values that are used outside of the part, in order; of a part that nothing outside uses, what its last row gives. */
export function outputsOf(part: Part, around: Surroundings): readonly ValueRef[] {
  const { leaving } = part;
  const { rows } = around;
  const first = leaving[0];
  if (!first) return lastOf(part, rows);
  const left = leftAtEnd(part, around);
  const all = left.length === 0 ? leaving : [...leaving, ...left];
  const given = all.length === 1 ? all : all.filter((ref) => !isNewName(ref, part, around));
  const state = leaving.every(({ layer, output }) => layer === first.layer && output > 0);
  if (state && recurs.test(rows[first.layer]?.layer.source.type ?? ""))
    return [{ ...first, output: 0 }, ...leaving];
  return given.length > 0 ? given : leaving;
}

function lastOf(part: Part, rows: readonly Row[]): readonly ValueRef[] {
  for (const row of part.rows().reverse()) {
    const types = rows[row]?.facts?.calls[0]?.types ?? [];
    for (let output = types.length - 1; output >= 0; output--)
      if (!isSize(rows[row], output)) return [{ layer: row, call: 0, output }];
  }
  return [];
}

/** What the last rows make, and nobody uses: it is a part of what the module gives, whoever calls it leaves it. */
function leftAtEnd(part: Part, around: Surroundings): readonly ValueRef[] {
  const { rows, parts, values } = around;
  const end = part.leaving.at(-1)?.layer ?? -1;
  const found: ValueRef[] = [];
  for (let row = end + 1; row <= part.last; row++) {
    if (!isInside(row, part, parts) || !around.isOwn(row, part)) continue;
    const types = rows[row]?.facts?.calls[0]?.types ?? [];
    const isUsed = types.some((_, output) => values.isUsed(row, output));
    if (!isUsed && types.length === 1 && types[0]?.shape?.length !== 0)
      found.push({ layer: row, call: 0, output: 0 });
  }
  return found;
}

/**
 * Whether a value is one from outside, or stored: what works in place, or hands on its input, gives it a new name, and whoever
 * uses the value later uses it by that.
 */
function isNewName(ref: ValueRef, part: Part, { rows, parts }: Surroundings): boolean {
  for (let at: ValueRef | undefined = ref; at && isInside(at.layer, part, parts); ) {
    const row: Row | undefined = rows[at.layer];
    const before: ValueRef | undefined = row?.inputs[0]?.[0];
    if (!row || !renames.test(row.layer.source.type)) return false;
    const first = row.layer.calls[0]?.inputs[0];
    if (first && first.kind !== "value") return true;
    if (!before || before.layer >= at.layer) return false;
    at = before;
  }
  return true;
}

function isInside(row: number, part: Part, { around }: Parts): boolean {
  let at = around[row] ?? null;
  while (at !== null && at.level > part.level) at = at.around;
  return at === part;
}

export function typeOf({ layer, output }: ValueRef, rows: readonly Row[]): TensorType {
  return rows[layer]?.facts?.calls[0]?.types[output] ?? { dtype: null, shape: null };
}
