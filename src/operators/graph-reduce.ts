/** ONNX's reductions: axes from an attribute or an input, the input's own type (onnx/defs/reduction). */

import type { Dim } from "../ir/dim.ts";
import type { DType } from "../ir/dtype.ts";
import type { JsonObject } from "../ir/graph.ts";
import { countOf, type Shape } from "../ir/shape.ts";
import { maxKnownValues } from "../limits.ts";
import { mainInput, resolveAxis } from "./arguments.ts";
import { readFlag, readText } from "./attributes.ts";
import {
  asValue,
  type Fold,
  foldAdd,
  foldDivide,
  foldMaximum,
  foldMinimum,
  foldMultiply,
  foldTruncatingDivide,
  knownElements,
  storedAs,
} from "./fold-values.ts";
import type { OperatorDef, RuleInput } from "./operator.ts";
import { reduceShape } from "./reduce.ts";
import { defineOperator, optionalIntegers } from "./tensor-rule.ts";
import { type Value, valued } from "./tensor-values.ts";

interface ReduceAttributes {
  readonly function: string;
  readonly axes: readonly number[] | null;
  readonly keepDims: boolean;
  /** Without axes, or with an empty list of them, nothing is reduced; else everything is. */
  readonly emptyKeeps: boolean;
}

function readAttributes(raw: JsonObject): ReduceAttributes {
  return {
    function: readText(raw, "function"),
    axes: optionalIntegers(raw, "axes"),
    keepDims: readFlag(raw, "keepDims", true),
    emptyKeeps: readFlag(raw, "emptyKeeps", false),
  };
}

const folds: Readonly<Record<string, Fold>> = {
  sum: foldAdd,
  prod: foldMultiply,
  max: foldMaximum,
  min: foldMinimum,
  mean: (...elements) => foldDivide(foldAdd(...elements), elements.length),
};

const foldWholeMean: Fold = (...elements) => foldTruncatingDivide(foldAdd(...elements), elements.length);

/** A mean of whole numbers is rounded toward zero. */
function foldOf({ function: name }: ReduceAttributes, dtype: DType | null): Fold | undefined {
  return name === "mean" && dtype?.includes("int") ? foldWholeMean : folds[name];
}

/** Axes, or only how many of them there are; null when not even that. */
type Axes = readonly number[] | { readonly count: number } | null;

function axesOf(x: RuleInput, inputs: readonly RuleInput[], attributes: ReduceAttributes): Axes {
  const passed = inputs.find((input) => input.name === "axes");
  const count = countOf(passed?.shape ?? null);
  const known = passed && count !== 0 ? knownElements(passed) : (attributes.axes ?? []);
  if (known === undefined || known.includes(null)) return count === null ? null : { count };
  const stated = known.filter((axis) => typeof axis === "number");
  if (stated.length < known.length) return { count: known.length };
  if (stated.length > 0) return stated;
  if (attributes.emptyKeeps) return [];
  return x.shape === null ? null : [...x.shape.keys()];
}

function reducedShape(x: RuleInput, axes: Axes, { keepDims }: ReduceAttributes): Shape {
  if (x.shape === null) return null;
  if (axes === null) return keepDims ? x.shape.map(oneOrUnknown) : null;
  if ("count" in axes) {
    if (keepDims) return x.shape.map(oneOrUnknown);
    const rank = x.shape.length - axes.count;
    return rank < 0 ? null : new Array<Dim>(rank).fill(null);
  }
  return reduceShape(x.shape, { axes, keepDims });
}

/** A dimension that may be reduced: 1 or what it was. */
function oneOrUnknown(dim: Dim): Dim {
  return dim === 1 ? 1 : null;
}

/** Elements of the result, by the places that are left when the reduced axes are taken out. */
function foldReduced(x: RuleInput, axes: readonly number[], shape: Shape, fold: Fold): Value | undefined {
  const elements = knownElements(x);
  const count = countOf(shape);
  if (!elements || x.shape === null || count === null || count > maxKnownValues) return undefined;
  const from = x.shape.map(Number);
  const reduced = new Set(axes.map((axis) => resolveAxis(axis, from.length)));
  const groups = Array.from({ length: count }, (): Dim[] => []);
  for (const [index, element] of elements.entries()) groups[keptIndex(index, from, reduced)]?.push(element);
  if (groups.some((group) => group.length === 0)) return undefined;
  return asValue(
    groups.map((group) => storedAs(fold(...group), x.dtype)),
    shape,
  );
}

function keptIndex(index: number, shape: readonly number[], reduced: ReadonlySet<number>): number {
  let rest = index;
  let at = 0;
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis] ?? 1;
    if (!reduced.has(axis)) {
      at += (rest % size) * stride;
      stride *= size;
    }
    rest = Math.floor(rest / size);
  }
  return at;
}

/** x, axes -> x without the axes, or with 1 in their place. */
const reduce = defineOperator<ReduceAttributes>({
  name: "GraphReduce",
  attributes: readAttributes,
  infer({ attributes, inputs }) {
    const x = mainInput(inputs);
    const axes = axesOf(x, inputs, attributes);
    const shape = reducedShape(x, axes, attributes);
    const fold = foldOf(attributes, x.dtype);
    const known = fold && axes !== null && !("count" in axes);
    return valued({ dtype: x.dtype, shape }, known ? foldReduced(x, axes, shape, fold) : undefined);
  },
});

export const graphReduceOperators: readonly OperatorDef<unknown>[] = [reduce];
