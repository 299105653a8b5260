/** Layers around layers (Keras 3.15 layers/rnn, layers/core/wrapper.py, normalization/spectral_normalization.py). */

import type { Json, JsonObject } from "../../../src/ir/graph.ts";
import { asList, asObject, asString } from "../json-access.ts";
import type { InnerDeclaration, LayerRule } from "../layer-rule.ts";
import { numberedNames, pythonClass, snakeCase } from "../names.ts";
import { recurrentCall } from "./recurrent.ts";

function wrapped(config: JsonObject, key = "layer"): InnerDeclaration {
  return { key, layer: asObject(config[key]) ?? {} };
}

/** The same layer under another name and with other settings. */
function derived(layer: JsonObject, name: string, changes: JsonObject = {}): JsonObject {
  return { ...layer, name, config: { ...asObject(layer.config), ...changes, name } };
}

function withPrefix(layer: JsonObject, prefix: string): string {
  const name = asString(asObject(layer.config)?.name) ?? "layer";
  return name.startsWith(prefix) ? name : `${prefix}${name}`;
}

/** The second layer of a pair is the first one run backwards unless the file has one. */
function backwardLayer(config: JsonObject): JsonObject {
  const given = asObject(config.backward_layer);
  if (given) return given;
  const layer = asObject(config.layer) ?? {};
  const name = withPrefix(layer, "backward_").replace(/^backward_forward_/, "backward_");
  const forward = asObject(layer.config)?.go_backwards === true;
  return derived(layer, name, { go_backwards: !forward });
}

const bidirectional: LayerRule = ({ config, generation }) => {
  const layer = asObject(config.layer) ?? {};
  const inner = asObject(layer.config) ?? {};
  const forward = derived(layer, withPrefix(layer, "forward_"));
  return {
    operator: "Bidirectional",
    attributes: {
      merge: config.merge_mode === null ? "none" : (config.merge_mode ?? "concat"),
      returnState: inner.return_state === true,
      container: generation === 3 ? "tuple" : "list",
      forwardDecides: generation === 3,
    },
    weights: [],
    inner: [
      { key: "forward_layer", layer: forward, remade: true },
      {
        key: "backward_layer",
        layer: backwardLayer(config),
        ...(!asObject(config.backward_layer) && { remade: true }),
      },
    ],
    call: recurrentCall,
  };
};

function around(operator: string): LayerRule {
  return ({ config }) => ({ operator, attributes: {}, weights: [], inner: [wrapped(config)] });
}

const spectralNormalization: LayerRule = ({ config }) => ({
  operator: "SpectralNormalization",
  attributes: {},
  weights: [
    // The archive holds the wrapped layer's kernel a second time, because the wrapper keeps a reference to it.
    { name: "kernel", role: "kernel-copy", class: "unused", counted: false, key: "0" },
    { name: "vector_u", role: "vector-u", class: "statistic", trainable: false, key: "1" },
  ],
  inner: [wrapped(config)],
});

/** Layers one after the other, without a graph (Keras 3's preprocessing pipelines). */
const pipeline: LayerRule = ({ config }) => {
  const number = numberedNames();
  const inner = (asList(config.layers) ?? []).map((item: Json): InnerDeclaration => {
    const layer = asObject(item) ?? {};
    return { key: `layers/${number(snakeCase(pythonClass(asString(layer.class_name) ?? "layer")))}`, layer };
  });
  return { operator: "Pipeline", attributes: {}, weights: [], inner };
};

export const wrapperLayers: Readonly<Record<string, LayerRule>> = {
  Bidirectional: bidirectional,
  TimeDistributed: around("TimeDistributed"),
  Wrapper: around("Wrapper"),
  SpectralNormalization: spectralNormalization,
  Pipeline: pipeline,
};
