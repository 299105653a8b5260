/** Where values come from, and what leaves them alone or cannot be looked into. */

import type { Dim } from "../ir/dim.ts";
import { type DType, isDType } from "../ir/dtype.ts";
import type { Json, JsonObject } from "../ir/graph.ts";
import type { Shape } from "../ir/shape.ts";
import { single } from "./arguments.ts";
import { readShape } from "./attributes.ts";
import type { Inferred, OperatorDef, RuleContext } from "./operator.ts";
import { shapePreserving } from "./shape-preserving.ts";

interface InputAttributes {
  /** With the batch. */
  readonly shape: Shape;
  readonly dtype: DType | null;
}

const input: OperatorDef<InputAttributes> = {
  name: "Input",
  attributes: (raw) => ({
    shape: readShape(raw, "shape"),
    dtype: typeof raw.dtype === "string" && isDType(raw.dtype) ? raw.dtype : null,
  }),
  infer: ({ attributes }) => single(attributes.shape, attributes.dtype),
};

interface OpaqueAttributes {
  /** Shapes of the outputs without the batch, where somebody says so. */
  readonly outputShapes: readonly (readonly Dim[])[] | null;
}

/** Code we cannot look into. `outputShapes` (each without the batch, which is that of the first input) is believed. */
const opaque: OperatorDef<OpaqueAttributes> = {
  name: "Opaque",
  attributes: (raw) => ({ outputShapes: readOutputShapes(raw) }),
  infer: ({ attributes, inputs }: RuleContext<OpaqueAttributes>): Inferred => {
    if (attributes.outputShapes === null) return single(null, null);
    const batch = inputs[0]?.shape?.[0] ?? null;
    return { types: attributes.outputShapes.map((shape) => ({ shape: [batch, ...shape], dtype: null })) };
  },
};

function readOutputShapes(raw: JsonObject): readonly (readonly Dim[])[] | null {
  const value: Json = raw.outputShapes ?? null;
  if (!Array.isArray(value) || value.length === 0) return null;
  return (value as readonly Json[]).map((shape) => readShape({ shape }, "shape") ?? []);
}

export const inputOperators: readonly OperatorDef<unknown>[] = [input, opaque, shapePreserving("Identity")];
