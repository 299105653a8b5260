/** What the rules of several families read from a configuration. */

import type { Json, JsonObject } from "../../../src/ir/graph.ts";
import { asInteger } from "../json-access.ts";
import type { LayerRule, WeightDeclaration } from "../layer-rule.ts";

/** `data_format`; absent and null are channels-last, as in every Keras whose session did not say otherwise. */
export function layoutOf(config: JsonObject): "channels-first" | "channels-last" {
  return config.data_format === "channels_first" ? "channels-first" : "channels-last";
}

/** One number stands for all `rank` axes; anything else is left to the operator to check. */
export function perAxis(value: Json | undefined, rank: number): Json {
  const one = asInteger(value);
  return one === undefined ? (value ?? null) : Array.from({ length: rank }, () => one);
}

export function usesBias(config: JsonObject): boolean {
  return config.use_bias !== false;
}

export function biasWeight(config: JsonObject): readonly WeightDeclaration[] {
  return usesBias(config) ? [{ name: "bias", role: "bias" }] : [];
}

/** Rank of a low-rank adaptation (Keras 3); null without one. */
export function loraOf(config: JsonObject): number | null {
  const rank = asInteger(config.lora_rank) ?? 0;
  return rank > 0 ? rank : null;
}

/** Both factors: float32 whatever the policy; a .keras file has the merged kernel instead. */
export function loraWeights(rank: number | null, prefix: string): readonly WeightDeclaration[] {
  if (rank === null) return [];
  return [
    { name: `${prefix}_a`, role: "lora-a", dtype: "float32", stored: false },
    { name: `${prefix}_b`, role: "lora-b", dtype: "float32", stored: false },
  ];
}

/** A layer without weights and attributes. */
export function plain(operator: string): LayerRule {
  return () => ({ operator, attributes: {}, weights: [] });
}
