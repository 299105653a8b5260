import type { Argument, Call, ValueRef } from "../ir/graph.ts";

/** Where a row's output is among those that are shown; null where it is none of them. */
export type Place = (ref: ValueRef) => ValueRef | null;

/** Outputs of rows as what goes into a call. */
export function argumentsOf(refs: readonly ValueRef[], place: Place): Call["inputs"] {
  const inside: Argument[] = [];
  for (const ref of refs) {
    // What comes from outside the module is an input of the module's row.
    const value = place(ref);
    if (value !== null) inside.push({ kind: "value", value });
  }
  return inside;
}
