import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../src/ir/graph.ts";
import type { Shape } from "../../src/ir/shape.ts";
import { named, run } from "./run-operator.ts";

function one(operator: string, attributes: JsonObject, shape: Shape): Shape {
  return run({ operator, attributes }, shape).shapes[0] ?? null;
}

describe("encodings", () => {
  const encode = (attributes: JsonObject, shape: Shape) =>
    one("CategoricalEncoding", { depth: 9, ...attributes }, shape);

  test("indices stay, vectors come", () => {
    expect(encode({ mode: "int" }, [null, 3])).toEqual([null, 3]);
    expect(encode({ mode: "one_hot" }, [null, 3])).toEqual([null, 3, 9]);
    expect(encode({ mode: "one_hot" }, [null, 1])).toEqual([null, 9]);
    expect(encode({ mode: "multi_hot" }, [null, 3])).toEqual([null, 9]);
    expect(encode({ mode: "multi_hot", dropsSecond: true }, [null, 3, 5])).toEqual([null, 5, 9]);
    expect(encode({ mode: "multi_hot" }, [])).toEqual([9]);
  });

  test("texts become sequences or counts", () => {
    const texts = (attributes: JsonObject, shape: Shape) => one("TextVectorization", attributes, shape);
    expect(texts({ mode: "int", sequenceLength: 12 }, [null, 1])).toEqual([null, 12]);
    expect(texts({ mode: "int" }, [null, 1])).toEqual([null, null]);
    expect(texts({ mode: "count", depth: 50 }, [null])).toEqual([null, 50]);
  });
});

describe("images", () => {
  test("sizes", () => {
    expect(one("ResizeImage", { height: 6, width: 5 }, [null, null, null, 3])).toEqual([null, 6, 5, 3]);
    expect(one("ResizeImage", { height: "random" }, [null, 9, 8, 3])).toEqual([null, null, 8, 3]);
    expect(one("PadImage", { top: 1, bottom: 2, targetWidth: 20 }, [9, 8, 3])).toEqual([12, 20, 3]);
    expect(() => one("CropImage", { top: 5, bottom: 5, left: 0, right: 0 }, [9, 8, 3])).toThrow("leave -1");
    expect(one("CentralCrop", { fraction: 0.5 }, [null, 12, 10, 3])).toEqual([null, 6, 6, 3]);
    expect(one("ExtractPatches", { kernelSize: [3, 3], strides: [2, 2] }, [null, 12, 10, 3])).toEqual([
      null,
      5,
      4,
      27,
    ]);
  });

  test("dictionaries come out as they go in, boxes limited", () => {
    const structure = { bounding_boxes: { boxes: 0, labels: 1 }, images: 2 };
    const inputs = [
      named("bounding_boxes.boxes", [null, null, 4]),
      named("bounding_boxes.labels", [null, null]),
      named("images", [null, 9, 8, 3]),
    ];
    const ran = run({ operator: "LimitBoundingBoxes", attributes: { structure, maxNumber: 7 } }, ...inputs);
    expect(ran.shapes).toEqual([
      [null, 7, 4],
      [null, 7],
      [null, 9, 8, 3],
    ]);
    expect(ran.structure).toEqual({
      dict: [
        [
          "bounding_boxes",
          {
            dict: [
              ["boxes", 0],
              ["labels", 1],
            ],
          },
        ],
        ["images", 2],
      ],
    });
  });
});

test("spectrograms", () => {
  expect(one("MelSpectrogram", { stride: 512, bins: 80 }, [null, 16000])).toEqual([null, 80, 32]);
  const stft = { mode: "log", kernelSize: [256], strides: [128], fftLength: 256 };
  expect(one("StftSpectrogram", stft, [null, 16000, 1])).toEqual([null, 124, 129]);
  expect(one("StftSpectrogram", { ...stft, expandDims: true }, [null, 16000, 2])).toEqual([
    null,
    124,
    129,
    2,
  ]);
  expect(
    run({ operator: "StftSpectrogram", attributes: { ...stft, mode: "real" } }, [null, 16000, 1]).weights,
  ).toEqual({
    "real-kernel": [256, 1, 129],
  });
});
