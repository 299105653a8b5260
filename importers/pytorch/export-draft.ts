/** A layer of an exported program while it is put together. */

import type { Layer, ModuleRef } from "../../src/ir/graph.ts";

export type Draft = { -readonly [K in keyof Layer]: Layer[K] };

/** One for all: most layers have none for a while, or ever. */
const attributes: Layer["attributes"] = {};
const weights: Layer["weights"] = [];
const calls: Layer["calls"] = [];
const scope = "";
const trainable: Layer["trainable"] = null;

/** An operation without attributes, weights and calls. */
export function newDraft(
  name: string,
  source: Layer["source"],
  operator: string,
  modules: readonly ModuleRef[],
): Draft {
  const kind = "operation";
  if (modules.length === 0)
    return { name, source, kind, operator, attributes, scope, trainable, weights, calls };
  // Most have some, and a field that comes later has no room in the object.
  return { name, source, kind, operator, attributes, scope, trainable, weights, modules, calls };
}
