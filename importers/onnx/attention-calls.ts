/**
 * Attention that a trace calls several times: its joined projection of queries, keys and values is stored whole where all three
 * are one, else in the pieces that a call takes, and so again for a call of another kind.
 */

import type { Diagnostic } from "../../src/diagnostics.ts";
import type { Draft } from "./frame.ts";
import { ownerName } from "./names.ts";
import { reportRepeated } from "./repeated-weights.ts";
import type { Facts } from "./static-values.ts";
import { bareType } from "./static-values.ts";
import type { TensorTable } from "./tensor-table.ts";

/** Learned tensors of each call, with the layers that have them. */
type Calls = ReadonlyMap<string, ReadonlyMap<number, Draft[]>>;

/** Lets all calls of one attention have the same projection: a whole, or three pieces, of which the others are copies. */
export function settleAttention(
  facts: Facts,
  table: TensorTable,
  report: (diagnostic: Diagnostic) => void,
): void {
  const copies = new Set<number>();
  const byScope = productsByScope(facts);
  let modules = 0;
  let looked = 0;
  for (const [width, scopes] of attentions(facts, table)) {
    if (scopes.size < 2) continue;
    const drafts = [...scopes].flatMap((scope) => byScope.get(scope) ?? []).sort((a, b) => a.at - b.at);
    // Calls of different modules have different scopes, unless somebody made the file up.
    looked += drafts.length;
    if (looked > 4 * facts.size) break;
    const before = copies.size;
    for (const rank of [2, 1]) settlePieces(piecesIn(drafts, table, width, rank), width, table, copies);
    if (copies.size > before) modules += 1;
  }
  reportRepeated(copies, modules, table, report);
}

/** A layer that may have a piece of a projection. */
interface Product {
  readonly draft: Draft;
  readonly scope: string;
  /** Its place among all layers. */
  readonly at: number;
}

function productsByScope(facts: Facts): ReadonlyMap<string, readonly Product[]> {
  const found = new Map<string, Product[]>();
  let at = 0;
  for (const draft of facts.keys()) {
    at += 1;
    const scope = /^(MatMul|Gemm|Add)$/.test(bareType(draft)) ? scopeOf(draft, facts) : null;
    if (scope === null) continue;
    const product = { draft, scope, at };
    const before = found.get(scope);
    if (before) before.push(product);
    else found.set(scope, [product]);
  }
  return found;
}

/** Widths of attentions, and the scopes that calls of them are written in: those of the output projection, which keeps its name. */
function attentions(facts: Facts, table: TensorTable): readonly (readonly [number, Set<string>])[] {
  const found = new Map<string, readonly [number, Set<string>]>();
  for (const draft of facts.keys()) {
    const scope = scopeOf(draft, facts);
    for (const { name, tensor } of draft.weights) {
      if (scope === null || tensor === undefined || !/(^|\.)out_proj\.weight$/.test(name)) continue;
      const [rows = 0, columns] = table.get(tensor).shape;
      if (rows !== columns) continue;
      const known = found.get(name) ?? [rows, new Set()];
      known[1].add(scope);
      found.set(name, known);
    }
  }
  return [...found.values()];
}

/** `/look_1` of `/look_1/MatMul`, as a trace names nodes. */
function scopeOf(draft: Draft, facts: Facts): string | null {
  const name = facts.get(draft)?.node?.name ?? "";
  return name.startsWith("/") ? name.slice(0, name.lastIndexOf("/")) : null;
}

/** Kernels (rank 2) or biases of those layers, whose widths are whole times that of the attention. */
function piecesIn(products: readonly Product[], table: TensorTable, width: number, rank: number): Calls {
  const calls = new Map<string, Map<number, Draft[]>>();
  for (const { draft, scope } of products) {
    for (const { name, tensor, class: kind } of draft.weights) {
      if (kind !== "parameter" || tensor === undefined) continue;
      const { shape } = table.get(tensor);
      const named = ownerName(name) !== null && !name.endsWith(".in_proj_bias");
      if (named || shape.length !== rank || (rank === 2 && shape[0] !== width)) continue;
      const pieces = calls.get(scope) ?? new Map<number, Draft[]>();
      const drafts = pieces.get(tensor) ?? [];
      drafts.push(draft);
      pieces.set(tensor, drafts);
      calls.set(scope, pieces);
    }
  }
  return calls;
}

/** Each call has to make up the whole; then one whole is kept, of all calls together. */
function settlePieces(calls: Calls, width: number, table: TensorTable, copies: Set<number>): void {
  const wide = (index: number): number => table.get(index).shape.at(-1) ?? 0;
  const layers = new Map<number, Draft[]>();
  for (const pieces of calls.values()) {
    let sum = 0;
    for (const [index, drafts] of pieces) {
      sum += wide(index);
      const before = layers.get(index);
      if (before) for (const draft of drafts) before.push(draft);
      else layers.set(index, [...drafts]);
    }
    if (sum !== 3 * width) return;
  }
  const all = [...layers.keys()];
  const whole = all.find((index) => wide(index) === 3 * width);
  const single = all.filter((index) => wide(index) === width);
  const kept = new Set(whole !== undefined ? [whole] : single.length >= 3 ? single.slice(0, 3) : all);
  for (const [index, drafts] of layers) {
    if (kept.has(index)) continue;
    copies.add(index);
    table.settle(index, "unused");
    for (const draft of drafts) draft.weights = draft.weights.filter(({ tensor }) => tensor !== index);
  }
}
