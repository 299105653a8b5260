/** Other frameworks' models as layers, whose insides are not in the configuration, and layers that only take note. */

import { asList } from "../json-access.ts";
import type { LayerRule } from "../layer-rule.ts";
import { plain } from "./config-reading.ts";
import { opaque } from "./core.ts";

const foreign: LayerRule = ({ config }) => opaque(config.output_shape);

/** Its shape has the batch as well. */
const torchModule: LayerRule = ({ config }) => opaque(asList(config.output_shape)?.slice(1));

export const foreignLayers: Readonly<Record<string, LayerRule>> = {
  TorchModuleWrapper: torchModule,
  TFSMLayer: foreign,
  JaxLayer: foreign,
  FlaxLayer: foreign,
  AddLoss: plain("Identity"),
  AddMetric: plain("Identity"),
};
