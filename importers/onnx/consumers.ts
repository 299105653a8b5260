/** Who consumes the values of a graph. */

import type { Draft } from "./frame.ts";
import { type Facts, makerOf } from "./static-values.ts";

/** Who consumes each layer, worked out once for a graph: a look through all nodes for each would be quadratic. */
const consumersOf = new WeakMap<Facts, ReadonlyMap<Draft, readonly Draft[]>>();

/** The one layer that consumes it; null for none and for several. */
export function onlyConsumer(draft: Draft, facts: Facts): Draft | null {
  let consumers = consumersOf.get(facts);
  if (!consumers) {
    const found = new Map<Draft, Draft[]>();
    for (const [consumer, { slots }] of facts) {
      for (const maker of new Set(slots.map((slot) => makerOf(slot.found)))) {
        if (!maker) continue;
        const known = found.get(maker);
        if (known) known.push(consumer);
        else found.set(maker, [consumer]);
      }
    }
    consumers = found;
    consumersOf.set(facts, consumers);
  }
  const own = consumers.get(draft);
  return own?.length === 1 ? (own[0] ?? null) : null;
}
