/** Nodes in an order in which each stands after what it needs. */

import type { OnnxGraph, OnnxNode } from "./proto.ts";

export interface Ordered {
  readonly nodes: readonly OnnxNode[];
  /** Nodes that stood before what they need. */
  readonly moved: number;
  /** Nodes that wait for one another; they come last. */
  readonly cyclic: readonly OnnxNode[];
}

/** Names a node reads, those that its subgraphs take from outside included. */
export function namesRead(node: OnnxNode): readonly string[] {
  const names = node.inputs.filter((name) => name !== "");
  for (const attribute of node.attributes) {
    if (attribute.kind === "graph") collectFree(attribute.value, names);
    else if (attribute.kind === "graphs") for (const graph of attribute.values) collectFree(graph, names);
  }
  return names;
}

/** The same, and empty names for inputs that are left out. Most nodes have no graphs, and their list is at hand. */
function readsOf(node: OnnxNode): readonly string[] {
  return node.attributes.some(({ kind }) => kind === "graph" || kind === "graphs")
    ? namesRead(node)
    : node.inputs;
}

function collectFree(graph: OnnxGraph, into: string[]): void {
  const own = new Set<string>();
  for (const value of graph.inputs) own.add(value.name);
  for (const tensor of graph.initializers) own.add(tensor.name);
  for (const tensor of graph.sparseInitializers) own.add(tensor.values.name);
  for (const node of graph.nodes) for (const name of node.outputs) own.add(name);
  for (const node of graph.nodes) for (const name of namesRead(node)) if (!own.has(name)) into.push(name);
  for (const value of graph.outputs) if (!own.has(value.name)) into.push(value.name);
}

/** Keeps the file's order wherever it can be kept. */
export function orderNodes(nodes: readonly OnnxNode[]): Ordered {
  const makers = new Map<string, number>();
  // From the end, since of several that make a name the first counts.
  for (let i = nodes.length - 1; i >= 0; i--) {
    for (const name of nodes[i]?.outputs ?? []) if (name !== "") makers.set(name, i);
  }
  // An empty name has no maker, and nearly all files are in order.
  const stands = (name: string, i: number): boolean => (makers.get(name) ?? -1) <= i;
  if (nodes.every((node, i) => readsOf(node).every((name) => stands(name, i))))
    return { nodes, moved: 0, cyclic: [] };
  const needs = nodes.map((node, i) =>
    namesRead(node).flatMap((name) => {
      const maker = makers.get(name);
      return maker === undefined || maker === i ? [] : [maker];
    }),
  );
  return sort(nodes, needs);
}

function sort(nodes: readonly OnnxNode[], needs: readonly (readonly number[])[]): Ordered {
  const state = new Uint8Array(nodes.length);
  const sorted: number[] = [];
  const cyclic = new Set<number>();
  for (let root = 0; root < nodes.length; root++) {
    const stack: { node: number; next: number }[] = [{ node: root, next: 0 }];
    while (stack.length > 0) {
      const top = stack[stack.length - 1] as { node: number; next: number };
      if (state[top.node] === 2) {
        stack.pop();
        continue;
      }
      state[top.node] = 1;
      const need = needs[top.node]?.[top.next++];
      if (need === undefined) {
        state[top.node] = 2;
        sorted.push(top.node);
        stack.pop();
      } else if (state[need] === 0) stack.push({ node: need, next: 0 });
      else if (state[need] === 1) cyclic.add(top.node);
    }
  }
  const place = new Map(sorted.map((node, i) => [node, i]));
  const moved = needs.filter((list, i) =>
    list.some((need) => need > i && place.get(need) !== undefined),
  ).length;
  return {
    nodes: sorted.map((i) => nodes[i] as OnnxNode),
    moved,
    cyclic: [...cyclic].map((i) => nodes[i] as OnnxNode),
  };
}
