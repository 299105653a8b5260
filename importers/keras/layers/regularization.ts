/**
 * Layers that act in training only. Seed states of Keras 3 are no weights: `layer.weights`, files and summaries leave
 * them out.
 */

import type { LayerRule } from "../layer-rule.ts";
import { plain } from "./config-reading.ts";

export const regularizationLayers: Readonly<Record<string, LayerRule>> = {
  Dropout: plain("Dropout"),
  SpatialDropout1D: plain("SpatialDropout"),
  SpatialDropout2D: plain("SpatialDropout"),
  SpatialDropout3D: plain("SpatialDropout"),
  AlphaDropout: plain("AlphaDropout"),
  GaussianDropout: plain("GaussianDropout"),
  GaussianNoise: plain("GaussianNoise"),
  ActivityRegularization: plain("ActivityRegularization"),
  Masking: plain("Masking"),
};
