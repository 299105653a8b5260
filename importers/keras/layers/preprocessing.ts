/** Layers that prepare features (Keras 3.15 and tf-keras layers/preprocessing). */

import type { Json } from "../../../src/ir/graph.ts";
import { asInteger, asList, asString } from "../json-access.ts";
import type { LayerRule, LayerSource, WeightDeclaration } from "../layer-rule.ts";
import { opaque } from "./core.ts";

/** Names that older tf.keras gave the modes. */
const modes: Readonly<Record<string, string>> = {
  binary: "multi_hot",
  "tf-idf": "tf_idf",
  "multi-hot": "multi_hot",
  "one-hot": "one_hot",
};

function modeOf(value: Json | undefined, fallback: string): string {
  const mode = asString(value) ?? fallback;
  return Object.hasOwn(modes, mode) ? (modes[mode] as string) : mode;
}

const categoryEncoding: LayerRule = ({ config, generation }) => ({
  operator: "CategoricalEncoding",
  attributes: {
    mode: modeOf(config.output_mode, "multi_hot"),
    depth: config.num_tokens ?? config.max_tokens ?? null,
    replacesOnly: generation < 3,
  },
  weights: [],
});

/** tf.keras keeps the histogram it cuts into bins as a weight of unknown length. */
const discretization: LayerRule = ({ config, generation }) => {
  const boundaries = asList(config.bin_boundaries);
  const learned = generation < 3 && !boundaries;
  return {
    operator: "CategoricalEncoding",
    attributes: {
      mode: modeOf(config.output_mode, "int"),
      depth: boundaries ? boundaries.length + 1 : (config.num_bins ?? null),
      replacesOnly: generation < 3,
      dropsSecond: generation === 3,
    },
    weights: learned
      ? [{ name: "summary", role: "summary", class: "statistic", trainable: false, dtype: "float32" }]
      : [],
  };
};

/** Keras 3 gives each row one vector, also in mode "one_hot". */
const hashing: LayerRule = ({ config, generation }) => {
  const mode = modeOf(config.output_mode, "int");
  return {
    operator: "CategoricalEncoding",
    attributes: {
      mode: mode === "one_hot" && generation === 3 ? "multi_hot" : mode,
      depth: config.num_bins ?? null,
    },
    weights: [],
  };
};

const hashedCrossing: LayerRule = ({ config }) => ({
  operator: "CategoricalEncoding",
  attributes: { mode: modeOf(config.output_mode, "int"), depth: config.num_bins ?? null },
  weights: [],
});

/** Size of the vocabulary with its special tokens, or the maximum where vectors are padded to it. */
function vocabularySize({ config }: LayerSource, specials: number): number | null {
  const maximum = asInteger(config.max_tokens) ?? asInteger(config.max_values);
  if (config.pad_to_max_tokens === true && maximum !== undefined) return maximum;
  const stated = asInteger(config.vocabulary_size);
  if (stated !== undefined) return stated;
  const words = asList(config.vocabulary);
  return words ? words.length + specials : null;
}

/** Inverse document frequencies: numbers from the data. In Keras 3 they are in the file but no variable of the layer. */
function frequencyWeights({ generation }: LayerSource, mode: string): readonly WeightDeclaration[] {
  if (mode !== "tf_idf") return [];
  const table = { name: "idf_weights", role: "idf-weights", class: "constant", trainable: false } as const;
  return [generation === 3 ? { ...table, counted: false, key: "idf_weights" } : table];
}

/** Indices of words that are not in the vocabulary come first, before them the mask's where indices are returned. */
const lookup: LayerRule = (source) => {
  const { config, generation } = source;
  const mode = modeOf(config.output_mode, "int");
  const masks = mode === "int" && (config.mask_token ?? null) !== null ? 1 : 0;
  return {
    operator: "CategoricalEncoding",
    attributes: {
      mode,
      depth: vocabularySize(source, (asInteger(config.num_oov_indices) ?? 1) + masks),
      replacesOnly: generation < 3,
    },
    weights: frequencyWeights(source, mode),
  };
};

const textVectorization: LayerRule = (source) => {
  const { config, generation } = source;
  const mode = modeOf(config.output_mode, "int");
  return {
    operator: "TextVectorization",
    attributes: {
      mode,
      depth: vocabularySize(source, mode === "int" ? 2 : 1),
      sequenceLength: config.output_sequence_length ?? null,
      splits: (config.split ?? null) !== null,
      replacesOnly: generation < 3,
      traced: generation < 3,
    },
    weights: frequencyWeights(source, mode),
  };
};

/** Its layers are made from the features' specifications; what comes out is for the file to say. */
const featureSpace: LayerRule = () => opaque(null);

export const preprocessingLayers: Readonly<Record<string, LayerRule>> = {
  CategoryEncoding: categoryEncoding,
  Discretization: discretization,
  Hashing: hashing,
  HashedCrossing: hashedCrossing,
  IndexLookup: lookup,
  StringLookup: lookup,
  IntegerLookup: lookup,
  TextVectorization: textVectorization,
  FeatureSpace: featureSpace,
};
