/** Recurrent layers: one kernel for all gates and directions each for the input and for the state. */

import type { JsonObject } from "../../../src/ir/graph.ts";
import { constant, type NodeView, type OnnxOps, parameter, quantization } from "../op.ts";

function recurrentAttributes(node: NodeView): JsonObject {
  return {
    units: node.optionalInt("hidden_size"),
    direction: node.text("direction", "forward"),
    batchFirst: node.int("layout", 0) === 1,
  };
}

const operands = [
  "input",
  parameter("kernel"),
  parameter("recurrent-kernel"),
  parameter("bias"),
  constant("sequence-lengths"),
  "initial-state",
] as const;

const lstmOperands = [...operands, "initial-cell", parameter("peephole")] as const;

export const recurrentOps: OnnxOps = {
  RNN: { operator: "RNN", inputs: operands, attributes: recurrentAttributes },
  GRU: { operator: "GRU", inputs: operands, attributes: recurrentAttributes },
  LSTM: { operator: "LSTM", inputs: lstmOperands, attributes: recurrentAttributes },
  "com.microsoft.AttnLSTM": {
    operator: "LSTM",
    inputs: [
      ...lstmOperands,
      parameter("query-kernel"),
      parameter("memory-kernel"),
      parameter("attention-vector"),
      "memory",
      constant("memory-lengths"),
      parameter("attention-kernel"),
    ],
    attributes: recurrentAttributes,
  },
  "com.microsoft.DynamicQuantizeLSTM": {
    operator: "DynamicQuantizeLSTM",
    inputs: [
      ...lstmOperands,
      quantization("kernel-scale"),
      quantization("kernel-zero-point"),
      quantization("recurrent-kernel-scale"),
      quantization("recurrent-kernel-zero-point"),
    ],
    // Its kernels stand turned over: (directions, features, gates x units).
    attributes: (node) => ({ ...recurrentAttributes(node), transposed: true }),
  },
};
