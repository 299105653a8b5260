import { bitsOf, isDType } from "../ir/dtype.ts";
import type { Report, ReportLayer, ReportWeight } from "../report/report.ts";
import { modelWeights, weightsOf } from "./model-weights.ts";
import type { KerasStyle } from "./summary-options.ts";
import { trainableIsKnown } from "./weights-only.ts";

/** Whole numbers without end, since a hostile file can state any shape. */
export interface WeightTotal {
  readonly elements: bigint;
  readonly bits: bigint;
}

/** A line of totals: its title, and what it comes to. */
export type TotalLine = readonly [title: string, total: WeightTotal];

/** The lines below the table, but for that of the optimizer. */
export function totalLines(report: Report, style: KerasStyle, optimizer?: WeightTotal): TotalLine[] {
  const weights = modelWeights(report);
  const sum = (part: (weight: ReportWeight) => boolean): WeightTotal =>
    totalOf(weights.filter(part), report, style);
  const all = totalOf(weights, report, style);
  const lines: TotalLine[] = [["Total params", optimizer ? addTotals(all, optimizer) : all]];
  if (trainableIsKnown(report)) {
    lines.push(["Trainable params", sum(({ trainable }) => trainable !== false)]);
    lines.push(["Non-trainable params", sum(({ trainable }) => trainable === false)]);
  }
  const buffers = report.totals.convention === "pytorch" ? buffersOf(weights) : null;
  if (buffers) {
    lines.push(["Buffers", buffers]);
  } else if (!trainableIsKnown(report)) {
    // They stand for a question which the file leaves open.
    const statistics = sum((weight) => weight.class === "statistic");
    if (statistics.elements > 0n)
      lines.push(
        ["Learned params", sum((weight) => weight.class === "parameter")],
        ["Statistics", statistics],
      );
  }
  return [...lines, ...unclassifiedLine(report)];
}

/** What may belong to the total and may not; in a table as Keras prints it there is no such line. */
function unclassifiedLine({ file, ledger }: Report): readonly TotalLine[] {
  const { elements, bytes } = ledger.classes.unclassified;
  if (file.format === "keras" || elements === 0) return [];
  return [["Unclassified", { elements: BigInt(elements), bits: BigInt(bytes) * 8n }]];
}

/** What modules hold beside their parameters; null when there is none of it. */
function buffersOf(weights: readonly ReportWeight[]): WeightTotal | null {
  const held = weights.filter((weight) => bufferClasses.has(weight.class));
  return held.length === 0 ? null : sumOnce(held, (weight) => BigInt(weight.elements ?? 0), bitsStored);
}

const bufferClasses: ReadonlySet<string> = new Set(["statistic", "bookkeeping", "constant"]);

/** Parameters of a layer and of all inside it, as `totalOf` counts them. */
export function parametersOf(layer: ReportLayer, report: Report, style: KerasStyle): number | bigint {
  return isHeldByKeras(report) ? totalOf(weightsOf(layer), report, style).elements : layer.params;
}

/**
 * Sum over the weights that count as parameters. With an architecture of Keras they count as Keras holds them, packed ones as
 * packed and their scales beside them; weights alone, and those of other frameworks, count unpacked.
 */
export function totalOf(weights: readonly ReportWeight[], report: Report, style: KerasStyle): WeightTotal {
  if (isHeldByKeras(report)) {
    return sumOnce(weights, elementsHeld, (weight) => elementsHeld(weight) * bitsHeld(weight.dtype, style));
  }
  const counted = weights.filter((weight) => report.totals.classes.includes(weight.class));
  return sumOnce(counted, (weight) => BigInt(weight.elements ?? 0), bitsStored);
}

function isHeldByKeras({ model, file, totals }: Report): boolean {
  return model.kind === "graph" && file.format === "keras" && totals.convention === "keras";
}

/** A shared weight counts once: the same place in the file is the same weight, and so is the same number. */
function sumOnce(
  weights: readonly ReportWeight[],
  elementsOf: (weight: ReportWeight) => bigint,
  bitsOfWeight: (weight: ReportWeight) => bigint,
): WeightTotal {
  const seen = new Set<string | number>();
  let elements = 0n;
  let bits = 0n;
  for (const weight of weights) {
    const identity = weight.stored ?? weight.shared;
    if (identity !== undefined) {
      if (seen.has(identity)) continue;
      seen.add(identity);
    }
    elements += elementsOf(weight);
    bits += bitsOfWeight(weight);
  }
  return { elements, bits };
}

function bitsStored(weight: ReportWeight): bigint {
  return BigInt(weight.bytes ?? 0) * 8n;
}

function addTotals(a: WeightTotal, b: WeightTotal): WeightTotal {
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
