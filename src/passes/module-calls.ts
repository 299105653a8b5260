/** Which rows of a module belong to which of its calls. */

import type { JsonObject } from "../ir/graph.ts";
import { identityOf } from "../ir/tensor.ts";
import type { Row } from "./fold-rows.ts";
import type { Part } from "./module-part.ts";

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

/** What rows do, to find what is done again. */
export interface RowKinds {
  /** By row, equal for the same operation on the same weights. */
  readonly kinds: Int32Array;
  /** By row, the next one of its kind; the number of rows where there is none. */
  readonly next: Int32Array;
}

export function rowKinds(rows: readonly Row[]): RowKinds {
  const known = new Map<string, number>();
  const kinds = new Int32Array(rows.length);
  const next = new Int32Array(rows.length);
  const last: number[] = [];
  const readAgain = rereadWeights(rows);
  let count = 0;
  for (let i = rows.length - 1; i >= 0; i--) {
    const { layer, weights } = rows[i] as Row;
    next[i] = rows.length;
    // Most rows with weights are the only ones that read them.
    if (weights.some((one) => !readAgain.has(nameOf(one)))) {
      kinds[i] = count++;
      continue;
    }
    const name = weights.length === 0 ? layer.source.type : `${layer.source.type} ${weights.map(nameOf)}`;
    let kind = known.get(name);
    if (kind === undefined) {
      kind = count++;
      known.set(name, kind);
    }
    kinds[i] = kind;
    next[i] = last[kind] ?? rows.length;
    last[kind] = i;
  }
  return { kinds, next };
}

/** Names of the weights that several rows read. */
function rereadWeights(rows: readonly Row[]): ReadonlySet<number | string> {
  const read = new Set<number | string>();
  const again = new Set<number | string>();
  for (const { weights } of rows) {
    for (const one of weights) {
      const name = nameOf(one);
      const { size } = read;
      if (read.add(name).size === size) again.add(name);
    }
  }
  return again;
}

/** Equal for two uses of one weight. */
function nameOf({ weight }: Row["weights"][number]): number | string {
  const identity = identityOf(weight);
  return typeof identity === "number" ? identity : weight.name;
}

/**
 * Where it does not: the same operations on the same weights again and again, with rows of others between, or, in a module
 * with none inside it, without. Null for a module that is called once.
 */
export function repeatedCalls(
  part: Part,
  all: readonly Row[],
  { kinds, next }: RowKinds,
  leaf: boolean,
): readonly (readonly number[])[] | null {
  // Most modules begin with what they do not do again.
  if ((next[part.first] ?? 0) > part.last) return null;
  const rows = part.rows();
  // Without calls, what is alike is one module beside another.
  if (rows.every((i) => all[i]?.layer.calls.length === 0)) return null;
  const period = shortestPeriod(rows.map((i) => kinds[i] ?? -1));
  if (period === rows.length) return null;
  const parts: (readonly number[])[] = [];
  for (let at = 0; at < rows.length; at += period) parts.push(rows.slice(at, at + period));
  const apart = parts.every((part, i) => i === 0 || part[0] !== (parts[i - 1]?.at(-1) ?? 0) + 1);
  const weighted = rows.some((i) => (all[i]?.weights.length ?? 0) > 0);
  return apart || (leaf && weighted) ? parts : null;
}

/** Length of the shortest beginning of which the whole list is a repetition. */
function shortestPeriod(list: readonly number[]): number {
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
