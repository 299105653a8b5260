/** Which weights add up to the totals. */

import { InvalidOptionError } from "../errors.ts";
import { type Convention, conventions } from "../ir/convention.ts";
import type { Model } from "../ir/model.ts";
import type { TensorClass } from "../ir/tensor.ts";

export interface Counting {
  readonly convention: Convention;
  /** Classes of the weights that count as parameters. */
  readonly classes: readonly TensorClass[];
}

/**
 * The convention that was asked for, or that of the model.
 * @throws InvalidOptionError for one that is none.
 */
export function countingOf(model: Model, asked: Convention | undefined): Counting {
  const convention = asked ?? model.convention ?? "keras";
  if (!conventions.includes(convention)) {
    const names = conventions.map((name) => `"${name}"`).join(" and ");
    throw new InvalidOptionError(
      `convention is ${JSON.stringify(convention)}: only ${names} can be asked for`,
    );
  }
  return { convention, classes: countedClasses(model.file.format, convention) };
}

/** Only Keras has weights of other classes that it counts as such: counters, states of generators of random numbers. */
function countedClasses(format: string, convention: Convention): readonly TensorClass[] {
  if (convention === "pytorch") return ["parameter"];
  if (format === "keras") return ["parameter", "statistic", "bookkeeping", "constant", "unclassified"];
  return ["parameter", "statistic"];
}
