/** The modules around a node of an exported program, from its `nn_module_stack`. */

import type { ModuleRef } from "../../src/ir/graph.ts";
import { maxModuleEntryCharacters, maxModuleStackCharacters } from "../../src/limits/pytorch.ts";

/** A module of a stack, with the tracer's name for it (`L__self___layer1_0`). */
interface Entry {
  readonly key: string;
  readonly module: ModuleRef;
}

/** What stands around a node. */
export interface ModuleStack {
  /** The whole program; null where the stack has none. */
  readonly root: ModuleRef | null;
  /** The modules inside it, outermost first; null where the node has no stack. */
  readonly modules: readonly ModuleRef[] | null;
}

const noStack: ModuleStack = { root: null, modules: null };

/** The beginning of some stack, down to one of its parts. */
interface Place {
  /** Where it ends in a text that begins with it. */
  readonly end: number;
  /** What its last part says; null for what is no module. */
  readonly entry: Entry | null;
  /** By the part that follows. */
  inner: Map<string, Place> | null;
  stack: ModuleStack | null;
}

/** Reads the stacks of a program. Of a module there is one object, and one list of those around it. */
export class StackReader {
  private readonly top: Place = { end: -1, entry: null, inner: null, stack: noStack };
  /** The last stack, and what it came to. */
  private text = "";
  private readonly places: Place[] = [];
  private last: ModuleStack = noStack;

  read(text: string): ModuleStack {
    if (text === this.text) return this.last;
    if (text.length > maxModuleStackCharacters) return noStack;
    // What a part is does not depend on those behind it, and from node to node only the last ones change.
    let kept = this.places.length;
    while (kept > 0 && !this.startsAlike(text, this.places[kept - 1] as Place)) kept -= 1;
    this.places.length = kept;
    let place = this.places[kept - 1] ?? this.top;
    for (let at = place.end + 1; at < text.length; at = place.end + 1) {
      const next = placeInside(place, text, at);
      if (next === null) break;
      place = next;
      this.places.push(place);
    }
    this.text = text;
    place.stack ??= stackOf(this.places);
    this.last = place.stack;
    return place.stack;
  }

  private startsAlike(text: string, { end }: Place): boolean {
    const isEnd = text.length === end || text.charCodeAt(end) === semicolon;
    return isEnd && text.slice(0, end) === this.text.slice(0, end);
  }
}

/** The place of the part that starts at `at`; null for what is none. */
function placeInside(place: Place, text: string, at: number): Place | null {
  place.inner ??= new Map();
  // What was a part before is one again.
  const known = place.inner.get(text.slice(at, endOfPart(text, at)));
  if (known) return known;
  const end = endOfEntry(text, at);
  if (end < 0) return null;
  const part = text.slice(at, end);
  let inner = place.inner.get(part);
  if (!inner) {
    inner = { end, entry: readEntry(part), inner: null, stack: null };
    place.inner.set(part, inner);
  }
  return inner;
}

function endOfPart(text: string, start: number): number {
  const end = text.indexOf(";", start);
  return end < 0 ? text.length : end;
}

function stackOf(places: readonly Place[]): ModuleStack {
  let root: ModuleRef | null = null;
  let modules: ModuleRef[] | null = null;
  for (const { entry } of places) {
    if (!entry) continue;
    const { module } = entry;
    modules ??= [];
    if (module.path === "") root ??= module;
    // Some tracers have a module twice where its class is a function of its own: one is inside the other.
    else if (modules.at(-1)?.path !== module.path) modules.push(module);
  }
  return { root, modules };
}

/** The tracer's names of the modules around a node. */
export function moduleKeys(text: string): readonly { readonly key: string; readonly path: string }[] {
  const found: { readonly key: string; readonly path: string }[] = [];
  if (text.length > maxModuleStackCharacters) return found;
  for (let at = 0; at < text.length; ) {
    const end = endOfEntry(text, at);
    if (end < 0) break;
    const entry = readEntry(text.slice(at, end));
    if (entry) found.push({ key: entry.key, path: entry.module.path });
    at = end + 1;
  }
  return found;
}

/** Where the entry ends that starts at `start`; -1 for what is none. A name with a semicolon makes two parts that are no entry alone. */
function endOfEntry(text: string, start: number): number {
  for (let end = start; end < text.length; end += 1) {
    end = endOfPart(text, end);
    if (end - start > maxModuleEntryCharacters) return -1;
    const entry = text.slice(start, end);
    if (entry === "" || usual.test(entry) || early.test(entry) || unusual.test(entry)) return end;
  }
  return -1;
}

const semicolon = 0x3b;

/** As most writers have it: `L__self___layer1_0,layer1.0,torch.nn.modules.linear.Linear`. */
const usual = /^([\w.]+),((?!L__self__|_empty_nn_module_stack|_export_root)(?:\w[\w.]*)?),([\w.]+)$/;

/** A name that the tracer made of the path, in which anything may stand, and a class. */
const named = /^(L__self__(.*?)(?:@\d+)?),(\2),([^,]*)$/s;

/** The same with another name. */
const unusual = /^([^,]*),(.*),([^,]*)$/s;

/** The same as the first writers had it. */
const early = /^([^,]*?):\((.*),([^,]*)\)$/s;

function readEntry(entry: string): Entry | null {
  const found = usual.exec(entry);
  if (!found) return readUnusual(entry);
  return { key: found[1] ?? "", module: { path: found[2] ?? "", type: bareClass(found[3]) } };
}

function readUnusual(entry: string): Entry | null {
  const made = named.exec(entry)?.toSpliced(2, 1);
  const [, key = "", written, kind] = made ?? early.exec(entry) ?? unusual.exec(entry) ?? [];
  const path = written?.trim();
  if (path === undefined || /^_empty_nn_module_stack/.test(path)) return null;
  const again = /@(\d{1,6})$/.exec(key) ?? /@(\d{1,6})$/.exec(path);
  const call = again ? { call: Number(again[1]) } : {};
  return { key, module: { path: modulePath(path), type: bareClass(kind?.trim()), ...call } };
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
