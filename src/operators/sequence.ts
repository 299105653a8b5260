/** Operations on sequences of tensors and on values that may be absent (ONNX's sequence and optional types). */

import { counted } from "../counted.ts";
import {
  addDims,
  ceilDivideDim,
  contradicts,
  type Dim,
  minDims,
  moduloDim,
  sharperDim,
  subtractDims,
  sumOfDims,
} from "../ir/dim.ts";
import type { DType } from "../ir/dtype.ts";
import type { Json, JsonObject } from "../ir/graph.ts";
import { formatShape } from "../ir/shape.ts";
import type { Container, TensorType } from "../ir/tensor.ts";
import { maxKnownValues } from "../limits.ts";
import { dimAt, mainInput, resolveAxis } from "./arguments.ts";
import { containerAt, containerOf, containerOfAny, typeOf, unionAll, unknownType } from "./containers.ts";
import { type Inferred, type OperatorDef, RuleError, type RuleInput } from "./operator.ts";
import {
  defineOperator,
  inputAt,
  optionalDType,
  optionalInput,
  optionalInteger,
  withDim,
} from "./tensor-rule.ts";
import { knownValue, listValue, scalarValue, type Value, valued } from "./tensor-values.ts";

function one(type: TensorType): Inferred {
  return { types: [type] };
}

function sequenceAt(inputs: readonly RuleInput[]): Container {
  return containerAt(inputAt(inputs, "sequence", 0), "sequence");
}

/** The one number of a position, from the front: null when unknown, `absent` without one. */
function position(inputs: readonly RuleInput[], at: number, length: number, absent: number): number | null {
  const input = optionalInput(inputs, "position", at);
  if (!input) return absent;
  const value = knownValue(input);
  const stated = Array.isArray(value) ? (value as readonly Dim[])[0] : value;
  if (typeof stated !== "number") return null;
  const index = stated < 0 ? stated + length : stated;
  if (index < 0 || index >= length) throw new RuleError(`position ${stated} of ${length}`);
  return index;
}

const sequenceEmpty = defineOperator<{ dtype: DType | null }>({
  name: "SequenceEmpty",
  attributes: (raw) => ({ dtype: optionalDType(raw) }),
  infer: ({ attributes: { dtype } }) => one(containerOf("sequence", [], { dtype, shape: null })),
});

/** tensors -> the sequence of them. */
const sequenceConstruct = defineOperator<null>({
  name: "SequenceConstruct",
  attributes: () => null,
  infer: ({ inputs }) => one(containerOf("sequence", inputs.map(typeOf))),
});

/** sequence, tensor, position (the end) -> the sequence with the tensor before that place. */
const sequenceInsert = defineOperator<null>({
  name: "SequenceInsert",
  attributes: () => null,
  infer({ inputs }) {
    const { items, element } = sequenceAt(inputs);
    const tensor = typeOf(inputAt(inputs, "tensor", 1));
    if (!items) return one(containerOfAny("sequence", element && unionAll([element, tensor])));
    const place = position(inputs, 2, items.length + 1, items.length);
    if (place !== null) return one(containerOf("sequence", items.toSpliced(place, 0, tensor)));
    const either = unionAll([...items, tensor]);
    return one(
      containerOf(
        "sequence",
        [...items, tensor].map(() => either),
      ),
    );
  },
});

/** sequence, position (the last) -> the sequence without the tensor at that place. */
const sequenceErase = defineOperator<null>({
  name: "SequenceErase",
  attributes: () => null,
  infer({ inputs }) {
    const { items, element } = sequenceAt(inputs);
    if (!items) return one(containerOfAny("sequence", element));
    if (items.length === 0) throw new RuleError("the sequence is empty");
    const place = position(inputs, 1, items.length, items.length - 1);
    if (place !== null) return one(containerOf("sequence", items.toSpliced(place, 1), element));
    const any = unionAll(items);
    return one(
      containerOf(
        "sequence",
        items.slice(1).map(() => any),
        element,
      ),
    );
  },
});

