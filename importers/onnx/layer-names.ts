/** Names of rows: the module a node was traced in, else the module its tensors are named after, else its own. */

import type { Draft } from "./frame.ts";
import type { NodeFacts } from "./graph.ts";
import { ownerName, uniqueNames } from "./names.ts";

/** Renames layers in place, while the graph is built; every name is given once. */
export function nameLayers(facts: ReadonlyMap<Draft, NodeFacts>): void {
  const unique = uniqueNames();
  const owners = new Map<string, Draft[]>();
  const wanted = new Map<Draft, string>();
  for (const [draft, { node }] of facts) {
    if (node === null) continue;
    const module = draft.weights.length > 0 ? moduleOf(draft) : null;
    if (module === null) continue;
    wanted.set(draft, module);
    const others = owners.get(module);
    if (others) others.push(draft);
    else owners.set(module, [draft]);
  }
  // Graph inputs keep their names.
  for (const [draft, { node }] of facts) if (node === null) draft.name = unique(draft.name);
  for (const [draft, { node }] of facts) {
    if (node === null) continue;
    const module = wanted.get(draft);
    if (module !== undefined && owners.get(module)?.[0] === draft) draft.name = unique(module);
    else if (module !== undefined) draft.name = unique(`${module}/${draft.source.type}`);
    else draft.name = unique(draft.name);
  }
}

function moduleOf(draft: Draft): string | null {
  for (const { name } of draft.weights) {
    const owner = ownerName(name);
    if (owner !== null) return owner;
  }
  return draft.modules?.at(-1)?.path ?? null;
}
