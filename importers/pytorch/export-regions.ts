/** Where graphs that a program runs in a mode (without autocast, without gradients) stand among its modules. */

import type { Layer, ModuleRef } from "../../src/ir/graph.ts";

/** A layer that may be put into modules. */
type Placed = Omit<Layer, "modules"> & { modules?: readonly ModuleRef[] };

/**
 * Puts each region into the modules that all of it is in, as far as they have nodes outside of it too. The tracer of
 * `strict=True` says of a region that it is in none; what is wholly inside stays there.
 */
export function placeRegions(layers: readonly Placed[]): void {
  const regions = layers.filter(isRegion);
  if (regions.length === 0) return;
  const around = new Map(regions.map((region) => [region, modulesAround(region)]));
  /** How many layers each call of a module has; a region is one. */
  const counts = new Map<string, number>();
  for (const layer of layers)
    for (const module of around.get(layer) ?? layer.modules ?? [])
      counts.set(keyOf(module), (counts.get(keyOf(module)) ?? 0) + 1);
  for (const [region, modules] of around) {
    const end = modules.findLastIndex((module) => (counts.get(keyOf(module)) ?? 0) > 1) + 1;
    const { length } = region.modules ?? [];
    const known = region.modules?.every((module, i) => same(module, modules[i]));
    if (end > length && known !== false) region.modules = modules.slice(0, end);
  }
}

function isRegion({ source, subgraphs }: Placed): boolean {
  return subgraphs !== undefined && source.type.startsWith("higher_order.wrap_with_");
}

/** Modules that all nodes of a region are in. */
function modulesAround({ subgraphs = [] }: Placed): readonly ModuleRef[] {
  const nodes = subgraphs.flatMap(({ graph }) => graph.layers).filter(({ operator }) => operator !== "Input");
  return sharedModules(nodes.map(({ modules = [] }) => modules));
}

function sharedModules([first = [], ...others]: readonly (readonly ModuleRef[])[]): readonly ModuleRef[] {
  const end = first.findIndex((module, i) => others.some((modules) => !same(module, modules[i])));
  return end < 0 ? first : first.slice(0, end);
}

function same(one: ModuleRef, other: ModuleRef | undefined): boolean {
  return one.path === other?.path && one.call === other.call;
}

function keyOf({ path, call = 0 }: ModuleRef): string {
  return `${path}@${call}`;
}

/**
 * Puts a node that is in no module into those that the nodes before and behind it are both in: a call of a module is over before
 * the network itself goes on. Only where the file says which call a node is in. What is put in later is in none: quantisation,
 * and what a region ran, where the region is gone.
 */
export function placeBetween(layers: readonly Placed[]): void {
  let before: readonly ModuleRef[] = [];
  const waiting: Placed[] = [];
  for (const layer of layers) {
    if (layer.operator === "Input") continue;
    const { modules } = layer;
    if (modules === undefined || modules.length === 0) {
      waiting.push(layer);
      continue;
    }
    if (waiting.length > 0) {
      const around = sharedModules([before, modules]);
      if (around.length > 0) for (const one of waiting) one.modules = around;
      waiting.length = 0;
    }
    before = modules;
  }
}
