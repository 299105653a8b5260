import type { Argument, Call } from "../ir/graph.ts";
import type { RuleInput } from "../operators/operator.ts";
import type { ValuedType } from "../operators/tensor-values.ts";

/** What a call gets, as a rule sees it; `types` are those of its inputs. */
export function ruleInputs({ inputs }: Call, types: readonly ValuedType[]): readonly RuleInput[] {
  return inputs.map((argument, i) => ruleInput(argument, types[i] as ValuedType));
}

/** A type as the input of that name. Few carry more than type and shape, and those two are quicker to write than to spread. */
function ruleInput(argument: Argument, type: ValuedType): RuleInput {
  const { name } = argument;
  const { dtype, shape, of } = type;
  const value = argument.kind === "constant" ? argument.value : type.value;
  if (name !== undefined && of === undefined)
    return value === undefined ? { dtype, shape, name } : { dtype, shape, name, value };
  return { ...type, ...(name !== undefined && { name }), ...(value !== undefined && { value }) };
}
