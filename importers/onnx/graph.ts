/** The graph of an ONNX file as layers of the IR: names become references, functions are opened, constants become tensors. */

import type { Diagnostic } from "../../src/diagnostics.ts";
import type { Graph, ModuleRef, Subgraph, ValueRef } from "../../src/ir/graph.ts";
import { symbol } from "../../src/ir/symbolic-dim.ts";
import type { TensorType } from "../../src/ir/tensor.ts";
import { maxOnnxInlinedNodes, maxOnnxNesting } from "../../src/limits/onnx.ts";
import {
  argumentOf,
  type Draft,
  draftOf,
  type Found,
  type Frame,
  findName,
  type Level,
  nowhere,
  type Pushed,
  type Source,
} from "./frame.ts";
import { bindingOf, bindNode, calledBy, countNodes, functionsOf, openedSizes } from "./functions.ts";
import { KnownModules, modulesOf } from "./names.ts";
import { attributesOf, NodeView, type OnnxOp, type Port, type PortRecord, portOf } from "./op.ts";
import { findOp, isStandard } from "./ops/index.ts";
import { orderNodes } from "./order.ts";
import type {
  OnnxFunction,
  OnnxGraph,
  OnnxModel,
  OnnxNode,
  OnnxOpset,
  OnnxSparseTensor,
  OnnxValue,
} from "./proto.ts";
import { trimmed } from "./read-context.ts";
import { SizeNames } from "./size-names.ts";
import type { TensorTable } from "./tensor-table.ts";
import { declaredTypes, typeOf } from "./types.ts";

/** An input of a layer as it was read, for whoever tells what the tensors behind it are. */
export interface Slot {
  readonly port: PortRecord;
  readonly found: Found;
}

/** What is known of a layer beside what the IR keeps. */
export interface NodeFacts {
  readonly node: OnnxNode | null;
  readonly view: NodeView | null;
  readonly op: OnnxOp | null;
  readonly slots: readonly Slot[];
}

export interface BuiltGraph {
  readonly graph: Graph;
  /** Every layer, subgraphs included, with what was read of it. */
  readonly facts: ReadonlyMap<Draft, NodeFacts>;
  /** Functions of which a call stays a layer of its own. */
  readonly closed: ReadonlySet<OnnxFunction>;
}

export function buildGraph(
  model: OnnxModel,
  graph: OnnxGraph,
  table: TensorTable,
  report: (diagnostic: Diagnostic) => void,
): BuiltGraph {
  const builder = new GraphBuilder(model, table, report);
  const built = builder.graph(graph, null, [], "");
  return { graph: built, facts: builder.facts, closed: builder.closed };
}

class GraphBuilder {
  readonly facts = new Map<Draft, NodeFacts>();
  private readonly functions: ReadonlyMap<string, OnnxFunction>;
  /** Nodes that a call becomes; one that becomes too many is not opened at all. */
  private readonly sizes: ReadonlyMap<OnnxFunction, number>;
  private readonly sizeNames: SizeNames;
  private readonly table: TensorTable;
  private readonly report: (diagnostic: Diagnostic) => void;
  private readonly unknown = new Set<string>();
  /** One object for all layers of a type. */
  private readonly sources = new Map<string, Draft["source"]>();
  private readonly modules = new KnownModules();
  private opsets: ReadonlyMap<string, number>;
  private inlined = 0;
  private readonly opening = new Set<OnnxFunction>();
  /** Functions of which a call stays a layer of its own. */
  readonly closed = new Set<OnnxFunction>();
  private unnamed = 0;
  private nesting = 0;

  constructor(model: OnnxModel, table: TensorTable, report: (diagnostic: Diagnostic) => void) {
    this.functions = functionsOf(model);
    this.sizes = openedSizes(this.functions);
    this.sizeNames = new SizeNames(model.graph?.inputs ?? []);
    this.table = table;
    this.report = report;
    this.opsets = versions(model.opsets, new Map([["", 1]]));
  }

