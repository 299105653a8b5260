/**
 * Every Keras layer class there is a rule for, by class name. The list is written by hand: one line a family, whose
 * file exports `<family>Layers`.
 */

import type { LayerRule } from "../layer-rule.ts";
import { activationLayers } from "./activation.ts";
import { applicationLayers } from "./applications.ts";
import { attentionLayers } from "./attention.ts";
import { audioLayers } from "./audio.ts";
import { convolutionLayers } from "./convolution.ts";
import { coreLayers } from "./core.ts";
import { embeddingLayers } from "./embedding.ts";
import { foreignLayers } from "./foreign.ts";
import { imageLayers } from "./image.ts";
import { linearLayers } from "./linear.ts";
import { mergingLayers } from "./merging.ts";
import { normalizationLayers } from "./normalization.ts";
import { poolingLayers } from "./pooling.ts";
import { preprocessingLayers } from "./preprocessing.ts";
import { recurrentLayers } from "./recurrent.ts";
import { regularizationLayers } from "./regularization.ts";
import { reshapingLayers } from "./reshaping.ts";
import { wrapperLayers } from "./wrappers.ts";

/** Rules by class name as it stands in `class_name`. */
export const layerRules: Readonly<Record<string, LayerRule>> = {
  ...activationLayers,
  ...applicationLayers,
  ...attentionLayers,
  ...audioLayers,
  ...convolutionLayers,
  ...coreLayers,
  ...embeddingLayers,
  ...foreignLayers,
  ...imageLayers,
  ...linearLayers,
  ...mergingLayers,
  ...normalizationLayers,
  ...poolingLayers,
  ...preprocessingLayers,
  ...recurrentLayers,
  ...regularizationLayers,
  ...reshapingLayers,
  ...wrapperLayers,
};
