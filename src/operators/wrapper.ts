/** Layers around layers (Keras 3.15 layers/rnn/bidirectional.py, time_distributed.py, normalization/spectral_normalization.py). */

import { addDims, type Dim, multiplyDims } from "../ir/dim.ts";
import type { Json, JsonObject, Structure } from "../ir/graph.ts";
import { formatShape, type Shape } from "../ir/shape.ts";
import type { TensorType } from "../ir/tensor.ts";
import { dimAt, mainInput } from "./arguments.ts";
import { readChoice, readFlag } from "./attributes.ts";
import { broadcastShapes } from "./broadcast.ts";
import { type Inferred, type InnerRule, type OperatorDef, RuleError, type RuleInput } from "./operator.ts";
import { contain, shiftLeaves } from "./recurrent.ts";
import { defineOperator, withDim } from "./tensor-rule.ts";

function innerAt(inner: readonly InnerRule[], index: number): InnerRule {
  const rule = inner[index];
  if (!rule) throw new RuleError("the wrapped layer is missing");
  return rule;
}

const mergeModes = ["concat", "sum", "mul", "ave", "none"] as const;

interface BidirectionalAttributes {
  readonly merge: (typeof mergeModes)[number];
  readonly returnState: boolean;
  readonly container: "list" | "tuple";
  /** Keras 3 tells the merged size from the forward layer alone. */
  readonly forwardDecides: boolean;
}

function mergeOutputs(
  forward: TensorType,
  backward: TensorType,
  attributes: BidirectionalAttributes,
): TensorType {
  const { dtype, shape } = forward;
  if (shape === null || backward.shape === null) return { dtype, shape: null };
  if (attributes.merge !== "concat") {
    return { dtype, shape: attributes.forwardDecides ? shape : broadcastShapes(shape, backward.shape) };
  }
  const last = dimAt(shape, -1);
  const size = attributes.forwardDecides ? multiplyDims(last, 2) : addDims(last, dimAt(backward.shape, -1));
  return { dtype, shape: withDim(shape, -1, size) };
}

/** Structures of a result's states: all but its first output. */
function stateItems({ types, structure }: Inferred): readonly Structure[] {
  if (typeof structure === "object" && "list" in structure) return structure.list.slice(1);
  if (typeof structure === "object" && "tuple" in structure) return structure.tuple.slice(1);
  return types.slice(1).map((_, i) => i + 1);
}

/**
 * sequence, initial states (those of the forward layer, then the backward layer's) -> both outputs merged, or both;
 * then the states of both.
 */
const bidirectional = defineOperator<BidirectionalAttributes>({
  name: "Bidirectional",
  attributes: (raw) => ({
    merge: readChoice(raw, "merge", mergeModes, "concat"),
    returnState: readFlag(raw, "returnState", false),
    container: readChoice(raw, "container", ["list", "tuple"], "list"),
    forwardDecides: readFlag(raw, "forwardDecides", false),
  }),
  infer({ attributes, inputs, inner }) {
    const sequence = mainInput(inputs);
    const forward = innerAt(inner, 0).infer([sequence]);
    const backward = innerAt(inner, 1).infer([sequence]);
    const unknown: TensorType = { dtype: null, shape: null };
    const [left, right] = [forward.types[0] ?? unknown, backward.types[0] ?? unknown];
    const outputs = attributes.merge === "none" ? [left, right] : [mergeOutputs(left, right, attributes)];
    if (!attributes.returnState) {
      return {
        types: outputs,
        ...(outputs.length > 1 && { structure: contain(attributes.container, [0, 1]) }),
      };
    }
    const states = [...forward.types.slice(1), ...backward.types.slice(1)];
    const before = outputs.length - 1;
    return {
      types: [...outputs, ...states],
      structure: contain(attributes.container, [
        ...outputs.map((_, i) => i),
        ...stateItems(forward).map((item) => shiftLeaves(item, before)),
        ...stateItems(backward).map((item) => shiftLeaves(item, before + forward.types.length - 1)),
      ]),
    };
  },
});

function withoutTime(input: RuleInput): RuleInput {
  const { shape } = input;
  if (shape === null) return input;
  if (shape.length < 2) throw new RuleError(`expects (batch, time, ...), found shape ${formatShape(shape)}`);
  return { ...input, shape: shape.toSpliced(1, 1) };
}

/** x (batch, time, ...) -> the wrapped layer's outputs for (batch, ...), with the time axis put back. */
const timeDistributed = defineOperator<null>({
  name: "TimeDistributed",
  attributes: () => null,
  infer({ inputs, inner }) {
    const x = mainInput(inputs);
    const time: Dim = x.shape?.[1] ?? null;
    const result = innerAt(inner, 0).infer(inputs.filter((input) => input.name !== "mask").map(withoutTime));
    const types = result.types.map(({ dtype, shape }) => ({
      dtype,
      shape: shape === null ? null : shape.toSpliced(1, 0, time),
    }));
    return { ...result, types };
  },
});

/** Inputs and outputs of the wrapped layer. */
const wrapper = defineOperator<null>({
  name: "Wrapper",
  attributes: () => null,
  infer: ({ inputs, inner }) => innerAt(inner, 0).infer(inputs),
});

/** Layers one after the other. */
const pipeline = defineOperator<null>({
  name: "Pipeline",
  attributes: () => null,
  infer({ inputs, inner }) {
    let result: Inferred = { types: inputs.map(({ dtype, shape }) => ({ dtype, shape })) };
    for (const layer of inner) result = layer.infer(result.types);
    return result;
  },
});

/** Where operators with a kernel have its last dimension in their attributes. */
const kernelWidths: Readonly<Record<string, (raw: JsonObject) => Json | undefined>> = {
  Linear: ({ units }) => units,
  Conv: ({ filters }) => filters,
  DepthwiseConv: ({ multiplier }) => multiplier ?? 1,
  Embedding: ({ size }) => size,
  EinsumLinear: ({ outputShape }) => (Array.isArray(outputShape) ? outputShape.at(-1) : outputShape),
};

/** A transposed convolution's kernel ends in the channels of its input. */
function kernelWidth({ operator, attributes }: InnerRule, { shape }: RuleInput): Dim {
  if (operator === "ConvTranspose") {
    if (shape === null) return null;
    return dimAt(shape, attributes.layout === "channels-first" ? 1 : -1);
  }
  const rule = Object.hasOwn(kernelWidths, operator) ? kernelWidths[operator] : undefined;
  const width = rule?.(attributes);
  return typeof width === "number" ? width : null;
}

/** The wrapped layer, and a vector (1, last dimension of its kernel) from which the kernel's norm is estimated. */
const spectralNormalization = defineOperator<null>({
  name: "SpectralNormalization",
  attributes: () => null,
  weights({ inputs, inner }): Readonly<Record<string, Shape>> {
    return { "vector-u": [1, kernelWidth(innerAt(inner, 0), mainInput(inputs))] };
  },
  infer: ({ inputs, inner }) => innerAt(inner, 0).infer(inputs),
});

export const wrapperOperators: readonly OperatorDef<unknown>[] = [
  bidirectional,
  timeDistributed,
  wrapper,
  pipeline,
  spectralNormalization,
];
