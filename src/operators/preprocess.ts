/** Layers that prepare features (Keras 3.15 and tf-keras layers/preprocessing). */

import type { Dim } from "../ir/dim.ts";
import type { DType } from "../ir/dtype.ts";
import type { JsonObject } from "../ir/graph.ts";
import { dimAt, mainInput } from "./arguments.ts";
import { readChoice, readFlag, readOptionalInteger } from "./attributes.ts";
import type { OperatorDef, RuleInput } from "./operator.ts";
import { defineOperator, only, reshaped } from "./tensor-rule.ts";

const encodings = ["int", "one_hot", "multi_hot", "count", "tf_idf", "binary"] as const;

interface EncodingAttributes {
  readonly mode: (typeof encodings)[number];
  /** Length of the vectors that the modes other than "int" make. */
  readonly depth: Dim;
  /** A last axis of size 1 becomes the vector also where it is the only axis. */
  readonly replacesOnly: boolean;
  /** Keras 3's Discretization drops the second axis instead of the last. */
  readonly dropsSecond: boolean;
}

function readEncoding(raw: JsonObject): EncodingAttributes {
  return {
    mode: readChoice(raw, "mode", encodings, "int"),
    depth: readOptionalInteger(raw, "depth", { min: 0 }),
    replacesOnly: readFlag(raw, "replacesOnly", true),
    dropsSecond: readFlag(raw, "dropsSecond", false),
  };
}

/** Indices -> indices, or vectors of `depth`: one for each index (one_hot) or one for all of the last axis. */
function encode(
  shape: readonly Dim[],
  { mode, depth, replacesOnly, dropsSecond }: EncodingAttributes,
): readonly Dim[] {
  if (mode === "int") return shape;
  if (shape.length === 0) return [depth];
  if (mode === "one_hot") {
    const replaces = dimAt(shape, -1) === 1 && (replacesOnly || shape.length > 1);
    return replaces ? [...shape.slice(0, -1), depth] : [...shape, depth];
  }
  if (dropsSecond) return shape.length < 2 ? [depth] : [dimAt(shape, 0), ...shape.slice(2), depth];
  return [...shape.slice(0, -1), depth];
}

function encodedType(x: RuleInput, attributes: EncodingAttributes) {
  const dtype: DType = attributes.mode === "int" ? "int64" : "float32";
  return reshaped(x, (shape) => encode(shape, attributes), dtype);
}

/** Categories, bins, hashes, words -> their encoding. */
const categoricalEncoding = defineOperator<EncodingAttributes>({
  name: "CategoricalEncoding",
  attributes: readEncoding,
  // Of lengths that only the data tell.
  weights: () => ({ "idf-weights": [null], summary: [2, null] }),
  infer: ({ attributes, inputs }) => only(encodedType(mainInput(inputs), attributes)),
});

interface TextAttributes extends EncodingAttributes {
  readonly sequenceLength: Dim;
  /** The texts are words already; else each becomes a sequence of unknown length. */
  readonly splits: boolean;
  /** Keras 2 works the shape out by running the layer. */
  readonly traced: boolean;
}

function textShape(shape: readonly Dim[], attributes: TextAttributes): readonly Dim[] {
  const { mode, sequenceLength, splits, traced } = attributes;
  if (mode === "int" && !traced) return [shape[0] ?? null, sequenceLength];
  // A text for each element of the batch may stand in an axis of its own.
  const batch = traced && shape.length === 2 && dimAt(shape, 1) === 1 && splits ? shape.slice(0, 1) : shape;
  const words = splits ? [...batch, null] : batch.length > 1 || traced ? batch : [...batch, 1];
  if (mode !== "int") return traced ? [...words.slice(0, -1), attributes.depth] : encode(words, attributes);
  return sequenceLength === null || words.length === 0 ? words : [...words.slice(0, -1), sequenceLength];
}

/** Texts -> sequences of indices, or vectors that count words. */
const textVectorization = defineOperator<TextAttributes>({
  name: "TextVectorization",
  attributes: (raw) => ({
    ...readEncoding(raw),
    sequenceLength: readOptionalInteger(raw, "sequenceLength", { min: 0 }),
    splits: readFlag(raw, "splits", true),
    traced: readFlag(raw, "traced", false),
  }),
  weights: () => ({ "idf-weights": [null] }),
  infer({ attributes, inputs }) {
    const dtype: DType = attributes.mode === "int" ? "int64" : "float32";
    return only(reshaped(mainInput(inputs), (shape) => textShape(shape, attributes), dtype));
  },
});

export const preprocessOperators: readonly OperatorDef<unknown>[] = [categoricalEncoding, textVectorization];
