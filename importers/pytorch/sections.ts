/**
 * What the parts of a checkpoint are for. A checkpoint is whatever a program put in a dictionary, so this goes by structure where
 * there is one and by the usual names elsewhere:
 * - what has `state` and `param_groups` is an optimizer's, and so is everything under a key that says so;
 * - what is under a key of a scheduler, a random state and the like belongs to the training;
 * - every other tensor is a model's. Dictionaries around a model's state dict are no part of its names;
 * - of several models, one whose key says average (`ema`, `shadow`, `swa`) and whose tensors have the names and shapes of
 *   another one's, or its shapes where it is a list without names, is a copy of that.
 */

import { averageKey, signature } from "../state-dict/averages.ts";
import type { TorchTensor } from "./tensor.ts";
import type { Holding, TreeNode } from "./tree.ts";

/** A tensor with its place. */
export interface Leaf {
  /** Steps from the root of the pickle. */
  readonly path: readonly string[];
  readonly tensor: TorchTensor;
  readonly holding?: Holding;
  /** The file has it under another name too. */
  readonly repeated?: boolean;
  /** Kept in an object of packed parameters, or beside a quantised tensor as its bias is. */
  readonly packed?: boolean;
}

/** A model's tensors, under names that start where the model does. */
export interface ModelSection {
  /** Steps from the root of the pickle to the model. */
  readonly path: readonly string[];
  readonly node: TreeNode;
  readonly leaves: readonly Leaf[];
}

export interface Sections {
  readonly models: readonly ModelSection[];
  /** Copies of a model's weights, each beside the model that it copies. */
  readonly copies: readonly ModelSection[];
  readonly optimizer: readonly Leaf[];
  /** Names of the optimizers. */
  readonly optimizers: readonly string[];
  readonly training: readonly Leaf[];
  /** Constants of the code of a TorchScript archive. */
  readonly constants?: readonly Leaf[];
}

const optimizerKey = /^(\w+_)?(optimi[sz]ers?|optim|opt)(_?\d+|_(states?|state_dicts?|dict|d|g|disc|gen))?$/i;
const trainingKey =
  /sched(uler)?s?(_|$)|scaler|(^|_)rng|random_state|^(loops|callbacks|loss(es)?|history|metrics?|logs?|stats|meter|args|config|cfg|hparams|hyper_parameters|epoch|global_step|step|best_(?=\w*$)\w*?(acc|loss|score|metric).*|(train|val|valid|test)_\w+|loss_history|lr|confusion_matri(x|ces))$/i;
/** Sorts the tensors of a tree. */
export function sortSections(root: TreeNode): Sections {
  const found = new Sorter();
  if (root.tensor) found.sections.push({ path: [], node: root, leaves: leavesOf(root, []) });
  else found.visit(root, []);
  const sections = found.sections.flatMap((section) => withoutArrays(section, found));
  sections.push(...parametersOf(found.optimizer, sections));
  const copies = findCopies(sections);
  const owned = new Set(sections.flatMap(({ leaves }) => leaves));
  return {
    models: sections.filter((section) => !copies.has(section)),
    copies: [...copies],
    optimizer: found.optimizer.filter((one) => !owned.has(one)),
    optimizers: [...found.optimizers],
    training: found.training,
  };
}

/** Beside tensors of PyTorch, arrays of NumPy are data: no network loads them. In a module they are attributes like others. */
function withoutArrays(section: ModelSection, { sections, training }: Sorter): readonly ModelSection[] {
  const isArray = ({ tensor }: Leaf): boolean => tensor.form === "inline";
  if (section.node.module || !section.leaves.some(isArray)) return [section];
  if (sections.every(({ leaves }) => leaves.every(isArray))) return [section];
  append(training, section.leaves.filter(isArray));
  const leaves = section.leaves.filter((one) => !isArray(one));
  return leaves.length > 0 ? [{ ...section, leaves }] : [];
}

/** The parameters that an optimizer which was pickled whole works on, unless a model beside it has them. */
function parametersOf(
  optimizer: readonly Leaf[],
  sections: readonly ModelSection[],
): readonly ModelSection[] {
  const live = optimizer.filter(({ path, tensor }) => tensor.parameter && path.at(-2) === "params");
  if (live.length === 0) return [];
  const held = new Set(sections.flatMap(({ leaves }) => leaves.map(({ tensor }) => tensor.storage?.key)));
  const leaves = live.filter(({ tensor }) => tensor.storage === null || !held.has(tensor.storage.key));
  const path = live[0]?.path.slice(0, -4) ?? [];
  const node = { key: "", tensor: null, children: [], type: null, module: false, optimizer: null };
  return leaves.length > 0 ? [{ path, node, leaves }] : [];
}

class Sorter {
  readonly sections: ModelSection[] = [];
  readonly optimizer: Leaf[] = [];
  readonly optimizers = new Set<string>();
  readonly training: Leaf[] = [];

  /** Goes down through containers of containers, to where tensors are. */
  visit(node: TreeNode, path: readonly string[]): void {
    if (node.optimizer) this.#optimizer(node, path);
    else if (node.module || !holdsModels(node)) this.#model(node, path);
    else this.#visitAll(node, path);
  }

