/** The tensors of a checkpoint as a flat list of named ones, with what the checkpoint itself says of them. */

import { counted } from "../../src/counted.ts";
import type { Diagnostic } from "../../src/diagnostics.ts";
import { LimitExceededError } from "../../src/errors.ts";
import { productOfDims } from "../../src/ir/dim.ts";
import { sameShape } from "../../src/ir/shape.ts";
import type { Packing, TensorClass } from "../../src/ir/tensor.ts";
import { maxTorchModules, maxTorchTensors } from "../../src/limits/pytorch.ts";
import { maxModelElements, maxNameText } from "../../src/limits.ts";
import { copyNote, innerCopies, signature } from "../state-dict/averages.ts";
import { isShapeNote } from "../state-dict/packed.ts";
import type { KnownModule, NamedTensor } from "../state-dict/state-dict.ts";
import { layOut, type StoredPiece } from "./layout.ts";
import type { Leaf, ModelSection, Sections } from "./sections.ts";
import type { TorchStorage, TorchTensor } from "./tensor.ts";
import { countParts, type Entry, partsOf } from "./tensor-parts.ts";
import type { TreeNode } from "./tree.ts";

export interface NamedTensors {
  readonly tensors: readonly NamedTensor[];
  /** Classes of pickled modules by path. */
  readonly modules: ReadonlyMap<string, KnownModule>;
  /** Small tensors that say how others are packed: where each is. */
  readonly notes: ReadonlyMap<NamedTensor, TorchTensor>;
  readonly diagnostics: readonly Diagnostic[];
}

/** Names every tensor, lays them out on their storages and adds what no tensor sees. */
export function nameTensors(
  sections: Sections,
  storages: ReadonlyMap<string, TorchStorage>,
  file: string,
): NamedTensors {
  const diagnostics: Diagnostic[] = [];
  const base = commonPath(sections.models);
  const entries: Entry[] = sections.models.flatMap((section) =>
    section.leaves.map((leaf) => ({
      name: nameOf(leaf.path.slice(base)),
      path: nameOf(leaf.path),
      tensor: leaf.tensor,
      leaf,
      row: true,
      // Of what a module holds, what is neither a parameter nor a buffer was put there by hand.
      ...(section.node.module &&
        leaf.holding === undefined &&
        !isPacked(leaf) && { class: "constant" as const }),
      ...(leaf.repeated && { class: "unused" as const, row: false }),
    })),
  );
  const all = [...withoutInnerCopies(withoutRepeats(entries), diagnostics)];
  for (const section of sections.copies) {
    diagnostics.push(copyNote(nameOf(section.path), shapesOf(section.leaves)));
    for (const leaf of section.leaves) all.push(aside(leaf, "unused"));
  }
  for (const leaf of sections.optimizer) all.push(aside(leaf, "optimizer"));
  for (const leaf of sections.training) all.push(aside(leaf, "bookkeeping"));
  for (const leaf of sections.constants ?? []) all.push(aside(leaf, "constant"));
  const modules = modulesOf(sections.models, base);
  checkCounts(all, modules.size, file);
  const parts = all.flatMap((entry) => partsOf(entry));
  const { pieces, unseen } = layOut(new Set(parts.map(({ tensor }) => tensor)), storages);
  const namer = new Namer(pieces, diagnostics);
  const tensors = namer.name(parts);
  const seen = new Set([...pieces.keys()].map(({ storage }) => storage?.key));
  for (const [key, bytes] of unseen) tensors.push(unseenPiece(key, bytes, storages.get(key), seen.has(key)));
  reportAlike(sections.models, diagnostics);
  reportFlattened(sections, diagnostics);
  reportUnseen(unseen, seen, diagnostics);
  return { tensors, modules, notes: namer.notes, diagnostics };
}

/** Modules of torch.ao keep their weights in an object: quantised ones, and the bias beside them. */
function isPacked({ path, tensor, packed }: Leaf): boolean {
  if (packed && /^b?float/.test(tensor.dtype)) return true;
  return tensor.form === "quantized" || path.some((step) => /packed_?params/i.test(step));
}

function aside(leaf: Leaf, kind: TensorClass): Entry {
  const name = nameOf(leaf.path);
  return { name, path: name, tensor: leaf.tensor, leaf, class: kind, row: false };
}

function nameOf(path: readonly string[]): string {
  return path.length === 0 ? "tensor" : path.join(".");
}

