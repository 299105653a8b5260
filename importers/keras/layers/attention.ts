/**
 * Attention (Keras 3.15 layers/attention, tf-keras layers/attention). The projections are EinsumDense layers inside;
 * their equations are written with an ellipsis, because the rank of the inputs is not known here.
 */

import type { Json, JsonObject } from "../../../src/ir/graph.ts";
import { bindCall } from "../bind-call.ts";
import { asInteger, asList, asObject } from "../json-access.ts";
import type {
  CallArguments,
  CallValue,
  InnerDeclaration,
  LayerRule,
  LayerSource,
  MappedCall,
} from "../layer-rule.ts";
import { usesBias } from "./config-reading.ts";

/** A class name that no file can have: the projection whose output size only the query tells. */
const outputClass = "attention/output";

const parameters = [
  "query",
  "value",
  "key",
  "query_mask",
  "value_mask",
  "key_mask",
  "attention_mask",
  "return_attention_scores",
] as const;

/** tf.keras has the mask where Keras 3 has the query's. */
const oldParameters = ["query", "value", "key", "attention_mask", "return_attention_scores"] as const;

function projectedCall(generation: number): (call: CallArguments) => MappedCall {
  return (call) => {
    const { inputs, plain } = bindCall(call, generation === 3 ? parameters : oldParameters);
    return { inputs, attributes: { returnScores: plain.return_attention_scores === true } };
  };
}

/** Keras 3 makes the projections anew when it loads a layer, and does not hand them its flag. */
function partFlag({ config, generation }: LayerSource): Json {
  return generation === 3 ? true : (config.trainable ?? true);
}

function einsum(name: string, key: string, source: LayerSource, changes: JsonObject): InnerDeclaration {
  const { config } = source;
  const common = { name, dtype: config.dtype ?? null, trainable: partFlag(source) };
  return { key, remade: true, layer: { class_name: "EinsumDense", config: { ...common, ...changes } } };
}

/** (..., features) -> (..., heads, size). */
function headProjection(
  name: string,
  key: string,
  source: LayerSource,
  heads: Json,
  size: Json,
): InnerDeclaration {
  return einsum(name, key, source, {
    equation: "...c,chd->...hd",
    output_shape: [heads, size],
    bias_axes: usesBias(source.config) ? "hd" : null,
  });
}

/** Last dimension of the query, where the file tells it: in the configuration or the shapes it was built with. */
function queryFeatures({ config, buildConfig }: LayerSource): number | undefined {
  const built = asObject(buildConfig?.shapes_dict)?.query_shape ?? buildConfig?.query_shape;
  const shape = asList(built) ?? asList(buildConfig?.input_shape) ?? asList(config.query_shape);
  return asInteger(shape?.at(-1));
}

/** (..., heads, size) -> (..., output dimensions). */
function outputProjection(
  key: string,
  source: LayerSource,
  heads: Json,
  size: Json,
  shape: readonly Json[] | undefined,
): InnerDeclaration {
  const useBias = usesBias(source.config);
  if (!shape) {
    const common = { dtype: source.config.dtype ?? null, trainable: partFlag(source) };
    const config = { ...common, name: "attention_output", heads, value_dim: size, use_bias: useBias };
    return { key, remade: true, layer: { class_name: outputClass, config } };
  }
  const letters = "opqrstuvw".slice(0, shape.length);
  return einsum("attention_output", key, source, {
    equation: `...hd,hd${letters}->...${letters}`,
    output_shape: shape,
    bias_axes: useBias ? letters : null,
  });
}

const attentionOutput: LayerRule = ({ config }) => ({
  operator: "AttentionOutput",
  attributes: { heads: config.heads ?? null, valueDim: config.value_dim ?? null, useBias: usesBias(config) },
  weights: [
    { name: "kernel", role: "kernel" },
    ...(usesBias(config) ? [{ name: "bias", role: "bias" }] : []),
  ],
});

