import type { Dim } from "../../src/ir/dim.ts";
import type { DType } from "../../src/ir/dtype.ts";
import type { Shape } from "../../src/ir/shape.ts";
import type { RuleInput } from "../../src/operators/operator.ts";

/** An input of which elements are known: one for a scalar, else all in row-major order. */
export function typedTensor(dtype: DType, shape: Shape, value: Dim | readonly Dim[]): RuleInput {
  return { dtype, shape, value };
}
