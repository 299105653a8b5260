/** The graph of an exported program as layers: every node with the modules around it and the types the file states. */

import type { Diagnostic } from "../../src/diagnostics.ts";
import { LimitExceededError } from "../../src/errors.ts";
import type { Argument, Graph, Json, Layer, ModuleRef, Subgraph, ValueRef } from "../../src/ir/graph.ts";
import type { TensorType } from "../../src/ir/tensor.ts";
import { maxExportedNesting } from "../../src/limits.ts";
import { getKey, type JsonValue } from "../../src/wire/json.ts";
import type { SharedJson } from "../../src/wire/json-shared.ts";
import { findOp } from "./aten/index.ts";
import { type Arguments, NodeView, operandsIn, type PortRecord } from "./aten.ts";
import { remembering } from "./bounded-cache.ts";
import {
  listOf,
  literalOf,
  namesIn,
  objectOf,
  readType,
  type Tagged,
  textOf,
  unionOf,
} from "./export-schema.ts";
import type { Held } from "./export-tensors.ts";
import { parseModuleStack } from "./module-stack.ts";

/** A layer under construction. */
export type Draft = { -readonly [K in keyof Layer]: Layer[K] };

/** A tensor that a layer reads. */
export interface Use {
  readonly draft: Draft;
  readonly held: Held;
  /** The operator's name for it: `weight`. */
  readonly slot: string;
  /** Its arguments, and which of them it is. */
  readonly inputs: Argument[];
  readonly input: number;
}

/** What a name of a graph stands for. */
type Source =
  | { readonly kind: "value"; readonly value: ValueRef }
  | { readonly kind: "held"; readonly held: Held };

/** An argument of a node. */
interface Written {
  readonly name: string;
  /** Its name; without one, its place. */
  readonly key: string;
  readonly argument: Tagged;
}

/** What a node reads. */
interface Read {
  readonly inputs: readonly Argument[];
  /** Arguments that are others in each round of the graphs it runs. */
  readonly changing: readonly string[];
}

/** What a graph that a node runs may get. */
interface Operand {
  readonly name: string | null;
  /** It is the same in the graph as outside of it, and so is a stored tensor. */
  readonly fixed: boolean;
}

/** Ports of operators that run graphs: what all rounds get, the stored tensors of it, and what each round gets anew. */
const graphOperands = "operands";
const graphHeld = "held";
const graphRounds: readonly string[] = ["carried", "sequences"];

interface Frame {
  /** What the graph states of a value. */
  readonly typeOf: (name: string) => TensorType | null;
  readonly names: Map<string, Source>;
  readonly layers: Draft[];
  readonly around: readonly ModuleRef[];
  readonly depth: number;
  readonly at: string;
  /** PyTorch casts operands in it as it sees fit, so that rules give other types than come out. */
  readonly casting: boolean;
}

/** Hands on what it gets, or works on sizes. */
const plumbing =
  /^(_operator\.|math\.|torch\.sym_|aten\.(sym_|_assert|detach$|alias$|lift_fresh|clone$|contiguous$|_to_copy$|to$|type_as$|item$)|prim\.|higher_order\.wrap_with_set_grad)/;

export class GraphReader {
  readonly uses: Use[] = [];
  /** Layers of every graph, in order. */
  readonly drafts: Draft[] = [];
  /** Names of the graphs around those that are in one. */
  readonly inside: Map<Draft, string> = new Map();
  /** Class of the whole, where a node's modules tell. */
  root: string | null = null;
  private readonly program: SharedJson;
  private readonly report: (diagnostic: Diagnostic) => void;

  constructor(program: SharedJson, report: (diagnostic: Diagnostic) => void) {
    this.program = program;
    this.report = report;
  }

  /** `held`: what the signature says of the graph's inputs; those it does not name are inputs of the model. */
  read(graph: JsonValue, held: ReadonlyMap<string, Held | null>, outputs: readonly JsonValue[]): Graph {
    return this.graph(graph, { held, outputs, around: [], depth: 0, at: "", casting: false });
  }

