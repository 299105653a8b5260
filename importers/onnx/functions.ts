/** Model-local functions: what a node that calls one stands for. */

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
