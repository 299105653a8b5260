import { identityOf, type TensorClass } from "../ir/tensor.ts";
import type { ResolvedWeight } from "../passes/resolve-weights.ts";
import type { CountedWeight } from "./counted-weight.ts";
import type { ReportWeight } from "./report.ts";
import { reportShape } from "./report-shapes.ts";

/** Elements, but for the bytes. */
export interface WeightSums {
  readonly params: number;
  readonly trainable: number;
  readonly nonTrainable: number;
  readonly bytes: number;
}

const nothing: WeightSums = { params: 0, trainable: 0, nonTrainable: 0, bytes: 0 };

/** One for all: most layers of a graph of operations own none. */
const noWeights: readonly ReportWeight[] = [];

/** A module that weights may be members of. */
interface OpenModule {
  readonly path: string;
  readonly members: CountedWeight[];
}

/**
 * The weights of all layers, in order: those of a layer, and those of what is inside it, stand side by side. `from` and `to` are
 * places in the list.
 */
export class WeightList {
  readonly all: CountedWeight[] = [];
  private readonly counted: ReadonlySet<TensorClass>;
  private readonly last = new Map<unknown, number>();
  private readonly modules: OpenModule[] = [];

  /** `counted`: classes that add up to the totals. */
  constructor(counted: readonly TensorClass[]) {
    this.counted = new Set(counted);
  }

  /** `trainable`: what is around the weight says so. */
  add(resolved: ResolvedWeight, trainable: boolean): void {
    const report = reportWeight(resolved, trainable);
    const identity = identityOf(resolved.weight);
    const counts = this.counted.has(report.class);
    const before = counts ? (this.last.get(identity) ?? -1) : -1;
    if (counts) this.last.set(identity, this.all.length);
    const { elements, bytes } = resolved;
    const weight = { report, identity, elements: elements ?? 0, bytes: bytes ?? 0, counts, before };
    this.all.push(weight);
    for (const { path, members } of this.modules) if (isMember(report.name, path)) members.push(weight);
  }

  /** Of weights that are added until it is closed, those that are its members are noted. */
  openModule(name: string): void {
    this.modules.push({ path: name.includes("@") ? name.replace(/@\d+$/, "") : name, members: [] });
  }

  /** Sums of the members of the last module that was opened. */
  closeModule(): WeightSums {
    return sumOf(distinct((this.modules.pop()?.members ?? []).filter(({ counts }) => counts)));
  }

  /** Sums of the weights that count, each once. */
  sums(from: number, to: number): WeightSums {
    if (from === to) return nothing;
    const sums = { ...nothing };
    for (let i = from; i < to; i++) {
      const weight = this.all[i] as CountedWeight;
      if (weight.counts && weight.before < from) addTo(sums, weight);
    }
    return sums;
  }

  /** Each weight once. */
  reports(from: number, to: number): readonly ReportWeight[] {
    return from === to ? noWeights : distinct(this.all.slice(from, to)).map(({ report }) => report);
  }

  /** Elements of weights of a class, each once. */
  elementsOf(one: TensorClass): number {
    return sumOf(distinct(this.all.filter(({ report }) => report.class === one))).params;
  }
}

function sumOf(weights: readonly CountedWeight[]): WeightSums {
  if (weights.length === 0) return nothing;
  const sums = { ...nothing };
  for (const weight of weights) addTo(sums, weight);
  return sums;
}

function addTo(
  sums: { -readonly [Sum in keyof WeightSums]: number },
  { report, elements, bytes }: CountedWeight,
): void {
  sums.params += elements;
  if (report.trainable === false) sums.nonTrainable += elements;
  else sums.trainable += elements;
  sums.bytes += bytes;
}

function distinct(weights: readonly CountedWeight[]): readonly CountedWeight[] {
  const [one, other] = weights;
  if (weights.length < 2 || (weights.length === 2 && one?.identity !== other?.identity)) return weights;
  const seen = new Set<unknown>();
  return weights.filter(({ identity }) => !seen.has(identity) && seen.add(identity));
}

/** Whether a weight is a member of a module itself, by its name, and of none inside it. */
function isMember(name: string, path: string): boolean {
  const end = Math.max(0, name.lastIndexOf("."));
  return end === path.length && name.startsWith(path);
}

function reportWeight(resolved: ResolvedWeight, trainable: boolean): ReportWeight {
  const { weight, stored } = resolved;
  const plain: ReportWeight = {
    name: weight.name,
    role: weight.role,
    shape: reportShape(resolved.shape),
    dtype: weight.dtype,
    class: weight.class,
    // What is frozen around it settles a flag that nobody recorded.
    trainable: trainable ? weight.trainable : false,
    elements: resolved.elements,
    bytes: resolved.bytes,
    storedShape: stored?.shape ?? (weight.packing ? staticOrNull(resolved.heldShape) : null),
    stored: stored?.path ?? null,
  };
  return weight.shared === undefined ? plain : { ...plain, shared: weight.shared };
}

function staticOrNull(shape: ResolvedWeight["heldShape"]): readonly number[] | null {
  return shape?.every((dim) => typeof dim === "number") ? (shape as readonly number[]) : null;
}
