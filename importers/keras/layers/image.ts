/** Layers on images (Keras 3.15 layers/preprocessing/image_preprocessing, tf-keras image_preprocessing.py). */

import type { Argument, Json, JsonObject } from "../../../src/ir/graph.ts";
import type { CallArguments, CallValue, LayerRule, MappedCall } from "../layer-rule.ts";
import { layoutOf, plain } from "./config-reading.ts";

const resize: LayerRule = ({ config }) => ({
  operator: "ResizeImage",
  attributes: { height: config.height ?? null, width: config.width ?? null, layout: layoutOf(config) },
  weights: [],
});

/** tf.keras: one side becomes of unknown size. */
function randomSide(side: "height" | "width"): LayerRule {
  return ({ config }) => ({
    operator: "ResizeImage",
    attributes: { [side]: "random", layout: layoutOf(config) },
    weights: [],
  });
}

/** Images alone, or a dictionary of images, labels and boxes, which comes out as it goes in. */
function dictionaryCall(call: CallArguments): MappedCall {
  const inputs: Argument[] = [];
  const walk = (value: CallValue, path: string): Json => {
    if (value.kind === "tensor") {
      inputs.push(path === "" ? value.argument : { ...value.argument, name: path });
      return inputs.length - 1;
    }
    if (value.kind !== "dict") return null;
    const keys = Object.keys(value.entries).sort();
    return Object.fromEntries(
      keys.map((key) => [key, walk(value.entries[key] as CallValue, path === "" ? key : `${path}.${key}`)]),
    );
  };
  const first = call.args[0] ?? call.kwargs.data ?? call.kwargs.inputs ?? call.kwargs.images;
  const structure = first ? walk(first, "") : null;
  return { inputs, attributes: { structure } };
}

function augmentation(
  operator: string,
  attributes: (config: JsonObject) => JsonObject = () => ({}),
): LayerRule {
  return ({ config }) => ({ operator, attributes: attributes(config), weights: [], call: dictionaryCall });
}

const augment = augmentation("AugmentImage");

export const imageLayers: Readonly<Record<string, LayerRule>> = {
  Rescaling: plain("Rescaling"),
  Resizing: resize,
  CenterCrop: resize,
  RandomCrop: resize,
  RandomHeight: randomSide("height"),
  RandomWidth: randomSide("width"),
  AugMix: augment,
  AutoContrast: augment,
  ContrastLimitedAdaptiveHistogramEqualization: augment,
  CLAHE: augment,
  CutMix: augment,
  Equalization: augment,
  MixUp: augment,
  RandAugment: augment,
  RandomBrightness: augment,
  RandomColorDegeneration: augment,
  RandomColorJitter: augment,
  RandomContrast: augment,
  RandomElasticTransform: augment,
  RandomErasing: augment,
  RandomFlip: augment,
  RandomGaussianBlur: augment,
  RandomGrayscale: augment,
  RandomHue: augment,
  RandomInvert: augment,
  RandomPerspective: augment,
  RandomPosterization: augment,
  RandomRotation: augment,
  RandomSaturation: augment,
  RandomSharpness: augment,
  RandomShear: augment,
  RandomTranslation: augment,
  RandomZoom: augment,
  Solarization: augment,
  MaxNumBoundingBoxes: augmentation("LimitBoundingBoxes", (config) => ({
    maxNumber: config.max_number ?? null,
  })),
};
