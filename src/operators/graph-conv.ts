/** Convolutions whose kernel is an input, (out, in / groups, k...) (ONNX). */

import { counted } from "../counted.ts";
import { addDims, contradicts, type Dim, multiplyDims, subtractDims } from "../ir/dim.ts";
import type { DType } from "../ir/dtype.ts";
import type { JsonObject } from "../ir/graph.ts";
import { formatShape } from "../ir/shape.ts";
import {
  type Layout,
  readFlag,
  readInteger,
  readIntegers,
  readLayout,
  readOptionalInteger,
} from "./attributes.ts";
import {
  joinNode,
  type NodeWindows,
  nodePositions,
  onBatch,
  readNodeWindows,
  requireAxes,
  splitNode,
  windowExtent,
} from "./graph-windows.ts";
import { type Inferred, type OperatorDef, RuleError, type RuleInput } from "./operator.ts";
import { defineOperator, inputAt, only, optionalInput } from "./tensor-rule.ts";
import { listValue } from "./tensor-values.ts";
import type { NodeForm } from "./two-forms.ts";

export interface NodeConv extends NodeWindows {
  readonly groups: number;
  /** The kernel is filled up to whole blocks of channels, the input perhaps not: their channels need not be the same. */
  readonly blocked: boolean;
}

function readNodeConv(raw: JsonObject): NodeConv {
  const groups = readInteger(raw, "groups", { fallback: 1 });
  return { ...readNodeWindows(raw), groups, blocked: readFlag(raw, "blocked", false) };
}

interface Operands {
  readonly input: readonly Dim[];
  readonly kernel: readonly Dim[];
}

/** The two shapes, of one rank; null when the input's is not known. A kernel of unknown shape has unknown dimensions. */
function operandsOf(inputs: readonly RuleInput[]): Operands | null {
  const input = inputAt(inputs, "input", 0).shape;
  if (input === null) return null;
  const kernel = inputAt(inputs, "kernel", 1).shape ?? input.map(() => null);
  if (kernel.length !== input.length)
    throw new RuleError(`a kernel ${formatShape(kernel)} does not fit an input ${formatShape(input)}`);
  return { input, kernel };
}

function convolved(inputs: readonly RuleInput[], attributes: NodeConv, dtype: DType | null): Inferred {
  const shapes = operandsOf(inputs);
  if (shapes === null) return only({ dtype, shape: null });
  const { batch, spatial, channels } = splitNode(shapes.input, attributes.layout);
  const [filters = null, fanIn = null, ...sizes] = shapes.kernel;
  requireAxes(attributes, spatial.length);
  if (!attributes.blocked && contradicts(multiplyDims(fanIn, attributes.groups), channels))
    throw new RuleError(
      `a kernel ${formatShape(shapes.kernel)} in ${counted(attributes.groups, "group")} does not fit ${channels} channels`,
    );
  const positions = spatial.map((length, axis) =>
    nodePositions(length, attributes.kernelSize[axis] ?? sizes[axis] ?? null, attributes, axis),
  );
  return only({
    dtype,
    shape: joinNode({ batch, spatial: positions, channels: filters }, attributes.layout),
  });
}

/** input, kernel, further operands -> positions of the kernel, as many channels as it has filters. */
function convolution(
  name: string,
  dtype: (inputs: readonly RuleInput[]) => DType | null,
): OperatorDef<unknown> {
  return defineOperator<NodeConv>({
    name,
    attributes: readNodeConv,
    infer: ({ attributes, inputs }) => convolved(inputs, attributes, dtype(inputs)),
  });
}

const inputType = (inputs: readonly RuleInput[]): DType | null => inputAt(inputs, "input", 0).dtype;

export const nodeConv: NodeForm<NodeConv> = {
  attributes: readNodeConv,
  infer: ({ attributes, inputs }) =>
    onBatch(inputs, attributes, (batched) => convolved(batched, attributes, inputType(inputs))),
};

interface NodeConvTranspose extends NodeConv {
  readonly outputPadding: readonly number[];
  readonly outputSize: readonly number[];
}

/** Length made of `length`: what a convolution with these windows would bring back to it. */
function transposedLength(length: Dim, size: Dim, attributes: NodeConvTranspose, axis: number): Dim {
  const stride = attributes.strides[axis] ?? 1;
  if (attributes.padding === "same") return multiplyDims(length, stride);
  const [before, after] = attributes.padding[axis] ?? [0, 0];
  const result = subtractDims(
    addDims(
      multiplyDims(addDims(length, -1), stride),
      windowExtent(size, attributes.dilations[axis] ?? 1),
      attributes.outputPadding[axis] ?? 0,
    ),
    before + after,
  );
  if (typeof result === "number" && result < 0)
    throw new RuleError(`a transposed convolution makes nothing of a length of ${length}`);
  return result;
}

