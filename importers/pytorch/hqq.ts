/** Weights of HQQ: `W_q`, and what says their shape, with scales and zero points: in a dictionary `meta` beside it, or itself beside it. */

import type { PickleValue } from "../../src/wire/pickle-value.ts";
import type { TorchTensor } from "./tensor.ts";
import { asPacked, type ReadTensor, sizeFrom, stateDictOf, tensorsIn } from "./tensor-state.ts";

/** What belongs to a weight; `meta_scale` and `meta_zero` are of scales and zero points that are quantised themselves. */
const belonging = ["meta", "scale", "zero", "scale_q", "zero_q", "meta_scale", "meta_zero"];

/** What a node of the tree has to have for this. */
interface Node {
  readonly key: string;
  readonly tensor: TorchTensor | null;
  readonly holding?: string;
}

/**
 * The nodes of a container's entries, with each `W_q` made the weight that is described beside it, and what describes it part of it.
 * In a module the bias is a plain attribute, and a parameter all the same.
 */
export function joinHqq<N extends Node>(
  children: readonly N[],
  entries: ReadonlyMap<PickleValue, PickleValue>,
  module: boolean,
  read: ReadTensor,
): readonly N[] {
  const joined = new Map<string, Partial<Node> | null>();
  for (const { key, tensor } of children) {
    if (tensor === null || !/(?:^|\.)W_q$/.test(key)) continue;
    const keyOf = (name: string): string => key.replace(/W_q$/, name);
    const size = sizeFrom(
      stateDictOf(entries.get(keyOf("meta"))).get("shape") ?? entries.get(keyOf("shape")),
    );
    const names = belonging.filter((name) => entries.has(keyOf(name)));
    const parts = names.flatMap((name) =>
      tensorsIn({ kind: "dict", keys: [name], values: [entries.get(keyOf(name)) ?? null] }, read),
    );
    const weight = size && asPacked(tensor, size, parts);
    if (!weight) continue;
    joined.set(key, { tensor: weight });
    for (const name of names) joined.set(keyOf(name), null);
    if (module) joined.set(keyOf("bias"), { holding: "parameter" });
  }
  if (joined.size === 0) return children;
  return children.flatMap((child) => {
    const made = joined.get(child.key);
    if (made === null) return [];
    return [made && child.tensor ? { ...child, ...made } : child];
  });
}
