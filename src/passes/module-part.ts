import type { ModuleRef, ValueRef } from "../ir/graph.ts";
import type { ResolvedWeight } from "./resolve-weights.ts";

/** In order of start. A row that is in no module further inside stands here by its number. */
export type Items = readonly (Part | number)[];

/** One for all: most parts have little of it. */
const none: readonly never[] = [];

/** A call of a module. */
export class Part {
  readonly module: ModuleRef;
  /** Which call of the module; 0 for the first. */
  readonly call: number;
  /** How many modules are around it. */
  readonly level: number;
  readonly around: Part | null;
  /** Its rows, ascending: the first one and the one after the last of each stretch without a gap. Most are one stretch. */
  readonly stretches: readonly number[];
  /** Null where no rows are shown inside. */
  items: Items | null = null;
  /** Numbers of the values from outside that go into it, in order; one may be there again. */
  entering: readonly number[] = none;
  /** What of its rows is used outside, in order. */
  leaving: readonly ValueRef[] = none;
  /** What it gives: what leaves it, as its module would have returned it. */
  outputs: readonly ValueRef[] = none;
  /** Weights that its rows read and that are its own, or of modules that have no row. */
  held: readonly ResolvedWeight[] = none;
  /** Its number among the layers beside it. */
  place = 0;

  constructor(
    module: ModuleRef,
    call: number,
    level: number,
    around: Part | null,
    stretches: readonly number[],
  ) {
    this.module = module;
    this.call = call;
    this.level = level;
    this.around = around;
    this.stretches = stretches;
  }

  /** Number of its first row. */
  get first(): number {
    return this.stretches[0] as number;
  }

  /** Number of its last row. */
  get last(): number {
    return (this.stretches.at(-1) as number) - 1;
  }

  /** Whether `test` holds for one of its rows. */
  some(test: (row: number) => boolean): boolean {
    for (let s = 0; s < this.stretches.length; s += 2) {
      const end = this.stretches[s + 1] as number;
      for (let row = this.stretches[s] as number; row < end; row++) if (test(row)) return true;
    }
    return false;
  }

  rows(): number[] {
    const rows: number[] = [];
    for (let s = 0; s < this.stretches.length; s += 2) {
      const end = this.stretches[s + 1] as number;
      for (let row = this.stretches[s] as number; row < end; row++) rows.push(row);
    }
    return rows;
  }
}

/** With one more at its end. Most lists of a part have one, for which a list that has grown would be too large. */
export function added<Item>(list: readonly Item[], item: Item): readonly Item[] {
  if (list.length === 0) return [item];
  (list as Item[]).push(item);
  return list;
}
