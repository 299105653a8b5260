/** Who consumes the values of a graph. */

import type { Draft } from "./frame.ts";
import { type Facts, makerOf } from "./static-values.ts";

/** Who consumes each layer, worked out once for a graph: a look through all nodes for each would be quadratic. */
const known = new WeakMap<Facts, ReadonlyMap<Draft, readonly Draft[]>>();

/** The one layer that consumes it; null for none and for several. */
export function onlyConsumer(draft: Draft, facts: Facts): Draft | null {
  const own = consumersOf(draft, facts);
  return own.length === 1 ? (own[0] ?? null) : null;
}

export function consumersOf(draft: Draft, facts: Facts): readonly Draft[] {
  let consumers = known.get(facts);
  if (!consumers) {
    const found = new Map<Draft, Draft[]>();
    for (const [consumer, { slots }] of facts) {
      for (const slot of slots) {
        const maker = makerOf(slot.found);
        if (!maker) continue;
        const others = found.get(maker);
        if (!others) found.set(maker, [consumer]);
        // One that takes a value twice is the last one that was noted.
        else if (others.at(-1) !== consumer) others.push(consumer);
      }
    }
    consumers = found;
    known.set(facts, consumers);
  }
  return consumers.get(draft) ?? [];
}
