/**
 * Values of small whole-number tensors, as far as they are known without running the model: what tf.shape returns and
 * what is computed from it decides shapes further on (tf.keras folds the same: KerasTensor's inferred value).
 */

import { type Dim, isWholeDim } from "../ir/dim.ts";
import type { SymbolicDim } from "../ir/expression.ts";
import type { TensorType } from "../ir/tensor.ts";
import { maxKnownValues } from "../limits.ts";
import type { Inferred, RuleInput } from "./operator.ts";

/** A number, or a list of numbers, any of which may be unknown. */
export type Value = Dim | readonly Dim[];

/** A type that carries its value to the rules that take it as an input. */
export interface ValuedType extends TensorType {
  readonly value?: Value;
}

function asDim(value: unknown): Dim | undefined {
  if (value === null) return value;
  if (isSymbolic(value)) return isWholeDim(value) ? value : undefined;
  return typeof value === "number" && Number.isSafeInteger(value) ? value : undefined;
}

function isSymbolic(value: unknown): value is SymbolicDim {
  return typeof value === "object" && value !== null && "terms" in value;
}

/** The value of an input, or undefined when nothing is known of it. */
export function knownValue(input: RuleInput | undefined): Value | undefined {
  const value = input?.value;
  if (value === undefined) return undefined;
  if (!Array.isArray(value)) return asDim(value);
  const items = value.map(asDim);
  return items.every((item) => item !== undefined) ? items : undefined;
}

/** A known value as a list. */
function isList(value: Value | undefined): value is readonly Dim[] {
  return Array.isArray(value);
}

export function listValue(input: RuleInput | undefined): readonly Dim[] | undefined {
  const value = knownValue(input);
  return isList(value) ? value : undefined;
}

export function scalarValue(input: RuleInput | undefined): Dim | undefined {
  const value = knownValue(input);
  return isList(value) ? undefined : value;
}

/** One output with its value, where there is one. */
export function valued({ dtype, shape }: TensorType, value: Value | undefined): Inferred {
  const type: ValuedType = { dtype, shape, ...(value !== undefined && { value }) };
  return { types: [type] };
}

/** Values of tensors joined along their only axis; unknown values leave as many unknown numbers as there are. */
export function joinValues(inputs: readonly RuleInput[]): readonly Dim[] | undefined {
  const parts: Dim[] = [];
  for (const input of inputs) {
    const value = listValue(input);
    const length = input.shape?.[0] ?? null;
    if (input.shape?.length !== 1) return undefined;
    if (value) parts.push(...value);
    else if (typeof length === "number" && length <= maxKnownValues)
      parts.push(...new Array<Dim>(length).fill(null));
    else return undefined;
  }
  return parts;
}

/**
 * The numbers of an argument: those in the configuration, in which `null` stands for the tensors passed under `name`,
 * in order; or the value of the one tensor that is the whole argument. null: not even their count is known.
 */
export function argumentValues(
  stated: readonly Dim[] | null,
  inputs: readonly RuleInput[],
  name: string,
): readonly Dim[] | null {
  const passed = inputs.filter((input) => input.name === name);
  if (stated !== null) {
    const rest = [...passed];
    return stated.map((dim) => (dim === null ? (scalarValue(rest.shift()) ?? null) : dim));
  }
  const [whole] = passed;
  const value = listValue(whole);
  if (value) return value;
  const count = whole?.shape?.length === 1 ? (whole.shape[0] ?? null) : null;
  return typeof count !== "number" || count > maxKnownValues ? null : new Array<Dim>(count).fill(null);
}
