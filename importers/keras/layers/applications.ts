/**
 * Classes that keras.applications defines for its own networks and exports nowhere (convnext.py, inception_resnet_v2.py of
 * Keras 3.15 and tf-keras 2.21). Other people's classes may have the same names, so the arguments have to fit too.
 */

import { asInteger } from "../json-access.ts";
import type { LayerRule } from "../layer-rule.ts";
import { plain } from "./config-reading.ts";
import { opaque } from "./core.ts";

/** One learned factor a channel. */
const layerScale: LayerRule = ({ config }) => {
  const channels = asInteger(config.projection_dim);
  if (channels === undefined) return opaque(null);
  return {
    operator: "ChannelScale",
    attributes: { channels },
    weights: [{ name: "gamma", role: "gamma" }],
  };
};

/** The first input plus a fixed multiple of the second. */
const customScale: LayerRule = (source) =>
  typeof source.config.scale === "number" ? plain("Add")(source) : opaque(null);

export const applicationLayers: Readonly<Record<string, LayerRule>> = {
  LayerScale: layerScale,
  CustomScaleLayer: customScale,
  StochasticDepth: (source) =>
    source.config.drop_path_rate === undefined ? opaque(null) : plain("Dropout")(source),
};
