/** What a file declares of a call, put together with what its rule gives. */

import type { Call, Structure } from "../ir/graph.ts";
import type { Shape } from "../ir/shape.ts";
import type { TensorType } from "../ir/tensor.ts";
import { maxRank } from "../limits.ts";
import type { Inferred } from "../operators/operator.ts";

/** A list of several outputs; one stands by itself. */
export function defaultStructure(count: number): Structure {
  return count === 1 ? 0 : { list: Array.from({ length: count }, (_, i) => i) };
}

/** What the file alone says; null where it says nothing. */
export function declared(call: Call | undefined): Inferred | null {
  if (call?.declaredTypes) {
    const types = call.declaredTypes.map((type) => type ?? { dtype: null, shape: null });
    return { types, structure: defaultStructure(types.length) };
  }
  const shapes = call?.declaredOutputs?.map(usable);
  if (!shapes || shapes.length === 0) return null;
  return {
    types: shapes.map((shape) => ({ dtype: null, shape })),
    structure: defaultStructure(shapes.length),
  };
}

function usable(shape: Shape): Shape {
  return shape !== null && shape.length > maxRank ? null : shape;
}

/** Without the outputs that the file does not name. */
export function named(inferred: Inferred, call: Call | undefined): Inferred {
  const count = call?.outputs;
  if (count === undefined || count === 0 || inferred.types.length <= count) return inferred;
  return { types: inferred.types.slice(0, count), structure: defaultStructure(count) };
}

/** Fills what the rule left unknown from what the file declares, and gives the outputs their default container. */
export function completed(inferred: Inferred, call: Call | undefined): Inferred {
  if (inferred.types.every(({ shape }) => shape !== null)) {
    const { types, structure } = inferred;
    return structure === undefined ? { types, structure: defaultStructure(types.length) } : inferred;
  }
  const shapes = call?.declaredOutputs?.map(usable);
  const count = Math.max(
    inferred.types.length,
    inferred.types[0]?.shape === null ? (shapes?.length ?? 0) : 0,
  );
  const types = Array.from({ length: count }, (_, i): TensorType => {
    const type = inferred.types[i] ?? { dtype: null, shape: null };
    return type.shape === null ? { ...type, shape: shapes?.[i] ?? null } : type;
  });
  const structure = count === inferred.types.length ? inferred.structure : undefined;
  return { types, structure: structure ?? defaultStructure(count) };
}
