/**
 * Weights in the layout of `.keras` archives and `.weights.h5` files: a tree of objects, each with a group `vars` of
 * numbered datasets. Paths are made of class names in order, not of layer names; since Keras 3.6 each `vars` also
 * carries the object's name, which is the surer key.
 */

import { type ArchGraph, type ArchLayer, owners, type WeightSlot } from "./architecture.ts";
import { slotFromFile } from "./guess-weights.ts";
import { numberedNames, pythonClass, snakeCase } from "./names.ts";
import { byNumber, groupAt, type StoredGroup, type TensorTable, tensorAt, tensorsBelow } from "./stored.ts";
import { objectSlots } from "./unnamed-vars.ts";

/** Keras 2.12 to 2.14 called the container of a model's layers differently. */
const containers = ["layers", "_layer_checkpoint_dependencies"] as const;

/** Fills the slots of a graph from the group of its model; returns the weights the model owns itself. */
export function assignTreeWeights(graph: ArchGraph, group: StoredGroup, table: TensorTable): WeightSlot[] {
  const claimed = new Set<number>();
  assignGraph(graph, group, table, claimed);
  const own = group.groups.get("vars");
  if (!own) return [];
  return [...own.tensors]
    .sort(([a], [b]) => byNumber(a, b))
    .filter(([, index]) => !claimed.has(index))
    .map(([key, index]) => slotFromFile(`vars/${key}`, index, tensorAt(table, index)));
}

function assignGraph(graph: ArchGraph, group: StoredGroup, table: TensorTable, claimed: Set<number>): void {
  const container = containers.map((name) => group.groups.get(name)).find((found) => found !== undefined);
  const layers = graph.layers.filter(
    (layer) => layer.kind !== "operation" && (graph.topology !== "sequential" || layer.operator !== "Input"),
  );
  const named = container ? groupsByName(container) : new Map<string, StoredGroup>();
  const places = container ? placesOf(layers, container) : new Map<ArchLayer, StoredGroup>();
  for (const layer of layers) {
    const found = named.get(layer.name) ?? places.get(layer);
    if (found) assignLayer(layer, found, table, claimed);
  }
}

/**
 * The group of each layer by class and order. Keras 2.12 and 2.13 listed a layer with weights under two keys, so that
 * it took two numbers; which way a file counts is told by which way finds more of its weighted layers.
 */
function placesOf(layers: readonly ArchLayer[], container: StoredGroup): Map<ArchLayer, StoredGroup> {
  const once = numberedPlaces(layers, container, false);
  if (!container.path.endsWith(containers[1])) return once;
  const twice = numberedPlaces(layers, container, true);
  const found = (places: Map<ArchLayer, StoredGroup>): number =>
    [...places].filter(([layer, group]) => isWeighted(layer) && !tensorsBelow(group).next().done).length;
  return found(twice) > found(once) ? twice : once;
}

function numberedPlaces(
  layers: readonly ArchLayer[],
  container: StoredGroup,
  weightedTwice: boolean,
): Map<ArchLayer, StoredGroup> {
  const number = numberedNames();
  const places = new Map<ArchLayer, StoredGroup>();
  for (const layer of layers) {
    const segment = snakeCase(pythonClass(layer.type));
    const group = container.groups.get(number(segment));
    if (group) places.set(layer, group);
    if (weightedTwice && isWeighted(layer)) number(segment);
  }
  return places;
}

/** Layers of a class that no rule knows are there because they hold something. */
function isWeighted(layer: ArchLayer): boolean {
  return owners(layer).some((owner) => owner.slots.length > 0 || owner.operator === "Opaque");
}

/** Groups by the name of their object, where every object has one of its own. */
function groupsByName(container: StoredGroup): Map<string, StoredGroup> {
  const result = new Map<string, StoredGroup>();
  for (const group of container.groups.values()) {
    const name = group.groups.get("vars")?.objectName;
    if (name === undefined) continue;
    if (result.has(name)) return new Map();
    result.set(name, group);
  }
  return result;
}

function assignLayer(layer: ArchLayer, group: StoredGroup, table: TensorTable, claimed: Set<number>): void {
  let position = 0;
  for (const slot of layer.slots) {
    if (slot.declaration.stored === false) continue;
    const key = slot.declaration.key ?? String(position++);
    const index = key.includes("/") ? datasetAt(group, key) : group.groups.get("vars")?.tensors.get(key);
    if (index !== undefined) fill(slot, index, claimed);
  }
  assignInner(layer, group, table, claimed);
  if (layer.graph) assignGraph(layer.graph, group, table, claimed);
  if (layer.operator === "Opaque") takeRest(layer, group, table, claimed);
}

function assignInner(layer: ArchLayer, group: StoredGroup, table: TensorTable, claimed: Set<number>): void {
  const numbers = new Map<string, (name: string) => string>();
  const sharing = new Map<string, number>();
  for (const { key } of layer.inner) sharing.set(key, (sharing.get(key) ?? 0) + 1);
  for (const inner of layer.inner) {
    const direct = aliased(group, inner.key);
    // A list of objects (cells) is a container: class names in order.
    const siblings = sharing.get(inner.key) ?? 0;
    const isList =
      siblings > 1 || (direct !== undefined && !direct.groups.has("vars") && inner.key.endsWith("cells"));
    if (!isList) {
      if (direct) assignLayer(inner.layer, direct, table, claimed);
      continue;
    }
    const number = numbers.get(inner.key) ?? numberedNames();
    numbers.set(inner.key, number);
    const place = direct?.groups.get(number(snakeCase(pythonClass(inner.layer.type))));
    if (place) assignLayer(inner.layer, place, table, claimed);
  }
}

/** Attribute paths: Keras 3.0 and Keras 2 used the private name where later versions use a public one. */
function aliased(group: StoredGroup, path: string): StoredGroup | undefined {
  if (path === "") return group;
  const bare = path.replace(/^_/, "");
  return groupAt(group, path) ?? groupAt(group, bare) ?? groupAt(group, `_${bare}`);
}

function datasetAt(group: StoredGroup, path: string): number | undefined {
  const cut = path.lastIndexOf("/");
  return aliased(group, path.slice(0, cut))?.tensors.get(path.slice(cut + 1));
}

function fill(slot: WeightSlot, index: number, claimed: Set<number>): void {
  if (claimed.has(index)) return;
  slot.tensor = index;
  claimed.add(index);
}

/** A layer without a rule owns all that is stored below its place. */
function takeRest(layer: ArchLayer, group: StoredGroup, table: TensorTable, claimed: Set<number>): void {
  for (const slot of objectSlots(group, group, table)) {
    if (slot.tensor === undefined || claimed.has(slot.tensor)) continue;
    claimed.add(slot.tensor);
    layer.slots.push(layer.type === "TorchModuleWrapper" ? asTorchState(slot) : slot);
  }
}

const torchStatistic = /(^|\.)running_(mean|var)$/;
const torchCounter = /(^|\.)num_batches_tracked$/;

/** The state dict of a module of PyTorch: Keras stores it whole, and has its parameters alone as weights. */
function asTorchState(slot: WeightSlot): WeightSlot {
  const { name } = slot.declaration;
  const kind = torchStatistic.test(name) ? "statistic" : torchCounter.test(name) ? "bookkeeping" : undefined;
  if (kind === undefined) return slot;
  return { ...slot, declaration: { ...slot.declaration, class: kind, trainable: false, counted: false } };
}
