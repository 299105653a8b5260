/** Names of rows: the module a node was traced in, else the module its tensors are named after, else its own. */

import { uniqueNames } from "../../src/ir/unique-names.ts";
import type { Draft } from "./frame.ts";
import type { NodeFacts } from "./graph.ts";
import { ownerName } from "./names.ts";

/**
 * Renames layers in place, while the graph is built; every name is given once. The node of a module that has no other
 * one, plumbing aside, gets the module's name, and so does the first that owns weights; the others have their operator
 * behind it.
 */
export function nameLayers(facts: ReadonlyMap<Draft, NodeFacts>): void {
  const unique = uniqueNames();
  /** In the order of the facts. */
  const wanted: (Wanted | null)[] = [];
  const known = new Map<string, Wanted>();
  const parents = new Set<string>();
  let last: Draft["modules"];
  for (const [draft, { node }] of facts) {
    const module = node === null ? null : moduleOf(draft);
    wanted.push(module === null ? null : note(draft, module, known));
    const { modules } = draft;
    // The innermost is no parent. Nodes that follow one another often share the list.
    if (modules && modules !== last)
      for (let i = 0; i < modules.length - 1; i++) parents.add(modules[i]?.path ?? "");
    last = modules;
  }
  // Graph inputs keep their names.
  for (const [draft, { node }] of facts) if (node === null) draft.name = unique(draft.name);
  let i = -1;
  for (const [draft, { node }] of facts) {
    i += 1;
    if (node === null) continue;
    const module = wanted[i];
    if (!module) draft.name = unique(draft.name);
    else {
      const alone = module.rows === 1 && !draft.plumbing && !parents.has(module.path);
      const named = module.weighty === draft || (alone && module.weighty === null);
      draft.name = unique(named ? module.path : `${module.path}/${bareType(draft)}`);
    }
  }
}

/** A module that nodes are named after. */
interface Wanted {
  readonly path: string;
  /** Nodes, plumbing aside. */
  rows: number;
  /** The first that owns weights. */
  weighty: Draft | null;
}

function note(draft: Draft, path: string, known: Map<string, Wanted>): Wanted {
  let wanted = known.get(path);
  if (!wanted) {
    wanted = { path, rows: 0, weighty: null };
    known.set(path, wanted);
  }
  if (!draft.plumbing) wanted.rows += 1;
  if (draft.weights.length > 0) wanted.weighty ??= draft;
  return wanted;
}

function bareType(draft: Draft): string {
  return draft.source.type.slice(draft.source.type.lastIndexOf(".") + 1);
}

function moduleOf(draft: Draft): string | null {
  for (const { name } of draft.weights) {
    const owner = ownerName(name);
    if (owner !== null) return owner;
  }
  return draft.modules?.at(-1)?.path ?? null;
}