/** input, kernel (in, out / groups, k...) -> output. */
export const nodeConvTranspose: NodeForm<NodeConvTranspose> = {
  attributes: (raw) => ({
    ...readNodeConv(raw),
    outputPadding: readIntegers(raw, "outputPadding", { min: 0, fallback: [] }),
    // Batch and channels may stand before the lengths (ONNX Runtime's conv_transpose_attributes.h).
    outputSize: readIntegers(raw, "outputSize", { min: 0, fallback: [] }),
  }),
  infer: ({ attributes, inputs }) =>
    onBatch(inputs, attributes, (batched) => convolvedBack(batched, attributes)),
};

function convolvedBack(inputs: readonly RuleInput[], attributes: NodeConvTranspose): Inferred {
  const dtype = inputType(inputs);
  const shapes = operandsOf(inputs);
  if (shapes === null) return only({ dtype, shape: null });
  const { batch, spatial, channels } = splitNode(shapes.input, attributes.layout);
  const [fanIn = null, filters = null, ...sizes] = shapes.kernel;
  requireAxes(attributes, spatial.length);
  if (contradicts(fanIn, channels))
    throw new RuleError(`a kernel ${formatShape(shapes.kernel)} does not fit ${channels} channels`);
  const lengths = spatial.map(
    (length, axis) =>
      attributes.outputSize.at(axis - spatial.length) ??
      transposedLength(length, attributes.kernelSize[axis] ?? sizes[axis] ?? null, attributes, axis),
  );
  const outputs = multiplyDims(filters, attributes.groups);
  return only({
    dtype,
    shape: joinNode({ batch, spatial: lengths, channels: outputs }, attributes.layout),
  });
}

/** input, kernel, pads -> output; of pads that are not known it has whatever lengths. */
const paddedTranspose = defineOperator<NodeConvTranspose>({
  name: "PaddedConvTranspose",
  attributes: nodeConvTranspose.attributes,
  infer({ attributes, inputs }) {
    const pads = optionalInput(inputs, "pads", inputs.length);
    if (!pads || attributes.padding === "same") return convolvedBack(inputs, attributes);
    const known = listValue(pads)?.filter((pad) => typeof pad === "number") ?? [];
    const half = known.length / 2;
    const padding = known.slice(0, half).map((begin, i): [number, number] => [begin, known[half + i] ?? 0]);
    const [made, ...rest] = convolvedBack(inputs, { ...attributes, padding }).types;
    const { dtype = null, shape = null } = made ?? {};
    const complete = shape !== null && known.length === 2 * (shape.length - 2);
    const lengths = complete || shape === null ? shape : shape.map((dim, i) => (i < 2 ? dim : null));
    return { types: [{ dtype, shape: lengths }, ...rest] };
  },
});

interface CausalConvState {
  /** Slots of the state, null for one without an axis of its own. */
  readonly window: number | null;
  readonly dilation: number;
  readonly layout: Layout;
}

/** input (batch, channels, n), kernel (channels, 1, k) -> the same shape, and as many inputs as the next call needs. */
const causalConv = defineOperator<CausalConvState>({
  name: "CausalConvWithState",
  attributes: (raw) => ({
    window: readOptionalInteger(raw, "window"),
    dilation: readInteger(raw, "dilation", { fallback: 1 }),
    layout: readLayout(raw),
  }),
  infer({ attributes: { window, dilation, layout }, inputs }) {
    const input = inputAt(inputs, "input", 0);
    const kernel = inputAt(inputs, "kernel", 1).shape;
    const length = multiplyDims(addDims(kernel?.[2] ?? null, -1), dilation);
    const { dtype, shape } = input;
    // What a state of more than one spatial axis looks like is not documented.
    if (shape?.length !== 3)
      return {
        types: [
          { dtype, shape },
          { dtype, shape: null },
        ],
      };
    const state = joinNode({ ...splitNode(shape, layout), spatial: [length] }, layout);
    return {
      types: [
        { dtype, shape },
        { dtype, shape: window === null ? state : [window, ...state] },
      ],
    };
  },
});

export const graphConvOperators: readonly OperatorDef<unknown>[] = [
  convolution("ConvInteger", () => "int32"),
  convolution("QLinearConv", (inputs) => optionalInput(inputs, "output-zero-point", 7)?.dtype ?? null),
  convolution("DeformConv", inputType),
  causalConv,
  paddedTranspose,
];
