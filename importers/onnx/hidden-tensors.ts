/**
 * Stored tensors that no layer was made for: in functions that stay closed or that nobody calls, in graphs that nest too
 * deep, in attributes of operators that nobody knows. They are in the file, so they are in the ledger.
 */

import type { Diagnostic } from "../../src/diagnostics.ts";
import { countOf } from "../../src/ir/shape.ts";
import type { StoredTensor, TensorClass } from "../../src/ir/tensor.ts";
import { reportDoubt } from "./doubt.ts";
import { calledBy, functionsOf, graphsOf } from "./functions.ts";
import { findOp, isStandard } from "./ops/index.ts";
import type { OnnxFunction, OnnxGraph, OnnxModel, OnnxNode, OnnxSparseTensor, OnnxTensor } from "./proto.ts";
import type { TensorTable } from "./tensor-table.ts";

/** `closed` are the functions of which a call stays a layer of its own. */
export function addHiddenTensors(
  model: OnnxModel,
  closed: ReadonlySet<OnnxFunction>,
  table: TensorTable,
  report: (diagnostic: Diagnostic) => void,
): void {
  const functions = functionsOf(model);
  const hidden: number[] = [];
  const collector = new Collector(functions, table, hidden);
  if (model.graph) collector.graph(model.graph, "");
  for (const called of reached(closed, functions)) collector.nodes(called.nodes, `${called.name}/`);
  const open: StoredTensor[] = [];
  for (const index of hidden) {
    const tensor = table.get(index);
    const found = classOf(tensor);
    table.settle(index, found);
    if (found === "unclassified") open.push(tensor);
  }
  reportDoubt("class-ambiguous", open, report);
  // What nobody calls is stored all the same; unused is what an unclaimed tensor is.
  for (const other of model.functions) collector.nodes(other.nodes, `${other.name}/`);
}

/** Those functions, and all that they call. */
function reached(
  from: ReadonlySet<OnnxFunction>,
  functions: ReadonlyMap<string, OnnxFunction>,
): ReadonlySet<OnnxFunction> {
  const found = new Set(from);
  // A set that grows while it is walked is walked to its end.
  for (const { nodes } of found) addCalled(nodes, functions, found);
  return found;
}

function addCalled(
  nodes: readonly OnnxNode[],
  functions: ReadonlyMap<string, OnnxFunction>,
  into: Set<OnnxFunction>,
): void {
  for (const node of nodes) {
    const called = calledBy(node, functions);
    if (called) into.add(called);
    for (const attribute of node.attributes)
      for (const graph of graphsOf(attribute)) addCalled(graph.nodes, functions, into);
  }
}

function classOf({ dtype, shape }: StoredTensor): TensorClass {
  return /^b?float/.test(dtype) && (countOf(shape) ?? 0) > 1 ? "unclassified" : "constant";
}

class Collector {
  private readonly functions: ReadonlyMap<string, OnnxFunction>;
  private readonly table: TensorTable;
  private readonly found: number[];

  constructor(functions: ReadonlyMap<string, OnnxFunction>, table: TensorTable, found: number[]) {
    this.functions = functions;
    this.table = table;
    this.found = found;
  }

  graph(graph: OnnxGraph, prefix: string): void {
    for (const tensor of graph.initializers) this.tensor(tensor, prefix + tensor.name);
    for (const tensor of graph.sparseInitializers) this.sparse(tensor, prefix + tensor.values.name);
    this.nodes(graph.nodes, prefix);
  }

  nodes(nodes: readonly OnnxNode[], prefix: string): void {
    for (const node of nodes) {
      if (node.attributes.length === 0) continue;
      const path = `${prefix}${node.name || (node.outputs[0] ?? "")}`;
      for (const attribute of node.attributes)
        for (const graph of graphsOf(attribute)) this.graph(graph, `${path}/${attribute.name}/`);
      this.node(node, path);
    }
  }

  /** Attributes of the operators that are known are read by their records. */
  private node(node: OnnxNode, path: string): void {
    const constant = isStandard(node.domain) && node.opType === "Constant";
    const called = calledBy(node, this.functions) !== undefined;
    if (!constant && !called && findOp(node.domain, node.opType)) return;
    for (const attribute of node.attributes) {
      const name = constant ? path : `${path}/${attribute.name}`;
      if (attribute.kind === "tensor") this.tensor(attribute.value, name);
      else if (attribute.kind === "tensors") for (const tensor of attribute.values) this.tensor(tensor, name);
      else if (attribute.kind === "sparse-tensor") this.sparse(attribute.value, name);
      else if (attribute.kind === "sparse-tensors")
        for (const tensor of attribute.values) this.sparse(tensor, name);
      else if (constant && !this.table.knows(attribute)) this.keep(this.table.addConstant(name, attribute));
    }
  }

  private tensor(tensor: OnnxTensor, name: string): void {
    if (!this.table.knows(tensor)) this.keep(this.table.add(name, tensor));
  }

  private sparse({ values, indices }: OnnxSparseTensor, name: string): void {
    this.tensor(values, name);
    if (indices) this.tensor(indices, `${name}/indices`);
  }

  private keep(index: number | null | undefined): void {
    if (typeof index === "number") this.found.push(index);
  }
}
