/** Modules that a network has under several names: torchinfo knows those that run by one. */

import type { ReportLayer } from "../report/report.ts";
import { weightsOf } from "./model-weights.ts";
import { pathOf, pathsAround } from "./torchinfo-modules.ts";

/** Fewer can be tied between two modules: the table of an embedding, say. */
const parametersOfOne = 2;

/**
 * Names to one of them: of those that a module has, the last in the network. No file tells which modules are one; those of one
 * class that have the same parameters, and more than one, are. `modules`: paths in the order of the network.
 */
export function sharedNames(
  layers: readonly ReportLayer[],
  modules: readonly string[],
): ReadonlyMap<string, string> {
  const groups = new Map<string, string[]>();
  const visit = (row: ReportLayer): void => {
    for (const inner of row.layers ?? []) visit(inner);
    if (row.operator !== "Module" || row.name !== pathOf(row)) return;
    const own = weightsOf(row).filter((weight) => weight.class === "parameter");
    const identities = [...new Set(own.map(({ stored, shared, name }) => stored ?? shared ?? name))];
    const named = own.some(({ name }) => name.startsWith(`${row.name}.`));
    if (identities.length < (named ? parametersOfOne : 1)) return;
    const key = JSON.stringify([row.type, identities]);
    const group = groups.get(key);
    if (group) group.push(row.name);
    else groups.set(key, [row.name]);
  };
  for (const row of layers) visit(row);
  const places = new Map(modules.map((path, i) => [path, i]));
  const names = new Map<string, string>();
  for (const paths of groups.values()) {
    const [first = "", ...others] = paths.toSorted((a, b) => (places.get(a) ?? 0) - (places.get(b) ?? 0));
    // One inside the other has what is in it, and is another module.
    const all = new Set(paths);
    if (others.length === 0 || paths.some((path) => pathsAround(path).some((one) => all.has(one)))) continue;
    for (const path of [first, ...others]) names.set(path, others.at(-1) ?? first);
  }
  return names;
}

/** The one name of a module: the outermost one around it that has another name decides. */
export function renamed(path: string, names: ReadonlyMap<string, string>): string {
  if (names.size === 0) return path;
  for (const around of [...pathsAround(path), path]) {
    const name = names.get(around);
    if (name !== undefined) return name + path.slice(around.length);
  }
  return path;
}
