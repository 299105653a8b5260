/**
 * `torch.distributed.checkpoint`: a folder whose files of tensors (`__0_0.distcp`) say nothing by themselves, and a pickle named
 * `.metadata`, which has the name, type and whole shape of every tensor, and in which file each of its parts is.
 */

import { counted } from "../../src/counted.ts";
import type { Diagnostic } from "../../src/diagnostics.ts";
import type { ByteSource } from "../../src/io/byte-source.ts";
import { refuseCompanionName } from "../../src/io/companions.ts";
import { maxShards } from "../../src/limits.ts";
import type { Pickle } from "../../src/wire/pickle.ts";
import {
  entriesOf,
  globalName,
  isRecord,
  itemsOf,
  type PickleObject,
  type PickleValue,
} from "../../src/wire/pickle-value.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { dtypeOf } from "./dtypes.ts";
import { newestName } from "./globals.ts";
import { sortSections } from "./sections.ts";
import { TensorFault, type TorchTensor, withoutStorage } from "./tensor.ts";
import { stateOf } from "./tensor-state.ts";
import { classOf, type TreeNode } from "./tree.ts";
import { dimensions, fail } from "./window.ts";

const home = "torch.distributed.checkpoint.metadata";

/** Whether a pickled value is what stands in `.metadata`. */
export function isDistributed(value: PickleValue): value is PickleObject {
  return isRecord(value) && value.kind === "object" && classOf(value) === `${home}.Metadata`;
}

/** A tensor by its path, before the tree is built. */
interface Branch {
  readonly children: Map<string, Branch>;
  tensor: TorchTensor | null;
}

/** The checkpoint of a `.metadata` that was read from `source`. */
export async function readDistributed(source: ByteSource, pickle: Pickle): Promise<Checkpoint> {
  const held = stateOf(pickle.value);
  const paths = dictOf(held.get("planner_data"));
  const root: Branch = { children: new Map(), tensor: null };
  const diagnostics: Diagnostic[] = [];
  let faults = 0;
  for (const [name, value] of dictOf(held.get("state_dict_metadata"))) {
    if (typeof name !== "string") continue;
    try {
      const tensor = readTensor(value);
      if (tensor) branchAt(root, stepsOf(name, paths.get(name))).tensor = tensor;
    } catch (error) {
      if (!(error instanceof TensorFault)) throw error;
      faults += 1;
      diagnostics.push({ code: "object-unreadable", args: { reason: error.message }, at: name });
    }
  }
  if (faults > 0) {
    const reason = `${counted(faults, "tensor")} could not be read`;
    diagnostics.push({ code: "weights-left-out", args: { reason }, at: "" });
  }
  const tree = nodeOf("", root);
  return {
    variant: "distributed-checkpoint",
    found: { tree, storages: new Map(), imports: pickle.imports, diagnostics },
    sections: sortSections(tree),
    at: "",
    diagnostics: await checkFiles(source, dictOf(held.get("storage_data"))),
  };
}

function dictOf(value: PickleValue | undefined): ReadonlyMap<PickleValue, PickleValue> {
  return isRecord(value) && value.kind === "dict" ? entriesOf(value) : new Map();
}

/** `properties` starts with the type, `size` is that of all parts together. What has no size is an object in bytes. */
function readTensor(value: PickleValue): TorchTensor | null {
  if (!isRecord(value) || value.kind !== "object" || classOf(value) !== `${home}.TensorStorageMetadata`)
    return null;
  const held = stateOf(value);
  const properties = held.get("properties");
  const state = isRecord(properties) && properties.kind === "object" ? properties.states.at(-1) : undefined;
  const name = globalName(itemsOf(state)?.[0] ?? stateOf(properties).get("dtype"));
  const type =
    (name === null ? null : dtypeOf(newestName(name))) ?? fail(`its type ${name ?? "?"} is not known`);
  return withoutStorage(type, dimensions(held.get("size"), "size"));
}

/** Where a tensor was in the dictionary that was saved, before names were made of its keys. */
function stepsOf(name: string, path: PickleValue | undefined): readonly string[] {
  const listed = itemsOf(path) ?? [];
  const steps =
    listed.length < 100 ? listed.filter((step) => typeof step === "string" || typeof step === "number") : [];
  if (steps.length > 0) return steps.map(String);
  // Without paths, the state of an optimizer is told by how its names begin.
  const [, first, rest] = /^(optim\w*)\.(.+)$/.exec(name) ?? [];
  return first !== undefined && rest !== undefined ? [first, rest] : [name];
}

function branchAt(root: Branch, steps: readonly string[]): Branch {
  let at = root;
  for (const step of steps) {
    let next = at.children.get(step);
    if (next === undefined) {
      next = { children: new Map(), tensor: null };
      at.children.set(step, next);
    }
    at = next;
  }
  return at;
}

function nodeOf(key: string, branch: Branch): TreeNode {
  const children = [...branch.children].map(([name, child]) => nodeOf(name, child));
  return { key, tensor: branch.tensor, children, type: null, module: false, optimizer: null };
}

/** Whether the files that parts of tensors are in stand beside the metadata. None of them is read. */
async function checkFiles(
  source: ByteSource,
  places: ReadonlyMap<PickleValue, PickleValue>,
): Promise<readonly Diagnostic[]> {
  const names = new Set<string>();
  for (const place of places.values()) {
    if (!isRecord(place) || place.kind !== "object") continue;
    const name = stateOf(place).get("relative_path");
    if (typeof name === "string") names.add(name);
  }
  const diagnostics: Diagnostic[] = [];
  for (const name of [...names].slice(0, maxShards)) {
    const refused = refuseCompanionName(name);
    const found = refused === null ? await source.companion?.(name) : null;
    if (found) found.close?.();
    else if (refused === null) diagnostics.push({ code: "companion-missing", args: { name }, at: "" });
    else diagnostics.push({ code: "companion-refused", args: { name, reason: refused }, at: "" });
  }
  return diagnostics;
}
