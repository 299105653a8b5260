/** Which rows of a module belong to which of its calls. */

import type { JsonObject } from "../ir/graph.ts";
import { identityOf } from "../ir/tensor.ts";
import type { Row } from "./fold-rows.ts";
import type { Part } from "./module-part.ts";
import type { ResolvedWeight } from "./resolve-weights.ts";

/** Rows by call, where the file says which call each is in. */
export function countedCalls(
  rows: readonly number[],
  callOf: (row: number) => number,
): readonly { readonly call: number; readonly rows: readonly number[] }[] {
  const calls = new Map<number, number[]>();
  for (const i of rows) {
    const call = callOf(i);
    const before = calls.get(call);
    if (before) before.push(i);
    else calls.set(call, [i]);
  }
  return Array.from(calls, ([call, rows]) => ({ call, rows }));
}

const noMarks: JsonObject = {};

/** What a row is told to be: which call of its module, one without weights, one with modules inside that have no rows. */
export function marksOf(call: number, recursive: boolean, folded: boolean): JsonObject {
  if (call === 0 && !recursive && !folded) return noMarks;
  return { ...(call > 0 && { call }), ...(recursive && { recursive }), ...(folded && { folded }) };
}

/** Whether two rows are the same operation on the same weights. */
function isAlike(one: Row, other: Row): boolean {
  const { length } = one.weights;
  if (one.layer.source.type !== other.layer.source.type || length !== other.weights.length) return false;
  for (let k = 0; k < length; k++) if (nameOf(one.weights[k]) !== nameOf(other.weights[k])) return false;
  return true;
}

/** Equal for two uses of one weight. */
function nameOf(resolved: ResolvedWeight | undefined): number | string | undefined {
  const identity = resolved && identityOf(resolved.weight);
  return typeof identity === "number" ? identity : resolved?.weight.name;
}

/** Whether a part does what its first row does once more. */
function repeatsItsFirst({ first, stretches }: Part, all: readonly Row[]): boolean {
  const one = all[first] as Row;
  for (let s = 0; s < stretches.length; s += 2) {
    const end = stretches[s + 1] as number;
    for (let i = Math.max(stretches[s] as number, first + 1); i < end; i++)
      if (isAlike(one, all[i] as Row)) return true;
  }
  return false;
}

/**
 * Where it does not: the same operations on the same weights again and again, with rows of others between, or, in a module
 * with none inside it, without. Null for a module that is called once.
 */
export function repeatedCalls(
  part: Part,
  all: readonly Row[],
  leaf: boolean,
): readonly (readonly number[])[] | null {
  // Most modules begin with what they do not do again.
  if (!repeatsItsFirst(part, all)) return null;
  const numbers = part.rows();
  const rows = numbers.map((i) => all[i] as Row);
  // Without calls, what is alike is one module beside another.
  if (rows.every(({ layer }) => layer.calls.length === 0)) return null;
  const period = shortestPeriod(rows);
  if (period === rows.length) return null;
  const parts: (readonly number[])[] = [];
  for (let at = 0; at < rows.length; at += period) parts.push(numbers.slice(at, at + period));
  const apart = parts.every((part, i) => i === 0 || part[0] !== (parts[i - 1]?.at(-1) ?? 0) + 1);
  const weighted = rows.some(({ weights }) => weights.length > 0);
  return apart || (leaf && weighted) ? parts : null;
}

/** Length of the shortest beginning of which the whole list is a repetition. */
function shortestPeriod(rows: readonly Row[]): number {
  const borders = [0];
  let length = 0;
  for (let i = 1; i < rows.length; i++) {
    const row = rows[i] as Row;
    while (length > 0 && !isAlike(row, rows[length] as Row)) length = borders[length - 1] ?? 0;
    if (isAlike(row, rows[length] as Row)) length += 1;
    borders.push(length);
  }
  const period = rows.length - (borders.at(-1) ?? 0);
  return rows.length % period === 0 ? period : rows.length;
}
