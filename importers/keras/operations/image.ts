/** Image operations of keras.ops (Keras 3.15 ops/image.py). */

import type { Json, JsonObject } from "../../../src/ir/graph.ts";
import { asInteger, asList } from "../json-access.ts";
import { alike, layoutOf, type OperationTable, operation } from "./operation.ts";

const patch = (stated: JsonObject): JsonObject => {
  const size = asList(stated.size) ?? square(stated.size);
  const strides = asList(stated.strides) ?? (asInteger(stated.strides) === undefined ? size : stated.strides);
  return {
    kernelSize: size,
    strides: strides ?? null,
    dilations: stated.dilation_rate ?? 1,
    padding: stated.padding ?? "valid",
    layout: layoutOf(stated.data_format),
  };
};

function square(size: Json | undefined): readonly Json[] {
  return [size ?? null, size ?? null];
}

function borders(suffix: string): (stated: JsonObject) => JsonObject {
  return (stated) => ({
    top: stated[`top_${suffix}`] ?? null,
    bottom: stated[`bottom_${suffix}`] ?? null,
    left: stated[`left_${suffix}`] ?? null,
    right: stated[`right_${suffix}`] ?? null,
    targetHeight: stated.target_height ?? null,
    targetWidth: stated.target_width ?? null,
    layout: layoutOf(stated.data_format),
  });
}

export const imageOperations: OperationTable = {
  RGBToGrayscale: operation("ConvertColors", ["images"], ({ data_format: format }) => ({
    channels: 1,
    layout: layoutOf(format),
  })),
  ...alike(["RGBToHSV", "HSVToRGB"], operation("ConvertColors", ["images"])),
  Resize: operation("ResizeImage", ["images"], ({ size, data_format: format }) => {
    const [height = null, width = null] = asList(size) ?? square(size);
    return { height, width, layout: layoutOf(format) };
  }),
  ExtractPatches: operation("ExtractPatches", ["images"], patch),
  PadImages: operation("PadImage", ["images"], borders("padding")),
  CropImages: operation("CropImage", ["images"], borders("cropping")),
  AffineTransform: operation("TransformImage", ["images", "transform"]),
  PerspectiveTransform: operation("TransformImage", ["images", "start_points", "end_points"]),
  GaussianBlur: operation("TransformImage", ["images"]),
  ElasticTransform: operation("TransformImage", ["images"]),
  MapCoordinates: operation("MapCoordinates", ["inputs", "coordinates"]),
  ScaleAndTranslate: operation("ScaleAndTranslate", ["images"], (stated) => ({
    outputShape: stated.output_shape ?? stated.argument1 ?? null,
  })),
  SobelEdges: operation("SobelEdges", ["images"]),
  SSIM: operation("StructuralSimilarity", ["image1", "image2"]),
};
