/**
 * Weights in the layout of `model.save("x.h5")` and Keras 1 and 2 weight files: a group a layer, named after it, with
 * an attribute `weight_names` that lists its datasets, trainable weights first.
 */

import type { Diagnostic } from "../../src/diagnostics.ts";
import type { Hdf5File } from "../../src/wire/hdf5.ts";
import type { ArchGraph, ArchLayer, WeightSlot } from "./architecture.ts";
import { owners } from "./architecture.ts";
import { baseName, slotFromFile } from "./guess-weights.ts";
import { type StoredGroup, type TensorTable, tensorAt } from "./stored.ts";

export interface LegacyLayer {
  readonly name: string;
  readonly weights: readonly { readonly name: string; readonly tensor: number }[];
}

/** A list attribute, also when it was too long for one and is in numbered chunks. */
export function listAttribute(file: Hdf5File, path: string, name: string): readonly string[] | undefined {
  const names = new Set(file.attributes(path));
  if (names.has(name)) return strings(file.attribute(path, name));
  if (!names.has(`${name}0`)) return undefined;
  const all: string[] = [];
  for (let chunk = 0; names.has(`${name}${chunk}`); chunk += 1) {
    for (const item of strings(file.attribute(path, `${name}${chunk}`))) all.push(item);
  }
  return all;
}

function strings(value: ReturnType<Hdf5File["attribute"]>): readonly string[] {
  if (typeof value === "string") return [value];
  // An empty list has no string type: Keras stores it as an empty array of float64.
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === "string") : [];
}

/** The layers a weights group lists, with the tensors each names. */
export function readLegacyLayers(
  file: Hdf5File,
  path: string,
  tree: StoredGroup,
  report: (diagnostic: Diagnostic) => void,
): readonly LegacyLayer[] {
  // A group has each name once, whatever the list says: repeating one a million times must not read it as often.
  const names = [...new Set(listAttribute(file, path, "layer_names") ?? [])];
  const read = (name: string): LegacyLayer => {
    const steps = name.split(/[\\/]/);
    const group = steps.reduce<StoredGroup | undefined>((at, step) => at?.groups.get(step), tree);
    if (!group) {
      report({ code: "graph-dangling", args: { reference: `weights group ${name}` }, at: name });
      return { name, weights: [] };
    }
    const inner = path === "/" ? `/${name}` : `${path}/${name}`;
    const weights = (listAttribute(file, inner, "weight_names") ?? []).flatMap((weight) => {
      const tensor = datasetAt(group, weight);
      if (tensor === undefined) {
        report({ code: "graph-dangling", args: { reference: `dataset ${weight}` }, at: name });
        return [];
      }
      return [{ name: weight, tensor }];
    });
    return { name, weights };
  };
  const layers = names.map(read);
  return tree.groups.has("top_level_model_weights") && !names.includes("top_level_model_weights")
    ? [...layers, read("top_level_model_weights")]
    : layers;
}

function datasetAt(group: StoredGroup, path: string): number | undefined {
  const steps = path.split(/[\\/]/);
  const last = steps.pop() as string;
  return steps.reduce<StoredGroup | undefined>((at, step) => at?.groups.get(step), group)?.tensors.get(last);
}

/** Fills the slots of a graph; returns what belongs to the model itself. */
export function assignLegacyWeights(
  graph: ArchGraph,
  stored: readonly LegacyLayer[],
  table: TensorTable,
  generation: 1 | 2 | 3,
): { readonly model: WeightSlot[]; readonly unmatched: readonly LegacyLayer[] } {
  // Keras 1 lists the layers of merged branches one by one.
  const named = generation === 1 ? graph.layers.flatMap(owners).reverse() : graph.layers;
  const byName = new Map(named.map((layer) => [layer.name, layer]));
  const filled = stored.filter((layer) => layer.weights.length > 0);
  const model: WeightSlot[] = [];
  const unmatched: LegacyLayer[] = [];
  // Keras itself goes by order; names agree in all but renamed models.
  let unnamed = 0;
  const storedNames = new Set(stored.map((entry) => entry.name));
  const free = graph.layers.filter((layer) => !storedNames.has(layer.name) && slotCount(layer) > 0);
  for (const entry of filled) {
    if (entry.name === "top_level_model_weights") {
      for (const w of entry.weights) model.push(slotFromFile(w.name, w.tensor, tensorAt(table, w.tensor)));
      continue;
    }
    const layer = byName.get(entry.name) ?? free[unnamed++];
    if (layer) assignLayer(layer, entry, table, generation);
    else unmatched.push(entry);
  }
  return { model, unmatched };
}

function slotCount(layer: ArchLayer): number {
  return owners(layer).reduce((sum, owner) => sum + owner.slots.length, 0);
}

interface OwnedSlot {
  readonly owner: ArchLayer;
  readonly slot: WeightSlot;
}

