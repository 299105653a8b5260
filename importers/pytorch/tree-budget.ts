/** What the tree of a pickled value may cost: a pickle can hand one container to any number of objects, under names as long as it likes. */

import { LimitExceededError } from "../../src/errors.ts";
import { maxTorchSharedEntries, maxTorchTensors } from "../../src/limits/pytorch.ts";
import { maxNameText } from "../../src/limits.ts";
import { isRecord, type PickleRecord, type PickleValue } from "../../src/wire/pickle-value.ts";

const caps = {
  entries: ["maxTorchSharedEntries", maxTorchSharedEntries, "entries of shared containers"],
  tensors: ["maxTorchTensors", maxTorchTensors, "tensors"],
  characters: ["maxNameText", maxNameText, "characters in the names of its tensors"],
} as const;

/** A container of no more costs an object less than the object itself. */
const fewEntries = 16;

/** Throws LimitExceededError from whatever passes a cap. */
export class TreeBudget {
  readonly #spent = { entries: 0, tensors: 0, characters: 0 };
  readonly #seen = new Set<PickleRecord>();

  tensor(path: string, depth: number): void {
    this.#spend("tensors", 1);
    this.name(path, depth);
  }

  /** A name that is kept or compared, at a depth: steps may be without characters. */
  name(path: string, depth: number): void {
    this.#spend("characters", Math.max(path.length, depth));
  }

  /** What others may hold too, before it is gone through, and what is in that, so many levels down. The first time is free. */
  shared(value: PickleValue | undefined, levels: number): void {
    if (!isRecord(value)) return;
    const items = "items" in value ? value.items : [];
    const entries = items.length + ("keys" in value ? value.keys.length : 0);
    if (entries > fewEntries) {
      if (this.#seen.has(value)) this.#spend("entries", entries);
      else this.#seen.add(value);
    }
    if (levels === 0) return;
    for (const item of items) this.shared(item, levels - 1);
    if (value.kind === "object") this.shared(value.args, levels);
  }

  #spend(what: keyof typeof caps, count: number): void {
    this.#spent[what] += count;
    const [limit, maximum, told] = caps[what];
    const actual = this.#spent[what];
    if (actual <= maximum) return;
    const message = `a pickle with ${actual} ${told}, the limit is ${maximum} (${limit})`;
    throw new LimitExceededError(message, { limit, actual, maximum });
  }
}
