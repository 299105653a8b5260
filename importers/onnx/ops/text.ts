/** Texts. */

import type { NodeView, OnnxOps } from "../op.ts";

/** Each n-gram of the pool has a place in the output; the largest place says how many there are. */
function places(node: NodeView): number | null {
  const indexes = node.ints("ngram_indexes");
  if (indexes === null || indexes.length < node.count("ngram_indexes")) return null;
  return indexes.reduce((largest, index) => Math.max(largest, index + 1), 0);
}

export const textOps: OnnxOps = {
  StringConcat: { operator: "StringJoin", inputs: ["a", "b"] },
  StringNormalizer: {
    operator: "GraphNormalizeTexts",
    inputs: ["input"],
    attributes: (node) => ({ drops: node.count("stopwords") > 0 }),
  },
  StringSplit: { operator: "GraphSplitTexts", inputs: ["input"] },
  RegexFullMatch: { operator: "GraphMatchTexts", inputs: ["input"] },
  TfIdfVectorizer: {
    operator: "GraphCountNgrams",
    inputs: ["input"],
    attributes: (node) => ({ size: places(node) }),
    stored: () => [{ name: "weights", class: "statistic" }],
  },
};
