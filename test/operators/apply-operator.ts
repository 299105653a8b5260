import type { JsonObject } from "../../src/ir/graph.ts";
import { countOf, type Shape } from "../../src/ir/shape.ts";
import { operators } from "../../src/operators/index.ts";
import type { RuleInput } from "../../src/operators/operator.ts";

export interface Applied {
  /** Shape of the only output. */
  readonly output: Shape;
  readonly weights: Readonly<Record<string, Shape>>;
  /** Elements of all weights. */
  readonly parameters: number | null;
}

/** Runs one operator on inputs of the given shapes. */
export function apply(name: string, attributes: JsonObject, ...shapes: readonly Shape[]): Applied {
  const operator = operators.get(name);
  if (operator === undefined) throw new Error(`there is no operator ${name}`);
  const inputs = shapes.map((shape): RuleInput => ({ dtype: "float32", shape }));
  const context = { attributes: operator.attributes(attributes), inputs, inner: [] };
  const weights = operator.weights?.(context) ?? {};
  const elements = Object.values(weights).map(countOf);
  return {
    output: operator.infer(context).types[0]?.shape ?? null,
    weights,
    parameters: elements.includes(null) ? null : elements.reduce<number>((sum, n) => sum + (n ?? 0), 0),
  };
}
