/** Checkpoints of libraries around PyTorch and graphs of torch.fx, against what PyTorch counts in them (fixtures/build/pytorch). */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { inspect } from "../../../src/public/index.ts";
import { inspectFile } from "../../../src/public/node.ts";
import { checkFigures, said } from "../../hostile/survive.ts";

const folder = join(import.meta.dirname, "../../../fixtures/pytorch/libraries");
const graphs = join(import.meta.dirname, "../../../fixtures/pytorch/graphs");

interface Facts {
  readonly parameters: number;
  /** Elements of buffers and of data. */
  readonly others?: number;
  readonly lacks?: number;
  /** Of all arrays. */
  readonly bytes?: number;
  readonly optimizer?: number;
  /** Elements of averages among the weights. */
  readonly copies?: number;
}

const names = join(import.meta.dirname, "../../../fixtures/pytorch/names");
const paddle = join(import.meta.dirname, "../../../fixtures/pytorch/paddle");

const jax = join(import.meta.dirname, "../../../fixtures/pytorch/jax");

const cases = [folder, graphs, names, paddle, jax].flatMap((from) => {
  const { files } = JSON.parse(readFileSync(join(from, "facts.json"), "utf8")) as {
    readonly files: Readonly<Record<string, Facts>>;
  };
  return Object.entries(files).map(([file, facts]) => [file, facts, from] as const);
});

test.each(cases)("%s", async (file, { parameters, others, lacks, bytes, optimizer, copies }, from) => {
  const report = await inspectFile(join(from, file));
  checkFigures(report, file);
  expect(report.totals).toMatchObject({
    parameters: parameters - (lacks ?? 0),
    optimizer: optimizer ?? 0,
    status: lacks === undefined ? "complete" : "partial",
  });
  const { statistic, constant, bookkeeping, unclassified } = report.ledger.classes;
  expect(unclassified.elements).toBe(0);
  if (others !== undefined)
    expect(statistic.elements + constant.elements + bookkeeping.elements).toBe(others);
  if (bytes !== undefined) expect(report.ledger.bytes).toBe(bytes);
  if (copies !== undefined) {
    expect(report.ledger.classes.unused.elements).toBe(copies);
    // What the file lists twice is no average.
    expect(said(report, "weights-copied")).toHaveLength(from === paddle ? 0 : 1);
  }
  if (lacks !== undefined)
    expect(said(report, "weights-left-out").join()).toMatch(
      new RegExp(
        `${lacks} elements more|of a kind known here, and ${4 * lacks} bytes|^.*1 object that should be`,
      ),
    );
});

test("what is no file of PyTorch is not said to be one", async () => {
  for (const [from, file] of [
    [jax, "jax-4.pkl"],
    [paddle, "net-4.pdparams"],
  ] as const)
    expect((await inspectFile(join(from, file))).producer).toEqual({ framework: null, version: null });
});

test("a graph is a module with modules in it", async () => {
  const report = await inspectFile(join(graphs, "graph.pt"));
  expect(report.layers.map(({ name, type }) => [name, type])).toEqual([
    ["graph", "GraphModule"],
    ["fc", "Linear"],
    ["norm", "BatchNorm1d"],
  ]);
});

test("an average beside its model is a copy of it", async () => {
  const report = await inspectFile(join(folder, "ema-pytorch.pt"));
  expect(said(report, "weights-copied").join()).toMatch(/ema is named like a second set of weights/);
});

test("an archive of a policy has all of its files, and says which of them it cannot read", async () => {
  const bytes = readFileSync(join(folder, "ppo.zip"));
  const report = await inspect(bytes);
  expect(report.file).toMatchObject({ format: "pytorch", variant: "policy-archive" });
  expect(report.layers.map(({ name }) => name)).toContain("mlp_extractor.policy_net.0");
  // The entry is stored, so its first bytes are those of the archive within.
  const inner = bytes.indexOf("PK", bytes.indexOf("policy.optimizer.pth"));
  const broken = Uint8Array.from(bytes).fill(0x20, inner, inner + 4);
  expect(said(await inspect(broken), "weights-left-out")).toEqual([
    expect.stringContaining("policy.optimizer.pth is no file of torch.save"),
  ]);
});
