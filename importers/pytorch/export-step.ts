/** What nodes of an exported program have in common that differ in their names alone: it is worked out once for all of them. */

import type { Argument, Json, JsonObject, Layer } from "../../src/ir/graph.ts";
import type { TensorType } from "../../src/ir/tensor.ts";
import { getKey, type JsonValue } from "../../src/wire/json.ts";
import { type Element, textIn } from "../../src/wire/json-shared.ts";
import { findOp } from "./aten/index.ts";
import { type Arguments, NodeView, operandsIn, type PortRecord } from "./aten.ts";
import { remembering } from "./bounded-cache.ts";
import { listOf, literalOf, type Name, refsIn, type Tagged, textOf, unionOf } from "./export-schema.ts";

/** An argument of a node. */
export interface Written {
  readonly name: string;
  /** Its name; without one, its place. */
  readonly key: string;
  readonly argument: Tagged;
}

/** A node but for its names. */
export interface Step {
  readonly target: Target;
  /** What its pattern has for the modules around it. */
  readonly stack: JsonValue | undefined;
  readonly written: readonly Written[];
  readonly outputs: readonly Tagged[];
  /** Names of the values it makes, in order. */
  readonly results: readonly (Name | null)[];
  /** That of the only one. */
  readonly only: Name | null;
  /** It runs graphs. */
  readonly runs: boolean;
  /** It is the same for all nodes of its pattern. */
  readonly alike: boolean;
  /** The last ways it was wired. */
  readonly wirings: Wiring[];
}

/** What a layer gets for a step: its operator, and what of the arguments is read as what. */
export interface Wiring {
  /** The types it holds for; null: for all. */
  readonly types: readonly (TensorType | null)[] | null;
  readonly casting: boolean;
  readonly operator: string;
  readonly attributes: JsonObject;
  readonly reads: readonly Slot[];
  /** Arguments that are others in each round of the graphs it runs. */
  readonly changing: readonly string[];
}

/** An input: a value by its name, or a number that is written down. `slot`: the operator's name for it. */
export type Slot =
  | { readonly name: Name; readonly slot: string }
  | { readonly name: null; readonly number: Argument };

/** Ports of operators that run graphs: what all rounds get, the stored tensors of it, and what each round gets anew. */
export const graphOperands = "operands";
export const graphHeld = "held";
const graphRounds: readonly string[] = ["carried", "sequences"];

/** Hands on what it gets, or works on sizes. */
const plumbing =
  /^(_operator\.|math\.|torch\.sym_|aten\.(sym_|_assert|detach$|alias$|lift_fresh|clone$|contiguous$|_to_copy$|to$|type_as$|item$)|prim\.|higher_order\.wrap_with_set_grad)/;

/** Ways of wiring that are kept for a step: the blocks of a network see a handful of types. */
const wiringsKept = 8;

export function readStep(node: Element): Step {
  const { pattern } = node;
  const inputs = listOf(getKey(pattern, "inputs"));
  const written = inputs.map((input, place) => readArgument(input, place, node));
  const outputs = listOf(getKey(pattern, "outputs")).map(unionOf);
  const results = outputs.flatMap(refsIn);
  return {
    target: parseTarget(textOf(getKey(pattern, "target")) ?? "?"),
    stack: getKey(getKey(pattern, "metadata"), "nn_module_stack"),
    written,
    outputs,
    results,
    only: results.length === 1 ? (results[0] ?? null) : null,
    runs: written.some(isGraph),
    // Arguments have names too, which are no names of values.
    alike: inputs.every((input) => typeof getKey(input, "name") !== "number"),
    wirings: [],
  };
}

/**
 * How a step is wired where its values have the types that `typeOf` says. `casting`: PyTorch casts operands as it sees fit, so that
 * rules give other types than come out.
 */
export function wiringOf(step: Step, casting: boolean, typeOf: (name: Name) => TensorType | null): Wiring {
  const { wirings, written } = step;
  let types: readonly (TensorType | null)[] | null = null;
  for (const wiring of wirings) {
    if (wiring.casting !== casting) continue;
    if (wiring.types === null) return wiring;
    types ??= typesIn(written, typeOf);
    if (wiring.types.every((type, i) => type === types?.[i])) return wiring;
  }
  const view = new NodeView(step.target.written, argumentsOf(written), step.outputs, typeOf);
  const wired = wire(step, casting, view);
  const wiring = { ...wired, types: view.askedTypes() ? (types ?? typesIn(written, typeOf)) : null };
  if (wirings.length >= wiringsKept) wirings.length = 0;
  wirings.push(wiring);
  return wiring;
}

