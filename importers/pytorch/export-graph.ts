/** The graph of an exported program as layers: every node with the modules around it and the types the file states. */

import type { Diagnostic } from "../../src/diagnostics.ts";
import { LimitExceededError } from "../../src/errors.ts";
import type { Argument, Graph, Layer, ModuleRef, Subgraph, ValueRef } from "../../src/ir/graph.ts";
import type { TensorType } from "../../src/ir/tensor.ts";
import { maxExportedNesting } from "../../src/limits/pytorch.ts";
import { getKey, type JsonValue } from "../../src/wire/json.ts";
import { type Element, type SharedJson, type Table, textIn } from "../../src/wire/json-shared.ts";
import { type Draft, newDraft } from "./export-draft.ts";
import { placeBetween, placeRegions } from "./export-regions.ts";
import {
  listOf,
  nameIn,
  namesIn,
  objectOf,
  readType,
  type Tagged,
  textOf,
  unionOf,
} from "./export-schema.ts";
import {
  castsInside,
  graphHeld,
  graphOperands,
  isGraph,
  readStep,
  type Slot,
  type Step,
  type Wiring,
  wiringOf,
} from "./export-step.ts";
import type { Held } from "./export-tensors.ts";
import { StackReader } from "./module-stack.ts";

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

/** What a name of a graph stands for: a value, or a stored tensor. */
type Source = ValueRef | Held;

function isValue(source: Source): source is ValueRef {
  return "layer" in source;
}

/** What a graph that a node runs may get. */
interface Operand {
  readonly name: string | null;
  /** It is the same in the graph as outside of it, and so is a stored tensor. */
  readonly fixed: boolean;
}

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

export class GraphReader {
  readonly uses: Use[] = [];
  /** Layers of every graph, in order. */
  readonly drafts: Draft[] = [];
  /** Names of the graphs around those that are in one. */
  readonly inside: Map<Draft, string> = new Map();
  /** Class of the whole, where a node's modules tell. */
  root: string | null = null;
  private readonly program: SharedJson;
  /** Which call of a module a node is in is written down. */
  private readonly countsCalls: boolean;
  private readonly steps = new Map<JsonValue, Step>();
  private readonly stacks = new StackReader();
  private readonly heldTypes = new Map<Held["shape"], TensorType>();
  private readonly report: (diagnostic: Diagnostic) => void;

  constructor(program: SharedJson, report: (diagnostic: Diagnostic) => void) {
    this.program = program;
    this.countsCalls = countsCalls(textOf(getKey(program.json, "torch_version")));
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
    const typeOf = statedTypes(graph, this.program.tableAt(graph, "tensor_values"));
    const frame: Frame = { typeOf, names: new Map(), layers: [], around, depth, at, casting };
    const inputs: ValueRef[] = [];
    const names = listOf(getKey(graph, "inputs")).flatMap((input) => namesIn(unionOf(input)));
    for (let i = 0; i < names.length; i++) {
      const name = names[i] ?? null;
      const held = name === null ? null : given.held.get(name);
      if (name !== null && held) this.define(frame, name, held);
      else if (name !== null && held === undefined) inputs.push(this.input(frame, name));
    }
    const nodes = this.program.elementsAt(graph, "nodes");
    for (let i = 0; nodes && i < nodes.length; i++) this.node(nodes.at(i), frame);
    placeRegions(frame.layers);
    if (this.countsCalls) placeBetween(frame.layers);
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
    const draft = this.push(frame, name, sourceOf("Input"), "Input");
    if (type?.dtype) draft.attributes = { dtype: type.dtype };
    draft.calls = [{ inputs: [], ...(type && { declaredTypes: [type] }) }];
    draft.kind = "layer";
    const value: ValueRef = { layer: frame.layers.length - 1, call: 0, output: 0 };
    this.define(frame, name, value);
    return value;
  }

