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
  let root: ModuleRef | null = null;
  let modules: ModuleRef[] | null = null;
  for (const { module } of entriesOf(text)) {
    modules ??= [];
    if (module.path === "") root ??= module;
    // Some tracers have a module twice where its class is a function of its own: one is inside the other.
    else if (modules.at(-1)?.path !== module.path) modules.push(module);
  }
  return { root, modules };
});

/** The tracer's names of the modules around a node. */
export function moduleKeys(text: string): readonly { readonly key: string; readonly path: string }[] {
  return entriesOf(text).map(({ key, module }) => ({ key, path: module.path }));
}

/** A stack that was read, with where each of its parts ends and what it is. */
interface Parts {
  readonly text: string;
  readonly ends: readonly number[];
  readonly entries: readonly (readonly Entry[])[];
}

let last: Parts = { text: "", ends: [], entries: [] };

function entriesOf(text: string): readonly Entry[] {
  if (text.length > maxModuleStackCharacters) return [];
  last = partsOf(text, last);
  return last.entries.flat();
}

/** What a part is does not depend on those behind it, and from node to node only the last ones change. */
function partsOf(text: string, before: Parts): Parts {
  let kept = before.ends.length;
  while (kept > 0 && !startsAlike(text, before.text, before.ends[kept - 1] ?? 0)) kept -= 1;
  const ends = before.ends.slice(0, kept);
  const entries = before.entries.slice(0, kept);
  let at = kept > 0 ? (ends[kept - 1] ?? 0) + 1 : 0;
  for (const part of at < text.length ? splitEntries(text.slice(at)) : []) {
    at += part.length;
    ends.push(at);
    entries.push(parseEntry(part));
    at += 1;
  }
  return { text, ends, entries };
}

/** Whether a part ends at `end` in both. */
function startsAlike(text: string, other: string, end: number): boolean {
  const isEnd = text.length === end || text.charCodeAt(end) === semicolon;
  return isEnd && text.slice(0, end) === other.slice(0, end);
}

const semicolon = 0x3b;

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
    const next = path.replace(/getattr\(([^()]*), ?(?:"([^"]*)"|'([^']*)')\)/, "$1.$2$3");
    if (next === path) break;
    path = next;
  }
  return path
    .replace(/^L\[['"]\w+['"]\]\.?|^L__self__\.?/, "")
    .replace(/^_export_root(?:\.|$)/, "")
    .replace(/(?:\._modules)?\[(?:"([^"]*)"|'([^']*)'|(\d+))\]/g, ".$1$2$3")
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
    open = usual.test(entry) || early.test(entry) || unusual.test(entry) ? "" : entry;
    if (open === "") entries.push(entry);
  }
  return entries;
}
