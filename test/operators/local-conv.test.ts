import { expect, test } from "vitest";
import { apply } from "./apply-operator.ts";

test("a kernel for each position", () => {
  expect(apply("LocallyConnected", { kernelSize: [3, 3], filters: 4 }, [null, 8, 7, 2])).toMatchObject({
    output: [null, 6, 5, 4],
    weights: { kernel: [30, 18, 4], bias: [6, 5, 4] },
  });
});

test("one dense kernel, in the order of the data", () => {
  const attributes = { kernelSize: [3], filters: 4, storage: "dense", padding: "same", strides: 2 };
  expect(apply("LocallyConnected", attributes, [null, 9, 2]).weights.kernel).toEqual([9, 2, 5, 4]);
  const first = { ...attributes, layout: "channels-first" };
  expect(apply("LocallyConnected", first, [null, 2, 9]).weights.kernel).toEqual([2, 9, 4, 5]);
});

/** Connections counted one by one, as tf_keras conv_utils.conv_kernel_idxs enumerates them. */
function counted(n: number, size: number, stride: number, same: boolean): number {
  const positions = same ? Math.ceil(n / stride) : Math.floor((n - size) / stride) + 1;
  let count = 0;
  for (let p = 0; p < positions; p++) {
    const start = p * stride - (same ? Math.floor(size / 2) : 0);
    count += Math.min(n, start + size) - Math.max(0, start);
  }
  return count;
}

test("the connections alone, cut off at the borders", () => {
  for (const same of [true, false]) {
    for (const [n, size, stride] of [
      [9, 3, 1],
      [9, 4, 2],
      [10, 5, 3],
      [7, 7, 1],
      [12, 2, 5],
    ] as const) {
      const attributes = {
        kernelSize: [size],
        strides: stride,
        filters: 3,
        storage: "sparse",
        padding: same ? "same" : "valid",
      };
      expect(apply("LocallyConnected", attributes, [null, n, 2]).weights.kernel).toEqual([
        counted(n, size, stride, same) * 6,
      ]);
    }
  }
});

test("an absurd length costs nothing", () => {
  const attributes = { kernelSize: [3], filters: 1, storage: "sparse", padding: "same" };
  expect(apply("LocallyConnected", attributes, [null, 1e12, 1]).weights.kernel).toEqual([3e12 - 2]);
});
