/** Which layer holds which tensor of an exported program, and what its rows are called. */

import type { Weight } from "../../src/ir/tensor.ts";
import type { Draft, Use } from "./export-graph.ts";
import type { Held } from "./export-tensors.ts";

/** The module that a tensor's name says it is a member of. */
function ownerOf(name: string): string {
  return name.slice(0, Math.max(0, name.lastIndexOf(".")));
}

function moduleOf(draft: Draft): string {
  return draft.modules?.at(-1)?.path ?? "";
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
  const byHeld = groupBy(uses, ({ held }) => held);
  const byModule = groupBy(
    drafts.filter((draft) => draft.operator !== "Input" && !isCheck(draft)),
    moduleOf,
  );
  const left: Weight[] = [];
  const given = new Map<Draft, Weight[]>();
  for (const held of all) {
    const owner = ownerOf(held.name);
    const reading = byHeld.get(held)?.map(({ draft }) => draft) ?? [];
    const working = reading.filter((draft) => !isCheck(draft));
    const readers = working.length > 0 ? working : reading;
    const own = readers.filter((draft) => moduleOf(draft) === owner);
    const holders = own.length > 0 ? own : insideOf(owner, readers, byModule);
    const weight = weightOf(held);
    if (holders.length === 0) left.push(weight);
    for (const draft of new Set(holders)) {
      const weights = given.get(draft);
      if (weights) weights.push(weight);
      else given.set(draft, [weight]);
    }
  }
  for (const [draft, weights] of given) {
    draft.weights = weights;
    draft.kind = "layer";
    delete draft.plumbing;
  }
  return left;
}

/** Who holds what no row of its own module reads: a row of that module, or one in the nearest around it that has any. */
function insideOf(
  owner: string,
  readers: readonly Draft[],
  byModule: ReadonlyMap<string, readonly Draft[]>,
): readonly Draft[] {
  for (let path = owner; path !== ""; path = ownerOf(path)) {
    const [row] = byModule.get(path) ?? [];
    if (row && path === owner) return [row];
    const reader = readers.find(({ modules }) => modules?.some((module) => module.path === path));
    const holder = reader ?? row;
    if (holder) return [holder];
    if (readers.length === 0) break;
  }
  return readers.slice(0, 1);
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
  unique: (name: string) => string,
): void {
  const nodes = drafts.filter(({ operator }) => operator !== "Input");
  const counts = groupBy(
    nodes.filter((draft) => !draft.plumbing && !inside.has(draft)),
    moduleOf,
  );
  for (const draft of drafts) {
    if (draft.operator === "Input" && !inside.has(draft)) draft.name = unique(draft.name);
  }
  for (const draft of drafts) {
    const around = inside.get(draft);
    if (around === undefined && draft.operator === "Input") continue;
    const path = around ?? moduleOf(draft);
    const only = around === undefined && path !== "" && counts.get(path)?.length === 1 && !draft.plumbing;
    draft.name = unique(only ? path : path === "" ? draft.name : `${path}/${draft.name}`);
  }
}

function groupBy<K, T>(items: readonly T[], keyOf: (item: T) => K): ReadonlyMap<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}
