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
  const tally = tallyOf(modelWeights(report), report, style);
  const all = tally.total(part.counted);
  const lines: TotalLine[] = [["Total params", optimizer ? addTotals(all, optimizer) : all]];
  const isKnown = trainableIsKnown(report);
  if (isKnown) {
    lines.push(["Trainable params", tally.total(part.trainable)]);
    lines.push(["Non-trainable params", tally.total(part.frozen)]);
  }
  if (report.totals.convention === "pytorch" && tally.has(part.buffer)) {
    lines.push(["Buffers", tally.total(part.buffer)]);
  } else if (!isKnown) {
    // They stand for a question which the file leaves open.
    const statistics = tally.total(part.statistic);
    if (statistics.elements > 0n)
      lines.push(["Learned params", tally.total(part.learned)], ["Statistics", statistics]);
  }
  return [...lines, ...unclassifiedLine(report)];
}

/** What may belong to the total and may not; in a table as Keras prints it there is no such line. */
function unclassifiedLine({ file, ledger }: Report): readonly TotalLine[] {
  const { elements, bytes } = ledger.classes.unclassified;
  if (file.format === "keras" || elements === 0) return [];
  return [["Unclassified", { elements: BigInt(elements), bits: BigInt(bytes) * 8n }]];
}

/** Parameters of a layer and of all inside it, as the line of the total counts them. */
export function parametersOf(layer: ReportLayer, report: Report, style: KerasStyle): number | bigint {
  if (!isHeldByKeras(report)) return layer.params;
  return tallyOf(weightsOf(layer), report, style).total(part.counted).elements;
}

function isHeldByKeras({ model, file, totals }: Report): boolean {
  return model.kind === "graph" && file.format === "keras" && totals.convention === "keras";
}

/** Parts of the weights that are added up: a bit each, since a weight is in several. */
const part = {
  /** All that count as parameters; the next four are of these. */
  counted: 1,
  trainable: 2,
  frozen: 4,
  learned: 8,
  statistic: 16,
  /** What modules hold beside their parameters. */
  buffer: 32,
} as const;

function partsOf({ trainable, class: kind }: ReportWeight, counts: boolean): number {
  const isBuffer = kind === "statistic" || kind === "bookkeeping" || kind === "constant";
  const beside = isBuffer ? part.buffer : 0;
  if (!counts) return beside;
  const ofClass = kind === "parameter" ? part.learned : kind === "statistic" ? part.statistic : 0;
  const isFixed = trainable === false || (trainable === null && kind !== "parameter");
  return part.counted | (isFixed ? part.frozen : part.trainable) | ofClass | beside;
}

/**
 * Sums over the weights. With an architecture of Keras they count as Keras holds them, packed ones as packed and their scales
 * beside them; weights alone, and those of other frameworks, count unpacked, if they are of a class in the report's totals.
 */
function tallyOf(weights: readonly ReportWeight[], report: Report, style: KerasStyle): Tally {
  const tally = new Tally();
  const isHeld = isHeldByKeras(report);
  const { classes } = report.totals;
  for (let i = 0; i < weights.length; i++) {
    const weight = weights[i] as ReportWeight;
    const parts = tally.fresh(weight, partsOf(weight, isHeld || classes.includes(weight.class)));
    if (parts === 0) continue;
    if (isHeld) {
      const held = elementsHeld(weight);
      tally.add(parts, held, held * bitsHeld(weight.dtype, style));
    } else {
      tally.add(parts, weight.elements ?? 0, (weight.bytes ?? 0) * 8);
    }
  }
  return tally;
}

/** Sums of all parts in one go: thousands of weights are in the same ones, and so are one sum. */
class Tally {
  private readonly sums = new Map<number, PartSum>();
  /** By identity of a weight, the parts it is in so far. */
  private readonly met = new Map<string | number, number>();

  /** Those of `parts` that do not have the weight yet: the same place in the file is the same weight, and so is the same number. */
  fresh({ stored, shared }: ReportWeight, parts: number): number {
    const identity = stored ?? shared;
    if (identity === undefined) return parts;
    const before = this.met.get(identity) ?? 0;
    const fresh = parts & ~before;
    if (fresh !== 0) this.met.set(identity, before | fresh);
    return fresh;
  }

  add(parts: number, elements: number | bigint, bits: number | bigint): void {
    let sum = this.sums.get(parts);
    if (sum === undefined) {
      sum = { elements: new WholeSum(), bits: new WholeSum() };
      this.sums.set(parts, sum);
    }
    sum.elements.add(elements);
    sum.bits.add(bits);
  }

  has(one: number): boolean {
    return [...this.sums.keys()].some((parts) => (parts & one) !== 0);
  }

  total(one: number): WeightTotal {
    let total: WeightTotal = { elements: 0n, bits: 0n };
    for (const [parts, { elements, bits }] of this.sums)
      if ((parts & one) !== 0) total = addTotals(total, { elements: elements.end(), bits: bits.end() });
    return total;
  }
}

interface PartSum {
  readonly elements: WholeSum;
  readonly bits: WholeSum;
}

/** Half of what a number can count to, so that two of them can be added. */
const exact = 2 ** 52;

/** A sum without end, of which a number holds as much as it can: adding up thousands without one takes ten times as long. */
class WholeSum {
  private whole = 0n;
  private part = 0;

  add(value: number | bigint): void {
    if (typeof value === "bigint") this.whole += value;
    else if (value > exact) this.whole += BigInt(value);
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
