/** Files with weights and no architecture: one row a group, classes as far as names tell. */

import type { Diagnostic } from "../../src/diagnostics.ts";
import type { JsonObject } from "../../src/ir/graph.ts";
import type { ArchLayer, ArchModel, WeightSlot } from "./architecture.ts";
import { modelName } from "./architecture-config.ts";
import { listGraph } from "./graph.ts";
import { slotFromFile } from "./guess-weights.ts";
import { asBoolean, asObject, asString } from "./json-access.ts";
import { layerRules } from "./layers/index.ts";
import type { LegacyLayer } from "./legacy-weights.ts";
import { pythonClass, snakeCase } from "./names.ts";
import { byNumber, groupAt, type StoredGroup, type TensorTable, tensorAt, tensorsBelow } from "./stored.ts";
import { objectSlots } from "./unnamed-vars.ts";

type Report = (diagnostic: Diagnostic) => void;

const reasons = {
  weights:
    "it holds weights only; which of them are trainable is not recorded, and the totals count those that look learned as trainable",
  subclassed:
    "the model is a subclass whose code is not in the file; layers are taken from the names of the stored weights, in alphabetical order; which of them are trainable is not recorded, and the totals count those that look learned as trainable",
} as const;

/** A model of the layers that a legacy weights group lists. */
export function legacyWeightsModel(
  stored: readonly LegacyLayer[],
  table: TensorTable,
  config: JsonObject | undefined,
  report: Report,
): ArchModel {
  report({ code: "config-missing", args: { reason: config ? reasons.subclassed : reasons.weights }, at: "" });
  const own: WeightSlot[] = [];
  const layers: ArchLayer[] = [];
  for (const layer of stored) {
    const slots = layer.weights.map((w) => slotFromFile(w.name, w.tensor, tensorAt(table, w.tensor)));
    if (layer.name === "top_level_model_weights") for (const slot of slots) own.push(slot);
    else layers.push(row(layer.name, "?", slots, true));
  }
  return shell(config, layers, own);
}

/** A model of the objects in a tree of `vars` groups. */
export function treeWeightsModel(
  root: StoredGroup,
  table: TensorTable,
  config: JsonObject | undefined,
  report: Report,
): ArchModel {
  report({ code: "config-missing", args: { reason: config ? reasons.subclassed : reasons.weights }, at: "" });
  const layers: ArchLayer[] = [];
  for (const [name, group] of [...root.groups].sort(([a], [b]) => byNumber(a, b))) {
    if (name === "vars" || outside.has(name)) continue;
    collectRows(name, group, table, layers);
  }
  const vars = root.groups.get("vars");
  const own = vars ? objectSlots({ ...root, groups: new Map([["vars", vars]]) }, root, table) : [];
  return shell(config, layers, own);
}

/** Objects of a saved model that are no layers. */
export const outside: ReadonlySet<string> = new Set(["optimizer", "metrics", "_metrics", "compiled_metrics"]);

/** Optimizer state and metrics are saved beside the layers. */
export function markOutside(root: StoredGroup, table: TensorTable): void {
  for (const name of outside) {
    const group = groupAt(root, name);
    if (!group) continue;
    for (const { index } of tensorsBelow(group)) {
      table.unclaimed.set(index, name === "optimizer" ? "optimizer" : "bookkeeping");
    }
  }
}

/** One row for every object that has a `vars` group, except parts of a layer that has one itself. */
function collectRows(path: string, group: StoredGroup, table: TensorTable, rows: ArchLayer[]): void {
  const vars = group.groups.get("vars");
  const add = (object: StoredGroup): void => {
    const slots = objectSlots(object, group, table);
    rows.push(row(vars?.objectName ?? path, typeFromPath(path), slots, table.tensors.length > 0));
  };
  const nested = group.groups.get("layers") ?? group.groups.get("_layer_checkpoint_dependencies");
  if (vars && !nested) {
    add(group);
    return;
  }
  if (vars && vars.tensors.size > 0) add({ ...group, groups: new Map([["vars", vars]]) });
  for (const [name, inner] of [...group.groups].sort(([a], [b]) => byNumber(a, b))) {
    if (name !== "vars") collectRows(`${path}/${name}`, inner, table, rows);
  }
}

/** Classes by the path segment Keras makes of them. */
let classes: ReadonlyMap<string, string> | undefined;

/** In a container a segment is a class name in snake case; elsewhere it is an attribute, which tells no class. */
function typeFromPath(path: string): string {
  const steps = path.split("/");
  if (steps.length < 2) return "?";
  classes ??= new Map(Object.keys(layerRules).map((name) => [snakeCase(pythonClass(name)), name]));
  return classes.get((steps.at(-1) ?? "").replace(/_\d+$/, "")) ?? "?";
}

function row(name: string, type: string, slots: WeightSlot[], built: boolean): ArchLayer {
  return {
    name,
    type,
    module: "",
    kind: "layer",
    operator: "Opaque",
    attributes: {},
    trainable: null,
    variableDtype: null,
    slots,
    inner: [],
    innerFirst: false,
    // Its state was saved, so it was built, whatever its shapes were.
    needsNoBuild: built,
    calls: [],
  };
}

function shell(config: JsonObject | undefined, layers: readonly ArchLayer[], slots: WeightSlot[]): ArchModel {
  const type = asString(config?.class_name) ?? "weights";
  return {
    name: config ? modelName(config, type) : "weights",
    type,
    trainable: asBoolean(asObject(config?.config)?.trainable) ?? null,
    graph: listGraph(layers),
    slots,
  };
}