/** sequence, position -> the tensor at that place. */
const sequencePick = defineOperator<null>({
  name: "SequenceAt",
  attributes: () => null,
  infer({ inputs }) {
    const { items, element } = sequenceAt(inputs);
    if (!items) return one(element ?? unknownType);
    const place = position(inputs, 1, items.length, 0);
    return one((place === null ? unionAll(items) : items[place]) ?? unknownType);
  },
});

const sequenceLength = defineOperator<null>({
  name: "SequenceLength",
  attributes: () => null,
  infer: ({ inputs }) => valued({ dtype: "int64", shape: [] }, sequenceAt(inputs).items?.length),
});

/** Sizes of the parts, or (`each`) what is known of every one of them when their number is not. */
function partSizes(size: Dim, split: RuleInput | undefined): { sizes?: readonly Dim[]; each: Dim } {
  const list = listValue(split);
  if (list) return { sizes: list, each: null };
  if (split && split.shape?.length !== 0) {
    const [count = null] = split.shape ?? [];
    const known = typeof count === "number" && count <= maxKnownValues;
    return { ...(known && { sizes: new Array<Dim>(count).fill(null) }), each: null };
  }
  const step = split ? (scalarValue(split) ?? null) : 1;
  if (typeof step === "number" && step < 1) throw new RuleError(`parts of ${counted(step, "element")}`);
  const count = ceilDivideDim(size, step);
  if (typeof count !== "number" || count > maxKnownValues) {
    return { each: step === 1 || moduloDim(size, step) === 0 ? step : null };
  }
  const from = (i: number): Dim => (typeof step === "number" ? i * step : null);
  return {
    sizes: Array.from({ length: count }, (_, i) => minDims(step, subtractDims(size, from(i)))),
    each: null,
  };
}

/** x, split (a size for all, or one for each; 1) -> the parts of x along `axis`; without split the axis may go. */
const splitToSequence = defineOperator<{ axis: number; keepDims: boolean }>({
  name: "SplitToSequence",
  attributes: (raw) => ({ axis: optionalInteger(raw, "axis") ?? 0, keepDims: raw.keepDims !== false }),
  infer({ attributes: { axis, keepDims }, inputs }) {
    const { dtype, shape } = inputAt(inputs, "input", 0);
    if (shape === null) return one(containerOfAny("sequence", { dtype, shape }));
    const split = optionalInput(inputs, "split", 1);
    const size = dimAt(shape, axis);
    const { sizes, each } = partSizes(size, split);
    if (split && sizes && contradicts(sumOfDims(sizes), size)) {
      throw new RuleError(`parts of ${formatShape(sizes)} elements of axis ${axis} of ${formatShape(shape)}`);
    }
    const dropped = !split && !keepDims;
    const part = (dim: Dim): TensorType => ({
      dtype,
      shape: dropped ? shape.toSpliced(resolveAxis(axis, shape.length), 1) : withDim(shape, axis, dim),
    });
    return one(
      sizes ? containerOf("sequence", sizes.map(part), part(each)) : containerOfAny("sequence", part(each)),
    );
  },
});

/** The dimensions of shapes that must agree but for one axis, which is left unknown. */
function agreed(shapes: readonly (readonly Dim[])[], but: number | null): readonly Dim[] {
  const [first = [], ...rest] = shapes;
  return first.map((dim, axis) => {
    if (axis === but) return null;
    return rest.reduce<Dim>((known, shape) => {
      const other = shape[axis] ?? null;
      if (shape.length !== first.length || contradicts(known, other)) {
        throw new RuleError(`tensors of ${formatShape(first)} and ${formatShape(shape)} do not join`);
      }
      return sharperDim(known, other);
    }, dim);
  });
}

function joinedValue(items: readonly TensorType[], newAxis: boolean): Value | undefined {
  if (!items.every((item) => item.shape?.length === (newAxis ? 0 : 1))) return undefined;
  const parts: Dim[] = [];
  for (const item of items) {
    const value = newAxis ? scalarValue(item) : listValue(item);
    if (value === undefined) return undefined;
    if (Array.isArray(value)) parts.push(...(value as readonly Dim[]));
    else parts.push(value as Dim);
  }
  return parts.length <= maxKnownValues ? parts : undefined;
}

