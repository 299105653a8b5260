/** einops patterns: `b (h1 h) w c -> (b h1) h (w c)` (Keras 3.15 ops/einops.py, traced with TensorFlow's shapes). */

import { counted } from "../counted.ts";
import { type Dim, mapDims, multiplyDims } from "../ir/dim.ts";
import type { JsonObject } from "../ir/graph.ts";
import { formatShape } from "../ir/shape.ts";
import { maxEquationCharacters } from "../limits.ts";
import { mainInput } from "./arguments.ts";
import { readText } from "./attributes.ts";
import { type OperatorDef, RuleError } from "./operator.ts";
import { defineOperator, only, reshaped } from "./tensor-rule.ts";

interface RearrangeAttributes {
  readonly from: readonly (readonly string[])[];
  readonly to: readonly (readonly string[])[];
  readonly lengths: ReadonlyMap<string, number>;
}

/** Names of each axis: several where it is a group in parentheses. */
function readSide(text: string): readonly (readonly string[])[] {
  return [...text.matchAll(/\(([^()]*)\)|(\w+)/g)].map(([, group, name]) =>
    group === undefined ? [name ?? ""] : group.split(/\s+/).filter((part) => part !== ""),
  );
}

function readLengths(raw: JsonObject): ReadonlyMap<string, number> {
  const lengths = new Map<string, number>();
  const stated = raw.lengths;
  if (typeof stated !== "object" || stated === null || Array.isArray(stated)) return lengths;
  for (const [name, value] of Object.entries(stated)) {
    if (typeof value === "number" && Number.isSafeInteger(value) && value > 0) lengths.set(name, value);
  }
  return lengths;
}

/** Sizes of all names: stated, or what is left of a group's size for the one name without. */
function bindNames(shape: readonly Dim[], { from, lengths }: RearrangeAttributes): ReadonlyMap<string, Dim> {
  if (from.length !== shape.length) {
    throw new RuleError(
      `a pattern of ${counted(from.length, "axis", "axes")} does not fit ${formatShape(shape)}`,
    );
  }
  const sizes = new Map<string, Dim>();
  for (const [i, group] of from.entries()) {
    const known = group.filter((name) => lengths.has(name));
    const product = known.reduce((total, name) => total * (lengths.get(name) ?? 1), 1);
    for (const name of group) {
      const rest = mapDims((size) => {
        if (size % product !== 0)
          throw new RuleError(`axis ${i} of ${formatShape(shape)} is no multiple of ${product}`);
        return size / product;
      }, shape[i] ?? null);
      sizes.set(name, lengths.get(name) ?? rest);
    }
  }
  return sizes;
}

const rearrange = defineOperator<RearrangeAttributes>({
  name: "Rearrange",
  attributes(raw) {
    const pattern = readText(raw, "pattern");
    const [from, to, ...more] = pattern.length > maxEquationCharacters ? [] : pattern.split("->");
    if (from === undefined || to === undefined || more.length > 0)
      throw new RuleError("the pattern has no two sides");
    return { from: readSide(from), to: readSide(to), lengths: readLengths(raw) };
  },
  infer: ({ attributes, inputs }) =>
    only(
      reshaped(mainInput(inputs), (shape) => {
        const sizes = bindNames(shape, attributes);
        return attributes.to.map((group) =>
          multiplyDims(
            ...group.map((name) => {
              const size = sizes.get(name);
              if (size === undefined) throw new RuleError(`axis ${name} of the pattern is in no input axis`);
              return size;
            }),
          ),
        );
      }),
    ),
});

export const rearrangeOperators: readonly OperatorDef<unknown>[] = [rearrange];
