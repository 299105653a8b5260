/**
 * Layers that bring several inputs together. They align shapes at the end, the batch aside: an input of lower rank gets
 * axes of length 1 behind its batch.
 */

import { addDims, contradicts, type Dim, formatDim, sameDim, sharperDim } from "../ir/dim.ts";
import { formatShape, type Shape } from "../ir/shape.ts";
import { mergedInputs, resolveAxis, single } from "./arguments.ts";
import { readFlag, readIntegers } from "./attributes.ts";
import { type OperatorDef, RuleError, type RuleInput } from "./operator.ts";

interface MergeAttributes {
  /**
   * What to make of a dimension that one input knows and another does not: true, take the known one (TensorFlow); false,
   * leave it unknown (Keras 3).
   */
  readonly resolveUnknown: boolean;
}

function elementwise(name: string): OperatorDef<MergeAttributes> {
  return {
    name,
    attributes: (raw) => ({ resolveUnknown: readFlag(raw, "resolveUnknown", false) }),
    infer: ({ attributes, inputs }) => {
      const merged = mergedInputs(inputs);
      const shape = merged
        .map((input) => input.shape)
        .reduce((a, b) => broadcast(a, b, attributes.resolveUnknown));
      return single(shape, commonType(merged));
    },
  };
}

function commonType(inputs: readonly RuleInput[]): RuleInput["dtype"] {
  const first = inputs[0]?.dtype ?? null;
  return inputs.every((input) => input.dtype === first) ? first : null;
}

function broadcast(a: Shape, b: Shape, resolveUnknown: boolean): Shape {
  if (a === null || b === null) return null;
  if (a.length < b.length) return broadcast(b, a, resolveUnknown);
  if (b.length === 0) return a;
  const [batchA = null, ...restA] = a;
  const [batchB = null, ...restB] = b;
  const offset = restA.length - restB.length;
  const rest = restA.map((dim, i) => {
    const other = i < offset ? 1 : (restB[i - offset] ?? null);
    if (dim === null || other === null) return i < offset ? dim : unknownWith(dim, other, resolveUnknown);
    if (dim === 1) return other;
    if (other === 1 || other === dim || sameDim(dim, other)) return dim;
    if (!contradicts(dim, other)) return sharperDim(dim, other);
    throw new RuleError(
      `${formatShape(a)} and ${formatShape(b)} do not fit together: ${formatDim(dim)} against ${formatDim(other)}`,
    );
  });
  if (contradicts(batchA, batchB)) {
    throw new RuleError(`${formatShape(a)} and ${formatShape(b)} have batches of different sizes`);
  }
  // Keras 3 takes the batch that is known; TensorFlow lets an unknown one stretch a batch of 1.
  const batch = batchA ?? batchB;
  const stretched = resolveUnknown && batch === 1 && (batchA === null || batchB === null);
  return [stretched ? null : batch, ...rest];
}

/** Of two dimensions at least one of which is unknown: a known one above 1 can only stay. */
function unknownWith(a: Dim, b: Dim, resolveUnknown: boolean): Dim {
  const known = a ?? b;
  return resolveUnknown && (typeof known !== "number" || known > 1) ? known : null;
}

interface ConcatAttributes extends MergeAttributes {
  /** The batch is axis 0; may count from the end. */
  readonly axis: number;
}

const concat: OperatorDef<ConcatAttributes> = {
  name: "Concat",
  attributes: (raw) => ({
    axis: readIntegers(raw, "axis", { min: Number.MIN_SAFE_INTEGER, fallback: [-1] })[0] ?? -1,
    resolveUnknown: readFlag(raw, "resolveUnknown", false),
  }),
  infer: ({ attributes, inputs }) => {
    const merged = mergedInputs(inputs);
    const shapes = merged.map((input) => input.shape);
    return single(
      shapes.reduce((a, b) => joined(a, b, attributes)),
      commonType(merged),
    );
  },
};

function joined(a: Shape, b: Shape, { axis, resolveUnknown }: ConcatAttributes): Shape {
  if (a === null || b === null) return null;
  if (a.length !== b.length) throw new RuleError(`${formatShape(a)} and ${formatShape(b)} differ in rank`);
  const along = resolveAxis(axis, a.length);
  return a.map((dim, i) => {
    const other = b[i] ?? null;
    if (i === along) return addDims(dim, other);
    if (contradicts(dim, other)) {
      throw new RuleError(
        `${formatShape(a)} and ${formatShape(b)} differ besides axis ${along}, where they are joined`,
      );
    }
    return dim ?? (resolveUnknown ? other : null);
  });
}

interface DotAttributes {
  /** Summed axis of each of the two inputs. */
  readonly axes: readonly [number, number];
}

/** (batch, a..., b...) without the summed axes; a vector product is (batch, 1). */
const dot: OperatorDef<DotAttributes> = {
  name: "Dot",
  attributes: (raw) => {
    const [first = -1, second = first] = readIntegers(raw, "axes", { min: Number.MIN_SAFE_INTEGER });
    return { axes: [first, second] };
  },
  infer: ({ attributes, inputs }) => {
    const merged = mergedInputs(inputs);
    const [a, b] = merged;
    if (a === undefined || b === undefined || merged.length !== 2) {
      throw new RuleError(`a dot product is of 2 inputs, not ${merged.length}`);
    }
    return single(dotShape(a.shape, b.shape, attributes.axes), commonType(merged));
  },
};

function dotShape(a: Shape, b: Shape, axes: readonly [number, number]): Shape {
  if (a === null || b === null) return null;
  const first = resolveAxis(axes[0], a.length);
  const second = resolveAxis(axes[1], b.length);
  const [m = null, n = null] = [a[first], b[second]];
  if (contradicts(m, n)) {
    throw new RuleError(
      `${formatShape(a)} and ${formatShape(b)} do not fit together: ${formatDim(m)} against ${formatDim(n)} elements are summed`,
    );
  }
  const result = [...a.filter((_, i) => i !== first), ...b.filter((_, i) => i !== second).slice(1)];
  return result.length === 1 ? [...result, 1] : result;
}

export const mergeOperators: readonly OperatorDef<unknown>[] = [
  elementwise("Add"),
  elementwise("Subtract"),
  elementwise("Multiply"),
  elementwise("Average"),
  elementwise("Maximum"),
  elementwise("Minimum"),
  concat,
  dot,
];
