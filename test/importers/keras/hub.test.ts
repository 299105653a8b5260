/** Files of KerasHub, against its own counts (fixtures/build/keras3_hub.py). */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { memorySource } from "../../../src/io/memory.ts";
import { inspect } from "../../../src/public/index.ts";
import { inspectFile } from "../../../src/public/node.ts";

const folder = join(import.meta.dirname, "../../../fixtures/keras/hub");
const truth = JSON.parse(readFileSync(join(folder, "truth.json"), "utf8")) as Readonly<
  Record<string, number | null>
>;

const codes = (report: { readonly diagnostics: readonly { readonly code: string }[] }): readonly string[] =>
  report.diagnostics.map(({ code }) => code);

describe("presets", () => {
  test.each(["shards", "task", "task/config.json", "task.keras"])("%s", async (file) => {
    const report = await inspectFile(join(folder, file));
    expect([report.totals.parameters, report.totals.status]).toEqual([truth[file], "complete"]);
    expect(codes(report)).toEqual(["config-missing"]);
  });

  test("the head of a task has a row beside those of its backbone", async () => {
    const { layers } = await inspectFile(join(folder, "task"));
    expect(layers.map(({ name }) => name)).toEqual(expect.arrayContaining(["token_embedding", "logits"]));
  });

  test("without its weights nothing is complete", async () => {
    const bytes = (name: string): Uint8Array => new Uint8Array(readFileSync(join(folder, "task", name)));
    const report = await inspect({
      ...memorySource(bytes("config.json"), "config.json"),
      companion: async (name) => (name === "metadata.json" ? memorySource(bytes(name), name) : null),
    });
    expect([report.totals.parameters, report.totals.status]).toEqual([0, "partial"]);
    expect(codes(report)).toEqual(["weights-not-read", "weights-left-out", "config-missing"]);
  });
});

test("a task has no optimizer once Keras has loaded it, though the file tells of one", async () => {
  expect(truth["task.keras optimizer"]).toBe(null);
  const { optimizer, totals } = await inspectFile(join(folder, "task.keras"));
  expect([optimizer, totals.optimizer]).toEqual([null, 0]);
});

test("an architecture without weights leaves out those of classes that only their code knows, and says so", async () => {
  const report = await inspectFile(join(folder, "network.json"));
  expect([report.totals.parameters, report.totals.status]).toEqual([truth["network.json known"], "partial"]);
  expect(report.totals.parameters).toBeLessThan(truth["network.json"] ?? 0);
  expect(report.diagnostics.at(-1)?.message).toBe(
    "totals are a lower bound: no weights are stored, and those of 2 layer classes cannot be derived, the first is TokenAndPositionEmbedding",
  );
});
