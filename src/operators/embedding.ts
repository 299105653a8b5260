/** Look-up tables of vectors. */

import { ceilDivideDim, type Dim } from "../ir/dim.ts";
import type { Shape } from "../ir/shape.ts";
import { mainInput, requireMinimumRank, single } from "./arguments.ts";
import { readFlag, readInteger, readOptionalInteger, readShape } from "./attributes.ts";
import type { OperatorDef } from "./operator.ts";
import { loraWeights, type Quantization, readQuantization } from "./quantization.ts";

interface EmbeddingAttributes {
  readonly vocabulary: number;
  readonly size: number;
  /** Lengths of the input's axes after the batch that its own shape may lack (Keras 1 and 2: `input_length`). */
  readonly inputLengths: Shape;
  /** Maps vectors back to scores over the vocabulary. */
  readonly reverse: boolean;
  /** Has a table of its own for the way back. */
  readonly ownReverseTable: boolean;
  readonly quantization: Quantization | null;
  readonly loraRank: number | null;
}

type Weights = Readonly<Record<string, Shape>>;

/** Scales by row of the table; with blocks also by group of columns. */
function tableScales({ quantization, vocabulary, size, ownReverseTable }: EmbeddingAttributes): Weights {
  if (quantization === null || (quantization.mode !== "int8" && quantization.mode !== "int4")) return {};
  const { blockSize } = quantization;
  if (quantization.mode === "int8" || blockSize === null) {
    return { "embeddings-scale": [vocabulary], ...(ownReverseTable && { "reverse-scale": [vocabulary] }) };
  }
  const groups = ceilDivideDim(size, blockSize);
  return {
    "embeddings-scale": [vocabulary, groups],
    "embeddings-zero": [vocabulary, groups],
    "group-index": [size],
    ...(ownReverseTable && { "reverse-scale": [groups, vocabulary], "reverse-zero": [groups, vocabulary] }),
  };
}

/** Input (batch, ...) becomes (batch, ..., size); reversed, (batch, ..., size) becomes (batch, ..., vocabulary). */
function embeddedShape(attributes: EmbeddingAttributes, shape: readonly Dim[]): readonly Dim[] {
  if (attributes.reverse) {
    requireMinimumRank(shape, 2);
    return [...shape.slice(0, -1), attributes.vocabulary];
  }
  const lengths = attributes.inputLengths;
  return [
    ...shape.map((dim, axis) => dim ?? (axis === 0 ? null : (lengths?.[axis - 1] ?? null))),
    attributes.size,
  ];
}

/** Table (vocabulary, size). */
const embedding: OperatorDef<EmbeddingAttributes> = {
  name: "Embedding",
  attributes: (raw) => ({
    vocabulary: readInteger(raw, "vocabulary"),
    size: readInteger(raw, "size"),
    inputLengths: readShape(raw, "inputLengths"),
    reverse: readFlag(raw, "reverse", false),
    ownReverseTable: readFlag(raw, "ownReverseTable", false),
    quantization: readQuantization(raw),
    loraRank: readOptionalInteger(raw, "loraRank"),
  }),
  weights: ({ attributes }) => {
    const { vocabulary, size, ownReverseTable, loraRank } = attributes;
    return {
      embeddings: [vocabulary, size],
      ...(ownReverseTable && { "reverse-embeddings": [size, vocabulary] }),
      ...tableScales(attributes),
      ...loraWeights([vocabulary, size], loraRank),
    };
  },
  infer: ({ attributes, inputs }) => {
    const { shape, dtype } = mainInput(inputs);
    return single(shape && embeddedShape(attributes, shape), attributes.reverse ? dtype : null);
  },
};

export const embeddingOperators: readonly OperatorDef<unknown>[] = [embedding];
