/** Model-local functions: what a node that calls one stands for. */

import { maxOnnxNesting } from "../../src/limits.ts";
import type { OnnxAttribute, OnnxFunction, OnnxNode } from "./proto.ts";

export function functionKey(domain: string, name: string, overload: string): string {
  return JSON.stringify([domain === "ai.onnx" ? "" : domain, name, overload]);
}

/** A node of a function with the attributes that the call gives, or else their defaults, put in for references. */
export function bindAttributes(node: OnnxNode, call: OnnxNode, called: OnnxFunction): OnnxNode {
  if (!node.attributes.some((attribute) => refers(attribute))) return node;
  const attributes = node.attributes.flatMap((attribute): OnnxAttribute[] => {
    if (!refers(attribute)) return [attribute];
    const given =
      call.attributes.find(({ name }) => name === attribute.reference) ??
      called.attributeDefaults.find(({ name }) => name === attribute.reference);
    return given ? [{ ...given, name: attribute.name }] : [];
  });
  return { ...node, attributes };
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
        if (attribute.kind === "graph") size += nodesSize(attribute.value.nodes, depth);
    }
    return size;
  };
  for (const called of functions.values()) sizeOf(called, 0);
  return sizes;
}