  #visitAll(node: TreeNode, path: readonly string[]): void {
    for (const child of node.children) {
      const at = [...path, child.key];
      if (optimizerKey.test(child.key)) this.#optimizer(child, at);
      else if (trainingKey.test(child.key) || isCounter(child)) append(this.training, leavesOf(child, at));
      else if (child.tensor) this.sections.push({ path: at, node: child, leaves: leavesOf(child, at) });
      else this.visit(child, at);
    }
  }

  #optimizer(node: TreeNode, path: readonly string[]): void {
    append(this.optimizer, leavesOf(node, path));
    const open = [node];
    for (let one = open.pop(); one !== undefined; one = open.pop()) {
      if (one.optimizer !== null) this.optimizers.add(one.optimizer);
      else for (const child of one.children) open.push(child);
    }
  }

  /** A model, without the optimizers that may hang somewhere in it. */
  #model(node: TreeNode, path: readonly string[]): void {
    const leaves: Leaf[] = [];
    const walk = (inner: TreeNode, at: readonly string[], packed: boolean): void => {
      if (inner.optimizer) this.#optimizer(inner, at);
      else if (inner.tensor && isRandomState(inner)) this.training.push(leaf(inner, at));
      else if (inner.tensor) leaves.push({ ...leaf(inner, at), ...(packed && { packed }) });
      else {
        const inside = packed || holdsPacked(inner);
        for (const child of inner.children) walk(child, [...at, child.key], inside);
      }
    };
    walk(node, path, false);
    if (leaves.length > 0) this.sections.push({ path, node, leaves });
  }
}

/** One by one: as arguments of a call, a hundred thousand would overflow the stack. */
function append(list: Leaf[], more: readonly Leaf[]): void {
  for (const one of more) list.push(one);
}

/** Whether what is in a container are models and not parts of one: it holds containers, and no tensor but counters. */
function holdsModels(node: TreeNode): boolean {
  const containers = node.children.filter((child) => child.tensor === null);
  if (containers.length === 0) return false;
  // A module among them: whatever else there is, they are things of their own.
  if (containers.some((child) => child.module || child.optimizer !== null)) return true;
  return node.children.every(
    (child) =>
      child.tensor === null || isCounter(child) || trainingKey.test(child.key) || containers.some(isFlat),
  );
}

/** A state dict: names with dots, and tensors under them. */
function isFlat(node: TreeNode): boolean {
  return (
    node.children.length > 1 && node.children.some(({ key, tensor }) => tensor !== null && key.includes("."))
  );
}

/** A number that counts something: `epoch`, `global_step`, as a tensor. */
function isCounter({ tensor, holding }: TreeNode): boolean {
  return tensor !== null && holding === undefined && tensor.size.every((dim) => dim === 1);
}

/** The state of a generator of random numbers, as a tensor. */
function isRandomState({ key, tensor, holding }: TreeNode): boolean {
  return tensor?.dtype === "uint8" && holding === undefined && /(rng|random)_state|manual_seed/.test(key);
}

function leaf(node: TreeNode, path: readonly string[]): Leaf {
  return {
    path,
    tensor: node.tensor as TorchTensor,
    ...(node.holding !== undefined && { holding: node.holding }),
    ...(node.repeated && { repeated: true }),
  };
}

/**
 * Objects of torch.ao that keep weights as their kernels want them, and modules and tuples that hold such a weight themselves. Of a
 * state dict the names tell, and what a module has registered needs no telling.
 */
function holdsPacked({ type, module, children }: TreeNode): boolean {
  if (
    type !== null &&
    /^(torch\.ScriptObject$|__torch__\.torch\.classes\.(quantized|rnn|xnnpack)\.)/.test(type)
  )
    return true;
  return children.some(
    ({ key, tensor, holding }) =>
      tensor?.form === "quantized" && holding !== "parameter" && (module || /^\d+$/.test(key)),
  );
}

/** All tensors below a node, which is at `path`. */
export function leavesOf(node: TreeNode, path: readonly string[], packed = false): Leaf[] {
  if (node.tensor) return [{ ...leaf(node, path), ...(packed && { packed }) }];
  const inside = packed || holdsPacked(node);
  return node.children.flatMap((child) => leavesOf(child, [...path, child.key], inside));
}

function findCopies(sections: readonly ModelSection[]): Set<ModelSection> {
  const named = sections.filter(({ path }) => path.some((step) => averageKey.test(step)));
  const averages = new Set(named);
  const others = sections.filter((section) => !averages.has(section));
  const names = new Set<string>();
  const shapes = new Map<string, number>();
  for (const section of others) {
    for (const one of section.leaves) {
      const shape = one.tensor.size.join(",");
      names.add(signature(nameIn(section, one), one.tensor.size));
      shapes.set(shape, (shapes.get(shape) ?? 0) + 1);
    }
  }
  const copies = named.filter((section) => isCopyByName(section, names) || isCopyByShape(section, shapes));
  return new Set(copies);
}

function nameIn(section: ModelSection, { path }: Leaf): string {
  return path.slice(section.path.length).join(".");
}

function isCopyByName(section: ModelSection, names: ReadonlySet<string>): boolean {
  const same = section.leaves.filter((one) => names.has(signature(nameIn(section, one), one.tensor.size)));
  return same.length * 2 > section.leaves.length;
}

/** A list of averages has no names (`shadow_params`): nearly all of its shapes are another model's, each as often at most. */
function isCopyByShape(section: ModelSection, shapes: ReadonlyMap<string, number>): boolean {
  if (!section.leaves.every((one) => /^\d+$/.test(nameIn(section, one)))) return false;
  const used = new Map<string, number>();
  let same = 0;
  for (const { tensor } of section.leaves) {
    const shape = tensor.size.join(",");
    const before = used.get(shape) ?? 0;
    if (before === (shapes.get(shape) ?? 0)) continue;
    used.set(shape, before + 1);
    same += 1;
  }
  return same * 10 >= section.leaves.length * 9;
}
