/** The names that a pickle asks Python to import: one record of each, and how often each is asked for. */

import { maxPickleNameLength, maxPickleNames } from "../limits/pickle.ts";
import type { PickleReader } from "./pickle-reader.ts";
import { isRecord, type PickleGlobal, type PickleImport, type PickleValue } from "./pickle-value.ts";

type Counted = { -readonly [K in keyof PickleImport]: PickleImport[K] };

interface Named {
  readonly global: PickleGlobal;
  readonly asked: Counted;
}

/** Where Python 3 and Python 2 keep what is built in. */
const builtIn: ReadonlySet<string> = new Set(["builtins", "__builtin__"]);

/** A class, or one in another, by the way Python's are written: `Net`, `Net.Block`. A module or a function would not be. */
const className = /^_?[A-Z]\w*(\._?[A-Z]\w*)*$/;
const attributeName = /^(?!__)[A-Za-z_]\w*$/;

export class PickleNames {
  readonly #reader: PickleReader;
  readonly #asked = new Map<string, Counted>();
  /** By module, then by name: putting the two together for each of millions of names takes longer than all the rest. */
  readonly #modules = new Map<string, Map<string, Named>>();
  /** By the record of a class. */
  readonly #inside = new Map<PickleGlobal, Map<string, Named>>();
  #getattr: Named | null = null;
  /** Places `getattr` came to that were not followed by a name in a class. */
  #strays = 0;
  /** What `getattr` gave that is named like a function: nothing is known of what a call of it does. */
  readonly #members = new Set<PickleValue>();

  constructor(reader: PickleReader) {
    this.#reader = reader;
  }

  /** In the order of the file. */
  get imports(): readonly PickleImport[] {
    const innocent = this.#strays === 0 ? this.#getattr?.asked : undefined;
    return [...this.#asked.values()].map((one) => (one === innocent ? { ...one, nested: true } : one));
  }

  /** The record of a name, which is counted. @throws LimitExceededError */
  ask(module: string, name: string): PickleGlobal {
    const named = this.#named(module, name);
    named.asked.count += 1;
    return named.global;
  }

  #named(module: string, name: string): Named {
    const names = inner(this.#modules, this.#checked(module));
    const known = names.get(this.#checked(name));
    if (known) return known;
    const global: PickleGlobal = { kind: "global", module, name };
    const named: Named = { global, asked: this.#listed(`${module}.${name}`, module) };
    names.set(name, named);
    if (name === "getattr" && builtIn.has(module)) this.#getattr ??= named;
    return named;
  }

  askExtension(code: number): void {
    this.#listed(`extension ${code}`, "").count += 1;
  }

  /** A value that is put on the stack. */
  place(value: PickleValue): void {
    if (value === this.#getattr?.global) this.#strays += 1;
  }

  /** A value that is called for what is not read here. */
  call(value: PickleValue): void {
    if (value === this.#getattr?.global || this.#members.has(value)) this.#strays += 1;
  }

  /**
   * What `getattr(class, "name")` stands for, which is how protocols before 4 write a class in a class, and every protocol what is
   * built into a class: the record that protocol 4 has of `class.name`. `null` for all other calls.
   */
  inside(callable: PickleValue, args: PickleValue): PickleGlobal | null {
    if (this.#getattr === null || callable !== this.#getattr.global) return null;
    const [outer, name, ...rest] = isRecord(args) && args.kind === "tuple" ? args.items : [];
    if (!isRecord(outer) || outer.kind !== "global" || typeof name !== "string" || rest.length > 0)
      return null;
    const found = this.#member(outer, name);
    if (found === null) return null;
    this.#strays -= 1;
    found.asked.count += 1;
    return found.global;
  }

  #member(outer: PickleGlobal, name: string): Named | null {
    if (outer.name.length + name.length >= maxPickleNameLength) return null;
    const members = inner(this.#inside, outer);
    const known = members.get(name);
    if (known) return known;
    if (!className.test(outer.name) || !attributeName.test(name)) return null;
    const found = this.#named(outer.module, `${outer.name}.${name}`);
    members.set(name, found);
    if (!className.test(name)) this.#members.add(found.global);
    return found;
  }

  #checked(text: string): string {
    if (text.length <= maxPickleNameLength) return text;
    throw this.#reader.limit(
      "maxPickleNameLength",
      text.length,
      maxPickleNameLength,
      "characters in a name to import",
    );
  }

  #listed(name: string, module: string): Counted {
    const known = this.#asked.get(name);
    if (known) return known;
    if (this.#asked.size >= maxPickleNames)
      throw this.#reader.limit("maxPickleNames", this.#asked.size + 1, maxPickleNames, "names to import");
    const asked: Counted = { name, module, count: 0, at: this.#reader.start };
    this.#asked.set(name, asked);
    return asked;
  }
}

/** The map of a key, made when it is first looked for. */
function inner<K>(maps: Map<K, Map<string, Named>>, key: K): Map<string, Named> {
  const known = maps.get(key);
  if (known) return known;
  const made = new Map<string, Named>();
  maps.set(key, made);
  return made;
}
