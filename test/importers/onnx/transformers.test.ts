/** Networks of transformers by both exporters of PyTorch, against PyTorch's count of their parameters. */

import { expect, test } from "vitest";
import { elementsOf, expectedOf, imbalance, weighZipped } from "./fixture-files.ts";

interface Network {
  readonly parameters: number;
  readonly exports: readonly string[];
}

const networks: Readonly<Record<string, Network>> = expectedOf("transformers").networks ?? {};

/** By file: parameters found beyond those of the network, and elements that are unclassified; why. */
const differences: Readonly<Record<string, readonly [number, number, string]>> = {
  "bert-mlm.script": [3168, 0, "the tied matrix a second time, turned over"],
  "gpt2.script": [3168, 0, "the same"],
  "mistral.script": [3168, 0, "the same"],
  "opt.script": [3168, 0, "the same"],
  "t5.script": [3168, 0, "the same"],
  "bart.script": [3267, 0, "the same, and a buffer that is added like a bias"],
  "gemma.script": [3008, 160, "the same; scales to which 1 was added ahead"],
  "roberta.script": [-1056, 0, "the pooler, which the first output does without, is not exported"],
  "roberta.dynamo": [-1056, 0, "the same"],
  "deberta.script": [-512, 512, "normalized relative positions were worked out ahead"],
  "deberta.dynamo": [-4736, 2048, "they were, and what the attention makes of them"],
  "vit.script": [-576, 576, "class token and positions: nothing tells them from buffers"],
  "clip-vision.script": [-96, 32, "class token; the last normalization is not exported"],
  "clip-vision.dynamo": [-608, 544, "positions were looked up ahead; the last normalization is not exported"],
  "swin.script": [-196, 1024, "tables of positions were looked up ahead"],
  "segformer.script": [-16, 0, "a batch normalization was folded"],
  "segformer.dynamo": [-16, 0, "the same"],
};

const files = Object.entries(networks).flatMap(([name, { parameters, exports }]) =>
  exports.map((exporter) => ({ file: `${name}.${exporter}`, parameters })),
);

test.each(files)("$file", async ({ file, parameters }) => {
  const [weighed] = await weighZipped("transformers", [file]);
  if (!weighed) throw new Error(file);
  expect(imbalance(weighed)).toEqual([]);
  const found = elementsOf(weighed, "parameter") - parameters;
  const [more, open] = differences[file] ?? [0, 0];
  expect([found, elementsOf(weighed, "unclassified")]).toEqual([more, open]);
  const said = weighed.report.diagnostics.map(({ code }) => code);
  expect(weighed.report.totals.status).toBe(open === 0 ? "complete" : "partial");
  // Added to the logits outside of the layer that gives them.
  expect(said.includes("class-likely")).toBe(file === "bart.script");
  if (more > 0) expect(said).toContain("weight-maybe-tied");
});
