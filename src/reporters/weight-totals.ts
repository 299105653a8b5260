import { bitsOf, isDType } from "../ir/dtype.ts";
import type { Report, ReportLayer, ReportWeight } from "../report/report.ts";
import type { KerasStyle } from "./summary-options.ts";

/** Whole numbers without end, since a hostile file can state any shape. */
export interface WeightTotal {
  readonly elements: bigint;
  readonly bits: bigint;
}

/** Weights of a layer and of everything inside it. */
export function weightsOf(layer: ReportLayer): readonly ReportWeight[] {
  return layer.layers ? [...layer.weights, ...layer.layers.flatMap(weightsOf)] : layer.weights;
}

/** Weights of the whole model. */
export function modelWeights(report: Report): readonly ReportWeight[] {
  return [...report.model.weights, ...report.layers.flatMap(weightsOf)];
}

/** A graph of operations, in a format that knows weights by their use alone. */
export function isNodeGraph(report: Report): boolean {
  return report.file.format === "onnx";
}

/** Sums that stand for a question which the file leaves open: what was learned, and what was only gathered. */
export function learnedAndGathered(
  report: Report,
  style: KerasStyle,
): { readonly learned: WeightTotal; readonly gathered: WeightTotal } {
  const weights = modelWeights(report);
  const gathered = weights.filter((weight) => weight.class === "statistic");
  const learned = weights.filter((weight) => weight.class === "parameter");
  return { learned: totalOf(learned, report, style), gathered: totalOf(gathered, report, style) };
}

/**
 * Sum over the weights, a shared one once: the same place in the file is the same weight, and so is the same number. With
 * an architecture they count as Keras holds them, packed ones as packed; weights alone, and those of other
 * frameworks, count unpacked.
 */
export function totalOf(weights: readonly ReportWeight[], report: Report, style: KerasStyle): WeightTotal {
  const asHeld = report.model.kind === "graph" && !isNodeGraph(report);
  const seen = new Set<string | number>();
  let elements = 0n;
  let bits = 0n;
  for (const weight of weights) {
    // Scales and zero points belong to weights that are counted already.
    if (isNodeGraph(report) && weight.class === "quantization") continue;
    const identity = weight.stored ?? weight.shared;
    if (identity !== undefined) {
      if (seen.has(identity)) continue;
      seen.add(identity);
    }
    const count = asHeld ? elementsHeld(weight) : BigInt(weight.elements ?? 0);
    elements += count;
    bits += asHeld ? count * bitsHeld(weight.dtype, style) : BigInt(weight.bytes ?? 0) * 8n;
  }
  return { elements, bits };
}

export function addTotals(a: WeightTotal, b: WeightTotal): WeightTotal {
  return { elements: a.elements + b.elements, bits: a.bits + b.bits };
}

/** Of the shape the framework holds, which for packed weights is the stored one. An unknown dimension counts 0. */
function elementsHeld(weight: ReportWeight): bigint {
  const shape = weight.storedShape ?? weight.shape ?? [null];
  return shape.reduce<bigint>((product, dim) => product * BigInt(typeof dim === "number" ? dim : 0), 1n);
}

/** Keras 3 counts a bool as one bit, Keras 2 as a byte; packed types are held in bytes. */
function bitsHeld(dtype: string | null, style: KerasStyle): bigint {
  if (dtype === "bool" && style === "keras3") return 1n;
  // Without a dtype in the file Keras creates weights in its default, float32.
  const bits = dtype === null ? 32 : isDType(dtype) ? bitsOf(dtype) : null;
  return BigInt(Math.max(8, bits ?? 0));
}
