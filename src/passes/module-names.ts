/** Layers and the modules they are in, by name. */

import type { Layer, ModuleRef } from "../ir/graph.ts";

/** Modules of a row without those that are around the whole graph. */
export function inside(modules: readonly ModuleRef[], around: readonly ModuleRef[]): readonly ModuleRef[] {
  if (around.length === 0) return modules;
  const shared = around.findIndex(({ path }, i) => path !== modules[i]?.path);
  const level = shared < 0 ? around.length : shared;
  return level === 0 ? modules : modules.slice(level);
}

/** Whether a layer has a name inside the module's: it is a part of it, and not the whole. */
export function isBelow({ name }: Layer, { path }: ModuleRef): boolean {
  const next = name[path.length];
  return (next === "." || next === "/") && name.startsWith(path);
}

/** `layer1.0/add` for an operation of `layer1.0`, also where it is the only one. */
export function nameInside({ name, modules, source }: Layer): string {
  const around = modules?.at(-1)?.path;
  return name === around ? `${around}/${source.type.slice(source.type.lastIndexOf(".") + 1)}` : name;
}
