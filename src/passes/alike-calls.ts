/**
 * Calls that are alike but for the layer they are of. A large network repeats a few blocks: of 8,000 operations some fifty
 * are different, and for the others no rule has to run again.
 */

import type { Call, JsonObject } from "../ir/graph.ts";
import { sameShape } from "../ir/shape.ts";
import type { OperatorDef, RuleInput } from "../operators/operator.ts";
import type { SharedFacts } from "./layer-facts.ts";

/** A call of which nothing had to be said. */
export interface KnownCall {
  readonly attributes: JsonObject;
  readonly call: Call;
  readonly inputs: readonly RuleInput[];
  /** Steps that it took beside those for its inputs. */
  readonly steps: number;
  readonly facts: SharedFacts;
}

/** A block rarely has more calls of one operator, and what is like none of them is compared with all. */
const maxKnown = 16;

/** An operator, and its calls that are known. */
export class OperatorCalls {
  readonly operator: OperatorDef;
  private readonly known: KnownCall[] = [];
  /** The one to compare first: blocks repeat their calls in the same order. */
  private next = 0;
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

  /** The call that this one is like. */
  find(attributes: JsonObject, call: Call, inputs: readonly RuleInput[]): KnownCall | undefined {
    for (let left = this.known.length; left > 0; left--) {
      const known = this.known[this.next] as KnownCall;
      this.next = (this.next + 1) % this.known.length;
      if (known.attributes === attributes && isAlike(known.call, call) && areSame(known.inputs, inputs))
        return known;
    }
    return undefined;
  }

  /** Behind the others, or in place of the one that would have been next. */
  keep(known: KnownCall): void {
    if (this.known.length < maxKnown) {
      this.known.push(known);
      this.next = 0;
    } else {
      this.known[this.next] = known;
      this.next = (this.next + 1) % maxKnown;
    }
  }
}

/** Whether the file says the same of what the calls give. */
function isAlike(a: Call, b: Call): boolean {
  return (
    a.outputs === b.outputs &&
    a.traced === b.traced &&
    a.declaredOutputs === b.declaredOutputs &&
    (a.declaredTypes === b.declaredTypes || areSame(a.declaredTypes, b.declaredTypes))
  );
}

function areSame(
  a: readonly (RuleInput | null)[] | undefined,
  b: readonly (RuleInput | null)[] | undefined,
): boolean {
  if (a === undefined || b?.length !== a.length) return false;
  for (let i = 0; i < a.length; i++) {
    const one = a[i] ?? null;
    const other = b[i] ?? null;
    if (one !== other && (one === null || other === null || !isSame(one, other))) return false;
  }
  return true;
}

/** By identity where it is no matter of a few numbers: most of what is alike comes from what is. */
function isSame(a: RuleInput, b: RuleInput): boolean {
  return (
    a.dtype === b.dtype &&
    (a.shape === b.shape || sameShape(a.shape, b.shape)) &&
    a.name === b.name &&
    a.value === b.value &&
    a.of === b.of
  );
}
