/**
 * What the rules of ONNX's tensor operators share: known elements of small tensors, of any rank and in C order, and how
 * they move when axes do.
 */

import { type Dim, divideProducts, floorDivideDim, isWholeDim, productOfDims } from "../ir/dim.ts";
import type { DType } from "../ir/dtype.ts";
import type { SymbolicDim } from "../ir/expression.ts";
import type { Shape } from "../ir/shape.ts";
import { maxKnownValues, maxRank } from "../limits.ts";
import { resolveAxis } from "./arguments.ts";
import { RuleError, type RuleInput } from "./operator.ts";
import { optionalInput } from "./tensor-rule.ts";
import { argumentValues, type ValuedType } from "./tensor-values.ts";

function isSymbolic(value: unknown): value is SymbolicDim {
  return typeof value === "object" && value !== null && "terms" in value;
}

function asElement(value: unknown): Dim {
  if (isSymbolic(value)) return value;
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

/** Elements in C order, null for one that is unknown; undefined when nothing is known of them, or they are many. */
export function knownElements(input: RuleInput | undefined): readonly Dim[] | undefined {
  const value = input?.value;
  if (value === undefined) return undefined;
  const items: readonly unknown[] = Array.isArray(value) ? value : [value];
  return items.length > maxKnownValues ? undefined : items.map(asElement);
}

/**
 * The numbers of an argument that is an attribute or an input. undefined: it is neither; null: not even their count is
 * known, or they are more than any tensor has axes.
 */
export function statedOrPassed(
  stated: readonly number[] | null,
  input: RuleInput | undefined,
): readonly Dim[] | null | undefined {
  if (input === undefined)
    return stated !== null && stated.length > maxKnownValues ? null : (stated ?? undefined);
  const elements = knownElements(input);
  if (elements) return elements;
  if (input.shape?.length === 0) return [null];
  const count = input.shape?.length === 1 ? input.shape[0] : null;
  return typeof count === "number" && count <= maxKnownValues ? new Array<Dim>(count).fill(null) : null;
}

/** The same, of an attribute in which null stands for the inputs of that name, each a number, in order. */
export function statedWithPassed(
  stated: readonly Dim[] | null,
  inputs: readonly RuleInput[],
  name: string,
  position: number,
): readonly Dim[] | null | undefined {
  if (stated === null) return statedOrPassed(null, optionalInput(inputs, name, position));
  return stated.length > maxKnownValues ? null : argumentValues(stated, inputs, name);
}

/** The one number of an argument; unknown when it is not there either. */
export function scalarOf(input: RuleInput | undefined): Dim {
  return knownElements(input)?.[0] ?? null;
}

/** Axes from the front, or null when one of them is unknown. */
export function knownAxes(axes: readonly Dim[], rank: number): readonly number[] | null {
  const resolved: number[] = [];
  for (const axis of axes) {
    if (typeof axis !== "number") return null;
    resolved.push(resolveAxis(axis, rank));
  }
  if (new Set(resolved).size !== resolved.length) throw new RuleError(`an axis is named twice`);
  return resolved;
}

/** Product of `dims` over product of `by`, which divides it: the operation does not run otherwise. */
export function dividedExactly(dims: readonly Dim[], by: readonly Dim[]): Dim {
  return divideProducts(dims, by) ?? floorDivideDim(productOfDims(dims), productOfDims(by));
}

/** A number that is to be a size. */
export function asSize(dim: Dim): Dim {
  if (typeof dim !== "number") return isWholeDim(dim) ? dim : null;
  if (dim < 0 || !Number.isSafeInteger(dim)) throw new RuleError(`${dim} is no size`);
  return dim;
}

/** Shape, or unknown when it has more axes than any tensor has. */
function boundedShape(shape: Shape): Shape {
  return shape !== null && shape.length > maxRank ? null : shape;
}

/** A type with the elements that are known of it, in C order; dropped when they do not fit the shape. */
export function typed(dtype: DType | null, shape: Shape, elements?: readonly Dim[]): ValuedType {
  const type = { dtype, shape: boundedShape(shape) };
  if (shape === null || !elements || elements.length !== countStatic(shape)) return type;
  return { ...type, value: shape.length === 0 ? (elements[0] ?? null) : elements };
}

export function output(
  dtype: DType | null,
  shape: Shape,
  elements?: readonly Dim[],
): { types: readonly ValuedType[] } {
  return { types: [typed(dtype, shape, elements)] };
}

/** The shape when all of it is numbers. */
export function staticShape(shape: Shape): readonly number[] | null {
  return shape?.every((dim) => typeof dim === "number") ? (shape as readonly number[]) : null;
}

function countStatic(shape: Shape): number | null {
  const known = staticShape(shape);
  return known === null ? null : productOfDims(known);
}

/** Position in C order. */
export function flatIndex(index: readonly number[], shape: readonly number[]): number {
  return shape.reduce((flat, size, axis) => flat * size + (index[axis] ?? 0), 0);
}

function indexAt(position: number, shape: readonly number[]): number[] {
  const index = new Array<number>(shape.length).fill(0);
  let rest = position;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis] ?? 1;
    index[axis] = rest % size;
    rest = Math.floor(rest / size);
  }
  return index;
}

/** An element for each place of a small tensor of that shape; undefined when it is not small. */
export function eachElement(
  shape: Shape,
  element: (index: readonly number[], position: number) => Dim,
): readonly Dim[] | undefined {
  const known = staticShape(shape);
  const count = countStatic(shape);
  if (known === null || count === null || count > maxKnownValues) return undefined;
  return Array.from({ length: count }, (_, position) => element(indexAt(position, known), position));
}

/** Elements of `input` for each place of `shape`, taken from where `source` says; null there: unknown. */
export function movedElements(
  input: RuleInput,
  shape: Shape,
  source: (index: readonly number[], from: readonly number[]) => readonly number[] | null,
): readonly Dim[] | undefined {
  const elements = knownElements(input);
  const from = staticShape(input.shape);
  if (!elements || from === null) return undefined;
  return eachElement(shape, (index) => {
    const place = source(index, from);
    return place === null ? null : (elements[flatIndex(place, from)] ?? null);
  });
}

/** Elements of `input` broadcast to `shape`. */
export function broadcastElements(input: RuleInput, shape: Shape): readonly Dim[] | undefined {
  return movedElements(input, shape, (index, from) =>
    from.map((size, axis) => (size === 1 ? 0 : (index[index.length - from.length + axis] ?? 0))),
  );
}
