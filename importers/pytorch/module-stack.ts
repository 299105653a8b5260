/** The modules around a node of an exported program, from its `nn_module_stack`. */

import type { ModuleRef } from "../../src/ir/graph.ts";
import { maxModuleStackCharacters } from "../../src/limits.ts";
import { remembering } from "./bounded-cache.ts";

/** A module of a stack, with the tracer's name for it (`L__self___layer1_0`). */
interface Entry {
  readonly key: string;
  readonly module: ModuleRef;
}

/** Stacks that are remembered: nodes of one module stand together. */
const stacksKept = 256;

/** What stands around a node. */
export interface ModuleStack {
  /** The whole program; null where the stack has none. */
  readonly root: ModuleRef | null;
  /** The modules inside it, outermost first; null where the node has no stack. */
  readonly modules: readonly ModuleRef[] | null;
}

export const parseModuleStack: (text: string) => ModuleStack = remembering(stacksKept, (text) => {
  const stack = entriesOf(text).map(({ module }) => module);
  return {
    root: stack.find(({ path }) => path === "") ?? null,
    modules: stack.length > 0 ? stack.filter(({ path }) => path !== "") : null,
  };
});

/** The tracer's names of the modules around a node. */
export function moduleKeys(text: string): readonly { readonly key: string; readonly path: string }[] {
  return entriesOf(text).map(({ key, module }) => ({ key, path: module.path }));
}

function entriesOf(text: string): readonly Entry[] {
  if (text.length > maxModuleStackCharacters) return [];
  return splitEntries(text).flatMap(parseEntry);
}

/** Those of outer modules are the same in many stacks. */
const parseEntry = remembering(4 * stacksKept, readEntry);

/** As most writers have it: `L__self___layer1_0,layer1.0,torch.nn.modules.linear.Linear`. */
const usual = /^([\w.]+),((?!L__self__|_empty_nn_module_stack|_export_root)(?:\w[\w.]*)?),([\w.]+)$/;

/** A name that the tracer made of the path, in which anything may stand, and a class. */
const named = /^(L__self__(.*?)(?:@\d+)?),(\2),([^,]*)$/s;

/** The same with another name. */
const unusual = /^([^,]*),(.*),([^,]*)$/s;

/** The same as the first writers had it. */
const early = /^([^,]*?):\((.*),([^,]*)\)$/s;

function readEntry(entry: string): readonly Entry[] {
  const [, name, place, type] = usual.exec(entry) ?? [];
  if (name !== undefined && place !== undefined)
    return [{ key: name, module: { path: place, type: bareClass(type) } }];
  return readUnusual(entry);
}

function readUnusual(entry: string): readonly Entry[] {
  const made = named.exec(entry)?.toSpliced(2, 1);
  const [, key = "", written, kind] = made ?? early.exec(entry) ?? unusual.exec(entry) ?? [];
  const path = written?.trim();
  if (path === undefined || /^_empty_nn_module_stack/.test(path)) return [];
  const again = /@(\d{1,6})$/.exec(key) ?? /@(\d{1,6})$/.exec(path);
  const call = again ? { call: Number(again[1]) } : {};
  return [{ key, module: { path: modulePath(path), type: bareClass(kind?.trim()), ...call } }];
}

/**
 * `layer1.0` of `L['self'].layer1.0`, of `getattr(L['self'].layer1, '0')`, of `layer1.0@1`, its second call, and of
 * `_export_root.layer1.0`, as it is called in branches and loops.
 */
export function modulePath(written: string): string {
  let path = written.replace(/^'(.*)'$/, "$1");
  for (let steps = 0; steps < 32; steps++) {
    const next = path.replace(/getattr\(([^()]*), ?['"]([^'"]*)['"]\)/, "$1.$2");
    if (next === path) break;
    path = next;
  }
  return path
    .replace(/^L\[['"]self['"]\]\.?|^L__self__\.?/, "")
    .replace(/^_export_root(?:\.|$)/, "")
    .replace(/(?:\._modules)?\[['"]([^'"]*)['"]\]/g, ".$1")
    .replace(/@\d+/g, "")
    .replace(/^\./, "");
}

function bareClass(type: string | undefined): string | null {
  const name = type?.replace(/^<class '(.*)'>$/, "$1") ?? "";
  // What the exporter wraps a network in; nodes that are put in later are in that.
  if (name === "" || name.startsWith("torch.export._trace.")) return null;
  return name.slice(name.lastIndexOf(".") + 1);
}

/** A name with a semicolon makes two parts that are no entry alone. */
function splitEntries(text: string): readonly string[] {
  const entries: string[] = [];
  let open = "";
  for (const part of (text.endsWith(";") ? text.slice(0, -1) : text).split(";")) {
    const entry = open === "" ? part : `${open};${part}`;
    open = early.test(entry) || unusual.test(entry) ? "" : entry;
    if (open === "") entries.push(entry);
  }
  return entries;
}
