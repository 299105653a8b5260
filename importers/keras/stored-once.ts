/**
 * Layers that stand in two places without a mark that Keras could follow. Its writers lose the mark of a first place
 * inside a wrapper or model, and some write none, but they store the weights of one object once; so a place without
 * weights is told by another of the same class and name that has them. Keras refuses to load such a file.
 */

import type { Diagnostic } from "../../src/diagnostics.ts";
import { scopedName } from "../../src/ir/graph.ts";
import { type ArchGraph, type ArchLayer, owners, type WeightSlot } from "./architecture.ts";

interface Place {
  readonly layer: ArchLayer;
  readonly at: string;
}

/** Gives places without weights those of the one place of the same class, name and weights that has them. */
export function joinStoredOnce(graph: ArchGraph, report: (diagnostic: Diagnostic) => void): void {
  const filled = new Map<string, Place[]>();
  const empty: (Place & { readonly key: string })[] = [];
  const visit = (layer: ArchLayer, at: string): void => {
    const slots = storedSlots(layer);
    const missing = slots.filter((slot) => slot.tensor === undefined).length;
    if (slots.length > 0 && (missing === 0 || missing === slots.length)) {
      const key = JSON.stringify([layer.type, layer.name, slots.map((slot) => slot.declaration.name)]);
      if (missing > 0) empty.push({ layer, at, key });
      else filled.set(key, [...(filled.get(key) ?? []), { layer, at }]);
    }
    for (const inner of layer.inner) if (!inner.remade) visit(inner.layer, scopedName(at, inner.layer.name));
    for (const inner of layer.graph?.layers ?? []) visit(inner, scopedName(at, inner.name));
  };
  for (const layer of graph.layers) visit(layer, layer.name);
  for (const { layer, at, key } of empty) {
    const [place, ...others] = filled.get(key) ?? [];
    // Filled meanwhile: the layer around it was joined as a whole.
    if (!place || others.length > 0 || storedSlots(layer).every((slot) => slot.tensor !== undefined))
      continue;
    join(layer, place.layer);
    report({ code: "shared-weight-stored-once", args: { type: layer.type, other: place.at }, at });
  }
}

function storedSlots(layer: ArchLayer): WeightSlot[] {
  return owners(layer)
    .flatMap((owner) => owner.slots)
    .filter((slot) => slot.declaration.stored !== false && slot.declaration.counted !== false);
}

function join(layer: ArchLayer, other: ArchLayer): void {
  const from = owners(other);
  for (const [i, owner] of owners(layer).entries()) {
    const slots = from[i]?.slots ?? [];
    if (slots.length === owner.slots.length) owner.slots.splice(0, slots.length, ...slots);
  }
}
