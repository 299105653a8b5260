/**
 * TensorFlow functions that tf.keras records as layers: TFOpLambda and SlicingOpLambda (by dotted name), methods and
 * properties of ragged tensors (by name), TensorFlowOpLayer of TensorFlow 1.14 to 2.3 (by that class).
 */

import { alike, type OperationTable, operation, tensorflowFunction as tf } from "./operation.ts";
import { arrayFunctions } from "./tensorflow-array.ts";
import { mathFunctions } from "./tensorflow-math.ts";
import { nnFunctions } from "./tensorflow-nn.ts";
import { tensorflowOpLayer } from "./tensorflow-op-layer.ts";

const methods: OperationTable = {
  ...alike(["to_tensor", "from_tensor", "with_values", "with_flat_values"], operation("Identity")),
  ...alike(["values", "flat_values"], operation("RaggedValues")),
  row_lengths: operation("PerExample"),
};

const strings: OperationTable = {
  ...alike(
    ["strings.lower", "strings.upper", "strings.strip", "strings.regex_replace"],
    tf("Identity", ["input"]),
  ),
  ...alike(["strings.substr", "strings.reduce_join"], tf("ReduceJoin", ["input"])),
  "strings.substr": tf("Identity", ["input"]),
  "strings.length": tf("Cast", ["input:x"], { dtype: "int32" }),
  "strings.to_number": tf("Cast", ["input:x"], ({ out_type: dtype }) => ({ dtype: dtype ?? "float32" })),
  "strings.to_hash_bucket": tf("Cast", ["input:x"], { dtype: "int64" }),
  "strings.to_hash_bucket_fast": tf("Cast", ["input:x"], { dtype: "int64" }),
  "strings.to_hash_bucket_strong": tf("Cast", ["input:x"], { dtype: "int64" }),
  "strings.as_string": tf("Cast", ["input:x"], { dtype: "string" }),
  "strings.join": tf("StringJoin", ["inputs"]),
};

export const tensorflowFunctions: OperationTable = {
  ...arrayFunctions,
  ...mathFunctions,
  ...nnFunctions,
  ...strings,
  ...methods,
  TensorFlowOpLayer: (source) => tensorflowOpLayer(source, tensorflowFunctions),
};
