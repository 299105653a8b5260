/** Modules that a network has under several names: torchinfo knows them by one. */

import type { ReportLayer, ReportNetwork } from "../report/report.ts";
import { weightsOf } from "./model-weights.ts";
import { pathOf, pathsAround } from "./torchinfo-modules.ts";

/** Fewer can be tied between two modules: the table of an embedding, say. */
const parametersOfOne = 2;

/**
 * Names to names that torchinfo has instead: of those that one module has, the last in the network. The program does not tell
 * which modules are one; those of one class that have the same parameters, and more than one, are.
 */
export function sharedNames(
  layers: readonly ReportLayer[],
  { modules }: ReportNetwork,
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
    if (others.length === 0 || paths.some((path) => isInside(path, paths))) continue;
    for (const path of [first, ...others]) names.set(path, others.at(-1) ?? first);
  }
  return names;
}

function isInside(path: string, others: readonly string[]): boolean {
  return others.some((other) => path.startsWith(`${other}.`));
}

/** The name that torchinfo has for a module: the outermost one around it that has another name decides. */
export function renamed(path: string, names: ReadonlyMap<string, string>): string {
  if (names.size === 0) return path;
  for (const around of [...pathsAround(path), path]) {
    const name = names.get(around);
    if (name !== undefined) return name + path.slice(around.length);
  }
  return path;
}
