import type { JsonObject, Structure } from "../../src/ir/graph.ts";
import type { Shape } from "../../src/ir/shape.ts";
import { operators } from "../../src/operators/index.ts";
import type { Inferred, InnerRule, RuleInput } from "../../src/operators/operator.ts";

/** An operator with its attributes and the layers it wraps. */
export interface Part {
  readonly operator: string;
  readonly attributes?: JsonObject;
  readonly inner?: readonly Part[];
}

export interface Ran {
  readonly shapes: readonly Shape[];
  /** What is known of the elements, by output. */
  readonly values: readonly unknown[];
  readonly structure: Structure | undefined;
  readonly weights: Readonly<Record<string, Shape>>;
  /** Weights of the wrapped layers, by their place: "0" or "1/0". */
  readonly wrapped: Readonly<Record<string, Readonly<Record<string, Shape>>>>;
}

function context(
  part: Part,
  inputs: readonly RuleInput[],
  at: string,
  wrapped: Record<string, Record<string, Shape>>,
) {
  const operator = operators.get(part.operator);
  if (!operator) throw new Error(`there is no operator ${part.operator}`);
  const inner = (part.inner ?? []).map((child, i): InnerRule => {
    const place = at === "" ? `${i}` : `${at}/${i}`;
    return {
      operator: child.operator,
      attributes: child.attributes ?? {},
      infer: (given): Inferred => {
        const run = context(child, given, place, wrapped);
        wrapped[place] = { ...run.weights() };
        return run.infer();
      },
    };
  });
  const rule = { attributes: operator.attributes(part.attributes ?? {}), inputs, inner };
  return { weights: () => operator.weights?.(rule) ?? {}, infer: () => operator.infer(rule) };
}

/** Runs an operator, wrapped layers included. */
export function run(part: Part, ...inputs: readonly (RuleInput | Shape)[]): Ran {
  const given = inputs.map(
    (input): RuleInput =>
      input === null || Array.isArray(input)
        ? { dtype: "float32", shape: input as Shape }
        : (input as RuleInput),
  );
  const wrapped: Record<string, Record<string, Shape>> = {};
  const ran = context(part, given, "", wrapped);
  const weights = ran.weights();
  const { types, structure } = ran.infer();
  const values = types.map((type: RuleInput) => type.value);
  return { shapes: types.map((type) => type.shape), values, structure, weights, wrapped };
}

/** An input under the name of its parameter. */
export function named(name: string, shape: Shape, value?: unknown): RuleInput {
  return { dtype: null, shape, name, ...(value !== undefined && { value }) };
}
