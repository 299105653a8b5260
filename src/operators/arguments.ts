/** What rules ask of the inputs of a call. */

import type { Dim } from "../ir/dim.ts";
import type { DType } from "../ir/dtype.ts";
import { formatShape, type Shape } from "../ir/shape.ts";
import { type Inferred, RuleError, type RuleInput } from "./operator.ts";

/** The input a rule is about: the first one. */
export function mainInput(inputs: readonly RuleInput[]): RuleInput {
  const [first] = inputs;
  if (first === undefined) throw new RuleError("it is called without an input");
  return first;
}

/** The tensors that are merged: every input but those passed under a keyword of their own (`mask`). */
export function mergedInputs(inputs: readonly RuleInput[]): readonly RuleInput[] {
  const merged = inputs.filter((input) => input.name === undefined || input.name === "inputs");
  if (merged.length === 0) throw new RuleError("it is called without an input");
  return merged;
}

/** One output. */
export function single(shape: Shape, dtype: DType | null): Inferred {
  return { types: [{ shape, dtype }] };
}

/** dtype of what is computed from a value with real-valued weights: that of the value, unknown for integers. */
export function realType(dtype: DType | null): DType | null {
  return dtype !== null && /float|complex/.test(dtype) ? dtype : null;
}

/** Axis counted from the front; negative ones count from the end. */
export function resolveAxis(axis: number, rank: number): number {
  const resolved = axis < 0 ? axis + rank : axis;
  if (resolved < 0 || resolved >= rank)
    throw new RuleError(`axis ${axis} does not exist in a tensor of rank ${rank}`);
  return resolved;
}

/** Dimension at `axis`, which may count from the end. */
export function dimAt(shape: readonly Dim[], axis: number): Dim {
  return shape[resolveAxis(axis, shape.length)] ?? null;
}

export function requireRank(shape: readonly Dim[], rank: number): void {
  if (shape.length !== rank)
    throw new RuleError(`the input should have rank ${rank}, but is ${formatShape(shape)}`);
}

export function requireMinimumRank(shape: readonly Dim[], rank: number): void {
  if (shape.length < rank) {
    throw new RuleError(`the input should have a rank of at least ${rank}, but is ${formatShape(shape)}`);
  }
}