  /** A stored tensor that is an output passes through a layer of its own. */
  private output(frame: Frame, name: string): ValueRef {
    const source = frame.names.get(name);
    if (source && isValue(source)) return source;
    if (!source) this.dangling(frame, name);
    const draft = this.push(frame, `${name}/output`, sourceOf("output"), "Opaque");
    const type = frame.typeOf(name);
    draft.calls = [{ inputs: [], ...(type && { declaredTypes: [type] }) }];
    draft.plumbing = true;
    if (source) this.uses.push({ draft, held: source, slot: "output", inputs: [], input: 0 });
    return { layer: frame.layers.length - 1, call: 0, output: 0 };
  }

  private node(node: Element, frame: Frame): void {
    const step = this.stepOf(node);
    const { target, only } = step;
    const stack = this.stacks.read(textIn(node, step.stack) ?? "");
    if (this.root === null && stack.root) this.root = stack.root.type;
    const modules = stack.modules ?? frame.around;
    const draft = this.push(frame, target.name, target.source, "Opaque", modules);
    // What runs a graph holds what is read in it.
    if (target.isPlumbing && !step.runs) draft.plumbing = true;
    const layer = frame.layers.length - 1;
    const wiring = this.wiringOf(step, node, frame);
    draft.operator = wiring.operator;
    draft.attributes = wiring.attributes;
    const inputs = this.inputs(draft, wiring, node, frame);
    if (step.runs) this.subgraphs(draft, step, node, wiring, { ...frame, around: modules });
    const name = only === null ? null : nameIn(only, node.texts);
    if (name !== null) {
      draft.calls = [{ inputs, declaredTypes: alone(frame.typeOf(name)), outputs: 1, traced: true }];
      this.define(frame, name, { layer, call: 0, output: 0 });
      return;
    }
    const names = step.results.map((name) => (name === null ? null : nameIn(name, node.texts)));
    const declaredTypes = names.map((name) => (name === null ? null : frame.typeOf(name)));
    draft.calls = [
      names.length > 0 ? { inputs, declaredTypes, outputs: names.length, traced: true } : { inputs },
    ];
    for (const [output, name] of names.entries())
      if (name !== null) this.define(frame, name, { layer, call: 0, output });
  }

  private stepOf(node: Element): Step {
    let step = this.steps.get(node.pattern);
    if (!step) {
      step = readStep(node);
      if (step.alike) this.steps.set(node.pattern, step);
    }
    return step;
  }

  private wiringOf(step: Step, { texts }: Element, { casting, typeOf }: Frame): Wiring {
    const last = step.wirings[0];
    if (last && last.types === null && last.casting === casting) return last;
    return wiringOf(step, casting, (written) => {
      const name = nameIn(written, texts);
      return name === null ? null : typeOf(name);
    });
  }

  private inputs(draft: Draft, { reads }: Wiring, { texts }: Element, frame: Frame): Argument[] {
    const inputs = new Array<Argument>(reads.length);
    let count = 0;
    for (let i = 0; i < reads.length; i++) {
      const slot = reads[i] as Slot;
      const name = slot.name === null ? null : nameIn(slot.name, texts);
      if (slot.name === null) inputs[count++] = slot.number;
      else if (name !== null) {
        inputs[count] = this.argument(draft, frame, name, slot.slot, inputs, count);
        count += 1;
      }
    }
    inputs.length = count;
    return inputs;
  }

  private subgraphs(draft: Draft, step: Step, { texts }: Element, { changing }: Wiring, frame: Frame): void {
    const operands = step.written.flatMap(({ key, argument }) =>
      namesIn(argument, texts).map((name): Operand => ({ name, fixed: !changing.includes(key) })),
    );
    const inner = { ...frame, casting: castsInside(step) ?? frame.casting };
    draft.subgraphs = step.written
      .filter(isGraph)
      .map(({ argument }, i) => this.subgraph(graphOf(argument, i), operands, inner));
  }

