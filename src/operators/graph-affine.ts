/** Scales and zero points that a network works out for what it quantises (torch.ao, torchao 0.18). */

import { type Dim, sameDim } from "../ir/dim.ts";
import type { DType } from "../ir/dtype.ts";
import { formatShape, type Shape } from "../ir/shape.ts";
import { readFlag } from "./attributes.ts";
import { dividedExactly, statedWithPassed } from "./graph-values.ts";
import { type OperatorDef, RuleError } from "./operator.ts";
import { defineOperator, inputAt, only, optionalDims, optionalDType, tupleOf } from "./tensor-rule.ts";

/** input -> a scale and a zero point for the whole of it, or for each of its rows. */
const chooseQuantization = defineOperator<{ readonly rows: boolean }>({
  name: "ChooseQuantization",
  attributes: (raw) => ({ rows: readFlag(raw, "rows", false) }),
  infer({ attributes: { rows }, inputs }) {
    const { shape } = inputAt(inputs, "input", 0);
    const one = rows ? shape && [...shape.slice(0, -1), 1] : [1];
    return tupleOf([
      { dtype: "float64", shape: one },
      { dtype: "int64", shape: one },
    ]);
  },
});

/** Blocks along each axis; an axis that is one block is left out unless `keepsAxes`. Unknown where that cannot be told. */
function blocksOf(shape: readonly Dim[], block: readonly Dim[], keepsAxes: boolean): Shape {
  if (block.length !== shape.length)
    throw new RuleError(`blocks ${formatShape(block)} do not fit ${formatShape(shape)}`);
  const counts = shape.map((dim, axis) => {
    const size = block[axis] ?? null;
    return sameDim(dim, size) ? 1 : dividedExactly([dim], [size]);
  });
  if (keepsAxes) return counts;
  const whole = shape.map((dim, axis): boolean | null => {
    const size = block[axis] ?? null;
    if (sameDim(dim, size)) return true;
    return typeof dim === "number" && typeof size === "number" ? false : null;
  });
  return whole.includes(null) ? null : counts.filter((_, axis) => !whole[axis]);
}

interface BlockAttributes {
  readonly block: readonly Dim[] | null;
  readonly keepsAxes: boolean;
  readonly scaleType: DType | null;
  readonly zeroType: DType | null;
  /** There is no zero point. */
  readonly scaleOnly: boolean;
}

/** input, block -> a scale and a zero point for each block, of `scaleType` (else the input's) and `zeroType`. */
const chooseBlocks = defineOperator<BlockAttributes>({
  name: "ChooseBlockQuantization",
  attributes: (raw) => ({
    block: optionalDims(raw, "block", 1),
    keepsAxes: readFlag(raw, "keepsAxes", false),
    scaleType: optionalDType(raw, "scaleType"),
    zeroType: optionalDType(raw, "zeroType"),
    scaleOnly: readFlag(raw, "scaleOnly", false),
  }),
  infer({ attributes, inputs }) {
    const input = inputAt(inputs, "input", 0);
    const block = statedWithPassed(attributes.block, inputs, "block", inputs.length) ?? null;
    const known = input.shape !== null && block !== null;
    const shape = known ? blocksOf(input.shape, block, attributes.keepsAxes) : null;
    const scale = { dtype: attributes.scaleType ?? input.dtype, shape };
    return attributes.scaleOnly ? only(scale) : tupleOf([scale, { dtype: attributes.zeroType, shape }]);
  },
});

export const graphAffineOperators: readonly OperatorDef<unknown>[] = [chooseQuantization, chooseBlocks];
