import { expect, test } from "vitest";
import { type Part, run } from "./run-operator.ts";

function rnn(attributes = {}): Part {
  return { operator: "Rnn", attributes, inner: [{ operator: "LstmCell", attributes: { units: 4 } }] };
}

test("both directions are merged, or both returned", () => {
  const inner = [rnn({ returnSequences: true }), rnn({ returnSequences: true })];
  const merged = (merge: string) =>
    run({ operator: "Bidirectional", attributes: { merge }, inner }, [null, 7, 5]);
  expect(merged("concat").shapes).toEqual([[null, 7, 8]]);
  expect(merged("sum").shapes).toEqual([[null, 7, 4]]);
  expect(merged("none")).toMatchObject({
    shapes: [
      [null, 7, 4],
      [null, 7, 4],
    ],
    structure: { list: [0, 1] },
  });
});

test("states of both directions follow", () => {
  const inner = [rnn({ returnState: true }), rnn({ returnState: true })];
  const attributes = { merge: "concat", returnState: true, container: "tuple" };
  const ran = run({ operator: "Bidirectional", attributes, inner }, [null, 7, 5]);
  expect(ran.shapes).toEqual([
    [null, 8],
    [null, 4],
    [null, 4],
    [null, 4],
    [null, 4],
  ]);
  expect(ran.structure).toEqual({ tuple: [0, 1, 2, 3, 4] });
});

test("the time axis is taken out and put back", () => {
  const inner = [{ operator: "Linear", attributes: { units: 3 } }];
  const ran = run({ operator: "TimeDistributed", inner }, [null, null, 6, 5]);
  expect(ran.shapes).toEqual([[null, null, 6, 3]]);
  expect(ran.wrapped["0"]?.kernel).toEqual([5, 3]);
});

test("the vector of a spectral norm is as long as the kernel's last axis", () => {
  const conv = { operator: "Conv", attributes: { kernelSize: [3, 3], filters: 6 } };
  expect(run({ operator: "SpectralNormalization", inner: [conv] }, [null, 8, 8, 2]).weights).toEqual({
    "vector-u": [1, 6],
  });
  const transposed = { operator: "ConvTranspose", attributes: { kernelSize: [3, 3], filters: 6 } };
  expect(run({ operator: "SpectralNormalization", inner: [transposed] }, [null, 8, 8, 2]).weights).toEqual({
    "vector-u": [1, 2],
  });
});