  /** Number `input` of `inputs`. A stored tensor is put in later, when it is known which. */
  private argument(
    draft: Draft,
    frame: Frame,
    name: string,
    port: string,
    inputs: Argument[],
    input: number,
  ): Argument {
    const source = frame.names.get(name);
    if (source && isValue(source))
      return port === "" ? { kind: "value", value: source } : { kind: "value", value: source, name: port };
    const slot = port === graphOperands && source ? graphHeld : port;
    let type = source ? this.heldType(source) : frame.typeOf(name);
    if (source) this.uses.push({ draft, held: source, slot, inputs, input });
    else if (type === null) this.dangling(frame, name);
    type ??= { dtype: null, shape: null };
    return slot === "" ? { kind: "constant", type } : { kind: "constant", type, name: slot };
  }

  /** Alike ones are the same object, which whoever looks at it later looks at once. */
  private heldType({ dtype, shape }: Held): TensorType {
    let type = this.heldTypes.get(shape);
    if (type?.dtype !== dtype) {
      type = { dtype, shape };
      this.heldTypes.set(shape, type);
    }
    return type;
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
      if (input !== null && source && !isValue(source)) held.set(input, source);
    }
    const at = frame.at === "" ? name : `${frame.at}/${name}`;
    const outputs = listOf(getKey(graph, "outputs"));
    const { around, casting } = frame;
    return { name, graph: this.graph(graph, { held, outputs, around, depth: frame.depth + 1, at, casting }) };
  }

  private define(frame: Frame, name: string, source: Source): void {
    if (frame.names.has(name)) this.report({ code: "name-defined-twice", args: { name }, at: frame.at });
    else frame.names.set(name, source);
  }

  private dangling(frame: Frame, reference: string): void {
    this.report({ code: "graph-dangling", args: { reference }, at: frame.at });
  }

  private push(
    frame: Frame,
    name: string,
    source: Layer["source"],
    operator: string,
    modules: readonly ModuleRef[] = [],
  ): Draft {
    const draft = newDraft(name, source, operator, modules);
    frame.layers.push(draft);
    this.drafts.push(draft);
    if (frame.at !== "") this.inside.set(draft, frame.at);
    return draft;
  }
}

/** Types the graph states for names; null where it states none. */
function statedTypes(graph: JsonValue, table: Table | null): (name: string) => TensorType | null {
  const known = new Map<JsonValue, TensorType | null>();
  return (name) => {
    const value = table?.get(name);
    if (value === undefined) return scalarIn(graph, name);
    let type = known.get(value);
    if (type === undefined) {
      type = readType(value, name);
      known.set(value, type);
    }
    return type ?? scalarIn(graph, name);
  };
}

function scalarIn(graph: JsonValue, name: string): TensorType | null {
  for (const [key, dtype] of scalars)
    if (getKey(getKey(graph, key), name) !== undefined) return { dtype, shape: [] };
  return null;
}

function sourceOf(type: string): Layer["source"] {
  return { dialect: "pytorch", type };
}

/** A list of one type; alike ones are one list. */
function alone(type: TensorType | null): readonly (TensorType | null)[] {
  if (type === null) return unstated;
  let list = lists.get(type);
  if (!list) {
    list = [type];
    lists.set(type, list);
  }
  return list;
}

const unstated: readonly null[] = [null];
const lists = new WeakMap<TensorType, readonly TensorType[]>();

function graphOf(argument: Tagged, number: number): { readonly name: string; readonly graph: JsonValue } {
  const graph = objectOf(getKey(argument.value, "graph")) ?? {};
  return { name: textOf(getKey(argument.value, "name")) ?? `graph_${number}`, graph };
}

const scalars = [
  ["sym_int_values", "int64"],
  ["sym_bool_values", "bool"],
  ["sym_float_values", "float64"],
] as const;

/** PyTorch 2.6 and later; the first ones do not say which they are. */
function countsCalls(version: string | null): boolean {
  const [, major = "0", minor = "0"] = /^(\d+)\.(\d+)\./.exec(version ?? "") ?? [];
  return Number(major) > 2 || (Number(major) === 2 && Number(minor) >= 6);
}
