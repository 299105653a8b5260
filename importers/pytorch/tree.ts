/** A pickled object as a tree of what holds tensors: dictionaries, lists, modules and objects of any other class. */

import { maxTorchDepth } from "../../src/limits/pytorch.ts";
import {
  entriesOf,
  globalName,
  isRecord,
  itemsOf,
  type PickleObject,
  type PickleRecord,
  type PickleValue,
} from "../../src/wire/pickle-value.ts";
import { newestName } from "./globals.ts";
import { joinHqq } from "./hqq.ts";
import { optimizerOf } from "./optimizer.ts";
import { isPaddleOptimizer, type PaddleState, readPaddleState } from "./paddle.ts";
import type { TensorReader } from "./rebuild.ts";
import { type ScriptClass, unmangled } from "./script-code.ts";
import { TensorFault, type TorchTensor } from "./tensor.ts";
import { TreeBudget } from "./tree-budget.ts";
import { dimensions } from "./window.ts";

/** What a module says of a tensor it holds. */
export type Holding = "parameter" | "buffer" | "transient-buffer";

export interface TreeNode {
  /** Key in what holds it: a key of a dictionary, an index of a list, the name of an attribute. */
  readonly key: string;
  readonly tensor: TorchTensor | null;
  readonly children: readonly TreeNode[];
  /** `torch.nn.modules.conv.Conv2d`; `null` for plain containers. */
  readonly type: string | null;
  /** A pickled module: its children are its parameters, buffers and modules. */
  readonly module: boolean;
  /** Set for a tensor that a module holds. */
  readonly holding?: Holding;
  /** Set for a tensor that the file has a second time, under another name. */
  readonly repeated?: boolean;
  /** It looks like what `Optimizer.state_dict()` gives: which optimizer that is. */
  readonly optimizer: string | null;
}

export interface TreeReport {
  /** What is at `path` cannot be read as the tensor it claims to be. */
  fault(path: string, reason: string): void;
  /** The module at `path` is the one that was seen at `first`. */
  sharedModule(path: string, first: string): void;
}

/** The tree of a pickled value. Each container is followed once, wherever else it is referred to. */
export function readTree(
  value: PickleValue,
  reader: TensorReader,
  report: TreeReport,
  classes: ReadonlyMap<string, ScriptClass> = new Map(),
): TreeNode {
  return new TreeBuilder(reader, report, classes).node("", value, "", 0) ?? group("", []);
}

function group(key: string, children: readonly TreeNode[], facts: Partial<TreeNode> = {}): TreeNode {
  return { key, tensor: null, children, type: null, module: false, optimizer: null, ...facts };
}

class TreeBuilder {
  readonly #reader: TensorReader;
  readonly #report: TreeReport;
  readonly #seen = new Set<PickleRecord>();
  /** Where each module was first seen. */
  readonly #modules = new Map<PickleRecord, string>();

  readonly #classes: ReadonlyMap<string, ScriptClass>;
  readonly #budget = new TreeBudget();

  constructor(reader: TensorReader, report: TreeReport, classes: ReadonlyMap<string, ScriptClass>) {
    this.#reader = reader;
    this.#report = report;
    this.#classes = classes;
  }

  /** `null` for what holds no tensor. */
  node(key: string, value: PickleValue, path: string, depth: number): TreeNode | null {
    if (!isRecord(value)) return null;
    if (depth > maxTorchDepth)
      return this.#fault(path, depth, `it is nested deeper than ${maxTorchDepth} levels`);
    try {
      const tensor = this.#reader.tensor(value);
      if (tensor) {
        this.#budget.tensor(path, depth);
        return group(key, [], { tensor });
      }
    } catch (error) {
      if (!(error instanceof TensorFault)) throw error;
      return this.#fault(path, depth, error.message);
    }
    if (this.#seen.has(value)) {
      const first = this.#modules.get(value);
      if (first === undefined || first === "") return null;
      this.#budget.name(path, depth);
      // What refers to a module that it is inside of is no second place of that.
      if (first !== path && !path.startsWith(`${first}.`)) this.#report.sharedModule(path, first);
      return null;
    }
    this.#seen.add(value);
    return this.#container(key, value, path, depth);
  }

