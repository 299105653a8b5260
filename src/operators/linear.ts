/** Layers that multiply by a matrix. */

import type { Dim } from "../ir/dim.ts";
import type { JsonObject } from "../ir/graph.ts";
import { dimAt, mainInput, realType, requireMinimumRank, requireRank, single } from "./arguments.ts";
import { readFlag, readInteger, readOptionalInteger } from "./attributes.ts";
import { nodeLinear } from "./graph-linear.ts";
import type { Inferred, OperatorDef, RuleContext } from "./operator.ts";
import { loraWeights, type Quantization, quantizationWeights, readQuantization } from "./quantization.ts";
import { inTwoForms } from "./two-forms.ts";

interface LinearAttributes {
  readonly units: number;
  readonly bias: boolean;
  readonly quantization: Quantization | null;
  readonly loraRank: number | null;
}

/** Length of the last axis of the input; unknown where its shape is. */
function features({ inputs }: RuleContext<unknown>): Dim {
  const { shape } = mainInput(inputs);
  return shape === null ? null : dimAt(shape, -1);
}

/** The input's shape with `units` for its last axis. */
function withUnits({ inputs }: RuleContext<unknown>, units: number): Inferred {
  const { shape, dtype } = mainInput(inputs);
  if (shape === null) return single(null, realType(dtype));
  requireMinimumRank(shape, 2);
  return single([...shape.slice(0, -1), units], realType(dtype));
}

/** Kernel (features, units), bias (units), on the last axis of any rank. */
const linear: OperatorDef<LinearAttributes> = {
  name: "Linear",
  attributes: (raw) => ({
    ...readUnits(raw),
    quantization: readQuantization(raw),
    loraRank: readOptionalInteger(raw, "loraRank"),
  }),
  weights: (context) => {
    const { units, bias, quantization, loraRank } = context.attributes;
    const inputs = features(context);
    return {
      kernel: [inputs, units],
      ...(bias && { bias: [units] }),
      ...quantizationWeights(quantization, inputs, units, [units]),
      ...loraWeights([inputs, units], loraRank),
    };
  },
  infer: (context) => withUnits(context, context.attributes.units),
};

function readUnits(raw: JsonObject): { units: number; bias: boolean } {
  return { units: readInteger(raw, "units"), bias: readFlag(raw, "bias", true) };
}

interface MaxoutAttributes {
  readonly units: number;
  readonly bias: boolean;
  /** Linear pieces of which each unit takes the greatest. */
  readonly pieces: number;
}

/** Kernel (pieces, features, units), bias (pieces, units) (Keras 1: MaxoutDense). */
const maxoutLinear: OperatorDef<MaxoutAttributes> = {
  name: "MaxoutLinear",
  attributes: (raw) => ({ ...readUnits(raw), pieces: readInteger(raw, "pieces") }),
  weights: (context) => {
    const { units, bias, pieces } = context.attributes;
    return { kernel: [pieces, features(context), units], ...(bias && { bias: [pieces, units] }) };
  },
  infer: (context) => withUnits(context, context.attributes.units),
};

/** Two square layers, one of which gates the other: kernels (n, n), biases (n) (Keras 1: Highway). */
const highway: OperatorDef<{ readonly bias: boolean }> = {
  name: "Highway",
  attributes: (raw) => ({ bias: readFlag(raw, "bias", true) }),
  weights: (context) => {
    const n = features(context);
    return {
      kernel: [n, n],
      "carry-kernel": [n, n],
      ...(context.attributes.bias && { bias: [n], "carry-bias": [n] }),
    };
  },
  infer: ({ inputs }) => {
    const { shape, dtype } = mainInput(inputs);
    return single(shape, realType(dtype));
  },
};

/** cos(x W / scale + b) with random, fixed W (features, units) and b (units); scale (1) (Keras 2, experimental). */
const randomFourierFeatures: OperatorDef<{ readonly units: number }> = {
  name: "RandomFourierFeatures",
  attributes: (raw) => ({ units: readInteger(raw, "units") }),
  weights: (context) => {
    const { units } = context.attributes;
    return { kernel: [features(context), units], bias: [units], "kernel-scale": [1] };
  },
  infer: (context) => {
    const { shape } = mainInput(context.inputs);
    if (shape !== null) requireRank(shape, 2);
    return single(withUnits(context, context.attributes.units).types[0]?.shape ?? null, "float32");
  },
};

export const linearOperators: readonly OperatorDef<unknown>[] = [
  inTwoForms(linear, nodeLinear),
  maxoutLinear,
  highway,
  randomFourierFeatures,
];