  graph(graph: OnnxGraph, outer: Frame | null, modules: readonly ModuleRef[], prefix: string): Graph {
    const level: Level = { layers: [], depth: outer ? outer.level.depth + 1 : 0 };
    const frame: Frame = {
      level,
      outer,
      names: new Map(),
      declared: declaredTypes(graph, this.sizeNames),
      prefix,
    };
    for (const tensor of graph.initializers) {
      const index = this.table.add(prefix + tensor.name, tensor);
      if (index !== null) this.define(frame, tensor.name, { kind: "tensor", tensor: index });
    }
    for (const tensor of graph.sparseInitializers) this.sparse(frame, tensor.values.name, tensor);
    const inputs = graph.inputs.flatMap((value) => {
      const initializer = frame.names.get(value.name);
      return initializer?.kind === "tensor" ? [] : [this.input(frame, value)];
    });
    this.nodes(graph.nodes, frame, modules);
    const outputs = graph.outputs.map((value) => this.output(frame, value.name));
    return { topology: "functional", layers: level.layers, inputs, outputs };
  }

  private input(frame: Frame, value: OnnxValue): ValueRef {
    const type = typeOf(value.type, this.sizeNames, (axis) => symbol(`?${value.name}:${axis}`));
    const dtype = type?.dtype ?? null;
    const draft = this.push(frame, {
      name: value.name,
      type: "Input",
      operator: "Input",
      attributes: { ...(dtype !== null && { dtype }) },
      calls: [{ inputs: [], ...(type && { declaredTypes: [type] }) }],
    });
    const layer = frame.level.layers.length - 1;
    this.facts.set(draft, { node: null, view: null, op: null, slots: [] });
    this.define(frame, value.name, { kind: "value", layer, output: 0 });
    return { layer, call: 0, output: 0 };
  }

  /** An output that is a stored tensor, or a value from outside, passes through a layer of its own. */
  private output(frame: Frame, name: string): ValueRef {
    const found = findName(frame, name);
    if (found?.source.kind === "value" && found.levels === 0)
      return { layer: found.source.layer, call: 0, output: found.source.output };
    if (!found) this.report({ code: "graph-dangling", args: { reference: name }, at: frame.prefix });
    const draft = this.push(frame, {
      name: `${name}/output`,
      type: "Identity",
      operator: "Identity",
      attributes: {},
      calls: [{ inputs: found ? [argumentOf(found, "input")] : [] }],
    });
    draft.plumbing = true;
    const slots = found ? [{ port: { name: "input" }, found }] : [];
    this.facts.set(draft, { node: null, view: null, op: null, slots });
    return { layer: frame.level.layers.length - 1, call: 0, output: 0 };
  }

  private nodes(nodes: readonly OnnxNode[], frame: Frame, modules: readonly ModuleRef[]): void {
    const { nodes: ordered, moved, cyclic } = orderNodes(nodes);
    if (moved > 0) this.report({ code: "nodes-reordered", args: { nodes: moved }, at: frame.prefix });
    if (cyclic.length > 0) {
      const layers = cyclic.slice(0, 5).map((node) => node.name || node.opType);
      this.report({ code: "graph-cycle", args: { layers: layers.join(", ") }, at: frame.prefix });
    }
    for (const node of ordered) this.node(node, frame, modules);
  }

  private node(node: OnnxNode, frame: Frame, modules: readonly ModuleRef[]): void {
    const called = calledBy(node, this.functions);
    if (called) {
      const reason = this.closedReason(called);
      if (reason === null) {
        this.open(called, node, frame, modules);
        return;
      }
      this.reportClosed(called, node, frame, reason);
    }
    if (!called && isStandard(node.domain) && node.opType === "Constant" && this.constant(node, frame))
      return;
    const view = new NodeView(node, this.opsets.get(isStandard(node.domain) ? "" : node.domain) ?? 1);
    const op = called ? null : (findOp(node.domain, node.opType) ?? null);
    if (!op && !called) this.reportUnknown(node, frame);
    const ports = op ? (typeof op.inputs === "function" ? op.inputs(view) : op.inputs) : [];
    const slots = this.slots(node, ports, frame);
    const name = node.name === "" ? "" : frame.prefix + node.name;
    const own = modulesOf(node, this.modules);
    const around = modules.length > 0 ? [...modules, ...own] : own;
    const draft = this.push(frame, {
      name,
      type: isStandard(node.domain) ? node.opType : `${node.domain}.${node.opType}`,
      operator: op?.operator ?? "Opaque",
      attributes: op ? attributesOf(op, view) : {},
      calls: [
        {
          inputs: slots.map(({ found, port }) => argumentOf(found, op ? port.name : undefined)),
          ...(frame.declared.size > 0 && declaredOutputs(node, frame)),
          outputs: node.outputs.length,
        },
      ],
      modules: around,
    });
    if (op?.plumbing) draft.plumbing = true;
    this.facts.set(draft, { node, view, op, slots });
    const layer = frame.level.layers.length - 1;
    const subgraphs = this.subgraphs(node, frame, name);
    if (subgraphs.length > 0) draft.subgraphs = subgraphs;
    for (const [output, value] of node.outputs.entries())
      if (value !== "") this.define(frame, value, { kind: "value", layer, output });
  }