  #fault(path: string, depth: number, reason: string): null {
    this.#budget.name(path, depth);
    this.#report.fault(path, reason);
    return null;
  }

  #container(key: string, value: PickleRecord, path: string, depth: number): TreeNode | null {
    switch (value.kind) {
      case "dict":
        return this.#dictionary(key, entriesOf(value), path, depth);
      case "list":
      case "tuple":
      case "set":
      case "frozenset":
        return this.#group(key, value.items.entries(), path, depth, {});
      case "object":
        return this.#object(key, value, path, depth);
      default:
        return null;
    }
  }

  #group(
    key: string,
    entries: Iterable<readonly [PickleValue, PickleValue]>,
    path: string,
    depth: number,
    facts: Partial<TreeNode>,
  ): TreeNode | null {
    const children: TreeNode[] = [];
    for (const [name, value] of entries) {
      const child = this.node(labelOf(name), value, joined(path, labelOf(name)), depth + 1);
      if (child) children.push(child);
    }
    const read = (value: PickleValue | undefined) => this.#reader.tensor(value);
    const nodes = entries instanceof Map ? joinHqq(children, entries, false, read) : children;
    return children.length > 0 ? group(key, nodes, facts) : null;
  }

  /**
   * DeepSpeed lists the names of all buffers beside the state dict they are in, and the shapes of all parameters, which that may
   * have a part of or nothing.
   */
  #dictionary(
    key: string,
    entries: ReadonlyMap<PickleValue, PickleValue>,
    path: string,
    depth: number,
  ): TreeNode | null {
    // The dictionary of a module instead of that.
    if (isModule(entries)) return this.#module(key, null, entries, path, depth);
    const paddle = readPaddleState(entries);
    if (paddle) return this.#paddleState(key, paddle, path, depth);
    const node = this.#group(key, entries, path, depth, { optimizer: optimizerOf(entries) });
    const names = entries.has("module") ? itemsOf(entries.get("buffer_names")) : null;
    if (node === null || names === null) return node;
    for (const shared of ["buffer_names", "param_shapes", "frozen_param_shapes"])
      this.#budget.shared(entries.get(shared), 1);
    const buffers = new Set(names);
    const shapes = new Map([
      ...shapesIn(entries.get("param_shapes")),
      ...shapesIn(entries.get("frozen_param_shapes")),
    ]);
    const told = (child: TreeNode): TreeNode => {
      const { tensor } = child;
      if (tensor === null) return child;
      const whole = shapes.get(child.key);
      return {
        ...child,
        ...(buffers.has(child.key) && { holding: "buffer" as const }),
        ...(whole && { tensor: { ...tensor, whole } }),
      };
    };
    return {
      ...node,
      children: node.children.map((child) =>
        child.key === "module" ? { ...child, children: child.children.map(told) } : child,
      ),
    };
  }

  #paddleState(
    key: string,
    { entries, repeated }: PaddleState,
    path: string,
    depth: number,
  ): TreeNode | null {
    const node = this.#group(key, entries, path, depth, {
      optimizer: isPaddleOptimizer(entries) ? "optimizer" : null,
    });
    if (node === null || repeated.size === 0) return node;
    const children = node.children.map((child) =>
      child.tensor && repeated.has(child.key) ? { ...child, repeated: true } : child,
    );
    return { ...node, children };
  }

  #object(key: string, value: PickleObject, path: string, depth: number): TreeNode | null {
    this.#budget.shared(value.args, 1);
    this.#budget.shared(value.kwargs, 0);
    for (const state of value.states) this.#budget.shared(state, 1);
    const type = classOf(value);
    const held = dictionaryOf(value);
    if (type === "collections.OrderedDict" || type === "collections.defaultdict" || type === "builtins.dict")
      return this.#dictionary(key, held, path, depth);
    // Lists that TorchScript marks with the type of their items.
    if (type?.startsWith("torch.jit._pickle."))
      return this.node(key, itemsOf(value.args)?.[0] ?? null, path, depth + 1);
    const attributes = moduleGiven(value) ?? attributesOf(value);
    const script = type === null ? undefined : this.#classes.get(type);
    if (script || isModule(attributes)) this.#modules.set(value, path);
    if (script) return this.#scriptModule(key, value, script, path, depth);
    if (isModule(attributes)) return this.#module(key, type && moduleName(type), attributes, path, depth);
    const entries: [PickleValue, PickleValue][] = [...attributes, ...held, ...value.items.entries()];
    for (const state of value.states) entries.push(...unnamedIn(state));
    if (value.kwargs !== undefined) entries.push(...mapOf(value.kwargs));
    for (const [i, item] of (itemsOf(value.args) ?? []).entries()) entries.push([`(${i})`, item]);
    return this.#group(key, entries, path, depth, {
      type,
      optimizer: optimizerOf(attributes, type),
    });
  }

  /**
   * A module of TorchScript: its attributes in the order of its class, told apart by what that says. One with a `__getstate__` of
   * its own, as quantised ones, has whatever that gave.
   */
  #scriptModule(
    key: string,
    value: PickleObject,
    script: ScriptClass,
    path: string,
    depth: number,
  ): TreeNode {
    const type = unmangled(classOf(value) ?? "");
    const attributes = attributesOf(value);
    const children: TreeNode[] = [];
    const entries = [...attributes, ...value.states.flatMap(unnamedIn)];
    for (const [name, item] of entries) {
      const label = labelOf(name);
      const child = this.node(label, item, joined(path, label), depth + 1);
      if (!child) continue;
      const parameter = script.parameters.has(label) ? "parameter" : undefined;
      const holding: Holding | undefined = script.buffers.has(label) ? "buffer" : parameter;
      children.push(holding && child.tensor ? { ...child, holding } : child);
    }
    return group(key, children, { type, module: true });
  }

  /** Parameters, buffers and modules in the order PyTorch lists them, then tensors that are plain attributes. */
  #module(
    key: string,
    type: string | null,
    attributes: ReadonlyMap<PickleValue, PickleValue>,
    path: string,
    depth: number,
  ): TreeNode {
    const children: TreeNode[] = [];
    for (const name of [...ownOfModule, unsavedNames]) this.#budget.shared(attributes.get(name), 1);
    const transient = new Set(itemsOfSet(attributes.get(unsavedNames)));
    const add = (name: PickleValue, value: PickleValue, holding?: Holding): void => {
      const label = labelOf(name);
      const child = this.node(label, value, joined(path, label), depth + 1);
      if (child) children.push(holding && child.tensor ? { ...child, holding } : child);
    };
    for (const [name, value] of mapOf(attributes.get("_parameters"))) add(name, value, "parameter");
    for (const [name, value] of mapOf(attributes.get("_buffers")))
      add(name, value, transient.has(name) ? "transient-buffer" : "buffer");
    for (const [name, value] of mapOf(attributes.get("_modules"))) add(name, value);
    for (const [name, value] of attributes) if (!ownOfModule.has(name)) add(name, value);
    const nodes = joinHqq(children, attributes, true, (value) => this.#reader.tensor(value));
    return group(key, nodes, { type, module: true });
  }
}

