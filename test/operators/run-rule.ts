import { type Dim, formatDim } from "../../src/ir/dim.ts";
import type { DType } from "../../src/ir/dtype.ts";
import type { JsonObject } from "../../src/ir/graph.ts";
import { formatShape, type Shape } from "../../src/ir/shape.ts";
import { operators } from "../../src/operators/index.ts";
import type { Inferred, RuleInput } from "../../src/operators/operator.ts";

/** An input of which elements are known: one for a scalar, else all in row-major order. */
export function known(dtype: DType, shape: Shape, value: Dim | readonly Dim[]): RuleInput {
  return { dtype, shape, value };
}

/** An input of which only the type is known. */
export function tensor(dtype: DType | null, shape: Shape): RuleInput {
  return { dtype, shape };
}

export function named(name: string, input: RuleInput): RuleInput {
  return { ...input, name };
}

/** Runs one operator's rule. */
export function run(name: string, inputs: readonly RuleInput[], attributes: JsonObject = {}): Inferred {
  const operator = operators.get(name);
  if (!operator) throw new Error(`there is no operator ${name}`);
  return operator.infer({ attributes: operator.attributes(attributes) as never, inputs, inner: [] });
}

/** Types of the outputs, as text: `float32 (2, h)`. */
export function types(name: string, inputs: readonly RuleInput[], attributes: JsonObject = {}): string[] {
  return run(name, inputs, attributes).types.map(
    ({ dtype, shape }) => `${dtype ?? "?"} ${formatShape(shape)}`,
  );
}

/** Elements of the first output, as text: `2*h 3 ?`; `none` when nothing is known of them. */
export function elements(name: string, inputs: readonly RuleInput[], attributes: JsonObject = {}): string {
  const [type] = run(name, inputs, attributes).types;
  const value = type && "value" in type ? (type.value as Dim | readonly Dim[]) : undefined;
  if (value === undefined) return "none";
  return [value].flat().map(formatDim).join(" ");
}
