import { mainInput } from "./arguments.ts";
import type { OperatorDef } from "./operator.ts";

/** An operator without weights whose output has the type of its first input. */
export function shapePreserving(name: string): OperatorDef<null> {
  return {
    name,
    attributes: () => null,
    infer: ({ inputs }) => {
      const { shape, dtype } = mainInput(inputs);
      return { types: [{ shape, dtype }] };
    },
  };
}