/** Steps that all models share and none needs in its names: all of the path of an only model. */
function commonPath(models: readonly ModelSection[]): number {
  const [first] = models;
  if (first === undefined) return 0;
  if (models.length === 1)
    return first.node.tensor === null ? first.path.length : Math.max(0, first.path.length - 1);
  let common = 0;
  while (models.every(({ path }) => path.length > common + 1 && path[common] === first.path[common]))
    common += 1;
  return common;
}

/**
 * Modules may list their parameters once more in an attribute (`_flat_weights` of LSTM), or what belongs to one of them
 * (`quant_state` of bitsandbytes): those are no further names.
 */
function withoutRepeats(entries: readonly Entry[]): readonly Entry[] {
  const identity = ({ storage, offset, size, dtype }: TorchTensor): string =>
    `${storage?.key} ${offset} ${dtype} ${size.join(",")}`;
  const held = new Set(
    entries
      .filter(({ leaf }) => leaf?.holding !== undefined)
      .flatMap(({ tensor }) => [tensor, ...tensor.parts.map((part) => part.tensor)])
      .map(identity),
  );
  if (held.size === 0) return entries;
  return entries.filter(
    ({ leaf, tensor }) =>
      leaf?.holding !== undefined || tensor.storage === null || !held.has(identity(tensor)),
  );
}

function shapesOf(
  holders: readonly { readonly tensor: TorchTensor }[],
): readonly { readonly shape: readonly number[] }[] {
  return holders.map(({ tensor }) => ({ shape: tensor.size }));
}

function withoutInnerCopies(entries: readonly Entry[], diagnostics: Diagnostic[]): readonly Entry[] {
  const copies = innerCopies(entries.map(({ name, tensor }) => ({ name, shape: tensor.size })));
  if (copies.size === 0) return entries;
  const copied = entries.filter(({ name }) => copies.has(name));
  diagnostics.push(copyNote(copied[0]?.name.split(".")[0] ?? "", shapesOf(copied)));
  return entries.map((entry) => (copies.has(entry.name) ? { ...entry, class: "unused", row: false } : entry));
}

/** As PyTorch and fairscale name it, by itself or at the end of a key. */
const flatParameter = /(^|\.)_?flat_param(_\d+)?$/;

/** What one process of DeepSpeed keeps of the weights, all in a row, stands with the optimizer that changes them. */
function reportFlattened({ models, optimizer }: Sections, diagnostics: Diagnostic[]): void {
  const leaves = models.flatMap((model) => model.leaves);
  // A tensor that knows the whole it is of is told with others like it.
  const flat = leaves.filter(({ path, tensor }) => !tensor.whole && flatParameter.test(path.at(-1) ?? ""));
  if (flat.length > 0) {
    const what = counted(flat.length, "tensor holds", "tensors hold");
    const reason = `${what} weights that FSDP put in a row, of which each process keeps a part, the last one filled up; the file does not say which part this is`;
    diagnostics.push({ code: "weights-left-out", args: { reason }, at: "" });
  }
  if (models.length > 0) return;
  const steps = new Set(optimizer.flatMap(({ path }) => path));
  const key = ["fp32_flat_groups", "single_partition_of_fp32_groups"].find((step) => steps.has(step));
  if (key === undefined) return;
  const reason = `${key} holds one process's part of the weights, in a row and without names, and is counted with the optimizer; weigh the file of model states, or what zero_to_fp32.py makes of all parts`;
  diagnostics.push({ code: "weights-left-out", args: { reason }, at: "" });
}

/** Two models of one kind may be what they seem, or one may be a copy under a name that does not tell (a teacher). */
function reportAlike(models: readonly ModelSection[], diagnostics: Diagnostic[]): void {
  const known = new Map<string, ModelSection>();
  for (const model of models) {
    if (model.leaves.length < 2) continue;
    const lines = model.leaves.map(({ path, tensor }) =>
      signature(path.slice(model.path.length).join("."), tensor.size),
    );
    const key = lines.sort().join("\n");
    const first = known.get(key);
    if (first === undefined) known.set(key, model);
    else if (first.leaves[0]?.tensor.storage?.key !== model.leaves[0]?.tensor.storage?.key) {
      const reason = `${nameOf(first.path)} and ${nameOf(model.path)} hold tensors of the same names and shapes; both are counted, though one may be a copy of the other`;
      diagnostics.push({ code: "names-guessed", args: { reason }, at: "" });
    }
  }
}