const unsavedNames = "_non_persistent_buffers_set";
const ownOfModule: ReadonlySet<PickleValue> = new Set<PickleValue>(["_parameters", "_buffers", "_modules"]);

function joined(path: string, key: string): string {
  return path === "" ? key : `${path}.${key}`;
}

/** Keys that are no texts are shown as what they are. */
function labelOf(key: PickleValue): string {
  if (typeof key === "string") return key;
  return isRecord(key) ? `<${key.kind}>` : String(key);
}

/** A pickled `torch.nn.Module`. */
function isModule(attributes: ReadonlyMap<PickleValue, PickleValue>): boolean {
  return attributes.has("_parameters") && attributes.has("_modules");
}

/** A graph of torch.fx is made by a call that is handed the dictionary of the module. */
function moduleGiven(value: PickleObject): ReadonlyMap<PickleValue, PickleValue> | null {
  const given = mapOf(itemsOf(value.args)?.[0]);
  return isModule(given) ? given : null;
}

function moduleName(type: string): string {
  return type.replace(/^(torch\.fx\.graph_module)\.reduce_\w+$/, "$1.GraphModule");
}

/** Full name of the class of an object, as newest Python has it; `null` when it is made by no name. */
export function classOf(value: PickleObject): string | null {
  const made = globalName(value.callable);
  const first = itemsOf(value.args)?.[0];
  const name =
    made !== null && /^(copy_reg|copyreg)\.(_reconstructor|__newobj__|__newobj_ex__)$/.test(made)
      ? className(first)
      : (made ?? className(value.callable));
  return name === null ? null : newestName(name);
}

