/** Model-local functions: what a node that calls one stands for. */

import { maxOnnxNesting } from "../../src/limits/onnx.ts";
import type { OnnxAttribute, OnnxFunction, OnnxGraph, OnnxModel, OnnxNode } from "./proto.ts";

function functionKey(domain: string, name: string, overload: string): string {
  return JSON.stringify([domain === "ai.onnx" ? "" : domain, name, overload]);
}

/** By what a node that calls one says. */
export function functionsOf(model: OnnxModel): ReadonlyMap<string, OnnxFunction> {
  return new Map(model.functions.map((f) => [functionKey(f.domain, f.name, f.overload), f]));
}

/** The function that a node calls. Most files have none. */
export function calledBy(
  { domain, opType, overload }: OnnxNode,
  functions: ReadonlyMap<string, OnnxFunction>,
): OnnxFunction | undefined {
  return functions.size === 0 ? undefined : functions.get(functionKey(domain, opType, overload));
}

/** What a call gives the nodes of a function. */
export interface Binding {
  readonly call: OnnxNode;
  readonly called: OnnxFunction;
  /** Inputs that the call leaves out: inside, too, they are not there. */
  readonly absent: ReadonlySet<string>;
}

export function bindingOf(call: OnnxNode, called: OnnxFunction): Binding {
  const absent = called.inputs.filter((_, i) => (call.inputs[i] ?? "") === "");
  return { call, called, absent: new Set(absent) };
}

/**
 * A node of a function with the attributes that the call gives, or else their defaults, put in for references, and
 * without the inputs that the call leaves out; so, too, in the graphs inside it.
 */
export function bindNode(node: OnnxNode, binding: Binding): OnnxNode {
  if (!needsBinding(node, binding.absent)) return node;
  const attributes = node.attributes.flatMap((attribute): OnnxAttribute[] => {
    if (!refers(attribute)) return [boundGraphs(attribute, binding)];
    const given =
      binding.call.attributes.find(({ name }) => name === attribute.reference) ??
      binding.called.attributeDefaults.find(({ name }) => name === attribute.reference);
    return given ? [{ ...given, name: attribute.name }] : [];
  });
  return { ...node, attributes, inputs: node.inputs.map((name) => (binding.absent.has(name) ? "" : name)) };
}

function boundGraphs(attribute: OnnxAttribute, binding: Binding): OnnxAttribute {
  const bound = (graph: OnnxGraph): OnnxGraph => ({
    ...graph,
    nodes: graph.nodes.map((inner) => bindNode(inner, binding)),
  });
  if (attribute.kind === "graph") return { ...attribute, value: bound(attribute.value) };
  return attribute.kind === "graphs" ? { ...attribute, values: attribute.values.map(bound) } : attribute;
}

/** Attributes that nothing is bound in stay the objects they are: stored tensors are told apart by them. */
function needsBinding(node: OnnxNode, absent: ReadonlySet<string>): boolean {
  if (absent.size > 0 && node.inputs.some((name) => absent.has(name))) return true;
  return node.attributes.some(
    (attribute) =>
      refers(attribute) ||
      graphsOf(attribute).some(({ nodes }) => nodes.some((inner) => needsBinding(inner, absent))),
  );
}

function refers(attribute: OnnxAttribute): boolean {
  return attribute.reference !== undefined && attribute.reference !== "";
}

/**
 * Nodes that a call of each function becomes when all calls inside are opened too, other than its own of itself; Infinity
 * for one that calls deeper than `maxOnnxNesting`. Functions that call the next one twice double with every level, so
 * this is known before anything is opened.
 */
export function openedSizes(functions: ReadonlyMap<string, OnnxFunction>): ReadonlyMap<OnnxFunction, number> {
  const sizes = new Map<OnnxFunction, number>();
  const sizeOf = (called: OnnxFunction, depth: number): number => {
    const known = sizes.get(called);
    if (known !== undefined || depth > maxOnnxNesting) return known ?? Number.POSITIVE_INFINITY;
    // Whoever asks before it is known is inside it, where it stays closed.
    sizes.set(called, 0);
    const size = nodesSize(called.nodes, depth);
    sizes.set(called, size);
    return size;
  };
  const nodesSize = (nodes: readonly OnnxNode[], depth: number): number => {
    let size = nodes.length;
    for (const node of nodes) {
      const inner = functions.get(functionKey(node.domain, node.opType, node.overload));
      if (inner) size += sizeOf(inner, depth + 1);
      for (const attribute of node.attributes)
        for (const graph of graphsOf(attribute)) size += nodesSize(graph.nodes, depth);
    }
    return size;
  };
  for (const called of functions.values()) sizeOf(called, 0);
  return sizes;
}

/** Nodes of a function, those of the graphs inside them included. */
export function countNodes(nodes: readonly OnnxNode[]): number {
  let count = nodes.length;
  for (const { attributes } of nodes)
    for (const attribute of attributes)
      for (const graph of graphsOf(attribute)) count += countNodes(graph.nodes);
  return count;
}

export function graphsOf(attribute: OnnxAttribute): readonly OnnxGraph[] {
  if (attribute.kind === "graph") return [attribute.value];
  return attribute.kind === "graphs" ? attribute.values : [];
}