/** Refuses more than a report can tell. */
function checkCounts(entries: readonly Entry[], modules: number, file: string): void {
  const known = new Map<TorchTensor, number>();
  let tensors = 0;
  let characters = 0;
  for (const { path, tensor } of entries) {
    const parts = countParts(tensor, known);
    tensors += parts;
    characters += parts * path.length;
  }
  const counts: readonly (readonly [what: string, actual: number, limit: string, maximum: number])[] = [
    ["tensors", tensors, "maxTorchTensors", maxTorchTensors],
    ["modules", modules, "maxTorchModules", maxTorchModules],
    ["characters in the names of its tensors", characters, "maxNameText", maxNameText],
  ];
  for (const [what, actual, limit, maximum] of counts) {
    if (actual <= maximum) continue;
    const message = `${file}: ${actual} ${what}, the limit is ${maximum} (${limit})`;
    throw new LimitExceededError(message, { limit, actual, maximum, file });
  }
}

class Namer {
  readonly notes = new Map<NamedTensor, TorchTensor>();
  readonly #pieces: ReadonlyMap<TorchTensor, StoredPiece>;
  readonly #diagnostics: Diagnostic[];
  readonly #identities = new Map<StoredPiece | TorchTensor, string>();
  readonly #paths = new Map<string, number>();
  #elements = 0;
  #meta = 0;
  #unshaped = 0;
  readonly #partial = { tensors: 0, elements: 0 };

  constructor(pieces: ReadonlyMap<TorchTensor, StoredPiece>, diagnostics: Diagnostic[]) {
    this.#pieces = pieces;
    this.#diagnostics = diagnostics;
  }

