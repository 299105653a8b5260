/**
 * Weights that come with a quantised or low-rank adapted kernel (Keras 3: dense.py, einsum_dense.py, embedding.py).
 * The kernel itself keeps its logical shape; how it is packed is the importer's business.
 */

import { ceilDivideDim, type Dim } from "../ir/dim.ts";
import type { Json, JsonObject } from "../ir/graph.ts";
import type { Shape } from "../ir/shape.ts";
import { readInteger, readText } from "./attributes.ts";
import { RuleError } from "./operator.ts";

export interface Quantization {
  readonly mode: "int8" | "int4" | "float8" | "gptq" | "awq" | "ternary";
  readonly bits: number;
  /** Inputs that share a scale; null: all of them (per channel). */
  readonly blockSize: number | null;
  /** Steps of the history that float8 scales are taken from. */
  readonly historyLength: number;
}

const modes: readonly Quantization["mode"][] = ["int8", "int4", "float8", "gptq", "awq", "ternary"];

/** Length of the maxima history (Keras: QuantizedFloat8DTypePolicy.default_amax_history_length). */
const defaultHistory = 1024;

/** The attribute `quantization`: {mode, bits, blockSize}; null without one. */
export function readQuantization(raw: JsonObject): Quantization | null {
  const value: Json = raw.quantization ?? null;
  if (value === null) return null;
  if (typeof value !== "object" || Array.isArray(value))
    throw new RuleError('attribute "quantization" should be an object');
  const object = value as JsonObject;
  const name = readText(object, "mode");
  const mode = modes.find((known) => known === name);
  if (mode === undefined) throw new RuleError(`quantisation mode "${name.slice(0, 40)}" is not known`);
  const blockSize = readInteger(object, "blockSize", { min: Number.MIN_SAFE_INTEGER, fallback: -1 });
  return {
    mode,
    bits: readInteger(object, "bits", { fallback: 8 }),
    blockSize: blockSize > 0 ? blockSize : null,
    historyLength: readInteger(object, "historyLength", { fallback: defaultHistory }),
  };
}

/** Scales and such of a kernel seen as a matrix of `rows` inputs and `columns` outputs; `scale`: its int8 scale's shape. */
export function quantizationWeights(
  quantization: Quantization | null,
  rows: Dim,
  columns: Dim,
  scale: Shape,
): Readonly<Record<string, Shape>> {
  if (quantization === null) return {};
  const { mode, blockSize } = quantization;
  const groups = blockSize === null ? 1 : ceilDivideDim(rows, blockSize);
  switch (mode) {
    case "int8":
      return { "kernel-scale": scale };
    case "ternary":
      return { "kernel-scale": [] };
    case "int4":
      if (blockSize === null) return { "kernel-scale": [columns] };
      return { "kernel-scale": [groups, columns], "kernel-zero": [groups, columns], "group-index": [rows] };
    case "float8":
      return float8Weights(quantization.historyLength);
    case "gptq":
      return { "kernel-scale": [columns, groups], "kernel-zero": [columns, groups], "group-index": [rows] };
    case "awq":
      return {
        "kernel-scale": [columns, groups],
        "kernel-zero": [columns, groups],
        "input-scale": [rows],
        "group-index": [rows],
      };
  }
}

function float8Weights(history: number): Readonly<Record<string, Shape>> {
  const weights: Record<string, Shape> = {};
  for (const of of ["inputs", "kernel", "outputs-gradient"]) {
    weights[`${of}-scale`] = [];
    weights[`${of}-maxima`] = [history];
  }
  return weights;
}

/** Factors of a low-rank update of `kernel`: (..., rank) and (rank, last axis). */
export function loraWeights(kernel: readonly Dim[], rank: number | null): Readonly<Record<string, Shape>> {
  if (rank === null) return {};
  return { "lora-a": [...kernel.slice(0, -1), rank], "lora-b": [rank, kernel.at(-1) ?? null] };
}
