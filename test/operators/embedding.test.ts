import { expect, test } from "vitest";
import { apply } from "./apply-operator.ts";

const table = { vocabulary: 11, size: 4 };

test("Embedding adds an axis", () => {
  expect(apply("Embedding", table, [null, 5])).toMatchObject({
    output: [null, 5, 4],
    weights: { embeddings: [11, 4] },
  });
  expect(apply("Embedding", table, [null]).output).toEqual([null, 4]);
  expect(apply("Embedding", { ...table, inputLengths: [5] }, [null, null]).output).toEqual([null, 5, 4]);
});

test("Embedding goes back from vectors to scores", () => {
  expect(apply("Embedding", { ...table, reverse: true, ownReverseTable: true }, [null, 5, 4])).toMatchObject({
    output: [null, 5, 11],
    weights: { embeddings: [11, 4], "reverse-embeddings": [4, 11] },
  });
});

test("quantised tables have a scale for each row", () => {
  expect(apply("Embedding", { ...table, quantization: { mode: "int8" } }, [null]).weights).toMatchObject({
    "embeddings-scale": [11],
  });
  const grouped = { ...table, ownReverseTable: true, quantization: { mode: "int4", blockSize: 3 } };
  expect(apply("Embedding", grouped, [null]).weights).toMatchObject({
    "embeddings-scale": [11, 2],
    "embeddings-zero": [11, 2],
    "group-index": [4],
    "reverse-scale": [2, 11],
  });
});