  private graph(
    graph: JsonValue,
    given: {
      readonly held: ReadonlyMap<string, Held | null>;
      readonly outputs: readonly JsonValue[];
      readonly around: readonly ModuleRef[];
      readonly depth: number;
      readonly at: string;
      readonly casting: boolean;
    },
  ): Graph {
    if (given.depth > maxExportedNesting) {
      throw new LimitExceededError(`graphs nested more than ${maxExportedNesting} deep`, {
        limit: "maxExportedNesting",
        actual: given.depth,
        maximum: maxExportedNesting,
      });
    }
    const { around, depth, at, casting } = given;
    const typeOf = (name: string): TensorType | null => this.statedType(graph, name);
    const frame: Frame = { typeOf, names: new Map(), layers: [], around, depth, at, casting };
    const inputs: ValueRef[] = [];
    for (const input of listOf(getKey(graph, "inputs"))) {
      for (const name of namesIn(unionOf(input))) {
        if (name === null) continue;
        const held = given.held.get(name);
        if (held) this.define(frame, name, { kind: "held", held });
        else if (held === undefined) inputs.push(this.input(frame, name));
      }
    }
    for (const node of listOf(getKey(graph, "nodes"))) this.node(node, frame);
    const results = given.outputs.flatMap((output) => namesIn(unionOf(output)));
    return {
      topology: "functional",
      layers: frame.layers,
      inputs,
      outputs: results.flatMap((name) => (name === null ? [] : [this.output(frame, name)])),
    };
  }

  private input(frame: Frame, name: string): ValueRef {
    const type = frame.typeOf(name);
    const draft = this.push(frame, name, "Input", "Input");
    if (type?.dtype) draft.attributes = { dtype: type.dtype };
    draft.calls = [{ inputs: [], ...(type && { declaredTypes: [type] }) }];
    draft.kind = "layer";
    const value: ValueRef = { layer: frame.layers.length - 1, call: 0, output: 0 };
    this.define(frame, name, { kind: "value", value });
    return value;
  }

  /** A stored tensor that is an output passes through a layer of its own. */
  private output(frame: Frame, name: string): ValueRef {
    const source = frame.names.get(name);
    if (source?.kind === "value") return source.value;
    if (!source) this.dangling(frame, name);
    const draft = this.push(frame, `${name}/output`, "output", "Opaque");
    const type = frame.typeOf(name);
    draft.calls = [{ inputs: [], ...(type && { declaredTypes: [type] }) }];
    draft.plumbing = true;
    if (source) this.uses.push({ draft, held: source.held, slot: "output", inputs: [], input: 0 });
    return { layer: frame.layers.length - 1, call: 0, output: 0 };
  }

  private node(node: JsonValue, frame: Frame): void {
    const target = textOf(getKey(node, "target")) ?? "?";
    const { type, name: operation, isPlumbing } = parseTarget(target);
    const stack = parseModuleStack(
      textOf(this.program.textAt(getKey(node, "metadata"), "nn_module_stack")) ?? "",
    );
    this.root ??= stack.root?.type ?? null;
    const modules = stack.modules ?? frame.around;
    const draft = this.push(frame, operation, type, "Opaque");
    if (modules.length > 0) draft.modules = modules;
    if (isPlumbing) draft.plumbing = true;
    const layer = frame.layers.length - 1;
    const written = listOf(getKey(node, "inputs")).map(readArgument);
    const graphs = written.filter(isGraph);
    const outputs = listOf(getKey(node, "outputs")).map(unionOf);
    const { inputs, changing } = this.arguments(draft, frame, target, written, outputs, graphs.length > 0);
    const names = outputs.length === 1 ? namesIn(outputs[0] as Tagged) : outputs.flatMap(namesIn);
    const declaredTypes = names.map((name) => (name === null ? null : frame.typeOf(name)));
    draft.calls = [
      names.length > 0 ? { inputs, declaredTypes, outputs: names.length, traced: true } : { inputs },
    ];
    if (graphs.length > 0) {
      const operands = written.flatMap(({ key, argument }) =>
        namesIn(argument).map((name): Operand => ({ name, fixed: !changing.includes(key) })),
      );
      const inner = { ...frame, around: modules, casting: castsInside(type, written) ?? frame.casting };
      draft.subgraphs = graphs.map(({ argument }, i) => this.subgraph(graphOf(argument, i), operands, inner));
    }
    for (let output = 0; output < names.length; output++) {
      const name = names[output] ?? null;
      if (name !== null) this.define(frame, name, { kind: "value", value: { layer, call: 0, output } });
    }
  }

