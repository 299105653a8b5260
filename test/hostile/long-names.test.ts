/** Names as long as a file lets them be: reading and printing takes time in proportion, whatever they are made of. */

import { expect, test } from "vitest";
import { formatSummary } from "../../src/public/index.ts";
import { layOut, safetensors } from "../importers/safetensors/written.ts";
import { buildZip } from "../wire/zip-builder.ts";
import { times } from "./keras-config.ts";
import { model, node, numbers } from "./onnx-model.ts";
import { named, readable } from "./survive.ts";

const weights = (names: readonly string[]): Uint8Array => {
  const { header, bytes } = layOut(names.map((name) => [name, "F32", [2]]));
  return safetensors(header, bytes);
};

test.each([
  ["line breaks", "\n"],
  ["lines", "x\n"],
  ["tabs", "\t"],
  ["blanks", " "],
  ["words", "x "],
  ["dots", "."],
  ["slashes", "/"],
  ["lines of a box", "─"],
  ["wide characters", "漢"],
  ["joined emoji", "👩\u200d"],
  ["combining marks", "\u0301"],
  ["styles", "[a]"],
  ["ends of styles", "[/b]"],
  ["colons", ":"],
  ["backslashes", "\\"],
  ["controls", "\x01"],
])("a name of 300,000 characters, all %s", async (_, sign) => {
  const name = sign.repeat(300_000 / sign.length);
  const report = await readable(weights([name]));
  // A line break in a table is a line of 80 characters.
  expect(formatSummary(report).length).toBeLessThan(10 * name.length);
});

test("a few line breaks are lines of a table", async () => {
  const lines = async (count: number): Promise<number> =>
    formatSummary(await readable(weights([`${"x\n".repeat(count)}y`]))).split("\n").length;
  expect((await lines(30)) - (await lines(0))).toBe(30);
  expect((await lines(40)) - (await lines(0))).toBeLessThan(4);
});

/** So many names of so many steps took 13 seconds when each step was looked up, and graphs of them all of the memory. */
const stepped = (sign: string): readonly string[] =>
  times(60, (i) => `a${i}${sign.repeat(16_000 / sign.length)}b`);

test.each([".", ".1", "/", "/a"])("names of tensors of very many steps: %s", async (sign) => {
  const report = await readable(weights(stepped(sign)));
  expect(report.totals.parameters).toBe(120);
});

test.each([".", "/", "/a"])("names of nodes of very many steps: %s", async (sign) => {
  const nodes = stepped(sign).map((name, i) => ({
    ...node("Add", [i === 0 ? "x" : `v${i - 1}`, "w"], [`v${i}`]),
    name,
  }));
  const report = await readable(model(nodes, { initializers: [numbers("w", [1, 2, 3])] }));
  expect(report.layers).toHaveLength(61);
});

test.each([".", ".1"])("keys of a checkpoint of very many steps: %s", async (sign) => {
  const text = (value: string): string =>
    `X${String.fromCharCode(value.length & 255, value.length >> 8, 0, 0)}${value}`;
  const storage = `(${text("storage")}ctorch\nFloatStorage\n${text("0")}${text("cpu")}K\x06tQ`;
  const tensor = `ctorch._utils\n_rebuild_tensor_v2\n(${storage}K\x00(K\x02K\x03t(K\x03K\x01t\x89ccollections\nOrderedDict\n)RtR`;
  const entries = stepped(sign).map((name) => text(name) + tensor);
  const pickle = Uint8Array.from(`\x80\x02}(${entries.join("")}u.`, (c) => c.charCodeAt(0));
  const archive = buildZip([
    { name: "a/data.pkl", data: pickle },
    { name: "a/version", data: Uint8Array.from([0x33, 10]) },
    { name: "a/data/0", data: new Uint8Array(24) },
  ]);
  const report = await readable(named("m.pt", archive));
  expect(report.totals.parameters).toBe(6);
});
