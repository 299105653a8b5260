/** What PaddlePaddle pickles: dictionaries of NumPy arrays, with the name of the parameter that each is of. */

import { globalName, isRecord, itemsOf, type PickleValue } from "../../src/wire/pickle-value.ts";
import { newestName } from "./globals.ts";
import { stateDictOf } from "./tensor-state.ts";

/** The key under which `paddle.save` puts the names of the parameters. */
const listing = "StructuredToParameterName@@";

export interface PaddleState {
  /** The entries, each with its array alone. */
  readonly entries: ReadonlyMap<PickleValue, PickleValue>;
  /** Keys of what stands under an earlier key already: the networks share it, the file has it twice. */
  readonly repeated: ReadonlySet<PickleValue>;
}

/** `null` for any other dictionary. In one that is part of another, each array comes in a pair with the name of its parameter. */
export function readPaddleState(entries: ReadonlyMap<PickleValue, PickleValue>): PaddleState | null {
  const given = entries.get(listing);
  const listed = isRecord(given) && given.kind === "dict" ? stateDictOf(given) : null;
  if (listed === null && firstPair(entries) === null) return null;
  const arrays = new Map<PickleValue, PickleValue>();
  const seen = new Set<PickleValue>();
  const repeated = new Set<PickleValue>();
  for (const [key, value] of entries) {
    const pair = pairOf(value);
    arrays.set(key, pair ? pair[1] : value);
    const name = pair ? pair[0] : listed?.get(key);
    if (typeof name !== "string") continue;
    if (seen.has(name)) repeated.add(key);
    seen.add(name);
  }
  return { entries: arrays, repeated };
}

function firstPair(entries: ReadonlyMap<PickleValue, PickleValue>): readonly [string, PickleValue] | null {
  for (const value of entries.values()) return pairOf(value);
  return null;
}

/** `tuple(("linear_0.w_0", array))`. */
function pairOf(value: PickleValue): readonly [string, PickleValue] | null {
  if (!isRecord(value) || value.kind !== "object") return null;
  const made = globalName(value.callable);
  if (made === null || newestName(made) !== "builtins.tuple") return null;
  const [name, array, ...more] = itemsOf(itemsOf(value.args)?.[0]) ?? [];
  return typeof name === "string" && isRecord(array) && more.length === 0 ? [name, array] : null;
}

/** What an optimizer keeps of a parameter, after its name: `linear_0.w_0_moment1_0`. */
export function isPaddleOptimizer(entries: ReadonlyMap<PickleValue, PickleValue>): boolean {
  for (const key of entries.keys()) return typeof key === "string" && /\.[wb]_\d+_[a-z_]\w*_\d+$/.test(key);
  return false;
}
