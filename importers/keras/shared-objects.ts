/**
 * One layer in several places of a configuration. Keras writes it in full at each place and marks the copies with one
 * `shared_object_id`; its loader makes a layer of the first and takes that for the others. There are two such
 * mechanisms, told apart by the form of the entry, and they forget at different times.
 */

import type { JsonObject } from "../../src/ir/graph.ts";
import type { ArchLayer } from "./architecture.ts";
import { asInteger } from "./json-access.ts";
import type { ReadLayer, SharedLayer, Sharing } from "./read-context.ts";

type Known = Map<number, SharedLayer>;

/** At the start of a file. From 2.13 on Keras reads the marks of a JSON text no more, though 2.13 still wrote them. */
export function newSharing(
  kind: "hdf5" | "archive" | "json",
  generation: 1 | 2 | 3,
  version: string | null,
): Sharing {
  const isIgnored = generation === 3 || (kind === "json" && /^2\.(1[3-9]|[2-9]\d)\./.test(version ?? ""));
  return {
    legacy: kind === "hdf5" && !isIgnored ? new Map() : null,
    isLegacyRead: !isIgnored,
    archive: kind === "archive" ? new Map() : null,
    met: new Set(),
  };
}

/** For what a layer makes of a configuration by itself, where no mark has a meaning. */
export function noSharing(): Sharing {
  return { legacy: null, isLegacyRead: false, archive: null, met: new Set() };
}

function knownTo(entry: JsonObject, sharing: Sharing): Known | null {
  return "module" in entry ? sharing.archive : sharing.legacy;
}

/** The layer that this entry is a copy of, if Keras would still know it. */
export function findShared(entry: JsonObject, sharing: Sharing): SharedLayer | undefined {
  const id = asInteger(entry.shared_object_id);
  return id === undefined ? undefined : knownTo(entry, sharing)?.get(id);
}

/** Remembers a layer under its mark. `false`: the same was marked before, and has been forgotten since. */
export function keepShared(entry: JsonObject, layer: SharedLayer, sharing: Sharing): boolean {
  const id = asInteger(entry.shared_object_id);
  if (id === undefined) return true;
  knownTo(entry, sharing)?.set(id, layer);
  const mark = JSON.stringify([id, layer.read.layer.type, layer.read.layer.name]);
  const isNew = !sharing.met.has(mark);
  sharing.met.add(mark);
  return isNew;
}

/** Reads a functional model of Keras 2, which remembers its own layers alone and forgets all others. */
export function readingFunctional<T>(sharing: Sharing, read: () => T): T {
  if (!sharing.isLegacyRead) return read();
  sharing.legacy = new Map();
  const result = read();
  sharing.legacy = null;
  return result;
}

/** The same layer in another place: other calls, but the very same weights and all that is inside. */
export function inAnotherPlace({ layer, mapCall }: ReadLayer): ReadLayer {
  return { layer: { ...layer, calls: [] }, mapCall };
}

/** Levels of models and wrappers below a layer. `known` has those of layers met before, since parts can be shared. */
export function heightOf(layer: ArchLayer, known: WeakMap<object, number>): number {
  // What is inside is the same object for all copies; the layer is not.
  const key = layer.graph ?? layer.inner;
  const height = known.get(key);
  if (height !== undefined) return height;
  const below = [...layer.inner.map((inner) => inner.layer), ...(layer.graph?.layers ?? [])];
  const levels = below.reduce((most, part) => Math.max(most, 1 + heightOf(part, known)), 0);
  known.set(key, levels);
  return levels;
}
