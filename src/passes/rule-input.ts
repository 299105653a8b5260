import type { TensorType } from "../ir/tensor.ts";
import type { RuleInput } from "../operators/operator.ts";

/** A type as the input of that name. Few carry more than type and shape, and those two are quicker to write than to spread. */
export function ruleInput(name: string | undefined, type: TensorType, value: unknown): RuleInput {
  const { dtype, shape, of } = type;
  if (name !== undefined && of === undefined)
    return value === undefined ? { dtype, shape, name } : { dtype, shape, name, value };
  return { ...type, ...(name !== undefined && { name }), ...(value !== undefined && { value }) };
}