function joined(items: readonly TensorType[], axis: number, newAxis: boolean): TensorType["shape"] {
  const shapes: (readonly Dim[])[] = [];
  for (const { shape } of items) {
    if (shape === null) return null;
    shapes.push(shape);
  }
  const [first] = shapes;
  if (!first) return null;
  const place = resolveAxis(axis, first.length + (newAxis ? 1 : 0));
  if (newAxis) return agreed(shapes, null).toSpliced(place, 0, items.length);
  return agreed(shapes, place).with(place, sumOfDims(shapes.map((shape) => shape[place] ?? null)));
}

/** sequence -> its tensors joined along `axis`, which is a new one for `newAxis`. */
const concatFromSequence = defineOperator<{ axis: number; newAxis: boolean }>({
  name: "ConcatFromSequence",
  attributes: (raw) => ({ axis: optionalInteger(raw, "axis") ?? 0, newAxis: raw.newAxis === true }),
  infer({ attributes: { axis, newAxis }, inputs }) {
    const { items, element } = sequenceAt(inputs);
    const dtype = element?.dtype ?? null;
    if (items) return valued({ dtype, shape: joined(items, axis, newAxis) }, joinedValue(items, newAxis));
    const shape = element?.shape ?? null;
    if (shape === null) return one({ dtype, shape });
    const place = resolveAxis(axis, shape.length + (newAxis ? 1 : 0));
    return one({ dtype, shape: newAxis ? shape.toSpliced(place, 0, null) : shape.with(place, null) });
  },
});

/** A type written as JSON: `{dtype, shape}` with null for what is not known, or `{container, element}`. */
function readType(json: Json | undefined): TensorType | null {
  if (typeof json !== "object" || json === null || Array.isArray(json)) return null;
  const raw = json as JsonObject;
  if (raw.container === "sequence" || raw.container === "optional") {
    return containerOfAny(raw.container, readType(raw.element));
  }
  const shape = Array.isArray(raw.shape)
    ? (raw.shape as readonly Json[]).map((dim) => (typeof dim === "number" ? dim : null))
    : null;
  return { dtype: optionalDType(raw), shape };
}

/** x -> an optional that holds x; without x an empty one for an `element` of the stated type. */
const optional = defineOperator<{ element: TensorType | null }>({
  name: "Optional",
  attributes: (raw) => ({ element: readType(raw.element) }),
  infer: ({ attributes: { element }, inputs }) =>
    one(containerOf("optional", inputs.slice(0, 1).map(typeOf), element)),
});

/** An optional -> what it holds; anything else is passed on. */
const optionalGet = defineOperator<null>({
  name: "OptionalGetElement",
  attributes: () => null,
  infer({ inputs }) {
    const { of, ...rest } = mainInput(inputs);
    if (of?.container !== "optional") return one(typeOf({ ...rest, ...(of && { of }) }));
    return one(of.items?.[0] ?? of.element ?? unknownType);
  },
});

/** Whether there is an element; a plain tensor or sequence is one. */
const optionalHas = defineOperator<null>({
  name: "OptionalHasElement",
  attributes: () => null,
  infer({ inputs }) {
    const [input] = inputs;
    const count = input?.of?.container === "optional" ? input.of.items?.length : addDims(inputs.length);
    const sure = input && !input.of && input.shape === null ? undefined : count;
    return valued({ dtype: "bool", shape: [] }, sure);
  },
});

export const sequenceOperators: readonly OperatorDef<unknown>[] = [
  sequenceEmpty,
  sequenceConstruct,
  sequenceInsert,
  sequenceErase,
  sequencePick,
  sequenceLength,
  splitToSequence,
  concatFromSequence,
  optional,
  optionalGet,
  optionalHas,
];
