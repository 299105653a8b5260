/** Puts layers into the modules that own their weights, where the node was traced elsewhere. */

import type { ModuleRef } from "../../src/ir/graph.ts";
import { onlyConsumer } from "./consumers.ts";
import type { Draft } from "./frame.ts";
import { ownerName } from "./names.ts";
import { bareType, type Facts } from "./static-values.ts";

const multiplies = /^(MatMul|Gemm|Conv|ConvTranspose)$/;

/**
 * Changes `modules` of layers in place. A node has the scope of whatever called its operator: of the normalization that was
 * folded into a convolution, of the attention that takes the weight of its projection, of nothing but `norm1` where a list of
 * modules was not called itself. The names of the weights are those of the modules that own them.
 */
export function placeByWeights(facts: Facts): void {
  const owners = new Map<Draft, string>();
  const traced = new Set<string>();
  for (const draft of facts.keys()) {
    const modules = draft.modules?.at(-1)?.path;
    const owner = modules === undefined ? null : ownerOf(draft, facts);
    if (owner === null) continue;
    if (owner === modules) traced.add(owner);
    else owners.set(draft, owner);
  }
  for (const [draft, owner] of owners) {
    // Used by another module as well: the weight is tied, and this node is where it was traced.
    if (!traced.has(owner)) draft.modules = within(draft.modules ?? [], owner);
  }
}

/** Module that all weights with names are of; for a product without any, that of the bias added to it. */
function ownerOf(draft: Draft, facts: Facts): string | null {
  const own = ownerOfWeights(draft);
  if (own !== undefined || !multiplies.test(bareType(draft)) || draft.weights.length === 0)
    return own ?? null;
  const next = onlyConsumer(draft, facts);
  return next && bareType(next) === "Add" ? (ownerOfWeights(next) ?? null) : null;
}

/** Undefined when no weight has a name that tells, null when they are of several modules. */
function ownerOfWeights({ weights }: Draft): string | null | undefined {
  if (weights.length === 0) return undefined;
  const owners = new Set(weights.flatMap(({ name }) => ownerName(name) ?? []));
  const [first] = owners;
  return owners.size > 1 ? null : first;
}

function within(around: readonly ModuleRef[], owner: string): readonly ModuleRef[] {
  const outside = around.filter(({ path }) => owner.startsWith(`${path}.`) || owner.startsWith(`${path}/`));
  return [...outside, { path: owner, type: null }];
}