/** `output_shape`: null, a number or a list. */
function outputShape(source: LayerSource): readonly Json[] | undefined {
  const stated = source.config.output_shape ?? null;
  return asList(stated) ?? (stated === null ? undefined : [stated]);
}

const multiHeadAttention: LayerRule = (source) => {
  const { config, generation } = source;
  const heads = config.num_heads ?? null;
  const keyDim = config.key_dim ?? null;
  const valueDim = config.value_dim ?? keyDim;
  const useGate = config.use_gate === true;
  const stated = outputShape(source);
  const features = queryFeatures(source);
  // Keras 2 and 3.0 save the projections under their private names.
  const key = (name: string): string => (generation === 3 ? `${name}_dense` : `_${name}_dense`);
  return {
    operator: "MultiHeadAttention",
    attributes: {
      heads,
      keyDim,
      valueDim,
      useGate,
      outputShape: stated ?? null,
      attentionAxes: config.attention_axes ?? null,
      squareScores: generation === 3,
    },
    weights: [],
    inner: [
      headProjection("query", key("query"), source, heads, keyDim),
      headProjection("key", key("key"), source, heads, keyDim),
      ...(useGate ? [headProjection("gate", "_gate_dense", source, heads, valueDim)] : []),
      headProjection("value", key("value"), source, heads, valueDim),
      outputProjection(
        key("output"),
        source,
        heads,
        valueDim,
        stated ?? (features === undefined ? undefined : [features]),
      ),
    ],
    call: projectedCall(generation),
  };
};

const groupedQueryAttention: LayerRule = (source) => {
  const { config } = source;
  const heads = config.num_query_heads ?? null;
  const shared = config.num_key_value_heads ?? null;
  const size = config.head_dim ?? null;
  const useGate = config.use_gate === true;
  const features = queryFeatures(source);
  return {
    operator: "GroupedQueryAttention",
    attributes: { heads, headDim: size, useGate },
    weights: [],
    inner: [
      headProjection("query", "_query_dense", source, heads, size),
      headProjection("key", "_key_dense", source, shared, size),
      ...(useGate ? [headProjection("gate", "_gate_dense", source, heads, size)] : []),
      headProjection("value", "_value_dense", source, shared, size),
      outputProjection("_output_dense", source, heads, size, features === undefined ? undefined : [features]),
    ],
    call: projectedCall(3),
  };
};

/** `[query, value]` or `[query, value, key]` as the first argument. */
function listCall(call: CallArguments): MappedCall {
  const [first, ...rest] = call.args;
  const items = first?.kind === "list" ? first.items : first ? [first] : [];
  const named: Record<string, CallValue> = {};
  for (const [i, name] of ["query", "value", "key"].entries()) {
    const item = items[i];
    if (item) named[name] = item;
  }
  const operands = bindCall({ args: Object.values(named), kwargs: {} }, ["query", "value", "key"]).inputs;
  const { inputs, plain } = bindCall({ args: rest, kwargs: call.kwargs }, [
    "mask",
    "return_attention_scores",
  ]);
  return {
    inputs: [...operands, ...inputs],
    attributes: { returnScores: plain.return_attention_scores === true },
  };
}

function dotAttention(operator: string, scaled: boolean): LayerRule {
  return ({ config }) => {
    const useScale = typeof config.use_scale === "boolean" ? config.use_scale : scaled;
    const concat = config.score_mode === "concat";
    return {
      operator,
      attributes: { useScale, scoreMode: config.score_mode ?? "dot" },
      weights: [
        ...(useScale ? [{ name: "scale", role: "scale" }] : []),
        ...(concat ? [{ name: "concat_score_weight", role: "score-weight" }] : []),
      ],
      call: listCall,
    };
  };
}

export const attentionLayers: Readonly<Record<string, LayerRule>> = {
  MultiHeadAttention: multiHeadAttention,
  GroupQueryAttention: groupedQueryAttention,
  GroupedQueryAttention: groupedQueryAttention,
  Attention: dotAttention("DotAttention", false),
  AdditiveAttention: dotAttention("AdditiveAttention", true),
  [outputClass]: attentionOutput,
};
