/** Which rows of a module belong to which of its calls. */

import type { JsonObject } from "../ir/graph.ts";
import { identityOf } from "../ir/tensor.ts";
import type { Row } from "./fold-rows.ts";

/** Rows by call, where the file says which call each is in. */
export function countedCalls(
  rows: readonly number[],
  callOf: (row: number) => number,
): ReadonlyMap<number, readonly number[]> {
  const calls = new Map<number, number[]>();
  for (const i of rows) {
    const call = callOf(i);
    const before = calls.get(call);
    if (before) before.push(i);
    else calls.set(call, [i]);
  }
  return calls;
}

/** What a row is told to be: which call of its module, one without weights, one with modules inside that have no rows. */
export function marksOf(marks: {
  readonly call: number;
  readonly recursive: boolean;
  readonly folded: boolean;
}): JsonObject {
  const { call, recursive, folded } = marks;
  return { ...(call > 0 && { call }), ...(recursive && { recursive }), ...(folded && { folded }) };
}

/** Equal for rows with the same operation on the same weights. */
export function kindOf({ layer, weights }: Row): string {
  const identities = weights.map(({ weight }) => {
    const identity = identityOf(weight);
    return typeof identity === "object" ? weight.name : String(identity);
  });
  return `${layer.source.type} ${identities.join(" ")}`;
}

/**
 * Where it does not: the same operations on the same weights again and again, with rows of others between, or, in a module
 * with none inside it, without. `kinds`: of all rows.
 */
export function repeatedCalls(
  rows: readonly number[],
  all: readonly Row[],
  kinds: readonly string[],
  leaf: boolean,
): readonly (readonly number[])[] {
  // Without calls, what is alike is one module beside another.
  if (rows.every((i) => all[i]?.layer.calls.length === 0)) return [rows];
  const period = shortestPeriod(rows.map((i) => kinds[i] ?? ""));
  if (period === rows.length) return [rows];
  const parts: (readonly number[])[] = [];
  for (let at = 0; at < rows.length; at += period) parts.push(rows.slice(at, at + period));
  const apart = parts.every((part, i) => i === 0 || part[0] !== (parts[i - 1]?.at(-1) ?? 0) + 1);
  const weighted = rows.some((i) => (all[i]?.weights.length ?? 0) > 0);
  return apart || (leaf && weighted) ? parts : [rows];
}

/** Length of the shortest beginning of which the whole list is a repetition. */
function shortestPeriod(list: readonly string[]): number {
  const borders = [0];
  let length = 0;
  for (let i = 1; i < list.length; i++) {
    while (length > 0 && list[i] !== list[length]) length = borders[length - 1] ?? 0;
    if (list[i] === list[length]) length += 1;
    borders.push(length);
  }
  const period = list.length - (borders.at(-1) ?? 0);
  return list.length % period === 0 ? period : list.length;
}

/** Whether a row is one of `rows`, which ascend and most often have no gap. */
export function membership(rows: readonly number[]): (row: number) => boolean {
  const first = rows[0] ?? 0;
  const last = rows.at(-1) ?? -1;
  if (last - first + 1 === rows.length) return (row) => row >= first && row <= last;
  const all = new Set(rows);
  return (row) => all.has(row);
}
