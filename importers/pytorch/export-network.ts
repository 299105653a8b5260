/** What an exported program says of the network as a whole: all its modules, and the container that its outputs come in. */

import type { Structure } from "../../src/ir/graph.ts";
import { maxExportedNesting } from "../../src/limits/pytorch.ts";
import { getKey, type JsonValue, parseJson } from "../../src/wire/json.ts";
import { listOf, namesIn, objectOf, textOf, unionOf } from "./export-schema.ts";

export interface Network {
  /** Paths, "" for the whole; those that ran nothing too. Up to PyTorch 2.3 only the whole is listed, or nothing. */
  readonly modules: readonly string[];
  /** Null where the file does not tell. */
  readonly outputStructure: Structure | null;
}

/** `outputs`: those that the caller gets, as the graph has them. */
export function readNetwork(program: JsonValue, outputs: readonly JsonValue[]): Network {
  const entries = listOf(getKey(getKey(program, "graph_module"), "module_call_graph"));
  const paths = entries.flatMap((entry) => textOf(getKey(entry, "fqn"))?.replace(/@\d+$/, "") ?? []);
  const whole = entries.find((entry) => getKey(entry, "fqn") === "");
  const spec = textOf(getKey(getKey(whole, "signature"), "out_spec"));
  return { modules: [...new Set(paths)], outputStructure: spec === null ? null : structureOf(spec, outputs) };
}

/** A leaf that holds no tensor: nobody can point at it. */
const nothing: Structure = { tuple: [] };

/** `[1, {"type": "builtins.tuple", "context": null, "children_spec": [...]}]`, where leaves have no type. */
function structureOf(text: string, outputs: readonly JsonValue[]): Structure | null {
  const spec = parsed(text);
  if (!spec) return null;
  const leaves: Structure[] = [];
  let values = 0;
  for (const output of outputs) {
    const held = namesIn(unionOf(output)).filter((name) => name !== null).length;
    // What is a list to the graph is so many leaves to nobody.
    if (held > 1) return null;
    leaves.push(held === 1 ? values++ : nothing);
  }
  let next = 0;
  const read = (node: JsonValue, depth: number): Structure | null => {
    const type = getKey(node, "type");
    if (type === null) return leaves[next++] ?? null;
    if (typeof type !== "string" || depth > maxExportedNesting) return null;
    const children: Structure[] = [];
    for (const child of listOf(getKey(node, "children_spec"))) {
      const made = read(child, depth + 1);
      if (made === null) return null;
      children.push(made);
    }
    if (type === "builtins.list") return { list: children };
    const keys = keysOf(textOf(getKey(node, "context")));
    // The classes of outputs that libraries register are dictionaries by attribute.
    if (keys?.length === children.length && (type !== "builtins.tuple" || keys.length > 0))
      return { dict: children.map((child, i) => [keys[i] ?? "", child] as const) };
    return { tuple: children };
  };
  const structure = read(spec, 0);
  return next === leaves.length ? structure : null;
}

function parsed(text: string): JsonValue | null {
  const value = json(text);
  const [, spec] = Array.isArray(value) ? (value as readonly JsonValue[]) : [];
  return spec !== undefined && objectOf(spec) ? spec : null;
}

/** Keys in the order of the values; null for a context that is something else. */
function keysOf(context: string | null): readonly string[] | null {
  const value = context === null ? null : json(context);
  const keys = Array.isArray(value) ? (value as readonly JsonValue[]) : [];
  return keys.length > 0 && keys.every((key) => typeof key === "string") ? (keys as readonly string[]) : null;
}

function json(text: string): JsonValue | null {
  try {
    return parseJson(text);
  } catch {
    return null;
  }
}
