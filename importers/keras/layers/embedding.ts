/** Look-up tables (Keras 3 core/embedding.py, core/reversible_embedding.py). */

import type { Argument, Json } from "../../../src/ir/graph.ts";
import { asBoolean, asInteger } from "../json-access.ts";
import type {
  CallArguments,
  CallValue,
  LayerRule,
  LayerSource,
  MappedCall,
  WeightDeclaration,
} from "../layer-rule.ts";
import { loraOf, loraWeights } from "./config-reading.ts";
import { quantizer, withKeys } from "./quantized.ts";

/** The table and what quantisation and low-rank adaptation add, in creation order. */
function tableWeights({ config, quantization }: LayerSource): readonly WeightDeclaration[] {
  const lora = loraWeights(loraOf(config), "lora_embeddings");
  const table: WeightDeclaration = { name: "embeddings", role: "embeddings" };
  if (quantization?.mode === "int8") {
    const scale = quantizer("embeddings_scale", "embeddings-scale");
    return [{ ...table, trainable: false, dtype: "int8" }, scale, ...lora];
  }
  if (quantization?.mode === "int4") {
    return [
      { ...table, trainable: false, dtype: "int8", packing: { values: 2, axis: 1 } },
      quantizer("embeddings_scale", "embeddings-scale"),
      ...(quantization.blockSize > 0
        ? [
            quantizer("embeddings_zero", "embeddings-zero", "int8"),
            quantizer("g_idx", "group-index", "float32"),
          ]
        : []),
      ...lora,
    ];
  }
  return [lora.length > 0 ? { ...table, trainable: false } : table, ...lora];
}

/** The second table of an untied ReversibleEmbedding. */
function reverseWeights({ quantization }: LayerSource): readonly WeightDeclaration[] {
  const table: WeightDeclaration = { name: "reverse_embeddings", role: "reverse-embeddings" };
  const scale = quantizer("reverse_embeddings_scale", "reverse-scale");
  if (quantization?.mode === "int8") return [{ ...table, trainable: false, dtype: "int8" }, scale];
  if (quantization?.mode === "int4") {
    return [
      { ...table, trainable: false, dtype: "int8", packing: { values: 2, axis: 0 } },
      scale,
      ...(quantization.blockSize > 0 ? [quantizer("reverse_embeddings_zero", "reverse-zero")] : []),
    ];
  }
  return [table];
}

/** Order in which they are saved (`variable_serialization_spec`). */
const savedOrder = [
  "embeddings",
  "embeddings-scale",
  "embeddings-zero",
  "group-index",
  "reverse-embeddings",
  "reverse-scale",
  "reverse-zero",
];

function attributes(source: LayerSource): Record<string, Json> {
  const { config, quantization } = source;
  return {
    vocabulary: config.input_dim ?? null,
    size: config.output_dim ?? null,
    quantization: quantization === null ? null : { ...quantization },
    loraRank: loraOf(config),
    inputLengths: inputLengths(source),
  };
}

/** Standalone Keras before 3 took unknown lengths from `input_length`; tf.keras and Keras 3 do not. */
function inputLengths({ config, generation, standalone }: LayerSource): Json {
  if (generation === 3 || !standalone) return null;
  const length = asInteger(config.input_length);
  return length === undefined ? (config.input_length ?? null) : [length];
}

const embedding: LayerRule = (source) => ({
  operator: "Embedding",
  attributes: attributes(source),
  weights: keyed(source, tableWeights(source)),
});

const reversibleEmbedding: LayerRule = (source) => {
  const untied = source.config.tie_weights === false;
  return {
    operator: "Embedding",
    attributes: { ...attributes(source), ownReverseTable: untied },
    weights: keyed(source, [...tableWeights(source), ...(untied ? reverseWeights(source) : [])]),
    call: mapReversibleCall,
  };
};

/** Saved and created order agree unless something beside the plain tables is there. */
function keyed(source: LayerSource, weights: readonly WeightDeclaration[]): readonly WeightDeclaration[] {
  return source.quantization === null && loraOf(source.config) === null
    ? weights
    : withKeys(weights, savedOrder);
}

/** `layer(x, reverse=True)` goes from vectors to scores. */
function mapReversibleCall({ args, kwargs }: CallArguments): MappedCall {
  const flag = kwargs.reverse ?? args[1];
  const reverse = flag?.kind === "plain" && asBoolean(flag.value) === true;
  const inputs = [...args, ...Object.values(kwargs)].flatMap(tensorsOf);
  return { inputs, attributes: { reverse } };
}

function tensorsOf(value: CallValue): readonly Argument[] {
  if (value.kind === "tensor") return [value.argument];
  if (value.kind === "list") return value.items.flatMap(tensorsOf);
  return value.kind === "dict" ? Object.values(value.entries).flatMap(tensorsOf) : [];
}

export const embeddingLayers: Readonly<Record<string, LayerRule>> = {
  Embedding: embedding,
  ReversibleEmbedding: reversibleEmbedding,
};
