/** Which rows each call of a module has, as a tree. */

import type { ModuleRef } from "../ir/graph.ts";
import type { Row } from "./fold-rows.ts";
import { countedCalls, repeatedCalls } from "./module-calls.ts";
import { type Items, Part } from "./module-part.ts";

export interface Parts {
  /** At the top. */
  readonly items: Items;
  /** By row, the innermost part that it is in. */
  readonly around: readonly (Part | null)[];
}

export interface Nested {
  readonly rows: readonly Row[];
  /** By row, the modules around it, outermost first. */
  readonly modules: readonly (readonly ModuleRef[])[];
  /** So many levels of them are parts. */
  readonly depth: number;
  /** Whether a row runs a graph with modules in it; null where none runs any. */
  readonly runs: ((row: number) => boolean) | null;
}

export function partsOf(nested: Nested): Parts {
  const { rows } = nested;
  const parting = new Parting(nested);
  const items = parting.items(rows.length === 0 ? [] : [0, rows.length], 0, null);
  return { items, around: parting.around };
}

/** Rows of a module, whichever call they are in. */
interface Group {
  readonly module: ModuleRef;
  readonly stretches: number[];
  /** The file says of its rows that they are in several calls. */
  mixed: boolean;
}

class Parting {
  readonly around: (Part | null)[];
  private readonly nested: Nested;
  /** By row, where those after it are in other modules: rows of a module have one list of those around them. */
  private readonly ends: Int32Array;
  /** The file says which call of a module a row is in. */
  private readonly countsCalls: boolean;

  constructor(nested: Nested) {
    const { rows, modules } = nested;
    this.nested = nested;
    this.around = new Array<Part | null>(rows.length).fill(null);
    this.ends = new Int32Array(rows.length);
    let counts = false;
    for (let i = rows.length - 1; i >= 0; i--) {
      const alike = modules[i] === modules[i + 1];
      this.ends[i] = alike ? (this.ends[i + 1] as number) : i + 1;
      if (!alike) counts ||= (modules[i] as readonly ModuleRef[]).some(({ call }) => call !== undefined);
    }
    this.countsCalls = counts;
  }

  /** What rows that are in the same modules down to `level` come to. */
  items(stretches: readonly number[], level: number, around: Part | null): Items {
    const found: (Group | number)[] = [];
    const byPath = new Map<string, Group>();
    let group: Group | undefined;
    const { depth, modules } = this.nested;
    for (let s = 0; s < stretches.length; s += 2) {
      const end = stretches[s + 1] as number;
      for (let i = stretches[s] as number; i < end; ) {
        const next = Math.min(end, this.ends[i] as number);
        const module = level < depth ? (modules[i] as readonly ModuleRef[])[level] : undefined;
        if (module === undefined) {
          for (; i < next; i++) {
            this.around[i] = around;
            found.push(i);
          }
          continue;
        }
        if (module !== group?.module) group = byPath.get(module.path);
        if (group === undefined) {
          group = { module, stretches: [], mixed: false };
          byPath.set(module.path, group);
          found.push(group);
        }
        group.mixed ||= module.call !== group.module.call;
        lengthen(group.stretches, i, next);
        i = next;
      }
    }
    return this.opened(found, level, around);
  }

  /** Groups as parts, and what is in them. */
  private opened(found: readonly (Group | number)[], level: number, around: Part | null): Items {
    const items: (Part | number)[] = [];
    let several = false;
    for (const one of found) {
      if (typeof one === "number") {
        items.push(one);
        continue;
      }
      const parts = this.partsOf(one, level, around);
      several ||= parts.length > 1;
      for (const part of parts) {
        if (this.opens(part)) part.items = this.items(part.stretches, level + 1, part);
        else this.close(part);
        items.push(part);
      }
    }
    // Between the calls of a module there may be something else.
    return several ? items.sort((a, b) => startOf(a) - startOf(b)) : items;
  }

  private partsOf({ module, stretches, mixed }: Group, level: number, around: Part | null): readonly Part[] {
    const whole = new Part(module, module.call ?? 0, level, around, stretches);
    const made = (rows: readonly number[], call: number): Part =>
      new Part(module, call, level, around, stretchesOf(rows));
    if (!this.countsCalls) {
      const calls = repeatedCalls(whole, this.nested.rows, !this.goesDeeper(whole));
      return calls ? calls.map(made) : [whole];
    }
    if (!mixed) return [whole];
    const calls = countedCalls(whole.rows(), (i) => this.moduleOf(i, level)?.call ?? 0);
    return calls.map(({ call, rows }) => made(rows, call));
  }

  /** Whether what is in a part is shown. */
  private opens(part: Part): boolean {
    const { depth, runs } = this.nested;
    return this.goesDeeper(part) || (runs !== null && part.level + 1 < depth && part.some(runs));
  }

  private goesDeeper({ stretches, level }: Part): boolean {
    for (let s = 0; s < stretches.length; s += 2) {
      const end = stretches[s + 1] as number;
      for (let i = stretches[s] as number; i < end; i = this.ends[i] as number)
        if (this.moduleOf(i, level + 1) !== undefined) return true;
    }
    return false;
  }

  private close(part: Part): void {
    const { stretches } = part;
    for (let s = 0; s < stretches.length; s += 2)
      this.around.fill(part, stretches[s] as number, stretches[s + 1] as number);
  }

  private moduleOf(i: number, level: number): ModuleRef | undefined {
    const { depth, modules } = this.nested;
    return level < depth ? (modules[i] as readonly ModuleRef[])[level] : undefined;
  }
}

function startOf(item: Part | number): number {
  return typeof item === "number" ? item : item.first;
}

/** Adds rows after the last one. */
function lengthen(stretches: number[], from: number, to: number): void {
  if (stretches.length > 0 && stretches.at(-1) === from) stretches[stretches.length - 1] = to;
  else stretches.push(from, to);
}

function stretchesOf(rows: readonly number[]): readonly number[] {
  const stretches: number[] = [];
  for (const row of rows) lengthen(stretches, row, row + 1);
  return stretches;
}
