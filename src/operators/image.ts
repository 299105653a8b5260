/**
 * Images (..., height, width, channels) or (..., channels, height, width): layers (Keras 3.15
 * layers/preprocessing/image_preprocessing, tf-keras preprocessing/image_preprocessing.py) and operations
 * (Keras 3.15 ops/image.py).
 */

import { type Dim, formatDim, mapDims, multiplyDims, sumOfDims } from "../ir/dim.ts";
import type { Json, JsonObject, Structure } from "../ir/graph.ts";
import { formatShape } from "../ir/shape.ts";
import { dimAt, mainInput, requireMinimumRank, requireRank } from "./arguments.ts";
import { type Layout, readLayout, readPerAxis } from "./attributes.ts";
import { type OperatorDef, RuleError, type RuleInput } from "./operator.ts";
import {
  defineOperator,
  inputAt,
  only,
  optionalDims,
  optionalInteger,
  optionalIntegers,
  reshaped,
  simpleOperator,
  withDim,
} from "./tensor-rule.ts";
import { joinSpatial, readWindows, splitSpatial, type Windows, windowPositions } from "./windows.ts";

/** Axes of height and width, from the end. */
function imageAxes(layout: Layout): readonly [number, number] {
  return layout === "channels-first" ? [-2, -1] : [-3, -2];
}

function channelAxis(layout: Layout): number {
  return layout === "channels-first" ? -3 : -1;
}

interface SizeAttributes {
  /** null: unknown (a random size). undefined: as it comes. */
  readonly height: Dim | undefined;
  readonly width: Dim | undefined;
  readonly layout: Layout;
}

function readSize(raw: JsonObject): SizeAttributes {
  const side = (key: string): Dim | undefined => {
    const value = raw[key];
    if (value === "random") return null;
    return value === undefined ? undefined : optionalInteger(raw, key);
  };
  return { height: side("height"), width: side("width"), layout: readLayout(raw) };
}

/** images -> images of another height and width. */
const resizeImage = defineOperator<SizeAttributes>({
  name: "ResizeImage",
  attributes: readSize,
  infer: ({ attributes: { height, width, layout }, inputs }) =>
    only(
      reshaped(mainInput(inputs), (shape) => {
        requireMinimumRank(shape, 3);
        const [h, w] = imageAxes(layout);
        const tall = height === undefined ? shape : withDim(shape, h, height);
        return width === undefined ? tall : withDim(tall, w, width);
      }),
    ),
});

/** How a layer's dictionary of images, labels and boxes comes out again: as it went in. */
function readStructure(value: Json | undefined): Structure | undefined {
  if (typeof value === "number") return value;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const entries = Object.entries(value as JsonObject).map(
    ([key, item]) => [key, readStructure(item) ?? 0] as const,
  );
  return { dict: entries };
}

function passOn(inputs: readonly RuleInput[], structure: Structure | undefined) {
  const types = inputs.map(({ dtype, shape }) => ({ dtype, shape }));
  return types.length > 1 && structure !== undefined ? { types, structure } : only(mainInput(inputs));
}

/** images (alone, or in a dictionary with labels and boxes) -> the same shapes. */
const augmentImage = defineOperator<{ structure: Structure | undefined }>({
  name: "AugmentImage",
  attributes: (raw) => ({ structure: readStructure(raw.structure) }),
  infer: ({ attributes: { structure }, inputs }) => passOn(inputs, structure),
});

/** A dictionary with boxes (batch, n, 4) and their labels (batch, n) -> `maxNumber` of each. */
const limitBoxes = defineOperator<{ structure: Structure | undefined; maxNumber: Dim }>({
  name: "LimitBoundingBoxes",
  attributes: (raw) => ({
    structure: readStructure(raw.structure),
    maxNumber: optionalInteger(raw, "maxNumber"),
  }),
  infer: ({ attributes: { structure, maxNumber }, inputs }) => {
    const limited = inputs.map((input) =>
      input.name?.startsWith("bounding_boxes.")
        ? { ...input, ...reshaped(input, (shape) => withDim(shape, 1, maxNumber)) }
        : input,
    );
    return passOn(limited, structure);
  },
});

const rescaling = simpleOperator("Rescaling", mainInput);

interface BorderAttributes {
  readonly sign: 1 | -1;
  readonly borders: readonly [Dim, Dim, Dim, Dim];
  readonly target: readonly [Dim, Dim];
  readonly layout: Layout;
}

function borderSide(size: Dim, borders: readonly Dim[], target: Dim, sign: 1 | -1): Dim {
  const stated = sumOfDims(borders);
  const result = target ?? mapDims((n, border) => n + sign * border, size, stated);
  if (typeof result === "number" && result < 0)
    throw new RuleError(`borders leave ${result} of ${formatDim(size)} elements`);
  return result;
}

/** images -> images with borders added or taken away, stated or up to a target size. */
function border(name: string, sign: 1 | -1): OperatorDef<unknown> {
  return defineOperator<BorderAttributes>({
    name,
    attributes: (raw) => ({
      sign,
      borders: [
        optionalInteger(raw, "top"),
        optionalInteger(raw, "bottom"),
        optionalInteger(raw, "left"),
        optionalInteger(raw, "right"),
      ],
      target: [optionalInteger(raw, "targetHeight"), optionalInteger(raw, "targetWidth")],
      layout: readLayout(raw),
    }),
    infer: ({ attributes: { borders, target, layout }, inputs }) =>
      only(
        reshaped(mainInput(inputs), (shape) => {
          requireMinimumRank(shape, 3);
          const [h, w] = imageAxes(layout);
          const tall = borderSide(dimAt(shape, h), borders.slice(0, 2), target[0], sign);
          const wide = borderSide(dimAt(shape, w), borders.slice(2), target[1], sign);
          return withDim(withDim(shape, h, tall), w, wide);
        }),
      ),
  });
}

