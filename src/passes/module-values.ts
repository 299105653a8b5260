/** Which values go into parts of a tree of modules, and which leave them. */

import type { ValueRef } from "../ir/graph.ts";
import type { Row, Rows } from "./fold-rows.ts";
import { added, type Part } from "./module-part.ts";
import type { Parts } from "./module-parts.ts";

/** Deeper than any part. */
const nowhere = 255;

/** The values of rows by number, and where they are used. */
export class RowValues {
  private readonly rows: readonly Row[];
  private readonly parts: Parts;
  /** By row, the number of the first value that its first call gives; the others follow. */
  private readonly first: Int32Array;
  /** Values that no row is known to give. */
  private readonly others = new Map<string, number>();
  /** By number, how many levels of parts its row and one that uses it are in together, the least of all that use it. */
  private readonly sharing: Uint8Array;
  /** By number, for values that go into some part. */
  private readonly refs: ValueRef[];

  /** Notes at each part what goes into it and what leaves it. */
  constructor({ rows, outputs }: Rows, parts: Parts) {
    this.rows = rows;
    this.parts = parts;
    this.first = new Int32Array(rows.length + 1);
    for (let i = 0; i < rows.length; i++)
      this.first[i + 1] = (this.first[i] as number) + (rows[i]?.facts?.calls[0]?.types.length ?? 0);
    this.sharing = new Uint8Array(this.first[rows.length] as number).fill(nowhere);
    this.refs = new Array<ValueRef>(this.sharing.length);
    for (let i = 0; i < rows.length; i++) {
      const by = parts.around[i] ?? null;
      const { inputs } = rows[i] as Row;
      // Loops by number: those over items take several times as long where they run once for each row.
      for (let call = 0; call < inputs.length; call++) {
        const refs = inputs[call] as readonly ValueRef[];
        for (let k = 0; k < refs.length; k++) this.use(refs[k] as ValueRef, by);
      }
    }
    // Whoever runs the model is in none of its modules.
    for (const ref of outputs) this.use(ref, null);
    for (let i = 0; i < rows.length; i++) this.leave(i);
  }

  /** Values that go into a part, each once. */
  entering({ entering }: Part): readonly ValueRef[] {
    const numbers = entering.length < 2 ? entering : [...new Set(entering)];
    return numbers.map((number) => this.refs[number] as ValueRef);
  }

  /** Whether anything uses an output of a row's first call. */
  isUsed(row: number, output: number): boolean {
    return this.sharing[(this.first[row] as number) + output] !== nowhere;
  }

  private use(ref: ValueRef, by: Part | null): void {
    const from = this.parts.around[ref.layer] ?? null;
    const level = sharedLevels(from, by);
    const given = this.givenNumber(ref);
    if (level < (this.sharing[given] ?? 0)) this.sharing[given] = level;
    if (from === by) return;
    let number = -1;
    for (let part = by; part !== null && part.level >= level; part = part.around) {
      if (number < 0) number = this.numberOf(ref, given);
      part.entering = added(part.entering, number);
    }
  }

  /** The number of a value whatever call it is of; -1 where no such value is known. */
  private givenNumber({ layer, output }: ValueRef): number {
    const number = (this.first[layer] ?? Number.POSITIVE_INFINITY) + output;
    return number < (this.first[layer + 1] ?? 0) ? number : -1;
  }

  private numberOf(ref: ValueRef, given: number): number {
    let number = ref.call === 0 ? given : -1;
    if (number < 0) {
      const name = `${ref.layer}/${ref.call}/${ref.output}`;
      number = this.others.get(name) ?? this.sharing.length + this.others.size;
      this.others.set(name, number);
    }
    this.refs[number] ??= ref;
    return number;
  }

  /** Notes what a row gives at the parts that it leaves. */
  private leave(row: number): void {
    const innermost = this.parts.around[row] ?? null;
    if (innermost === null) return;
    const first = this.first[row] as number;
    const count = (this.first[row + 1] as number) - first;
    for (let output = 0; output < count; output++) {
      const level = this.sharing[first + output] as number;
      if (level > innermost.level || isSize(this.rows[row], output)) continue;
      const ref: ValueRef = { layer: row, call: 0, output };
      for (let part: Part | null = innermost; part !== null && part.level >= level; part = part.around)
        part.leaving = added(part.leaving, ref);
    }
  }
}

/** A size that is handed around, and no output of a module. */
export function isSize(row: Row | undefined, output: number): boolean {
  return row?.layer.plumbing === true && row.facts?.calls[0]?.types[output]?.shape?.length === 0;
}

/** How many parts are around both of two, they themselves included. */
function sharedLevels(one: Part | null, other: Part | null): number {
  let a = one;
  let b = other;
  while (a !== b) {
    if (a !== null && (b === null || a.level >= b.level)) a = a.around;
    else b = (b as Part).around;
  }
  return a === null ? 0 : a.level + 1;
}
