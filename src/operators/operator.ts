import type { JsonObject, Structure } from "../ir/graph.ts";
import type { Shape } from "../ir/shape.ts";
import type { TensorType } from "../ir/tensor.ts";

/** An argument as a rule sees it. */
export interface RuleInput extends TensorType {
  /** Keyword it was passed under, where it matters (`initial_state`, `value`). */
  readonly name?: string;
  /** Value of a small constant. */
  readonly value?: unknown;
}

/** A wrapped layer as its wrapper's rule sees it. */
export interface InnerRule {
  readonly operator: string;
  readonly attributes: JsonObject;
  /** Runs the wrapped layer's own rule on these inputs, and records its weight shapes. */
  infer(inputs: readonly RuleInput[]): Inferred;
}

export interface RuleContext<A> {
  readonly attributes: A;
  readonly inputs: readonly RuleInput[];
  readonly inner: readonly InnerRule[];
  /** Runs of the graphs the operation holds, by attribute name: types of the outputs for types of the inputs. */
  readonly subgraphs?: ReadonlyMap<string, (inputs: readonly RuleInput[]) => readonly RuleInput[]>;
}

export interface Inferred {
  readonly types: readonly TensorType[];
  /** Container of several outputs; a list where absent. */
  readonly structure?: Structure;
}

/**
 * All facts of an operator in one record.
 *
 * A rule that cannot go on because its inputs make no sense throws `RuleError`; the engine turns it into one diagnostic
 * and an unknown shape. A rule that merely does not know returns a type with shape `null` or dimensions `null`.
 */
export interface OperatorDef<A = never> {
  readonly name: string;
  /** Canonical attributes from raw ones: defaults and checks, once. Unknown keys are ignored. */
  attributes(raw: JsonObject): A;
  /** Shapes of the weights the operator owns, by role, for these inputs. Absent: it owns none. */
  weights?(context: RuleContext<A>): Readonly<Record<string, Shape>>;
  infer(context: RuleContext<A>): Inferred;
}

/** The inputs of a rule contradict its operator (a rank that does not fit, sizes that do not match). */
export class RuleError extends Error {
  override readonly name = "RuleError";
}
