/** Programs that no exporter writes, in style torchinfo: text, or a typed error, and no number that is made up. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { formatSummary, inspect, summaryNotes } from "../../src/public/index.ts";
import { readable } from "../hostile/survive.ts";
import { zipText } from "./torchinfo-truth.ts";

const file = join(import.meta.dirname, "../../fixtures/pytorch/program-frozen/model.pt2");
const text = await zipText(readFileSync(file), "models/model.json");

// biome-ignore lint/suspicious/noExplicitAny: any part of the program is replaced.
type Any = any;

/** The text for the program after `change`. */
async function printed(change: (program: Any) => void): Promise<string> {
  const program = JSON.parse(text);
  change(program.graph_module);
  const report = await readable(JSON.stringify(program));
  return formatSummary(report, { style: "torchinfo" });
}

const specOf = (spec: unknown): string => JSON.stringify([1, spec]);
const leaf = { type: null, context: null, children_spec: [] };
const outSpec = (graph: Any, spec: string): void => {
  graph.module_call_graph.find(({ fqn }: Any) => fqn === "").signature.out_spec = spec;
};
const rootRow = (lines: string): string | undefined => lines.split("\n")[3]?.replace(/ +/g, " ");

test("of a dictionary the last value is shown, of other containers the first", async () => {
  const dict = (type: string) => ({ type, context: '["a", "b"]', children_spec: [leaf, leaf] });
  expect(rootRow(await printed(() => {}))).toBe("Frozen [2, 3] 39");
  expect(rootRow(await printed((graph) => outSpec(graph, specOf(dict("builtins.dict")))))).toBe(
    "Frozen [2, 2] 39",
  );
  expect(rootRow(await printed((graph) => outSpec(graph, specOf(dict("some.ModelOutput")))))).toBe(
    "Frozen [2, 2] 39",
  );
  const list = { type: "builtins.list", context: '["a", "b"]', children_spec: [leaf, leaf] };
  expect(rootRow(await printed((graph) => outSpec(graph, specOf(list))))).toBe("Frozen [2, 3] 39");
});

test.each([
  ["no JSON", "["],
  ["another number of outputs", specOf({ ...leaf, type: "builtins.tuple", children_spec: [leaf] })],
  ["none", "[1, null]"],
  [
    "many in one another",
    `[1, ${'{"type": "builtins.list", "context": null, "children_spec": ['.repeat(5000)}${"]}".repeat(5000)}]`,
  ],
])("a container of outputs that is %s is not believed", async (_, spec) => {
  expect(rootRow(await printed((graph) => outSpec(graph, spec)))).toBe("Frozen [2, 3] 39");
});

test("modules a thousand deep, and hundred thousand of them", async () => {
  const deep = Array.from({ length: 1000 }, () => "a").join(".");
  const many = Array.from({ length: 100_000 }, (_, i) => ({ fqn: `body.${i}`, signature: null }));
  const found = await printed((graph) => {
    graph.module_call_graph.push({ fqn: deep, signature: null }, { fqn: 5 }, null, ...many);
  });
  expect(rootRow(found)).toBe("Frozen [2, 3] 39");
});

test("work beyond every float is not known", async () => {
  const huge = await printed((graph) => {
    for (const value of Object.values<Any>(graph.graph.tensor_values))
      if (value.sizes.length === 4 && value.sizes[0].as_int === 2)
        value.sizes = Array.from({ length: 60 }, () => ({ as_int: 2 ** 52 }));
  });
  expect(huge).toContain("Total mult-adds: ?\n");
  expect(huge).toContain("Input size (MB): ?\n");
});

test("names cannot write lines of their own", async () => {
  const found = await printed((graph) => {
    for (const { metadata } of graph.graph.nodes)
      metadata.nn_module_stack = metadata.nn_module_stack?.replaceAll("Frozen", "Fro\nzen\u202e");
  });
  expect(rootRow(found)).toBe("Fro\\nzen\\u202e [2, 3] 39");
  expect(found.split("\n")).toHaveLength((await printed(() => {})).split("\n").length);
});

test("pruned parameters count whole, and a note says so", async () => {
  const program = JSON.parse(
    text.replaceAll("stem.weight", "stem.weight_orig").replaceAll("body.1.running_mean", "stem.weight_mask"),
  );
  const notes = summaryNotes(await inspect(new TextEncoder().encode(JSON.stringify(program))), {
    style: "torchinfo",
  });
  expect(notes.join("\n")).toContain("pruned by masks, whose elements are not read: stem.weight_orig;");
});
