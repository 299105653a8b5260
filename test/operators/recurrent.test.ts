import { expect, test } from "vitest";
import { run } from "./run-operator.ts";

const lstm = { operator: "LstmCell", attributes: { units: 4 } };
const gru = { operator: "GruCell", attributes: { units: 3, resetAfter: true } };

test("the last step or all of them, and the states", () => {
  const last = run({ operator: "Rnn", inner: [lstm] }, [null, 7, 5]);
  expect(last.shapes).toEqual([[null, 4]]);
  expect(last.wrapped["0"]).toEqual({ kernel: [5, 16], "recurrent-kernel": [4, 16], bias: [16] });
  const attributes = { returnSequences: true, returnState: true };
  const all = run({ operator: "Rnn", attributes, inner: [lstm] }, [null, null, 5]);
  expect(all.shapes).toEqual([
    [null, null, 4],
    [null, 4],
    [null, 4],
  ]);
  expect(all.structure).toEqual({ list: [0, 1, 2] });
});

test("time comes first in time-major layers", () => {
  const attributes = { returnSequences: true, timeMajor: true };
  expect(run({ operator: "Rnn", attributes, inner: [gru] }, [7, null, 5]).shapes).toEqual([[7, null, 3]]);
});

test("stacked cells feed each other; each cell's states stay together", () => {
  const stack = { operator: "StackedRnnCells", inner: [lstm, gru] };
  const ran = run({ operator: "Rnn", attributes: { returnState: true }, inner: [stack] }, [2, 7, 5]);
  expect(ran.shapes).toEqual([
    [2, 3],
    [2, 4],
    [2, 4],
    [2, 3],
  ]);
  expect(ran.structure).toEqual({ list: [0, { list: [1, 2] }, 3] });
  expect(ran.wrapped["0/1"]).toEqual({ kernel: [4, 9], "recurrent-kernel": [3, 9], bias: [2, 9] });
});

test("Keras 1 keeps gates apart, cuDNN has two biases in one", () => {
  const cell = { operator: "GruCell", attributes: { units: 3, splitGates: true } };
  expect(Object.keys(run({ operator: "Rnn", inner: [cell] }, [null, 7, 5]).wrapped["0"] ?? {})).toHaveLength(
    9,
  );
  expect(run({ operator: "CudnnLstm", attributes: { units: 3 } }, [null, 7, 5]).weights.bias).toEqual([24]);
});

test("convolutional cells are channels-last inside whatever the layout", () => {
  const attributes = { filters: 6, kernelSize: [3, 3], padding: "same", layout: "channels-first" };
  const cell = { operator: "ConvLstmCell", attributes };
  const ran = run({ operator: "Rnn", attributes: { returnSequences: true }, inner: [cell] }, [
    null,
    5,
    2,
    8,
    9,
  ]);
  expect(ran.shapes).toEqual([[null, 5, 6, 8, 9]]);
  expect(ran.wrapped["0"]?.kernel).toEqual([3, 3, 2, 24]);
  expect(ran.wrapped["0"]?.["recurrent-kernel"]).toEqual([3, 3, 6, 24]);
});

test("a sequence has three axes at least", () => {
  expect(() => run({ operator: "Rnn", inner: [lstm] }, [null, 7])).toThrow("rank of at least 3");
});
