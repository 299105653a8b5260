/** Text generation in one node (ONNX Runtime's contrib_ops): the networks are graphs in its attributes. */

import { constant, type NodeView, type OnnxOp, type OnnxOps } from "../op.ts";

const afterLengths = ["repetition-penalty", "vocabulary-mask", "first-mask", "attention-mask"];

/** -1 where it is that of the logits. */
function vocabularyOf(node: NodeView): number | null {
  const size = node.int("vocab_size", -1);
  return size > 0 ? size : null;
}

function search(more: readonly string[]): OnnxOp {
  return {
    operator: "GenerateTokens",
    inputs: ["tokens", ...["max-length", "min-length", ...afterLengths, ...more].map(constant)],
    attributes: (node) => ({ vocabulary: vocabularyOf(node) }),
  };
}

const lengths = ["max-length", "min-length", "beams", "returned", "length-penalty"];

function beamSearch(more: readonly string[]): OnnxOp {
  return {
    operator: "GenerateTokens",
    inputs: [
      "tokens",
      ...[...lengths, ...afterLengths, "decoder-tokens", "processor", ...more].map(constant),
    ],
    attributes: (node) => ({ beams: true, vocabulary: vocabularyOf(node) }),
  };
}

export const microsoftSearchOps: OnnxOps = {
  "com.microsoft.BeamSearch": beamSearch([]),
  "com.microsoft.WhisperBeamSearch": beamSearch(["attention-heads", "extra-tokens", "temperature"]),
  "com.microsoft.GreedySearch": search([]),
  "com.microsoft.Sampling": search(["presence-mask", "seed"]),
};
