/** How an ATen operator becomes a canonical one: a record each, in aten/<family>.ts. */

import type { DType } from "../../src/ir/dtype.ts";
import type { Json, JsonObject } from "../../src/ir/graph.ts";
import type { TensorType } from "../../src/ir/tensor.ts";
import { getKey, type JsonValue } from "../../src/wire/json.ts";
import { dtypeArgument, listOf, type Name, refsIn, type Tagged, textOf } from "./export-schema.ts";

/**
 * An argument of the schema that is an input of the canonical operator, in whose order they stand. Tensors are inputs
 * each, of a list in order; so are sizes and numbers that the program works out. Numbers written down are attributes,
 * unless `number` says that they are operands.
 */
export interface PortRecord {
  /** Name in the schema. */
  readonly argument: string;
  /** Name that the canonical operator has for it. */
  readonly name: string;
  readonly number?: true;
}

/** A text: the argument has the same name in both. */
export type Port = string | PortRecord;

export interface AtenOp {
  /** Canonical operator. */
  readonly operator: string;
  /** What is not named here and is no number stands behind, under the schema's name. */
  readonly inputs: readonly Port[] | ((node: NodeView) => readonly Port[]);
  attributes?(node: NodeView): JsonObject;
  /** False for a node of that name that the canonical operator does not describe: it stays opaque. */
  applies?(node: NodeView): boolean;
}

/**
 * By target without `torch.ops.`: `aten.add` for all overloads, `aten.add.Scalar` for one that differs. Of several records the
 * first that applies counts.
 */
export type AtenOps = Readonly<Record<string, AtenOp | readonly AtenOp[]>>;

export function port(argument: string, name: string): PortRecord {
  return { argument, name };
}

/** An operand that may be a plain number. */
export function operand(argument: string, name: string = argument): PortRecord {
  return { argument, name, number: true };
}

/** What an argument is: a plain number is a literal or worked out from sizes, and has no element type of its own. */
export type Kind = "tensor" | "bool" | "int" | "float" | "complex";

/** The written arguments of a node, by name. */
export interface Arguments {
  get(name: string): Tagged | undefined;
}

/**
 * A node as a record reads it, by the schema's names. What the file leaves out has the schema's default, which the record
 * gives. A number that is asked for and that the program works out, or one of another kind, is no default: it is `missed`.
 */
export class NodeView {
  /** `aten.add.Tensor`. */
  readonly target: string;
  private readonly written: Arguments;
  private readonly results: readonly Tagged[];
  private readonly statedType: (name: Name) => TensorType | null;
  private hasMissed = false;
  private hasAskedTypes = false;

  /** `statedType`: what the file says of a value. */
  constructor(
    target: string,
    written: Arguments,
    results: readonly Tagged[],
    statedType: (name: Name) => TensorType | null,
  ) {
    this.target = target;
    this.written = written;
    this.results = results;
    this.statedType = statedType;
  }

  /** What the outputs are; null for one the file does not describe. */
  get outputs(): readonly (Kind | null)[] {
    return this.results.map(kindOf);
  }

  /** Given, and not None. */
  has(name: string): boolean {
    return (this.written.get(name)?.tag ?? "as_none") !== "as_none";
  }

  kind(name: string): Kind | null {
    return kindOf(this.written.get(name));
  }

  flag(name: string, fallback: boolean): boolean {
    const value = plain(this.written.get(name));
    return this.told(name, typeof value === "boolean" ? value : null) ?? fallback;
  }

  /** A whole number; what is too large to be one is the largest, which stands for "to the end". */
  int(name: string, fallback: number): number {
    return this.optionalInt(name) ?? fallback;
  }

  optionalInt(name: string): number | null {
    return this.told(name, wholeOf(plain(this.written.get(name))));
  }

  number(name: string): number | null {
    const value = plain(this.written.get(name));
    return this.told(name, typeof value === "number" && Number.isFinite(value) ? value : null);
  }

  /** Whole numbers; one by itself is a list of one. null when absent, or when one of them is worked out by the program. */
  ints(name: string): readonly number[] | null {
    const found = sizesOf(this.written.get(name));
    return this.told(name, found?.every((size) => size !== null) ? (found as readonly number[]) : null);
  }