/** PyTorch 0.x to 1.5 handed the source of a module's class along with it: `('module', class, file, source)`. */
function className(value: PickleValue | undefined): string | null {
  if (isRecord(value) && value.kind === "persistent") {
    const id = itemsOf(value.id);
    return id?.[0] === "module" ? globalName(id[1]) : null;
  }
  return globalName(value);
}

/** Entries of a dictionary, or of an object that is one. */
function mapOf(value: PickleValue | undefined): ReadonlyMap<PickleValue, PickleValue> {
  if (!isRecord(value)) return new Map();
  if (value.kind === "dict") return entriesOf(value);
  return value.kind === "object" ? dictionaryOf(value) : new Map();
}

/** Keys set in an object, and those it was made with: Python 2 hands an OrderedDict a list of pairs. */
function dictionaryOf(value: PickleObject): Map<PickleValue, PickleValue> {
  const entries = entriesOf(value);
  const pairs = itemsOf(itemsOf(value.args)?.[0]);
  const from = new Map<PickleValue, PickleValue>();
  for (const pair of pairs ?? []) {
    const [key, item] = itemsOf(pair) ?? [];
    if (key !== undefined && item !== undefined && !isRecord(key)) from.set(key, item);
  }
  for (const [key, item] of entries) from.set(key, item);
  return from;
}

/** What `__setstate__` would be handed, as attributes: a dictionary, or a pair of one and the slots. */
function attributesOf(value: PickleObject): Map<PickleValue, PickleValue> {
  const attributes = new Map<PickleValue, PickleValue>();
  for (const state of value.states) {
    const parts = itemsOf(state)?.length === 2 ? (itemsOf(state) ?? []) : [state];
    for (const part of parts) for (const [key, item] of mapOf(part)) attributes.set(key, item);
  }
  return attributes;
}

/** What a state has without names: a list of parts, as packed parameters have it. */
function unnamedIn(state: PickleValue): [PickleValue, PickleValue][] {
  const parts = itemsOf(state);
  if (parts === null) return isRecord(state) && state.kind !== "dict" ? [["state", state]] : [];
  return [...parts.entries()].filter(([, part]) => !isRecord(part) || part.kind !== "dict");
}

/** Sizes by name, in a dictionary or in several, one for each group of parameters. */
function shapesIn(value: PickleValue | undefined): ReadonlyMap<PickleValue, readonly number[]> {
  const shapes = new Map<PickleValue, readonly number[]>();
  for (const group of itemsOf(value) ?? [value])
    for (const [name, size] of mapOf(group)) {
      try {
        shapes.set(name, dimensions(size, "size"));
      } catch (error) {
        // What is no size says nothing.
        if (!(error instanceof TensorFault)) throw error;
      }
    }
  return shapes;
}

function itemsOfSet(value: PickleValue | undefined): readonly PickleValue[] {
  if (!isRecord(value)) return [];
  if (value.kind === "set" || value.kind === "frozenset") return value.items;
  // Protocols below 4: `set([...])`.
  return value.kind === "object" ? (itemsOf(itemsOf(value.args)?.[0]) ?? []) : [];
}
