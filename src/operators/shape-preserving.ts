import { mainInput } from "./arguments.ts";
import type { OperatorDef } from "./operator.ts";
import { readStated, type Stated, statedType } from "./result-type.ts";

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

/** The same for one whose nodes may state another element type. */
export function typePreserving(name: string): OperatorDef<Stated> {
  return {
    name,
    attributes: readStated,
    infer: ({ attributes, inputs }) => {
      const { shape, dtype } = mainInput(inputs);
      return { types: [{ shape, dtype: statedType(attributes, "same", dtype) }] };
    },
  };
}