  private slots(node: OnnxNode, ports: readonly Port[], frame: Frame): readonly Slot[] {
    const slots: Slot[] = [];
    const last = ports.at(-1);
    const rest = typeof last === "object" && last.variadic ? last : undefined;
    for (const [i, name] of node.inputs.entries()) {
      if (name === "") continue;
      const port = portOf(ports[i] ?? rest ?? `input${i}`);
      const found = findName(frame, name);
      slots.push({ port, found: found ?? { source: nowhere, levels: 0, level: frame.level } });
      if (!found)
        this.report({ code: "graph-dangling", args: { reference: name }, at: frame.prefix + node.name });
    }
    return trimmed(slots);
  }

  private subgraphs(node: OnnxNode, frame: Frame, name: string): readonly Subgraph[] {
    const graphs = node.attributes.flatMap((attribute) =>
      attribute.kind === "graph" ? [{ name: attribute.name, graph: attribute.value }] : [],
    );
    if (graphs.length === 0 || this.nesting >= maxOnnxNesting) return [];
    this.nesting += 1;
    const around = name === "" ? `${frame.prefix}${node.opType}_${frame.level.layers.length - 1}` : name;
    const built = graphs.map((subgraph) => ({
      name: subgraph.name,
      graph: this.graph(subgraph.graph, frame, [], `${around}/${subgraph.name}/`),
    }));
    this.nesting -= 1;
    return built;
  }

  /** Why a call stays a layer of its own; null where its nodes can take its place. */
  private closedReason(called: OnnxFunction): string | null {
    if (this.opening.has(called)) return "it calls itself";
    const size = this.sizes.get(called) ?? Number.POSITIVE_INFINITY;
    if (this.nesting >= maxOnnxNesting || size === Number.POSITIVE_INFINITY)
      return `it stands or calls more than ${maxOnnxNesting} levels deep`;
    return this.inlined + size > maxOnnxInlinedNodes
      ? `functions would become more than ${maxOnnxInlinedNodes} nodes with it`
      : null;
  }

  /** Nodes of a function in place of its call. */
  private open(called: OnnxFunction, node: OnnxNode, frame: Frame, modules: readonly ModuleRef[]): void {
    this.inlined += countNodes(called.nodes);
    const names = new Map<string, Source>();
    for (const [i, formal] of called.inputs.entries()) {
      const found = findName(frame, node.inputs[i] ?? "");
      if (!found) continue;
      if (found.levels > 0 && found.source.kind === "value")
        names.set(formal, this.passed(frame, found, formal));
      else names.set(formal, found.source);
    }
    const path = node.name === "" ? `${called.name}_${frame.level.layers.length}` : node.name;
    const declared = new Map<string, TensorType>();
    const inside: Frame = {
      level: frame.level,
      outer: null,
      names,
      declared,
      prefix: `${frame.prefix}${path}/`,
    };
    const binding = bindingOf(node, called);
    const outside = this.opsets;
    this.opsets = versions(called.opsets, outside);
    this.nesting += 1;
    this.opening.add(called);
    const module = { path: [...modules.slice(-1).map((m) => m.path), path].join("."), type: called.name };
    this.nodes(
      called.nodes.map((inner) => bindNode(inner, binding)),
      inside,
      [...modules, module],
    );
    this.opening.delete(called);
    this.nesting -= 1;
    this.opsets = outside;
    for (const [i, formal] of called.outputs.entries()) {
      const source = names.get(formal);
      const name = node.outputs[i] ?? "";
      if (source && name !== "") this.define(frame, name, source);
    }
  }

