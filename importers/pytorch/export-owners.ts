/** Which layer holds which tensor of an exported program, and what its rows are called. */

import type { Weight } from "../../src/ir/tensor.ts";
import type { Draft } from "./export-draft.ts";
import type { Use } from "./export-graph.ts";
import type { Held } from "./export-tensors.ts";

/** The module that a tensor's name says it is a member of. */
function ownerOf(name: string): string {
  return name.slice(0, Math.max(0, name.lastIndexOf(".")));
}

function moduleOf(draft: Draft): string {
  const { modules } = draft;
  return modules?.[modules.length - 1]?.path ?? "";
}

/**
 * Parameters that are another one, where the file has no table of storages: nothing reads them, but their module computes with
 * a parameter of another one in their place, of the same name in its module, type and shape. So is a tied weight written down.
 */
export function findTies(all: readonly Held[], uses: readonly Use[]): ReadonlyMap<Held, Held> {
  const unread = unreadIn(all, uses);
  const ties = new Map<Held, Held>();
  if (unread.length === 0) return ties;
  const foreign = new Map<string, Held>();
  for (const { draft, held } of uses) {
    const module = moduleOf(draft);
    if (held.class !== "parameter" || ownerOf(held.name) === module) continue;
    const key = placeKey(module, held);
    if (!foreign.has(key)) foreign.set(key, held);
  }
  for (const held of unread) {
    const other = foreign.get(placeKey(ownerOf(held.name), held));
    if (other) ties.set(held, other);
  }
  return ties;
}

/** Parameters that nothing reads, where the file has no table of storages. */
function unreadIn(all: readonly Held[], uses: readonly Use[]): readonly Held[] {
  const used = new Set(uses.map(({ held }) => held));
  return all.filter((held) => held.class === "parameter" && !held.window && !used.has(held));
}

/** Parameters that nothing reads, of which no table says whether they are others. */
export function countUnread(
  all: readonly Held[],
  uses: readonly Use[],
  ties: ReadonlyMap<Held, Held>,
): number {
  return unreadIn(all, uses).filter((held) => !ties.has(held)).length;
}

/** The same for tensors that could stand in one another's place in a module. */
function placeKey(module: string, { name, dtype, shape }: Held): string {
  return JSON.stringify([module, name.slice(name.lastIndexOf(".") + 1), dtype, shape]);
}

/** Gives each layer its weights; what no layer can hold is the model's own, and is returned. */
export function giveWeights(
  all: readonly Held[],
  drafts: readonly Draft[],
  uses: readonly Use[],
  weightOf: (held: Held) => Weight,
): readonly Weight[] {
  const readers = new Map<Held, Draft[]>();
  for (let i = 0; i < uses.length; i++) {
    const { held, draft } = uses[i] as Use;
    const before = readers.get(held);
    if (before) before.push(draft);
    else readers.set(held, [draft]);
  }
  const firstIn = firstDrafts(drafts);
  const left: Weight[] = [];
  const given = new Map<Draft, Weight[]>();
  for (let i = 0; i < all.length; i++) {
    const held = all[i] as Held;
    const weight = weightOf(held);
    const holders = holdersOf(held, readers.get(held) ?? [], firstIn);
    if (holders.length === 0) left.push(weight);
    for (let k = 0; k < holders.length; k++) {
      const draft = holders[k] as Draft;
      const weights = given.get(draft);
      if (weights) weights.push(weight);
      else given.set(draft, [weight]);
    }
  }
  given.forEach((weights, draft) => {
    draft.weights = weights;
    draft.kind = "layer";
    if (draft.plumbing) delete draft.plumbing;
  });
  return left;
}

/**
 * Those that read it in the module that it is of; else a row of that module, or one in the nearest around it that has any; else the
 * first that reads it.
 */
function holdersOf(
  { name }: Held,
  reading: readonly Draft[],
  firstIn: ReadonlyMap<string, Draft>,
): readonly Draft[] {
  const owner = ownerOf(name);
  const only = reading.length === 1 ? reading[0] : undefined;
  if (only && moduleOf(only) === owner) return reading;
  const working = reading.filter((draft) => !isCheck(draft));
  const readers = working.length > 0 ? working : reading;
  const own = readers.filter((draft) => moduleOf(draft) === owner);
  if (own.length > 0) return own.length === 1 ? own : [...new Set(own)];
  for (let path = owner; path !== ""; path = ownerOf(path)) {
    const row = firstIn.get(path);
    if (row && path === owner) return [row];
    const reader = readers.find(({ modules }) => modules?.some((module) => module.path === path));
    const holder = reader ?? row;
    if (holder) return [holder];
    if (readers.length === 0) break;
  }
  return readers.slice(0, 1);
}

/** By module, its first row. */
function firstDrafts(drafts: readonly Draft[]): ReadonlyMap<string, Draft> {
  const first = new Map<string, Draft>();
  for (let i = 0; i < drafts.length; i++) {
    const draft = drafts[i] as Draft;
    if (draft.operator === "Input" || isCheck(draft)) continue;
    const path = moduleOf(draft);
    if (!first.has(path)) first.set(path, draft);
  }
  return first;
}

/** Looks at a tensor and makes nothing of it. */
function isCheck({ plumbing, calls }: Draft): boolean {
  return plumbing === true && calls[0]?.outputs === undefined;
}

/**
 * The module's path for its only node, else that and the operation; rows of inner graphs have the graph's name in front. Every
 * name is given once.
 */
export function nameRows(
  drafts: readonly Draft[],
  inside: ReadonlyMap<Draft, string>,
  unique: (folder: string | null, name: string) => string,
): void {
  const nodes = new Map<string, number>();
  for (let i = 0; i < drafts.length; i++) {
    const draft = drafts[i] as Draft;
    if (inside.has(draft)) continue;
    if (draft.operator === "Input") draft.name = unique(null, draft.name);
    else if (!draft.plumbing) {
      const path = moduleOf(draft);
      nodes.set(path, (nodes.get(path) ?? 0) + 1);
    }
  }
  for (let i = 0; i < drafts.length; i++) {
    const draft = drafts[i] as Draft;
    const around = inside.get(draft);
    if (around === undefined && draft.operator === "Input") continue;
    const path = around ?? moduleOf(draft);
    const only = around === undefined && path !== "" && !draft.plumbing && nodes.get(path) === 1;
    draft.name = only ? unique(null, path) : unique(path === "" ? null : path, draft.name);
  }
}
