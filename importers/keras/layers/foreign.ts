/** Other frameworks' models as layers, whose insides are not in the configuration, and layers that only take note. */

import type { LayerRule } from "../layer-rule.ts";
import { plain } from "./config-reading.ts";
import { opaque } from "./core.ts";

const foreign: LayerRule = ({ config }) => opaque(config.output_shape);

export const foreignLayers: Readonly<Record<string, LayerRule>> = {
  TorchModuleWrapper: foreign,
  TFSMLayer: foreign,
  JaxLayer: foreign,
  FlaxLayer: foreign,
  AddLoss: plain("Identity"),
  AddMetric: plain("Identity"),
};