/** images -> the middle `fraction` of each, cut so that the borders are whole (tf.image.central_crop). */
const centralCrop = defineOperator<{ fraction: number | null }>({
  name: "CentralCrop",
  attributes: ({ fraction }) => ({ fraction: typeof fraction === "number" ? fraction : null }),
  infer: ({ attributes: { fraction }, inputs }) =>
    only(
      reshaped(mainInput(inputs), (shape) => {
        requireMinimumRank(shape, 3);
        const side = (n: Dim): Dim =>
          fraction === null
            ? null
            : mapDims((size) => size - 2 * Math.trunc((size - size * fraction) / 2), n);
        return withDim(withDim(shape, -3, side(dimAt(shape, -3))), -2, side(dimAt(shape, -2)));
      }),
    ),
});

/** images -> windows of the image, each of them in the channels. */
const extractPatches = defineOperator<Windows>({
  name: "ExtractPatches",
  attributes: (raw) => readWindows(raw, "kernel"),
  infer: ({ attributes, inputs }) =>
    only(
      reshaped(mainInput(inputs), (shape) => {
        const rank = attributes.kernelSize.length;
        const single = shape.length === rank + 1;
        const parts = splitSpatial(single ? [1, ...shape] : shape, rank, attributes.layout);
        const spatial = parts.spatial.map((length, axis) => windowPositions(length, attributes, axis));
        const channels = multiplyDims(parts.channels, ...attributes.kernelSize);
        const result = joinSpatial({ ...parts, spatial, channels }, attributes.layout);
        return single ? result.slice(1) : result;
      }),
    ),
});

/** images -> images with other channels; `channels` null: as many as before. */
const convertColors = defineOperator<{ channels: number | null; layout: Layout }>({
  name: "ConvertColors",
  attributes: (raw) => ({ channels: optionalInteger(raw, "channels"), layout: readLayout(raw) }),
  infer: ({ attributes: { channels, layout }, inputs }) =>
    only(
      reshaped(mainInput(inputs), (shape) => {
        requireMinimumRank(shape, 3);
        return channels === null ? shape : withDim(shape, channelAxis(layout), channels);
      }),
    ),
});

/** images, and parameters of the transformation -> images. */
const transformImage = simpleOperator("TransformImage", (inputs) => {
  const images = mainInput(inputs);
  if (images.shape !== null) requireMinimumRank(images.shape, 3);
  return images;
});

/** image, coordinates (rank, ...) -> the elements there (...). */
const mapCoordinates = simpleOperator("MapCoordinates", (inputs) => {
  const image = inputAt(inputs, "inputs", 0);
  const { shape } = inputAt(inputs, "coordinates", 1);
  if (shape !== null) requireMinimumRank(shape, 2);
  return { dtype: image.dtype, shape: shape?.slice(1) ?? null };
});

/** images -> images of a stated shape. */
const scaleAndTranslate = defineOperator<{ shape: readonly Dim[] | null }>({
  name: "ScaleAndTranslate",
  attributes: (raw) => ({ shape: optionalDims(raw, "outputShape", 0) }),
  infer: ({ attributes: { shape }, inputs }) => only({ dtype: mainInput(inputs).dtype, shape }),
});

/** images -> the two gradients of each element, in a new last axis. */
const sobelEdges = simpleOperator("SobelEdges", (inputs) =>
  reshaped(mainInput(inputs), (shape) => {
    requireRank(shape, 4);
    return [...shape, 2];
  }),
);

/** image1, image2 -> one number for each image. */
const structuralSimilarity = simpleOperator("StructuralSimilarity", (inputs) =>
  reshaped(mainInput(inputs), (shape) => {
    if (shape.length < 3) throw new RuleError(`expects images, found shape ${formatShape(shape)}`);
    return shape.slice(0, -3);
  }),
);

/** images, boxes (n, 4), indices (n) -> (n, crop height, crop width, channels). */
const cropAndResize = defineOperator<{ size: readonly number[] }>({
  name: "CropAndResize",
  attributes: (raw) => ({ size: optionalIntegers(raw, "size") === null ? [] : readPerAxis(raw, "size", 2) }),
  infer: ({ attributes: { size }, inputs }) =>
    only(
      reshaped(inputAt(inputs, "x", 0), (shape) => [
        inputAt(inputs, "boxes", 1).shape?.[0] ?? null,
        size[0] ?? null,
        size[1] ?? null,
        dimAt(shape, -1),
      ]),
    ),
});

export const imageOperators: readonly OperatorDef<unknown>[] = [
  resizeImage,
  augmentImage,
  limitBoxes,
  rescaling,
  border("PadImage", 1),
  border("CropImage", -1),
  centralCrop,
  extractPatches,
  convertColors,
  transformImage,
  mapCoordinates,
  scaleAndTranslate,
  sobelEdges,
  structuralSimilarity,
  cropAndResize,
];
