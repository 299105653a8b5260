/** Activations: applied element by element (or along an axis), learned ones with a weight for each element. */

import type { Dim } from "../ir/dim.ts";
import type { Shape } from "../ir/shape.ts";
import { mainInput, realType, resolveAxis, single } from "./arguments.ts";
import { readIntegers } from "./attributes.ts";
import type { OperatorDef } from "./operator.ts";
import { shapePreserving, typePreserving } from "./shape-preserving.ts";

interface LearnedAttributes {
  /** Axes along which one weight serves all elements; the batch is 0, negative ones count from the end. */
  readonly sharedAxes: readonly number[];
}

/** An activation with weights of the shape of the input without batch, 1 along shared axes. */
function learned(name: string, roles: readonly string[]): OperatorDef<LearnedAttributes> {
  return {
    name,
    attributes: (raw) => ({
      sharedAxes: readIntegers(raw, "sharedAxes", { min: Number.MIN_SAFE_INTEGER, fallback: [] }),
    }),
    weights: ({ attributes, inputs }) => {
      const shape = slopeShape(mainInput(inputs).shape, attributes.sharedAxes);
      return Object.fromEntries(roles.map((role) => [role, shape]));
    },
    infer: ({ inputs }) => {
      const { shape, dtype } = mainInput(inputs);
      return single(shape, realType(dtype));
    },
  };
}

function slopeShape(shape: Shape, sharedAxes: readonly number[]): Shape {
  if (shape === null) return null;
  const shared = new Set(sharedAxes.map((axis) => resolveAxis(axis, shape.length)));
  return shape.map((dim, axis): Dim => (shared.has(axis) ? 1 : dim)).slice(1);
}

export const activationOperators: readonly OperatorDef<unknown>[] = [
  typePreserving("Activation"),
  shapePreserving("Relu"),
  shapePreserving("LeakyRelu"),
  shapePreserving("Elu"),
  typePreserving("Softmax"),
  shapePreserving("ThresholdedRelu"),
  learned("PRelu", ["alpha"]),
  learned("SRelu", ["threshold-left", "slope-left", "threshold-right", "slope-right"]),
  learned("ParametricSoftplus", ["alpha", "beta"]),
];