function typesIn(
  written: readonly Written[],
  typeOf: (name: Name) => TensorType | null,
): readonly (TensorType | null)[] {
  return written.flatMap(({ argument }) =>
    refsIn(argument).map((name) => (name === null ? null : typeOf(name))),
  );
}

/** Finds the operator of a step and its attributes. Without a record it is opaque, and has its arguments as they are written. */
function wire({ target, written, runs }: Step, casting: boolean, view: NodeView): Omit<Wiring, "types"> {
  const op = findOp(view, target.type);
  const attributes = op?.attributes?.(view) ?? noAttributes;
  const ports = typeof op?.inputs === "function" ? op.inputs(view) : op?.inputs;
  if (!op || !ports || view.missed() || (casting && !runs)) return { casting, ...opaque(written) };
  const reads: Slot[] = [];
  // A handful at most.
  const read: string[] = [];
  const changing: string[] = [];
  for (const port of ports) {
    const { argument: slot, name, number } = typeof port === "string" ? operandless(port) : port;
    const argument = argumentsOf(written).get(slot);
    if (!argument || read.includes(slot)) continue;
    read.push(slot);
    if (graphRounds.includes(name)) changing.push(slot);
    for (const held of number ? operandsIn(argument) : refsIn(argument)) {
      if (typeof held === "number") reads.push({ name: null, number: numberArgument(held, name) });
      else if (held !== null) reads.push({ name: held, slot: name });
    }
  }
  for (const { name, key, argument } of written)
    if (!read.includes(key)) reads.push(...slotsOf(argument, runs ? graphOperands : name));
  return { casting, operator: op.operator, attributes, reads, changing };
}

function opaque(written: readonly Written[]): Omit<Wiring, "types" | "casting"> {
  const attributes: { [key: string]: Json } = {};
  for (const { name, argument } of written) {
    const literal = literalOf(argument);
    // Of that name the rule for what is opaque takes shapes from.
    if (literal !== undefined && name !== "" && name !== "outputShapes") attributes[name] = literal;
  }
  const reads = written.flatMap(({ name, argument }) => slotsOf(argument, name));
  return { operator: "Opaque", attributes, reads, changing: [] };
}

function slotsOf(argument: Tagged, slot: string): readonly Slot[] {
  return refsIn(argument).flatMap((name) => (name === null ? [] : [{ name, slot }]));
}

/** One for all: most operators have none. */
const noAttributes: JsonObject = {};

/** Without a name, its key is its place. */
function readArgument(input: JsonValue, place: number, node: Element): Written {
  const name = textIn(node, getKey(input, "name")) ?? "";
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

export function isGraph({ argument }: Written): boolean {
  return argument.tag === "as_graph";
}

/** Whether a step switches on or off that operands are cast; null: neither. */
export function castsInside({ target, written }: Step): boolean | null {
  const enabled = target.type === "higher_order.wrap_with_autocast" ? written[2]?.argument.value : null;
  return typeof enabled === "boolean" ? enabled : null;
}

/** A number that is written down has no element type of its own. Infinity is no JSON. */
function numberArgument(value: number, name: string): Argument {
  const type: TensorType = { dtype: null, shape: [] };
  return { kind: "constant", type, name, ...(Number.isFinite(value) && { value }) };
}

function operandless(argument: string): PortRecord {
  return { argument, name: argument };
}

/** Operators that are remembered: a graph has some tens. */
const targetsKept = 256;

interface Target {
  /** `torch.ops.aten.conv2d.default`. */
  readonly written: string;
  /** `aten.conv2d`. */
  readonly type: string;
  /** `conv2d`. */
  readonly name: string;
  readonly source: Layer["source"];
  readonly isPlumbing: boolean;
}

const parseTarget = remembering(targetsKept, (written): Target => {
  const parts = /^torch\.ops\.([^.]+)\.([^.]+)/.exec(written);
  const type = parts ? `${parts[1]}.${parts[2]}` : written;
  return {
    written,
    type,
    name: type.slice(type.lastIndexOf(".") + 1),
    source: { dialect: "pytorch", type },
    isPlumbing: plumbing.test(type),
  };
});
