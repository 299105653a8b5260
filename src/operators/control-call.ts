/**
 * PyTorch's operations that run graphs (torch 2.14, torch.ops.higher_order). A graph gets what the operation gets, in order:
 * what is carried from round to round, elements of sequences, then operands that are the same in all rounds. Of stored tensors
 * (`held`) the graphs know themselves.
 */

import { counted } from "../counted.ts";
import { contradicts, type Dim, formatDim, sharperDim } from "../ir/dim.ts";
import type { TensorType } from "../ir/tensor.ts";
import { requireMinimumRank } from "./arguments.ts";
import { typeOf, unionType, unknownType, withoutValue } from "./containers.ts";
import { type Body, settle, stacked } from "./control.ts";
import { type OperatorDef, type RuleContext, RuleError, type RuleInput } from "./operator.ts";
import { defineOperator } from "./tensor-rule.ts";
import type { ValuedType } from "./tensor-values.ts";

/** The graphs in the order in which the operation has them. */
function graphsOf(context: RuleContext<unknown>, count: number): readonly Body[] {
  const graphs = [...(context.subgraphs?.values() ?? [])];
  if (graphs.length !== count)
    throw new RuleError(`it has ${counted(graphs.length, "graph")} and should have ${count}`);
  return graphs;
}

function typesOf(inputs: readonly RuleInput[], port: string): readonly ValuedType[] {
  return inputs.filter(({ name }) => name === port).map(typeOf);
}

/** condition, operands... -> what both branches have in common. */
const branch = defineOperator<null>({
  name: "Branch",
  attributes: () => null,
  infer(context) {
    const [yes = [], no = []] = graphsOf(context, 2).map((run) =>
      run(typesOf(context.inputs, "operands")).map(typeOf),
    );
    if (yes.length !== no.length)
      throw new RuleError(`branches of ${yes.length} and ${counted(no.length, "result")}`);
    return { types: yes.map((type, i) => unionType(type, no[i] ?? unknownType)) };
  },
});

/** carried..., operands... -> what is carried after the last round. The first graph says whether there is another. */
const whileLoop = defineOperator<null>({
  name: "While",
  attributes: () => null,
  infer(context) {
    const operands = typesOf(context.inputs, "operands");
    const [condition, body] = graphsOf(context, 2);
    const { carried } = settle(
      typesOf(context.inputs, "carried"),
      (types) => body?.([...types, ...operands]) ?? [],
    );
    condition?.([...carried, ...operands]);
    return { types: carried.map(withoutValue) };
  },
});

/** How many elements the sequences have along their first axis, and the types of their elements. */
function elementsOf(sequences: readonly TensorType[]): {
  readonly rounds: Dim;
  readonly elements: readonly TensorType[];
} {
  let rounds: Dim = null;
  const elements = sequences.map(({ dtype, shape }): TensorType => {
    if (shape === null) return { dtype, shape };
    requireMinimumRank(shape, 1);
    const first = shape[0] ?? null;
    if (contradicts(rounds, first))
      throw new RuleError(`sequences of ${formatDim(rounds)} and ${formatDim(first)} elements`);
    rounds = sharperDim(rounds, first);
    return { dtype, shape: shape.slice(1) };
  });
  return { rounds, elements };
}

/** sequences..., operands... -> what the graph makes of each element. */
const mapOver = defineOperator<null>({
  name: "MapOver",
  attributes: () => null,
  infer(context) {
    const [body] = graphsOf(context, 1);
    const { rounds, elements } = elementsOf(typesOf(context.inputs, "sequences"));
    const results = body?.([...elements, ...typesOf(context.inputs, "operands")]) ?? [];
    return { types: results.map((type) => stacked(type, rounds)) };
  },
});

/** carried..., sequences..., operands... -> what is carried after the last element..., what each round leaves... */
const scanOver = defineOperator<null>({
  name: "ScanOver",
  attributes: () => null,
  infer(context) {
    const [body] = graphsOf(context, 1);
    const operands = typesOf(context.inputs, "operands");
    const { rounds, elements } = elementsOf(typesOf(context.inputs, "sequences"));
    const initial = typesOf(context.inputs, "carried");
    const { carried, rest } = settle(initial, (types) => body?.([...types, ...elements, ...operands]) ?? []);
    return { types: [...carried.map(withoutValue), ...rest.map((type) => stacked(type, rounds))] };
  },
});

/** operands... -> what the graph makes of them. */
const callGraph = defineOperator<null>({
  name: "CallGraph",
  attributes: () => null,
  infer(context) {
    const [body] = graphsOf(context, 1);
    return { types: (body?.(typesOf(context.inputs, "operands")) ?? []).map(typeOf) };
  },
});

export const controlCallOperators: readonly OperatorDef<unknown>[] = [
  branch,
  whileLoop,
  mapOver,
  scanOver,
  callGraph,
];