  /** Gives a node its operator and attributes. Without a record it is opaque, and has its arguments as they are written. */
  private arguments(
    draft: Draft,
    frame: Frame,
    target: string,
    written: readonly Written[],
    outputs: readonly Tagged[],
    runs: boolean,
  ): Read {
    const byName = argumentsOf(written);
    const view = new NodeView(target, byName, outputs, frame.typeOf);
    const op = findOp(view, draft.source.type);
    const attributes = op?.attributes?.(view) ?? {};
    const ports = typeof op?.inputs === "function" ? op.inputs(view) : op?.inputs;
    if (!op || !ports || view.missed() || (frame.casting && !runs)) return this.opaque(draft, frame, written);
    draft.operator = op.operator;
    draft.attributes = attributes;
    const inputs: Argument[] = [];
    // A handful at most.
    const read: string[] = [];
    const changing: string[] = [];
    for (const port of ports) {
      const { argument: slot, name, number } = typeof port === "string" ? operandless(port) : port;
      const argument = byName.get(slot);
      if (!argument || read.includes(slot)) continue;
      read.push(slot);
      if (graphRounds.includes(name)) changing.push(slot);
      for (const held of number ? operandsIn(argument) : namesIn(argument)) {
        if (typeof held === "string") this.read1(draft, frame, held, name, inputs);
        else if (held !== null) inputs.push(numberArgument(held, name));
      }
    }
    for (const { name, key, argument } of written)
      if (!read.includes(key)) this.readAll(draft, frame, argument, runs ? graphOperands : name, inputs);
    return { inputs, changing };
  }

  private opaque(draft: Draft, frame: Frame, written: readonly Written[]): Read {
    const inputs: Argument[] = [];
    const attributes: { [key: string]: Json } = {};
    for (const { name, argument } of written) {
      this.readAll(draft, frame, argument, name, inputs);
      const literal = literalOf(argument);
      // Of that name the rule for what is opaque takes shapes from.
      if (literal !== undefined && name !== "" && name !== "outputShapes") attributes[name] = literal;
    }
    draft.attributes = attributes;
    return { inputs, changing: [] };
  }

  private readAll(draft: Draft, frame: Frame, argument: Tagged, slot: string, inputs: Argument[]): void {
    for (const name of namesIn(argument)) if (name !== null) this.read1(draft, frame, name, slot, inputs);
  }

  private read1(draft: Draft, frame: Frame, name: string, port: string, inputs: Argument[]): void {
    const source = frame.names.get(name);
    const slot = port === graphOperands && source?.kind === "held" ? graphHeld : port;
    const named = slot === "" ? {} : { name: slot };
    if (source?.kind === "value") {
      inputs.push({ kind: "value", value: source.value, ...named });
      return;
    }
    const type = source ? { dtype: source.held.dtype, shape: source.held.shape } : frame.typeOf(name);
    if (type === null) this.dangling(frame, name);
    if (source) this.uses.push({ draft, held: source.held, slot, inputs, input: inputs.length });
    inputs.push({ kind: "constant", type: type ?? { dtype: null, shape: null }, ...named });
  }

  /** The graph's inputs are the operands of the node, in order; a stored tensor among them stays one. */
  private subgraph(
    { name, graph }: { readonly name: string; readonly graph: JsonValue },
    operands: readonly Operand[],
    frame: Frame,
  ): Subgraph {
    const inputs = listOf(getKey(graph, "inputs")).flatMap((input) => namesIn(unionOf(input)));
    const given = operands.slice(operands.length - inputs.length);
    const held = new Map<string, Held>();
    for (const [i, input] of inputs.entries()) {
      const { name: operand, fixed } = given[i] ?? { name: null, fixed: false };
      const known = inputs.length <= operands.length && fixed && operand !== null;
      const source = known ? frame.names.get(operand) : undefined;
      if (input !== null && source?.kind === "held") held.set(input, source.held);
    }
    const at = frame.at === "" ? name : `${frame.at}/${name}`;
    const outputs = listOf(getKey(graph, "outputs"));
    const { around, casting } = frame;
    return { name, graph: this.graph(graph, { held, outputs, around, depth: frame.depth + 1, at, casting }) };
  }

