/**
 * Operations that run graphs (ONNX's If, Loop, Scan and SequenceMap). A body's types come from running it on types; what
 * is carried from one round to the next is widened until a round changes nothing more.
 */

import { counted } from "../counted.ts";
import { contradicts, type Dim, formatDim, maxDims, sharperDim } from "../ir/dim.ts";
import type { TensorType } from "../ir/tensor.ts";
import { maxLoopRounds } from "../limits.ts";
import { dimAt, resolveAxis } from "./arguments.ts";
import { readInteger } from "./attributes.ts";
import {
  containerAt,
  containerOf,
  containerOfAny,
  sameType,
  typeOf,
  unionType,
  unknownType,
  withoutValue,
} from "./containers.ts";
import { type Inferred, type OperatorDef, type RuleContext, RuleError, type RuleInput } from "./operator.ts";
import { defineOperator, optionalIntegers } from "./tensor-rule.ts";
import { knownValue, type ValuedType } from "./tensor-values.ts";

export type Body = (inputs: readonly RuleInput[]) => readonly RuleInput[];

function subgraph(context: RuleContext<unknown>, name: string): Body {
  const body = context.subgraphs?.get(name);
  if (!body) throw new RuleError(`it has no graph "${name}"`);
  return body;
}

/** The one truth value of a tensor, where it is known. */
function truth(input: RuleInput | undefined): boolean | null {
  const value = knownValue(input);
  const first = Array.isArray(value) ? (value.length === 1 ? (value[0] as Dim) : null) : value;
  return typeof first === "number" ? first !== 0 : null;
}

/** condition -> what the branch returns that is taken; where that is not known, what both branches have in common. */
const conditional = defineOperator<null>({
  name: "If",
  attributes: () => null,
  infer(context): Inferred {
    const taken = truth(context.inputs[0]);
    if (taken !== null) {
      return { types: subgraph(context, taken ? "then_branch" : "else_branch")([]).map(typeOf) };
    }
    const yes = subgraph(context, "then_branch")([]).map(typeOf);
    const no = subgraph(context, "else_branch")([]).map(typeOf);
    if (yes.length !== no.length)
      throw new RuleError(`branches of ${yes.length} and ${counted(no.length, "result")}`);
    return { types: yes.map((type, i) => unionType(type, no[i] ?? unknownType)) };
  },
});

export interface Settled {
  /** What is carried, as it is before any round and after the last. */
  readonly carried: readonly ValuedType[];
  /** What a round makes of it. */
  readonly results: readonly ValuedType[];
  /** What a round returns besides. */
  readonly rest: readonly ValuedType[];
}

/** Runs `round` on the carried types, widens them by its results, and goes on until nothing changes. */
export function settle(
  initial: readonly ValuedType[],
  round: (carried: readonly ValuedType[]) => readonly RuleInput[],
): Settled {
  let carried = initial.map((type) => unionType(type, type));
  for (let rounds = 0; ; rounds++) {
    const results = round(carried).map(typeOf);
    if (results.length < carried.length) {
      throw new RuleError(
        `the graph returns ${counted(results.length, "value")} and should carry ${carried.length}`,
      );
    }
    const widened = carried.map((type, i) => unionType(type, results[i] ?? unknownType));
    const stable = widened.every((type, i) => sameType(type, carried[i] ?? unknownType));
    if (stable) return { carried, results, rest: results.slice(carried.length) };
    carried = rounds < maxLoopRounds ? widened : widened.map(() => unknownType);
  }
}

/** What rounds leave, one after the other along a new axis. */
export function stacked(type: TensorType, rounds: Dim, axis = 0): TensorType {
  const { dtype, shape } = type;
  return { dtype, shape: shape?.toSpliced(resolveAxis(axis, shape.length + 1), 0, rounds) ?? null };
}

/** The body decides whether what may start as an optional ends as one. */
function afterLast(carried: ValuedType, result: ValuedType): ValuedType {
  return carried.of?.container === "optional" && result.of?.container !== "optional" ? result : carried;
}

/** Only a loop whose condition stays true runs as often as it is told. */
function tripCount(count: RuleInput | undefined, condition: TensorType | undefined): Dim {
  const value = knownValue(count);
  const stated = Array.isArray(value) ? ((value as readonly Dim[])[0] ?? null) : (value as Dim | undefined);
  return stated !== undefined && stated !== null && truth(condition) === true ? maxDims(stated, 0) : null;
}

