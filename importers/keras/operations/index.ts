/**
 * Rules of function calls that are nodes of their own. The lists are written by hand: one line a family. Class names are
 * unique over the modules of keras.ops, so that files of every Keras 3 find them whatever the module path was.
 */

import type { OperationRule } from "../layer-rule.ts";
import { imageOperations } from "./image.ts";
import { linearAlgebraOperations } from "./linear-algebra.ts";
import { nnOperations } from "./nn.ts";
import { elementwiseOperations } from "./numpy-elementwise.ts";
import { indexOperations } from "./numpy-index.ts";
import { reductionOperations } from "./numpy-reduction.ts";
import { shapeOperations } from "./numpy-shape.ts";
import type { OperationTable } from "./operation.ts";
import { tensorflowFunctions } from "./tensorflow.ts";

/** Operations of keras.ops, by class. Those that run functions (Map, Scan, Cond) have none: code is not in a file. */
export const kerasOperations: OperationTable = {
  ...elementwiseOperations,
  ...imageOperations,
  ...indexOperations,
  ...linearAlgebraOperations,
  ...nnOperations,
  ...reductionOperations,
  ...shapeOperations,
};

/** Rule of an operation by module and class, or of a TensorFlow function by name (module ""). */
export function findOperationRule(module: string, type: string): OperationRule | undefined {
  const table = module === "" ? tensorflowFunctions : kerasOperations;
  return Object.hasOwn(table, type) ? table[type] : undefined;
}
