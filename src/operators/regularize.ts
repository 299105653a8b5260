/** Operators that act in training only (or on masks and losses only). */

import type { OperatorDef } from "./operator.ts";
import { shapePreserving } from "./shape-preserving.ts";

export const regularizeOperators: readonly OperatorDef<unknown>[] = [
  shapePreserving("Dropout"),
  shapePreserving("SpatialDropout"),
  shapePreserving("AlphaDropout"),
  shapePreserving("GaussianDropout"),
  shapePreserving("GaussianNoise"),
  shapePreserving("ActivityRegularization"),
  shapePreserving("Masking"),
];
