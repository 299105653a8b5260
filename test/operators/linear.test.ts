import { expect, test } from "vitest";
import { apply } from "./apply-operator.ts";

test("Linear works on the last axis of any rank", () => {
  expect(apply("Linear", { units: 128 }, [null, 28_125])).toMatchObject({
    output: [null, 128],
    parameters: 3_600_128,
  });
  expect(apply("Linear", { units: 6, bias: false }, [null, 5, 7])).toMatchObject({
    output: [null, 5, 6],
    weights: { kernel: [7, 6] },
  });
  expect(apply("Linear", { units: 6 }, [null, null]).weights.kernel).toEqual([null, 6]);
  expect(() => apply("Linear", { units: 6 }, [null])).toThrow("rank of at least 2");
  expect(() => apply("Linear", { units: -1 }, [null, 4])).toThrow('"units"');
});

// Keras 3.15 core/dense.py; the kernel is logical, whatever it is packed into.
test.each([
  [{ mode: "int8" }, { "kernel-scale": [6] }],
  [{ mode: "int4", blockSize: -1 }, { "kernel-scale": [6] }],
  [
    { mode: "int4", blockSize: 3 },
    { "kernel-scale": [3, 6], "kernel-zero": [3, 6], "group-index": [8] },
  ],
  [
    { mode: "gptq", bits: 4, blockSize: 4 },
    { "kernel-scale": [6, 2], "kernel-zero": [6, 2], "group-index": [8] },
  ],
  [
    { mode: "awq", bits: 4, blockSize: -1 },
    { "kernel-scale": [6, 1], "input-scale": [8], "group-index": [8] },
  ],
  [{ mode: "float8" }, { "kernel-scale": [], "inputs-maxima": [1024], "outputs-gradient-scale": [] }],
])("Linear quantised as %o", (quantization, expected) => {
  const { weights } = apply("Linear", { units: 6, quantization }, [null, 8]);
  expect(weights).toMatchObject({ kernel: [8, 6], bias: [6], ...expected });
});

test("layers of Keras 1", () => {
  expect(apply("MaxoutLinear", { units: 3, pieces: 4 }, [null, 7])).toMatchObject({
    output: [null, 3],
    weights: { kernel: [4, 7, 3], bias: [4, 3] },
  });
  expect(apply("Highway", {}, [null, 7])).toMatchObject({ output: [null, 7], parameters: 2 * (49 + 7) });
});

test("RandomFourierFeatures has a scale of one element", () => {
  expect(apply("RandomFourierFeatures", { units: 9 }, [null, 4])).toMatchObject({
    output: [null, 9],
    weights: { kernel: [4, 9], bias: [9], "kernel-scale": [1] },
  });
});
