/** Reductions of keras.ops (Keras 3.15 ops/numpy.py, ops/math.py, ops/linalg.py); those that ignore NaN are no others. */

import { alike, arrayOperation, type OperationTable, operation } from "./operation.ts";

export const reductionOperations: OperationTable = {
  ...alike(["Sum", "Nansum"], operation("ReduceSum")),
  ...alike(["Prod", "Nanprod"], operation("ReduceProd")),
  ...alike(["Mean", "Nanmean"], operation("ReduceMean")),
  ...alike(["Max", "Amax", "Nanmax"], operation("ReduceMax")),
  ...alike(["Min", "Amin", "Nanmin"], operation("ReduceMin")),
  ...alike(["Std", "Nanstd"], operation("ReduceStd")),
  ...alike(["Var", "Nanvar"], operation("ReduceVariance")),
  ...alike(["Median", "Nanmedian"], operation("ReduceMedian")),
  ...alike(["Argmax", "Nanargmax"], operation("ArgMax")),
  ...alike(["Argmin", "Nanargmin"], operation("ArgMin")),
  // A list of one quantile is a number to these, and a list to the percentiles.
  ...alike(["Quantile", "Nanquantile"], arrayOperation("Quantile", ["x", "q"], { oneIsNumber: true })),
  ...alike(["Percentile", "Nanpercentile"], arrayOperation("Quantile", ["x", "q"])),
  All: operation("ReduceAll"),
  Any: operation("ReduceAny"),
  Average: operation("ReduceMean", ["x", "weights"]),
  CountNonzero: operation("CountNonzero"),
  Logsumexp: operation("ReduceLogSumExp"),
  Norm: operation("ReduceNorm"),
  Ptp: operation("ReduceRange"),
  // With `axis` null NumPy would flatten, Keras takes nothing away.
  Trapezoid: operation("ReduceSum", ["x"], ({ axis }) => ({ axis: axis ?? [] })),
  Moments: operation("Moments", ["x"], ({ axes, keepdims }) => ({
    axis: axes ?? null,
    keepDims: keepdims ?? false,
  })),
};
