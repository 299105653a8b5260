/**
 * Nodes that an exporter makes up bear no layer's name: those of tf2onnx (`LSTM__44`), and those that PyTorch's exporter puts in
 * place of others (`node_Split_12`, without any scopes). They are put where those around them are.
 */

import type { ModuleRef } from "../../src/ir/graph.ts";
import { maxOnnxWays } from "../../src/limits/onnx.ts";
import { consumersOf } from "./consumers.ts";
import type { Draft } from "./frame.ts";
import { scopesKey } from "./names.ts";
import { type Facts, makerOf } from "./static-values.ts";

/** Names that exporters make up, by producer. */
const madeUp: Readonly<Record<string, RegExp>> = { tf2onnx: /__\d+$/, pytorch: /^node_\w+_\d+$/ };

/** Nodes looked at behind one that has no name: what it makes up for one operation are some three in a row. */
const maxSteps = 4;

/**
 * Changes `modules` of layers in place: a node is in the modules that what it gets and what is made of it are in together. One
 * that nothing with a name comes before, or after, stays outside.
 */
export function placeMadeUp(facts: Facts, producer: string): void {
  const made = madeUp[producer];
  if (!made) return;
  for (const [draft, { node, slots }] of facts) {
    if (draft.modules || !node || !made.test(node.name) || node.metadata.has(scopesKey)) continue;
    const before = slots[0] && makerOf(slots[0].found)?.modules;
    if (!before) continue;
    const after = modulesBehind(draft, facts);
    const shared = after.reduce<readonly ModuleRef[]>(common, before);
    if (after.length > 0 && shared.length > 0) draft.modules = shared;
  }
}

/** Modules of the nearest layers behind that have some, one for each way. */
function modulesBehind(draft: Draft, facts: Facts): readonly (readonly ModuleRef[])[] {
  const found: (readonly ModuleRef[])[] = [];
  let open: readonly Draft[] = [draft];
  for (let step = 0; step < maxSteps && open.length > 0 && found.length < maxOnnxWays; step++) {
    const next = open.flatMap((at) => consumersOf(at, facts).slice(0, maxOnnxWays)).slice(0, maxOnnxWays);
    for (const { modules } of next) if (modules) found.push(modules);
    open = next.filter(({ modules }) => modules === undefined);
  }
  return found;
}

function common(a: readonly ModuleRef[], b: readonly ModuleRef[]): readonly ModuleRef[] {
  const end = a.findIndex(({ path }, i) => b[i]?.path !== path);
  return end < 0 ? a : a.slice(0, end);
}