  name(entries: readonly Entry[]): NamedTensor[] {
    const named = entries.flatMap((entry) => this.#one(entry));
    if (this.#meta > 0) {
      const reason = `${counted(this.#meta, "tensor has", "tensors have")} a shape and no elements (on the meta device)`;
      this.#diagnostics.push({ code: "weights-left-out", args: { reason }, at: "" });
    }
    if (this.#unshaped > 0) {
      const reason = `${counted(this.#unshaped, "tensor has", "tensors have")} no shape before the first input (of lazy modules)`;
      this.#diagnostics.push({ code: "weights-left-out", args: { reason }, at: "" });
    }
    const { tensors, elements } = this.#partial;
    if (tensors > 0) {
      const reason = `${counted(tensors, "tensor is", "tensors are")} what one process held of a larger whole, which has ${counted(elements, "element")} more in other files`;
      this.#diagnostics.push({ code: "weights-left-out", args: { reason }, at: "" });
    }
    return named;
  }

  #one(entry: Entry): NamedTensor[] {
    const { tensor, leaf } = entry;
    if (tensor.form === "unshaped") {
      this.#unshaped += 1;
      return [];
    }
    if (tensor.form === "meta" && (productOfDims(tensor.size) ?? 0) > 0) {
      this.#meta += 1;
      return [];
    }
    const elsewhere = (productOfDims(tensor.whole ?? []) ?? 0) - (productOfDims(tensor.size) ?? 0);
    if (tensor.whole && elsewhere > 0) {
      this.#partial.tensors += 1;
      this.#partial.elements += elsewhere;
    }
    const piece = this.#pieces.get(tensor) ?? inlinePiece(tensor);
    const shared = this.#pieces.has(tensor) ? piece : tensor;
    const known = this.#identities.get(shared);
    const identity = known ?? String(this.#identities.size);
    if (known === undefined) {
      this.#identities.set(shared, identity);
      this.#elements += productOfDims(piece.shape) ?? 0;
      if (this.#elements > maxModelElements) {
        this.#elements -= productOfDims(piece.shape) ?? 0;
        const reason = `with it the file would have more than ${maxModelElements} elements; it is left out`;
        this.#diagnostics.push({ code: "object-unreadable", args: { reason }, at: entry.path });
        return [];
      }
    }
    const named: NamedTensor = {
      name: entry.name,
      path: this.#path(entry.path),
      dtype: piece.dtype,
      shape: tensor.size,
      ...(!sameShape(piece.shape, tensor.size) && { stored: piece.shape }),
      bytes: piece.bytes,
      identity,
      ...kindOf(tensor, leaf),
      ...(tensor.packed && {
        packed: { packing: packingOf(tensor.packed, tensor.size), shape: tensor.packed.size },
      }),
      ...(isQuantizedWeight(tensor, leaf) && { class: "parameter" as const }),
      ...(entry.class !== undefined && { class: entry.class }),
      ...(!entry.row && { row: false }),
    };
    if (tensor.storage && entry.row && isShapeNote(named.name, named.dtype, named.bytes))
      this.notes.set(named, tensor);
    return [named];
  }

  /** Two keys may make one name (`a.b`, and `b` in `a`). */
  #path(path: string): string {
    const count = (this.#paths.get(path) ?? 0) + 1;
    this.#paths.set(path, count);
    return count === 1 ? path : this.#path(`${path} (${count})`);
  }
}

/** PyTorch quantises nothing but weights; a module may keep another as a buffer. */
function isQuantizedWeight({ form, packed }: TorchTensor, leaf: Leaf | undefined): boolean {
  return packed !== undefined || (form === "quantized" && (leaf?.holding ?? "parameter") === "parameter");
}

/** Along the last axis, all in one column, or in tiles as a kernel wants them. */
function packingOf({ values, size }: NonNullable<TorchTensor["packed"]>, stored: readonly number[]): Packing {
  const column = [Math.ceil((productOfDims(size) ?? 0) / values), 1];
  if (sameShape(column, stored)) return { values, axis: 0, flat: true };
  const rows = size.map((dim, i) => (i === size.length - 1 ? Math.ceil(dim / values) : dim));
  return sameShape(rows, stored) ? { values, axis: -1 } : { values, axis: -1, padded: true };
}

function inlinePiece({ dtype, size, itemBytes }: TorchTensor): StoredPiece {
  return { dtype, shape: size, bytes: (productOfDims(size) ?? 0) * itemBytes };
}

/** What a pickled module or a wrapped parameter states; a plain state dict says nothing. */
function kindOf(tensor: TorchTensor, leaf: Leaf | undefined): Pick<NamedTensor, "kind" | "trainable"> {
  if (leaf?.holding === "parameter" || tensor.parameter)
    return { kind: "parameter", trainable: tensor.requiresGrad };
  // Nothing but weights is kept with a scale of its own.
  if (leaf && leaf.holding === undefined && isPacked(leaf)) return { kind: "parameter" };
  return leaf?.holding === undefined ? {} : { kind: "buffer", trainable: false };
}

/**
 * What of a storage no tensor sees, as elements of its own type where it divides. The rest of a storage that tensors do see
 * is not used; of a storage that none sees nobody can tell.
 */
function unseenPiece(
  key: string,
  bytes: number,
  storage: TorchStorage | undefined,
  seen: boolean,
): NamedTensor {
  const size = storage?.type.bytes ?? 1;
  const whole = bytes % size === 0;
  const name = `${key} (${seen ? "rest" : "no tensor"})`;
  return {
    name,
    path: name,
    dtype: whole ? (storage?.type.dtype ?? "uint8") : "uint8",
    shape: [whole ? bytes / size : bytes],
    bytes,
    class: seen ? "unused" : "unclassified",
    row: false,
  };
}

/** The rest of a storage is slack; one that no tensor at all sees may hold weights. */
function reportUnseen(
  unseen: ReadonlyMap<string, number>,
  seen: ReadonlySet<string | undefined>,
  diagnostics: Diagnostic[],
): void {
  const sum = (all: readonly (readonly [string, number])[]): number =>
    all.reduce((bytes, [, more]) => bytes + more, 0);
  const slack = [...unseen].filter(([key]) => seen.has(key));
  const lost = [...unseen].filter(([key]) => !seen.has(key));
  if (slack.length > 0)
    diagnostics.push({
      code: "storage-unseen",
      args: { storages: slack.length, bytes: sum(slack) },
      at: "",
    });
  if (lost.length > 0) {
    const reason = `no tensor was found that sees ${counted(lost.length, "storage")} (${counted(sum(lost), "byte")}); the ledger has what is in there as unclassified`;
    diagnostics.push({ code: "weights-left-out", args: { reason }, at: "" });
  }
}

/** Classes of modules by their names. */
function modulesOf(models: readonly ModelSection[], base: number): ReadonlyMap<string, KnownModule> {
  const modules = new Map<string, KnownModule>();
  const visit = (node: TreeNode, path: readonly string[]): void => {
    if (node.module && node.type !== null) {
      const dot = node.type.lastIndexOf(".");
      modules.set(path.slice(base).join("."), {
        type: node.type.slice(dot + 1),
        ...(dot > 0 && { module: node.type.slice(0, dot) }),
      });
    }
    for (const child of node.children) visit(child, [...path, child.key]);
  };
  for (const { node, path } of models) visit(node, path);
  return modules;
}
