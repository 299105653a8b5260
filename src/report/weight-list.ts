import { identityOf, type TensorClass } from "../ir/tensor.ts";
import type { ResolvedWeight } from "../passes/resolve-weights.ts";
import type { CountedWeight } from "./counted-weight.ts";
import type { ReportWeight } from "./report.ts";
import { reportShape } from "./report-shapes.ts";

/** Elements. */
export interface WeightSums {
  readonly params: number;
  readonly trainable: number;
  readonly nonTrainable: number;
}

const nothing: WeightSums = { params: 0, trainable: 0, nonTrainable: 0 };

/** One for all: most layers of a graph of operations own none. */
const noWeights: readonly ReportWeight[] = [];

/** A module that weights may be members of. */
interface OpenModule {
  readonly path: string;
  members: CountedWeight[] | null;
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
  /** By place, what the weights before it come to, a weight that is there again included; and how many of those there are. */
  private readonly params: number[] = [0];
  private readonly frozen: number[] = [0];
  private readonly repeats: number[] = [0];

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
    const elements = resolved.elements ?? 0;
    const weight = { report, identity, elements, bytes: resolved.bytes ?? 0, counts, before };
    this.all.push(weight);
    this.addSums(weight);
    if (counts && this.modules.length > 0) this.addMember(weight);
  }

  private addMember(weight: CountedWeight): void {
    const { name } = weight.report;
    const end = Math.max(0, name.lastIndexOf("."));
    for (let i = 0; i < this.modules.length; i++) {
      const module = this.modules[i] as OpenModule;
      // By its name it is a member of the module itself, and of none inside it.
      if (end !== module.path.length || !name.startsWith(module.path)) continue;
      if (module.members) module.members.push(weight);
      else module.members = [weight];
    }
  }

  private addSums({ report, elements, counts, before }: CountedWeight): void {
    const place = this.params.length - 1;
    const counted = counts ? elements : 0;
    this.params.push((this.params[place] as number) + counted);
    this.frozen.push((this.frozen[place] as number) + (isFixed(report) ? counted : 0));
    this.repeats.push((this.repeats[place] as number) + (before < 0 ? 0 : 1));
  }

  /** Of weights that are added until it is closed, those that are its members are noted. */
  openModule(name: string): void {
    this.modules.push({ path: name.includes("@") ? name.replace(/@\d+$/, "") : name, members: null });
  }

  /** Elements of the members of the last module that was opened, of those that count. */
  closeModule(): number {
    const members = this.modules.pop()?.members;
    return members ? elementsOf(distinct(members)) : 0;
  }

  /** Sums of the weights that count, each once. */
  sums(from: number, to: number): WeightSums {
    if (from === to) return nothing;
    const repeats = (this.repeats[to] as number) - (this.repeats[from] as number);
    if (repeats > 0) return this.sumsWithRepeats(from, to);
    const params = (this.params[to] as number) - (this.params[from] as number);
    const nonTrainable = (this.frozen[to] as number) - (this.frozen[from] as number);
    return { params, trainable: params - nonTrainable, nonTrainable };
  }

  private sumsWithRepeats(from: number, to: number): WeightSums {
    const sums = { params: 0, trainable: 0, nonTrainable: 0 };
    for (let i = from; i < to; i++) {
      const { report, elements, counts, before } = this.all[i] as CountedWeight;
      if (!counts || before >= from) continue;
      sums.params += elements;
      if (isFixed(report)) sums.nonTrainable += elements;
      else sums.trainable += elements;
    }
    return sums;
  }

  /** Bytes of the weights that count, each once. */
  bytes(): number {
    let bytes = 0;
    for (const weight of this.all) if (weight.counts && weight.before < 0) bytes += weight.bytes;
    return bytes;
  }

  /** Each weight once. */
  reports(from: number, to: number): readonly ReportWeight[] {
    return from === to ? noWeights : distinct(this.all.slice(from, to)).map(({ report }) => report);
  }

  /** Elements of weights of a class, each once. */
  elementsOf(one: TensorClass): number {
    return elementsOf(distinct(this.all.filter(({ report }) => report.class === one)));
  }
}

/** Training does not change it: it is frozen, or of a kind that is not learned. */
function isFixed({ trainable, class: kind }: ReportWeight): boolean {
  return trainable === false || (trainable === null && kind !== "parameter");
}

function elementsOf(weights: readonly CountedWeight[]): number {
  return weights.reduce((sum, { elements }) => sum + elements, 0);
}

function distinct(weights: readonly CountedWeight[]): readonly CountedWeight[] {
  if (weights.length < 2) return weights;
  if (weights.length === 2 && weights[0]?.identity !== weights[1]?.identity) return weights;
  const seen = new Set<unknown>();
  return weights.filter(({ identity }) => !seen.has(identity) && seen.add(identity));
}

/** A weight of a report. Written out for those that are shared too: `...` would give each of thousands a layout of its own. */
function reportWeight(resolved: ResolvedWeight, trainable: boolean): ReportWeight {
  const { weight, stored, elements, bytes } = resolved;
  const { name, role, class: kind, dtype, shared } = weight;
  const shape = reportShape(resolved.shape);
  // What is frozen around it settles a flag that nobody recorded.
  const flag = trainable ? weight.trainable : false;
  const storedShape = stored?.shape ?? (weight.packing ? staticOrNull(resolved.heldShape) : null);
  const path = stored?.path ?? null;
  return shared === undefined
    ? { name, role, shape, dtype, class: kind, trainable: flag, elements, bytes, storedShape, stored: path }
    : {
        name,
        role,
        shape,
        dtype,
        class: kind,
        trainable: flag,
        elements,
        bytes,
        storedShape,
        stored: path,
        shared,
      };
}

function staticOrNull(shape: ResolvedWeight["heldShape"]): readonly number[] | null {
  return shape?.every((dim) => typeof dim === "number") ? (shape as readonly number[]) : null;
}