function assignLayer(layer: ArchLayer, entry: LegacyLayer, table: TensorTable, generation: 1 | 2 | 3): void {
  const slots = legacyOrder(layer, generation);
  const filled = new Set<WeightSlot>();
  const fill = (slot: WeightSlot, weight: LegacyLayer["weights"][number]): void => {
    filled.add(slot);
    // A layer that stands in two places is stored in both; Keras reads both into the one layer, and the last stays.
    if (slot.tensor !== undefined && slot.tensor !== weight.tensor)
      table.unclaimed.set(slot.tensor, "unused");
    slot.tensor = weight.tensor;
    slot.storedName = weight.name;
  };
  const sameCount = slots.length === entry.weights.length;
  if (sameCount && (generation === 1 || slots.every(({ slot }, i) => agrees(slot, entry.weights[i]?.name)))) {
    for (const [i, { slot }] of slots.entries())
      fill(slot, entry.weights[i] as (typeof entry.weights)[number]);
    return;
  }
  const left = new Set(entry.weights);
  if (generation > 1) fillByName(slots, left, fill);
  if (sameCount) {
    const open = slots.filter(({ slot }) => !filled.has(slot));
    for (const [i, weight] of [...left].entries()) {
      const target = open[i];
      if (!target) break;
      fill(target.slot, weight);
      left.delete(weight);
    }
  }
  if (left.size > 0) takeFromFile(layer, [...left], table);
}

/** Weights that no slot takes go to the part of the layer that no rule knows, if there is one. */
function takeFromFile(
  layer: ArchLayer,
  weights: readonly LegacyLayer["weights"][number][],
  table: TensorTable,
): void {
  const target = owners(layer).find((owner) => owner.operator === "Opaque");
  if (!target) return;
  for (const w of weights) target.slots.push(slotFromFile(w.name, w.tensor, tensorAt(table, w.tensor)));
}

function agrees(slot: WeightSlot, name: string | undefined): boolean {
  return name === undefined || baseName(name) === slot.declaration.name;
}

function fillByName(
  slots: readonly OwnedSlot[],
  left: Set<LegacyLayer["weights"][number]>,
  fill: (slot: WeightSlot, weight: LegacyLayer["weights"][number]) => void,
): void {
  const candidates = indexWeights(left, new Set(slots.map(({ owner }) => owner.name)));
  for (const { owner, slot } of slots) {
    const same = candidates.get(slot.declaration.name);
    if (!same) continue;
    const chosen = firstOf(same.within.get(owner.name), left) ?? firstOf(same.all, left);
    if (!chosen) continue;
    fill(slot, chosen);
    left.delete(chosen);
  }
}

/** Weights of one base name, in order: all of them, and those with a certain owner in their path. */
interface Candidates {
  readonly all: Queue;
  readonly within: Map<string, Queue>;
}

interface Queue {
  readonly weights: LegacyLayer["weights"][number][];
  next: number;
}

/** By name, because a layer may hold twenty thousand weights, and each slot looking at each of them takes minutes. */
function indexWeights(
  weights: Iterable<LegacyLayer["weights"][number]>,
  ownerNames: ReadonlySet<string>,
): ReadonlyMap<string, Candidates> {
  const index = new Map<string, Candidates>();
  for (const weight of weights) {
    const base = baseName(weight.name);
    const same = index.get(base) ?? { all: { weights: [], next: 0 }, within: new Map<string, Queue>() };
    index.set(base, same);
    same.all.weights.push(weight);
    for (const part of new Set(weight.name.split("/"))) {
      if (!ownerNames.has(part)) continue;
      const queue = same.within.get(part) ?? { weights: [], next: 0 };
      same.within.set(part, queue);
      queue.weights.push(weight);
    }
  }
  return index;
}

/** The first that is left; those before it are gone for good. */
function firstOf(
  queue: Queue | undefined,
  left: ReadonlySet<LegacyLayer["weights"][number]>,
): LegacyLayer["weights"][number] | undefined {
  if (!queue) return undefined;
  for (let weight = queue.weights[queue.next]; weight; weight = queue.weights[++queue.next]) {
    if (left.has(weight)) return weight;
  }
  return undefined;
}

/**
 * Keras's `trainable_weights + non_trainable_weights`: a frozen layer has everything in the second part, in creation
 * order. Up to Keras 2 a model's own flag does not change the order of what its layers say.
 */
function legacyOrder(layer: ArchLayer, generation: 1 | 2 | 3): OwnedSlot[] {
  const first: OwnedSlot[] = [];
  const second: OwnedSlot[] = [];
  const visit = (at: ArchLayer, inherited: boolean): void => {
    const own = at.kind === "model" && generation < 3 ? true : at.trainable !== false;
    const enclosing = inherited && own;
    const slots = (): void => {
      for (const slot of at.slots) {
        // What Keras does not count is in archives alone.
        if (slot.declaration.counted === false) continue;
        const trainable =
          slot.declaration.trainable ?? (slot.declaration.class ?? "parameter") === "parameter";
        (enclosing && trainable ? first : second).push({ owner: at, slot });
      }
    };
    if (!at.innerFirst) slots();
    for (const inner of at.inner) visit(inner.layer, enclosing);
    for (const inner of at.graph?.layers ?? []) visit(inner, enclosing);
    if (at.innerFirst) slots();
  };
  visit(layer, true);
  return distinct([...first, ...second]);
}

/** A layer that stands in two places inside another is in its lists once. */
function distinct(slots: readonly OwnedSlot[]): OwnedSlot[] {
  const seen = new Set<WeightSlot>();
  return slots.filter(({ slot }) => !seen.has(slot) && seen.add(slot));
}
