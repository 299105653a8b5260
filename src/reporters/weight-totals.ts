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
  return held.length === 0 ? null : sumUnpacked(held);
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
    return sumHeld(weights, style);
  }
  return sumUnpacked(weights.filter((weight) => report.totals.classes.includes(weight.class)));
}

function isHeldByKeras({ model, file, totals }: Report): boolean {
  return model.kind === "graph" && file.format === "keras" && totals.convention === "keras";
}

/** A shared weight counts once: the same place in the file is the same weight, and so is the same number. */
function once(weights: readonly ReportWeight[]): readonly ReportWeight[] {
  const seen = new Set<string | number>();
  return weights.filter(({ stored, shared }) => {
    const identity = stored ?? shared;
    return identity === undefined || (!seen.has(identity) && seen.add(identity));
  });
}

/** As the framework of the weights counts them: without packing. */
function sumUnpacked(weights: readonly ReportWeight[]): WeightTotal {
  const elements = new WholeSum();
  const bytes = new WholeSum();
  for (const weight of once(weights)) {
    elements.add(weight.elements ?? 0);
    bytes.add(weight.bytes ?? 0);
  }
  return { elements: elements.end(), bits: bytes.end() * 8n };
}

/** Half of what a number can count to, so that two of them can be added. */
const exact = 2 ** 52;

/** A sum without end, of which a number holds as much as it can: adding up thousands without one takes ten times as long. */
class WholeSum {
  private whole = 0n;
  private part = 0;

  add(value: number): void {
    if (value > exact) this.whole += BigInt(value);
    else this.part += value;
    if (this.part > exact) this.flush();
  }

  end(): bigint {
    this.flush();
    return this.whole;
  }

  private flush(): void {
    this.whole += BigInt(this.part);
    this.part = 0;
  }
}

function addTotals(a: WeightTotal, b: WeightTotal): WeightTotal {
  return { elements: a.elements + b.elements, bits: a.bits + b.bits };
}

/** As Keras holds them. */
function sumHeld(weights: readonly ReportWeight[], style: KerasStyle): WeightTotal {
  let elements = 0n;
  let bits = 0n;
  for (const weight of once(weights)) {
    const held = elementsHeld(weight);
    elements += held;
    bits += held * bitsHeld(weight.dtype, style);
  }
  return { elements, bits };
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