  /** Type the graph states for a name; null when it states none. */
  private statedType(graph: JsonValue, name: string): TensorType | null {
    const type = readType(this.program.memberAt(graph, "tensor_values", name), name);
    if (type) return type;
    for (const [key, dtype] of scalars)
      if (getKey(getKey(graph, key), name) !== undefined) return { dtype, shape: [] };
    return null;
  }

  private define(frame: Frame, name: string, source: Source): void {
    if (frame.names.has(name)) this.report({ code: "name-defined-twice", args: { name }, at: frame.at });
    else frame.names.set(name, source);
  }

  private dangling(frame: Frame, reference: string): void {
    this.report({ code: "graph-dangling", args: { reference }, at: frame.at });
  }

  private push(frame: Frame, name: string, type: string, operator: string): Draft {
    const draft: Draft = {
      name,
      source: { dialect: "pytorch", type },
      kind: "operation",
      operator,
      attributes: {},
      scope: "",
      trainable: null,
      weights: [],
      calls: [],
    };
    frame.layers.push(draft);
    this.drafts.push(draft);
    if (frame.at !== "") this.inside.set(draft, frame.at);
    return draft;
  }
}

/** Without a name, its key is its place. */
function readArgument(input: JsonValue, place: number): Written {
  const name = textOf(getKey(input, "name")) ?? "";
  return { name, key: name || `${place}`, argument: unionOf(getKey(input, "arg")) };
}

/** Nodes have a handful: a table for each takes longer than looking through them. The last of a name counts. */
function argumentsOf(written: readonly Written[]): Arguments {
  return {
    get(name) {
      for (let i = written.length - 1; i >= 0; i--) if (written[i]?.key === name) return written[i]?.argument;
      return undefined;
    },
  };
}

function isGraph({ argument }: Written): boolean {
  return argument.tag === "as_graph";
}

/** Whether a node switches on or off that operands are cast; null: neither. */
function castsInside(type: string, written: readonly Written[]): boolean | null {
  const enabled = type === "higher_order.wrap_with_autocast" ? written[2]?.argument.value : null;
  return typeof enabled === "boolean" ? enabled : null;
}

/** A number that is written down has no element type of its own. Infinity is no JSON. */
function numberArgument(value: number, name: string): Argument {
  const type: TensorType = { dtype: null, shape: [] };
  return { kind: "constant", type, name, ...(Number.isFinite(value) && { value }) };
}

/** Operators that are remembered: a graph has some tens. */
const targetsKept = 256;

interface Target {
  /** `aten.conv2d` of `torch.ops.aten.conv2d.default`. */
  readonly type: string;
  /** `conv2d`. */
  readonly name: string;
  readonly isPlumbing: boolean;
}

const parseTarget = remembering(targetsKept, (target): Target => {
  const parts = /^torch\.ops\.([^.]+)\.([^.]+)/.exec(target);
  const type = parts ? `${parts[1]}.${parts[2]}` : target;
  return { type, name: type.slice(type.lastIndexOf(".") + 1), isPlumbing: plumbing.test(type) };
});

function operandless(argument: string): PortRecord {
  return { argument, name: argument };
}

function graphOf(argument: Tagged, number: number): { readonly name: string; readonly graph: JsonValue } {
  const graph = objectOf(getKey(argument.value, "graph")) ?? {};
  return { name: textOf(getKey(argument.value, "name")) ?? `graph_${number}`, graph };
}

const scalars = [
  ["sym_int_values", "int64"],
  ["sym_bool_values", "bool"],
  ["sym_float_values", "float64"],
] as const;
