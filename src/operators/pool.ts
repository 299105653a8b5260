/** Pooling: windows without weights. */

import { mainInput, single } from "./arguments.ts";
import { type Layout, readFlag, readInteger, readIntegers, readLayout } from "./attributes.ts";
import { nodeAdaptivePool, nodeGlobalPool, nodePool } from "./graph-pool.ts";
import type { Inferred, OperatorDef, RuleContext } from "./operator.ts";
import { inTwoForms } from "./two-forms.ts";
import { joinSpatial, readWindows, splitSpatial, type Windows, windowPositions } from "./windows.ts";

/** `kernelSize`, `strides` (default: the kernel size), `padding`, `layout`. */
function pool(name: string): OperatorDef<Windows> {
  return { name, attributes: (raw) => readWindows(raw, "kernel"), infer: inferPool };
}

function inferPool({ attributes, inputs }: RuleContext<Windows>): Inferred {
  const { shape, dtype } = mainInput(inputs);
  if (shape === null) return single(null, dtype);
  const parts = splitSpatial(shape, attributes.kernelSize.length, attributes.layout);
  const spatial = parts.spatial.map((length, axis) => windowPositions(length, attributes, axis));
  return single(joinSpatial({ ...parts, spatial }, attributes.layout), dtype);
}

interface GlobalPoolAttributes {
  readonly spatialRank: number;
  readonly layout: Layout;
  /** Spatial axes stay, with length 1. */
  readonly keepDims: boolean;
}

function globalPool(name: string): OperatorDef<GlobalPoolAttributes> {
  return {
    name,
    attributes: (raw) => ({
      spatialRank: readInteger(raw, "spatialRank"),
      layout: readLayout(raw),
      keepDims: readFlag(raw, "keepDims", false),
    }),
    infer: ({ attributes, inputs }) => {
      const { shape, dtype } = mainInput(inputs);
      if (shape === null) return single(null, dtype);
      const parts = splitSpatial(shape, attributes.spatialRank, attributes.layout);
      const spatial = attributes.keepDims ? parts.spatial.map(() => 1) : [];
      return single(joinSpatial({ ...parts, spatial }, attributes.layout), dtype);
    },
  };
}

interface AdaptivePoolAttributes {
  readonly outputSize: readonly number[];
  readonly layout: Layout;
}

/** Windows as large as it takes to get `outputSize`. */
function adaptivePool(name: string): OperatorDef<AdaptivePoolAttributes> {
  return {
    name,
    attributes: (raw) => ({ outputSize: readIntegers(raw, "outputSize"), layout: readLayout(raw) }),
    infer: ({ attributes, inputs }) => {
      const { shape, dtype } = mainInput(inputs);
      if (shape === null) return single(null, dtype);
      const parts = splitSpatial(shape, attributes.outputSize.length, attributes.layout);
      return single(joinSpatial({ ...parts, spatial: attributes.outputSize }, attributes.layout), dtype);
    },
  };
}

export const poolOperators: readonly OperatorDef<unknown>[] = [
  inTwoForms(pool("MaxPool"), nodePool(true)),
  inTwoForms(pool("AveragePool"), nodePool()),
  inTwoForms(globalPool("GlobalMaxPool"), nodeGlobalPool()),
  inTwoForms(globalPool("GlobalAveragePool"), nodeGlobalPool()),
  inTwoForms(adaptivePool("AdaptiveMaxPool"), nodeAdaptivePool(true)),
  inTwoForms(adaptivePool("AdaptiveAveragePool"), nodeAdaptivePool()),
];
