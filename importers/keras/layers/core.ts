/** Where values come from, what leaves them alone, and functions nobody can look into. */

import type { Json } from "../../../src/ir/graph.ts";
import { asList, asObject, asShape, asString } from "../json-access.ts";
import type { LayerRule, MappedLayer } from "../layer-rule.ts";
import { plain } from "./config-reading.ts";

/** `batch_shape` (Keras 3) or `batch_input_shape`; `dtype` is a name or a policy. */
const inputLayer: LayerRule = ({ config }) => {
  const { dtype } = config;
  return {
    operator: "Input",
    attributes: {
      shape: asShape(config.batch_shape ?? config.batch_input_shape) ?? null,
      dtype: asString(dtype) ?? asString(asObject(asObject(dtype)?.config)?.name) ?? "float32",
    },
    weights: [],
  };
};

/** Code: its output shapes are known only where `outputShape` (without the batch) is a shape or a list of shapes. */
export function opaque(outputShape: Json | undefined): MappedLayer {
  const one = asShape(outputShape);
  const several = asList(outputShape)?.map((shape) => asShape(shape));
  const shapes = one !== undefined ? [one] : several?.every((shape) => shape !== undefined) ? several : null;
  return { operator: "Opaque", attributes: { outputShapes: shapes as Json }, weights: [] };
}

/** A function that is not in the file, or Python bytecode. `output_shape` may be a function too. */
const lambda: LayerRule = ({ config }) => opaque(config.output_shape);

export const coreLayers: Readonly<Record<string, LayerRule>> = {
  InputLayer: inputLayer,
  Identity: plain("Identity"),
  // The base class itself, which tf.keras lets stand for a layer that does nothing.
  Layer: plain("Identity"),
  Lambda: lambda,
};
