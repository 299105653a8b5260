/**
 * What the rules of tensor operations share: inputs by name, optional attributes, small changes of types.
 *
 * Tensor operations act on all axes, the batch axis included. Where a layer of the same name treats the batch apart
 * (Add, Concat, Dot, Reshape), the operation's operator has the prefix `Tensor`.
 */

import type { Dim } from "../ir/dim.ts";
import { type DType, isDType } from "../ir/dtype.ts";
import type { Json, JsonObject } from "../ir/graph.ts";
import type { Shape } from "../ir/shape.ts";
import type { TensorType } from "../ir/tensor.ts";
import { resolveAxis } from "./arguments.ts";
import { readIntegers, readOptionalInteger } from "./attributes.ts";
import { type Inferred, type OperatorDef, RuleError, type RuleInput } from "./operator.ts";

/** An operator whose attributes' type is worked out from its record. */
export function defineOperator<A>(operator: OperatorDef<A>): OperatorDef<unknown> {
  return operator;
}

/** An operator without attributes whose one output follows from its inputs. */
export function simpleOperator(
  name: string,
  type: (inputs: readonly RuleInput[]) => TensorType,
): OperatorDef<unknown> {
  return { name, attributes: () => null, infer: ({ inputs }) => only(type(inputs)) };
}

/** One output; of an input that is passed on, only its type. */
export function only({ dtype, shape }: TensorType): Inferred {
  return { types: [{ dtype, shape }] };
}

/** Several outputs in a tuple. */
export function tupleOf(types: readonly TensorType[]): Inferred {
  return { types, structure: { tuple: types.map((_, i) => i) } };
}

/** Several outputs in a list. */
export function listOf(types: readonly TensorType[]): Inferred {
  return { types, structure: { list: types.map((_, i) => i) } };
}

/** The input of that name; where inputs have no names, the one at `position`. */
export function inputAt(inputs: readonly RuleInput[], name: string, position: number): RuleInput {
  const input = optionalInput(inputs, name, position);
  if (!input) throw new RuleError(`it is called without ${name}`);
  return input;
}

export function optionalInput(
  inputs: readonly RuleInput[],
  name: string,
  position: number,
): RuleInput | undefined {
  const named = inputs.find((input) => input.name === name);
  if (named) return named;
  const candidate = inputs[position];
  return candidate?.name === undefined ? candidate : undefined;
}

/** All inputs of a variadic argument. */
export function inputsNamed(inputs: readonly RuleInput[], name: string): readonly RuleInput[] {
  return inputs.filter((input) => input.name === undefined || input.name === name);
}

/** A whole number of any sign (an axis, an offset), or null where absent. */
export function optionalInteger(raw: JsonObject, key: string): number | null {
  return readOptionalInteger(raw, key, { min: Number.MIN_SAFE_INTEGER });
}

/** Whole numbers of any sign; a single one is a list of one; null where absent. */
export function optionalIntegers(raw: JsonObject, key: string): readonly number[] | null {
  const value = raw[key];
  return value === undefined || value === null
    ? null
    : readIntegers(raw, key, { min: Number.MIN_SAFE_INTEGER });
}

/** Whole numbers of at least `min`; what is no number (a value known only when the model runs) is unknown. */
export function optionalDims(raw: JsonObject, key: string, min: number): readonly Dim[] | null {
  const value = raw[key];
  if (value === undefined || value === null) return null;
  const items: readonly Json[] = Array.isArray(value) ? value : [value as Json];
  return items.map((item) => {
    if (typeof item !== "number" || !Number.isSafeInteger(item)) return null;
    if (item < min) throw new RuleError(`attribute "${key}" has ${item} where ${min} is the least`);
    return item;
  });
}

export function optionalDType(raw: JsonObject, key = "dtype"): DType | null {
  const value = raw[key];
  return typeof value === "string" && isDType(value) ? value : null;
}

/** A copy with the dimension at `axis` replaced. */
export function withDim(shape: readonly Dim[], axis: number, dim: Dim): Dim[] {
  return shape.with(resolveAxis(axis, shape.length), dim);
}

/** The same type with another shape, given as a function of the known one. */
export function reshaped(
  input: TensorType,
  f: (shape: readonly Dim[]) => Shape,
  dtype: DType | null = input.dtype,
): TensorType {
  return { dtype, shape: input.shape === null ? null : f(input.shape) };
}
