/** The modules around the rows of a state dict: every beginning of a path, with the class where the file has it. */

import type { ModuleRef } from "../../src/ir/graph.ts";
import { maxModuleText } from "../../src/limits/pytorch.ts";
import { outermost, type Separator } from "./modules.ts";
import type { KnownModule } from "./state-dict.ts";

export class Surroundings {
  private readonly known: ReadonlyMap<string, KnownModule> | undefined;
  private readonly separator: Separator;
  private readonly found = new Map<string, readonly ModuleRef[]>([["", []]]);
  private characters = 0;

  constructor(known: ReadonlyMap<string, KnownModule> | undefined, separator: Separator) {
    this.known = known;
    this.separator = separator;
  }

  /** The module at `path` and those around it, outermost first, for one more row. */
  around(path: string): readonly ModuleRef[] {
    const modules = this.find(path);
    for (const module of modules) this.characters += module.path.length;
    return this.characters <= maxModuleText ? modules : [];
  }

  private find(path: string): readonly ModuleRef[] {
    const missing: string[] = [];
    let at = outermost(path, this.separator);
    let modules = this.found.get(at);
    while (modules === undefined) {
      missing.push(at);
      at = at.slice(0, Math.max(0, at.lastIndexOf(this.separator)));
      modules = this.found.get(at);
    }
    for (const one of missing.reverse()) {
      modules = [...modules, { path: one, type: this.known?.get(one)?.type ?? null }];
      this.found.set(one, modules);
    }
    return modules;
  }
}
