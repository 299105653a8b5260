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
  const wanted = new Map<Draft, string>();
  const sharing = new Map<string, number>();
  const weighty = new Map<string, Draft>();
  for (const [draft, { node }] of facts) {
    const module = node === null ? null : moduleOf(draft);
    if (module === null) continue;
    wanted.set(draft, module);
    if (!draft.plumbing) sharing.set(module, (sharing.get(module) ?? 0) + 1);
    if (draft.weights.length > 0 && !weighty.has(module)) weighty.set(module, draft);
  }
  const parents = new Set<string>();
  for (const { modules } of facts.keys()) {
    // The innermost is no parent.
    for (let i = 0; modules && i < modules.length - 1; i++) parents.add(modules[i]?.path ?? "");
  }
  // Graph inputs keep their names.
  for (const [draft, { node }] of facts) if (node === null) draft.name = unique(draft.name);
  for (const [draft, { node }] of facts) {
    if (node === null) continue;
    const module = wanted.get(draft);
    if (module === undefined) draft.name = unique(draft.name);
    else {
      const alone = sharing.get(module) === 1 && !draft.plumbing && !parents.has(module);
      const named = weighty.get(module) === draft || (alone && !weighty.has(module));
      draft.name = unique(named ? module : `${module}/${bareType(draft)}`);
    }
  }
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