  /** A value from further out, brought to this graph under a name of its own. */
  private passed(frame: Frame, found: Found, name: string): Source {
    const draft = this.push(frame, {
      name: `${frame.prefix}${name}/input`,
      type: "Identity",
      operator: "Identity",
      attributes: {},
      calls: [{ inputs: [argumentOf(found, "input")] }],
    });
    draft.plumbing = true;
    this.facts.set(draft, { node: null, view: null, op: null, slots: [{ port: { name: "input" }, found }] });
    return { kind: "value", layer: frame.level.layers.length - 1, output: 0 };
  }

  /** The tensor a Constant node holds, under the name of its output. False when the node holds none that is known. */
  private constant(node: OnnxNode, frame: Frame): boolean {
    const name = node.outputs[0] ?? "";
    const [value] = node.attributes;
    if (!value || name === "") return false;
    if (value.kind === "sparse-tensor") return this.sparse(frame, name, value.value);
    const index = this.table.addConstant(frame.prefix + name, value);
    if (index === undefined) return false;
    if (index !== null) this.define(frame, name, { kind: "tensor", tensor: index });
    return true;
  }

  private sparse(frame: Frame, name: string, tensor: OnnxSparseTensor): boolean {
    const index = this.table.add(frame.prefix + name, tensor.values);
    if (tensor.indices) {
      const at = this.table.add(`${frame.prefix}${name}/indices`, tensor.indices);
      if (at !== null) this.table.settle(at, "constant");
    }
    const type: TensorType = { dtype: tensor.values.dtype, shape: tensor.dims };
    if (index !== null) this.define(frame, name, { kind: "tensor", tensor: index, type });
    return true;
  }

  private define(frame: Frame, name: string, source: Source): void {
    if (frame.names.has(name)) this.report({ code: "name-defined-twice", args: { name }, at: frame.prefix });
    else frame.names.set(name, source);
  }

  private push(frame: Frame, layer: Pushed): Draft {
    const name = layer.name === "" ? `${frame.prefix}${layer.type}_${this.unnamed++}` : layer.name;
    let source = this.sources.get(layer.type);
    if (!source) {
      source = { dialect: "onnx", type: layer.type };
      this.sources.set(layer.type, source);
    }
    const draft = draftOf(name, source, layer);
    frame.level.layers.push(draft);
    return draft;
  }

  private reportClosed(called: OnnxFunction, node: OnnxNode, frame: Frame, reason: string): void {
    const type = isStandard(node.domain) ? node.opType : `${node.domain}.${node.opType}`;
    if (this.closed.has(called)) return;
    this.closed.add(called);
    const at = frame.prefix + (node.name || (node.outputs[0] ?? ""));
    this.report({ code: "function-closed", args: { type, reason }, at });
  }

  private reportUnknown(node: OnnxNode, frame: Frame): void {
    const type = isStandard(node.domain) ? node.opType : `${node.domain}.${node.opType}`;
    if (this.unknown.has(type)) return;
    this.unknown.add(type);
    const at = frame.prefix + (node.name || (node.outputs[0] ?? ""));
    this.report({ code: "operator-unknown", args: { type }, at });
  }
}

/** Types that the file states for the outputs, if it does for any. */
function declaredOutputs(
  { outputs }: OnnxNode,
  { declared }: Frame,
): { readonly declaredTypes?: readonly (TensorType | null)[] } {
  if (!outputs.some((output) => declared.has(output))) return {};
  return { declaredTypes: outputs.map((output) => declared.get(output) ?? null) };
}

function versions(
  opsets: readonly OnnxOpset[],
  fallback: ReadonlyMap<string, number>,
): ReadonlyMap<string, number> {
  const found = new Map(fallback);
  for (const { domain, version } of opsets) found.set(isStandard(domain) ? "" : domain, version);
  return found;
}