  floats(name: string): readonly number[] | null {
    const argument = this.written.get(name);
    const found = listOf(argument?.value).map((item) => (typeof item === "number" ? item : Number.NaN));
    return this.told(name, argument?.tag === "as_floats" && found.every(Number.isFinite) ? found : null);
  }

  /** Whole numbers, null for those that the program works out: these are inputs. */
  sizes(name: string): readonly (number | null)[] | null {
    return this.told(name, sizesOf(this.written.get(name)));
  }

  /** For each tensor of a list whether it is given. */
  present(name: string): readonly boolean[] {
    return this.namesOf(name).map((item) => item !== null);
  }

  text(name: string): string | null {
    const argument = this.written.get(name);
    return argument?.tag === "as_string" ? textOf(argument.value) : null;
  }

  dtype(name: string): DType | null {
    return this.told(name, dtypeArgument(this.written.get(name)));
  }

  /** Axes of a tensor, as the file states it. */
  rank(name: string): number | null {
    return this.statedOf(name)?.shape?.length ?? null;
  }

  /** Element type of a tensor, as the file states it. */
  elementType(name: string): DType | null {
    return this.statedOf(name)?.dtype ?? null;
  }

  /** Whether something was asked for that is there and cannot be told: the record then does not describe the node. */
  missed(): boolean {
    return this.hasMissed;
  }

  /** Whether a type was asked for: what the record gives then holds for no other types. */
  askedTypes(): boolean {
    return this.hasAskedTypes;
  }

  private told<T>(name: string, value: T | null): T | null {
    this.hasMissed ||= value === null && this.has(name);
    return value;
  }

  private namesOf(name: string): readonly (Name | null)[] {
    const argument = this.written.get(name);
    return argument ? refsIn(argument) : [];
  }

  private statedOf(name: string): TensorType | null {
    this.hasAskedTypes = true;
    const [first] = this.namesOf(name);
    return first ? this.statedType(first) : null;
  }
}

const plainTags = new Set(["as_int", "as_float", "as_bool"]);
const symbolicTags = new Set(["as_sym_int", "as_sym_float", "as_sym_bool"]);

/** A number or a truth value that is written down; as a size it may be one in a union of its own. */
function plain(argument: Tagged | undefined): Json {
  if (!argument) return null;
  const { tag, value } = argument;
  // What JSON has no number for is a text: "Infinity".
  if (tag === "as_float" && typeof value === "string") return Number(value);
  if (plainTags.has(tag) && typeof value !== "object") return value as Json;
  if (symbolicTags.has(tag)) {
    const held = getKey(value, tag.replace("sym_", ""));
    return typeof held === "number" || typeof held === "boolean" ? held : null;
  }
  return null;
}

function wholeOf(value: JsonValue | undefined): number | null {
  if (typeof value !== "number" || !Number.isInteger(value)) return null;
  return Math.max(-Number.MAX_SAFE_INTEGER, Math.min(value, Number.MAX_SAFE_INTEGER));
}

function sizesOf(argument: Tagged | undefined): readonly (number | null)[] | null {
  if (!argument) return null;
  const { tag, value } = argument;
  if (tag === "as_ints" || tag === "as_sym_ints")
    return listOf(value).map((item) => wholeOf(typeof item === "object" ? getKey(item, "as_int") : item));
  return tag === "as_int" || tag === "as_sym_int" ? [wholeOf(plain(argument) ?? undefined)] : null;
}

function kindOf(argument: Tagged | undefined): Kind | null {
  const found = /^as_(?:sym_)?(tensor|bool|int|float|complex|optional_tensor)s?$/.exec(argument?.tag ?? "");
  if (!found) return null;
  return found[1] === "optional_tensor" ? "tensor" : (found[1] as Kind);
}

/** The operands of an argument in order: names of values, numbers that are written down (NaN for a complex one), null for one left out. */
export function operandsIn(argument: Tagged): readonly (Name | number | null)[] {
  if (argument.tag === "as_complex") return [Number.NaN];
  const number = plain(argument);
  if (typeof number === "number" || typeof number === "boolean") return [Number(number)];
  const names = refsIn(argument);
  if (!/^as_(sym_)?(int|float|bool)s$/.test(argument.tag)) return names;
  return listOf(argument.value).map((item, i) => {
    const value = typeof item === "object" ? Object.values(item ?? {})[0] : item;
    return names[i] ?? (typeof value === "number" || typeof value === "boolean" ? Number(value) : null);
  });
}
