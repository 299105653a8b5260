import { expect, test } from "vitest";
import type { JsonObject } from "../../src/ir/graph.ts";
import type { Shape } from "../../src/ir/shape.ts";
import { named, run } from "./run-operator.ts";

function all(operator: string, attributes: JsonObject, ...shapes: readonly Shape[]): readonly Shape[] {
  return run({ operator, attributes }, ...shapes).shapes;
}

test("linear algebra works on the last two axes", () => {
  expect(all("Svd", { fullMatrices: false }, [null, 6, 4])).toEqual([
    [null, 6, 4],
    [null, 4],
    [null, 4, 4],
  ]);
  expect(all("Svd", { fullMatrices: true, valuesFirst: true }, [6, 4])).toEqual([[4], [6, 6], [4, 4]]);
  expect(all("Qr", {}, [null, 6, 4])).toEqual([
    [null, 6, 4],
    [null, 4, 4],
  ]);
  expect(all("Diagonal", { offset: 1, axis1: 1, axis2: 2 }, [null, 6, 4])).toEqual([[null, 3]]);
  expect(() => all("Inverse", {}, [2, 3])).toThrow("square");
});

test("signals are counted in frames", () => {
  expect(all("Stft", { fftLength: 8, sequenceStride: 4, sequenceLength: 8 }, [null, 32])).toEqual([
    [null, 9, 5],
    [null, 9, 5],
  ]);
  const tensorflow = { fftLength: 8, sequenceStride: 4, sequenceLength: 6, center: false, complex: true };
  expect(all("Stft", tensorflow, [null, 32])).toEqual([[null, 7, 5]]);
  expect(all("RealFft", {}, [null, 9])).toEqual([
    [null, 5],
    [null, 5],
  ]);
  expect(all("InverseRealFft", {}, [null, 5], [null, 5])).toEqual([[null, 8]]);
});

test("ranges and fills", () => {
  expect(all("Range", { start: 2, stop: 9, step: 3 })).toEqual([[3]]);
  expect(all("Range", { start: 5 })).toEqual([[5]]);
  expect(all("Range", { start: 0, stop: 1, step: 0 })).toEqual([[null]]);
  expect(run({ operator: "Fill", attributes: { shape: [null, 4] } }, named("shape", [], 3)).shapes).toEqual([
    [3, 4],
  ]);
});

test("kernels among the inputs", () => {
  const convolve = (attributes: JsonObject, kernel: Shape) =>
    run({ operator: "Convolve", attributes }, named("x", [null, 12, 10, 3]), named("kernel", kernel))
      .shapes[0];
  expect(convolve({ strides: 2, padding: "same" }, [3, 3, 3, 5])).toEqual([null, 6, 5, 5]);
  expect(convolve({ kind: "depthwise" }, [3, 3, 3, 2])).toEqual([null, 10, 8, 6]);
  expect(convolve({ kind: "transpose", strides: 2, padding: "same" }, [3, 3, 5, 3])).toEqual([
    null,
    24,
    20,
    5,
  ]);
  expect(all("PoolTensor", { kernelSize: 2 }, [null, 12, 10, 3])).toEqual([[null, 6, 5, 3]]);
  expect(all("SpaceToDepth", { blockSize: 2 }, [null, 12, 10, 3])).toEqual([[null, 6, 5, 12]]);
});
