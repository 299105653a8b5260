/** Operators that come in two forms: one that gives a new tensor, one that writes over its first operand. */

import type { AtenOps } from "../aten.ts";

/** Names without namespace to records of `aten.<name>` and `aten.<name>_`. */
export function inBothForms(ops: AtenOps): AtenOps {
  return Object.fromEntries(
    Object.entries(ops).flatMap(([name, op]) => [
      [`aten.${name}`, op],
      [`aten.${name}_`, op],
    ]),
  );
}
