/** What only further calls of the modules of a program run: the first call of a module may have no row, or do something else. */

import type { Layer, LayerTable, ModuleRef } from "../ir/graph.ts";
import { walkLayers } from "../ir/model.ts";
import type { ResolvedWeight } from "./resolve-weights.ts";

export class FirstCalls {
  /** Weights that rows of further calls read and none of a first one, each once. */
  readonly later: readonly ResolvedWeight[];
  /** Modules that have a row in a first call, of theirs and of all around them; then those that were opened. */
  private readonly paths = new Set<string>();
  /** Names of the weights that such rows read; then those that were claimed. */
  private readonly names = new Set<string>();

  /** `layers`: of a whole program, with those of the graphs that they run. */
  constructor(layers: readonly Layer[], weights: LayerTable<readonly ResolvedWeight[]>) {
    const candidates = new Map<string, ResolvedWeight>();
    walkLayers(layers, (layer) => {
      const { modules = [] } = layer;
      const further = modules.findIndex(isFurther);
      const end = further < 0 ? modules.length : further;
      for (let level = 0; level < end; level++) this.paths.add((modules[level] as ModuleRef).path);
      for (const one of weights.get(layer) ?? []) {
        const { name } = one.weight;
        if (homeOf(modules, name) < end) this.names.add(name);
        else if (!candidates.has(name)) candidates.set(name, one);
      }
    });
    this.later = [...candidates.values()].filter(({ weight }) => !this.names.has(weight.name));
  }

  /** Whether a call is the first of its module that has a row, though it is a further one; true once. */
  opens(path: string): boolean {
    const { size } = this.paths;
    return this.paths.add(path).size > size;
  }

  /** Whether no row has a weight yet; true once. */
  claims({ weight }: ResolvedWeight): boolean {
    const { size } = this.names;
    return this.names.add(weight.name).size > size;
  }
}

/** A further call of a module, as far as the file says. */
export function isFurther({ call = 0 }: ModuleRef): boolean {
  return call > 0;
}

/** Level of the module that a weight is of by its name, among those around a row; that of the innermost where it is of none. */
export function homeOf(modules: readonly ModuleRef[], name: string): number {
  const home = modules.findLastIndex(({ path }) => name[path.length] === "." && name.startsWith(path));
  return home < 0 ? modules.length - 1 : home;
}
