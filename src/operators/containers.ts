/** Types of sequences and optionals, and what is known of a value that may be one of two. */

import { type Dim, sameDim } from "../ir/dim.ts";
import type { DType } from "../ir/dtype.ts";
import type { Shape } from "../ir/shape.ts";
import type { Container, TensorType } from "../ir/tensor.ts";
import { maxKnownValues } from "../limits.ts";
import { RuleError, type RuleInput } from "./operator.ts";
import type { Value, ValuedType } from "./tensor-values.ts";

export const unknownType: TensorType = { dtype: null, shape: null };

/** An input without the port it came through. */
export function typeOf({ dtype, shape, of, value }: RuleInput): ValuedType {
  return { dtype, shape, ...(of && { of }), ...(value !== undefined && { value: value as Value }) };
}

/** A type without its value, for what is computed anew in each round. */
export function withoutValue({ dtype, shape, of }: TensorType): TensorType {
  return { dtype, shape, ...(of && { of }) };
}

/** A sequence (or optional) of these items; `element` says what they are where there are none. */
export function containerOf(
  container: Container["container"],
  items: readonly TensorType[],
  element?: TensorType | null,
): TensorType {
  const merged = items.length > 0 ? unionAll(items) : (element ?? null);
  return listed(container, merged, items);
}

/** A sequence of unknown length, or an optional that may be empty. */
export function containerOfAny(
  container: Container["container"],
  element: TensorType | null,
  key?: DType,
): TensorType {
  return { dtype: null, shape: null, of: { container, element, ...(key && { key }) } };
}

function listed(
  container: Container["container"],
  element: TensorType | null,
  items: readonly TensorType[] | undefined,
): TensorType {
  const of: Container = { container, element, ...(items && items.length <= maxKnownValues && { items }) };
  return { dtype: null, shape: null, of };
}

/** The sequence (or optional) an input is. Of an input of unknown type nothing is known. */
export function containerAt(input: RuleInput, container: Container["container"]): Container {
  const { of } = input;
  if (of?.container === container) return of;
  if (of || input.shape !== null) throw new RuleError(`it is called with no ${container}`);
  return { container, element: null };
}

/** What is known of a value that is one of these; at least one. */
export function unionAll(types: readonly TensorType[]): TensorType {
  const [first = unknownType, ...rest] = types;
  return rest.reduce<TensorType>(unionType, unionType(first, first));
}

/** What is known of a value that is one of two: what differs between them is unknown. */
export function unionType(a: ValuedType, b: ValuedType): ValuedType {
  if (a.of?.container === "optional" && b.of?.container !== "optional") return unionOptional(a.of, b);
  if (b.of?.container === "optional" && a.of?.container !== "optional") return unionOptional(b.of, a);
  if (a.of || b.of) {
    return a.of && b.of && a.of.container === b.of.container ? unionContainer(a.of, b.of) : unknownType;
  }
  const value = unionValue(a.value, b.value);
  const shape = unionShape(a.shape, b.shape);
  return { dtype: a.dtype === b.dtype ? a.dtype : null, shape, ...(value !== undefined && { value }) };
}

function unionContainer(a: Container, b: Container): TensorType {
  const { container } = a;
  if (a.key || b.key) {
    return containerOfAny(container, unionElement(a, b), a.key === b.key ? a.key : undefined);
  }
  const left = a.items;
  const right = b.items;
  const items =
    left && right && left.length === right.length
      ? left.map((item, i) => unionType(item, right[i] ?? unknownType))
      : undefined;
  return listed(container, unionElement(a, b), items);
}

/** What is handed on where an optional may be stands for one that holds it. */
function unionOptional(optional: Container, held: ValuedType): ValuedType {
  if (held.of === undefined && held.shape === null && held.dtype === null) return unknownType;
  return unionContainer(optional, { container: "optional", element: withoutValue(held), items: [held] });
}

/** What an empty one would hold says nothing about the elements of the other. */
function unionElement(a: Container, b: Container): TensorType | null {
  if (a.items?.length === 0) return b.element;
  if (b.items?.length === 0) return a.element;
  return a.element && b.element && withoutValue(unionType(a.element, b.element));
}

function unionDim(a: Dim, b: Dim | undefined): Dim {
  return b !== undefined && sameDim(a, b) ? a : null;
}

function unionShape(a: Shape, b: Shape): Shape {
  if (a === null || b === null || a.length !== b.length) return null;
  return a.map((dim, i) => unionDim(dim, b[i]));
}

function isList(value: Value | undefined): value is readonly Dim[] {
  return Array.isArray(value);
}

function unionValue(a: Value | undefined, b: Value | undefined): Value | undefined {
  if (a === undefined || b === undefined) return undefined;
  if (isList(a) && isList(b))
    return a.length === b.length ? a.map((dim, i) => unionDim(dim, b[i])) : undefined;
  return isList(a) || isList(b) ? undefined : unionDim(a, b);
}

/** Known to be alike in all that a union keeps: both made by `unionType`. */
export function sameType(a: TensorType, b: TensorType): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