/** count, condition, initial... -> what is carried after the last round..., and what the rounds leave... */
const loop = defineOperator<null>({
  name: "Loop",
  attributes: () => null,
  infer(context): Inferred {
    const body = subgraph(context, "body");
    const { inputs } = context;
    const count = inputs.find((input) => input.name === "count");
    const condition = inputs.find((input) => input.name === "condition");
    const initial = inputs.filter((input) => input.name === "initial").map(typeOf);
    const start = condition ? typeOf(condition) : { dtype: "bool" as const, shape: [], value: 1 };
    // A scalar, or a vector of one where the body says so (ONNX Runtime takes both).
    const iteration: RuleInput = { dtype: "int64", shape: null };
    const settled = settle([start, ...initial], (types) => body([iteration, ...types]));
    const rounds = tripCount(count, settled.carried[0]);
    const final = settled.carried.map((type, i) => afterLast(type, settled.results[i] ?? unknownType));
    return { types: [...final.slice(1), ...settled.rest.map((type) => stacked(type, rounds))] };
  },
});

interface ScanAttributes {
  readonly scanned: number;
  readonly inputAxes: readonly number[] | null;
  readonly outputAxes: readonly number[] | null;
  readonly batched: boolean;
}

/** Sizes that have to be one. */
function agreedDim(dims: readonly Dim[]): Dim {
  return dims.reduce<Dim>((known, dim) => {
    if (contradicts(known, dim)) {
      throw new RuleError(`sequences of ${formatDim(known)} and ${formatDim(dim)} elements`);
    }
    return sharperDim(known, dim);
  }, null);
}

function dimOf(type: TensorType, axis: number): Dim {
  return type.shape === null ? null : dimAt(type.shape, axis);
}

function withoutAxis({ dtype, shape }: TensorType, axis: number): TensorType {
  return { dtype, shape: shape?.toSpliced(resolveAxis(axis, shape.length), 1) ?? null };
}

/** states..., sequences... -> last states..., what the rounds leave... */
function scanPlain(
  body: Body,
  states: readonly ValuedType[],
  sequences: readonly TensorType[],
  { inputAxes, outputAxes }: Pick<ScanAttributes, "inputAxes" | "outputAxes">,
): readonly TensorType[] {
  const axisOf = (i: number): number => inputAxes?.[i] ?? 0;
  const rounds = agreedDim(sequences.map((type, i) => dimOf(type, axisOf(i))));
  const elements = sequences.map((type, i) => withoutAxis(type, axisOf(i)));
  const { carried, rest } = settle(states, (types) => body([...types, ...elements]));
  return [...carried, ...rest.map((type, i) => stacked(type, rounds, outputAxes?.[i] ?? 0))];
}

/**
 * `batched` (ONNX's first version): all have a batch axis in front that the body does not see, sequences run along axis 1.
 */
const scan = defineOperator<ScanAttributes>({
  name: "Scan",
  attributes: (raw) => ({
    scanned: readInteger(raw, "scanned", { min: 0 }),
    inputAxes: optionalIntegers(raw, "inputAxes"),
    outputAxes: optionalIntegers(raw, "outputAxes"),
    batched: raw.batched === true,
  }),
  infer(context): Inferred {
    const { attributes } = context;
    const { scanned, batched } = attributes;
    const body = subgraph(context, "body");
    const given = context.inputs.filter((input) => input.name !== "lengths").map(typeOf);
    if (given.length < scanned)
      throw new RuleError(`${counted(given.length, "input")} of which it scans ${scanned}`);
    const states = given.slice(0, given.length - scanned);
    const sequences = given.slice(given.length - scanned);
    if (!batched) return { types: scanPlain(body, states, sequences, attributes) };
    const batch = agreedDim(given.map((type) => dimOf(type, 0)));
    const inner = (type: TensorType): TensorType => withoutAxis(type, 0);
    const results = scanPlain(body, states.map(inner), sequences.map(inner), {
      inputAxes: null,
      outputAxes: null,
    });
    return { types: results.map((type) => stacked(type, batch)) };
  },
});

/** A sequence, sequences or tensors... -> for each result of the body the sequence of what it is for each item. */
const sequenceMap = defineOperator<null>({
  name: "SequenceMap",
  attributes: () => null,
  infer(context): Inferred {
    const [first, ...more] = context.inputs;
    if (!first) throw new RuleError("it is called without a sequence");
    const { element, items } = containerAt(first, "sequence");
    const others = more.map((input): TensorType => {
      return input.of?.container === "sequence" ? (input.of.element ?? unknownType) : typeOf(input);
    });
    const results = subgraph(context, "body")([element ?? unknownType, ...others]).map(typeOf);
    return {
      types: results.map((type) => {
        const each = withoutValue(type);
        if (!items) return containerOfAny("sequence", each);
        return containerOf(
          "sequence",
          items.map(() => each),
          each,
        );
      }),
    };
  },
});

export const controlOperators: readonly OperatorDef<unknown>[] = [conditional, loop, scan, sequenceMap];
