/**
 * Calls that are alike but for the layer they are of. A large network repeats a few blocks: of 8,000 operations some fifty
 * are different, and for the others no rule has to run again.
 */

import type { Argument, Call, JsonObject } from "../ir/graph.ts";
import { sameJson } from "../ir/same-json.ts";
import { sameShape } from "../ir/shape.ts";
import type { TensorType } from "../ir/tensor.ts";
import type { OperatorDef, RuleInput } from "../operators/operator.ts";
import type { ValuedType } from "../operators/tensor-values.ts";
import type { SharedFacts } from "./layer-facts.ts";

/** A call of which nothing had to be said. */
export interface KnownCall {
  readonly attributes: JsonObject;
  readonly call: Call;
  /** Of its inputs. */
  readonly types: readonly ValuedType[];
  /** Steps that it took beside those for its inputs. */
  readonly steps: number;
  readonly facts: SharedFacts;
}

/** A block rarely has more calls of one operator, and what is like none of them is compared with all. */
const maxKnown = 16;
/** After so many in a row that were like none, the network does not repeat itself, and there is no more looking. */
const maxMisses = 64;

/** An operator, and its calls that are known. */
export class OperatorCalls {
  readonly operator: OperatorDef;
  private readonly known: KnownCall[] = [];
  /** The one to compare first: blocks repeat their calls in the same order. */
  private next = 0;
  /** How many calls were like none, since one was. */
  private misses = 0;
  /** What attributes were read from last, and to what. */
  private raw: JsonObject | null = null;
  private attributes: unknown = null;

  constructor(operator: OperatorDef) {
    this.operator = operator;
  }

  /** Alike layers have one object for their attributes, which is read once. */
  attributesOf(raw: JsonObject): never {
    if (this.raw !== raw) {
      this.attributes = this.operator.attributes(raw);
      this.raw = raw;
    }
    return this.attributes as never;
  }

  /** The call that is like this one, whose inputs have `types`. */
  find(attributes: JsonObject, call: Call, types: readonly ValuedType[]): KnownCall | undefined {
    if (this.misses > maxMisses) return undefined;
    for (let left = this.known.length; left > 0; left--) {
      const known = this.known[this.next] as KnownCall;
      this.next = (this.next + 1) % this.known.length;
      if (sameJson(known.attributes, attributes) && isAlike(known, call, types)) {
        this.misses = 0;
        return known;
      }
    }
    this.misses += 1;
    return undefined;
  }

  /** Behind the others, or in place of the one that would have been next. */
  keep(known: KnownCall): void {
    if (this.misses > maxMisses) return;
    if (this.known.length < maxKnown) {
      this.known.push(known);
      this.next = 0;
    } else {
      this.known[this.next] = known;
      this.next = (this.next + 1) % maxKnown;
    }
  }
}

function isAlike(
  { call: known, types: knownTypes }: KnownCall,
  call: Call,
  types: readonly ValuedType[],
): boolean {
  const { inputs } = call;
  if (inputs.length !== known.inputs.length || !isStatedAlike(known, call)) return false;
  for (let i = 0; i < inputs.length; i++) {
    const a = known.inputs[i] as Argument;
    const b = inputs[i] as Argument;
    if (a.name !== b.name || a.kind !== b.kind) return false;
    if (a.kind === "constant" && b.kind === "constant" && !sameJson(a.value, b.value)) return false;
    if (!isSame(knownTypes[i] as ValuedType, types[i] as ValuedType)) return false;
  }
  return true;
}

/** Whether the file says the same of what the calls give. */
function isStatedAlike(a: Call, b: Call): boolean {
  if (a.outputs !== b.outputs || a.traced !== b.traced || a.declaredOutputs !== b.declaredOutputs)
    return false;
  const { declaredTypes: stated } = a;
  const { declaredTypes: others } = b;
  if (stated === others) return true;
  if (stated?.length !== others?.length) return false;
  for (let i = 0; i < (stated?.length ?? 0); i++)
    if (!isStatedSame(stated?.[i] ?? null, others?.[i] ?? null)) return false;
  return true;
}

function isStatedSame(a: TensorType | null, b: TensorType | null): boolean {
  return a === b || (a !== null && b !== null && isSame(a, b));
}

/** Most are one object: what is alike is worked out from what is. */
function isSame(a: RuleInput, b: RuleInput): boolean {
  if (a === b) return true;
  return (
    a.dtype === b.dtype &&
    (a.shape === b.shape || sameShape(a.shape, b.shape)) &&
    sameJson(a.value, b.value) &&
    a.of === b.of &&
    // A rule that hands an input on may leave its name on it.
    a.name === b.name
  );
}
