/** safetensors files that no writer would make: each ends in a typed error that names the place, or in true figures. */

import { describe, expect, test } from "vitest";
import { memorySource } from "../../src/io/memory.ts";
import { formatSummary, inspect, readModel } from "../../src/public/index.ts";
import { cpuMilliseconds } from "../cpu-time.ts";
import { beside, type Entry, layOut, safetensors, sparse } from "../importers/safetensors/written.ts";
import { named, random, readable, survive, unreadable } from "./survive.ts";

const entry = (over: Partial<Record<keyof Entry, unknown>> = {}): object => ({
  dtype: "F32",
  shape: [2, 2],
  data_offsets: [0, 16],
  ...over,
});

test("a long name that could be one of packed blocks is looked through once", async () => {
  const report = await readable(safetensors({ ["_a".repeat(100_000)]: entry() }, 16));
  expect(report.totals.parameters).toBe(4);
});

describe("headers", () => {
  test.each([
    ["longer than the file", safetensors({ a: entry() }, 16, 10_000), "malformed-file", /truncated/],
    [
      "longer than the format allows",
      safetensors({ a: entry() }, 16, 2 ** 36),
      "limit-exceeded",
      /100000000/,
    ],
    [
      "longer than any file",
      safetensors({ a: entry() }, 16, 2n ** 63n),
      "unknown-format",
      /starts like a saf/,
    ],
    ["that ends in a tensor", safetensors({ a: entry() }, 0), "malformed-file", /"a" ends at byte/],
    ["cut off", safetensors('{"a":{"dtype":"F32"', 16), "malformed-file", /not valid JSON/],
    ["a list in a list", safetensors(`{"a":${"[".repeat(5000)}`, 16), "limit-exceeded", /deeper/],
    ["of numbers alone", safetensors('{"a":1}', 0), "malformed-file", /"a" has no shape/],
    ["that is not UTF-8", safetensors("{}", 0).fill(0xff, 9, 10), "malformed-file", /UTF-8/],
    ["with a name twice", safetensors('{"a":{},"a":{}}', 0), "malformed-file", /"a" twice/],
    ["with an escaped name twice", safetensors('{"a":{},"\\u0061":{}}', 0), "malformed-file", /"a" twice/],
    [
      "with a key twice",
      safetensors('{"a":{"dtype":"F32","dtype":"U8"}}', 0),
      "malformed-file",
      /"dtype" twice/,
    ],
    ["with metadata that is a list", safetensors({ __metadata__: [1] }, 0), "malformed-file", /__metadata__/],
    [
      "with metadata of numbers",
      safetensors({ __metadata__: { a: 1 } }, 0),
      "malformed-file",
      /"a" as something/,
    ],
  ])("%s", async (_, bytes, kind, message) => {
    const error = await unreadable(bytes);
    expect(error.kind).toBe(kind);
    expect(error.message).toMatch(message);
  });

  test("of five million values", async () => {
    const error = await unreadable(safetensors(`{"a":[${"0,".repeat(5_000_001)}0]}`, 0));
    expect(error).toMatchObject({ kind: "limit-exceeded", limit: "maxJsonValues" });
  });
});

describe("tensors", () => {
  test.each([
    ["offsets below zero", { data_offsets: [-8, 8] }],
    ["offsets that are turned round", { data_offsets: [16, 0] }],
    ["offsets that are no numbers", { data_offsets: ["0", 16] }],
    ["offsets in fractions", { data_offsets: [0.5, 16.5] }],
    ["three offsets", { data_offsets: [0, 8, 16] }],
    ["no offsets", { data_offsets: null }],
    ["an end past 2^53", { data_offsets: [0, 2 ** 60] }],
    ["a dimension below zero", { shape: [-2, -2] }],
    ["a dimension that is no number", { shape: ["2", 2] }],
    ["a shape that wraps around 64 bits to its size", { shape: [2 ** 32, 2 ** 32, 4] }],
    ["more dimensions than any tensor", { shape: new Array(100).fill(1) }],
    ["a shape that is a number", { shape: 4 }],
    ["another size than its shape has", { shape: [2, 3] }],
    ["half a byte too much", { dtype: "F4", shape: [31] }],
    ["no type", { dtype: null }],
  ])("%s", async (_, over) => {
    const error = await unreadable(safetensors({ "x.weight": entry(over) }, 16));
    expect(error.kind).toBe("malformed-file");
    expect(error.message).toContain('tensor "x.weight"');
  });

  test("that overlap", async () => {
    const shifted = entry({ data_offsets: [8, 24] });
    const error = await unreadable(safetensors({ a: entry(), b: shifted }, 24));
    expect(error.message).toMatch(/"a" and "b" overlap at byte/);
  });

  test("without elements may be anywhere and any number", async () => {
    const empty = { dtype: "F32", shape: [0, 2 ** 40], data_offsets: [7, 7] };
    const report = await readable(safetensors({ a: entry(), b: empty, c: empty }, 16));
    expect(report.ledger.elements).toBe(4);
  });

  test("named like what every object has", async () => {
    const { header, bytes } = layOut([
      ["constructor.weight", "F32", [2]],
      ["toString", "F32", [2]],
      ["", "F32", [2]],
      [".", "F32", [2]],
      ["a..b.", "F32", [2]],
    ]);
    const text = JSON.stringify(header).replace('"toString"', '"__proto__"');
    const report = await readable(safetensors(text, bytes));
    expect(report.ledger.elements).toBe(10);
  });

  test("named in control characters", async () => {
    const { header, bytes } = layOut([["\u001b[31m\u202ered\n.weight", "F32", [2, 2]]]);
    const report = await readable(safetensors(header, bytes));
    expect(report.totals.parameters).toBe(4);
  });
});

describe("what stands beside", () => {
  const { header, bytes } = layOut([
    ["fc.weight", "U8", [32, 1]],
    ["fc.weight.absmax", "F32", [1]],
    ["fc.weight.quant_state.bitsandbytes__nf4", "U8", [40]],
  ]);

  test("a state that states nonsense is not followed", async () => {
    for (const state of ['{"shape":[1e9,1e9]}', '{"shape":[-8,-8]}', '{"shape":"8"}', "nonsense", "[[[["]) {
      const file = safetensors(header, bytes);
      file.set(new TextEncoder().encode(state.padEnd(40)), file.length - 40);
      const report = await readable(file);
      expect(report.totals).toMatchObject({ parameters: 64, status: "complete" });
    }
  });

  test.each([
    "{",
    "[1, 2]",
    '{"architectures": [{}], "quantization_config": "gptq"}',
    '{"architectures": {}, "quantization_config": {"quant_method": {"a": 1}, "bits": "4"}}',
    '{"quantization_config": {"quant_method": "gptq", "bits": -4}}',
    '{"quantization_config": {"quant_method": "compressed-tensors", "config_groups": {"a": null, "b": {"weights": {"num_bits": 0}}}}}',
  ])("a configuration of nonsense: %s", async (config) => {
    const packed = layOut([
      ["a.qweight", "I32", [8, 0]],
      ["a.scales", "F16", [2, 0]],
      ["b.qweight", "I32", [8, 8]],
      ["b.scales", "F16", [2, 8]],
      ["c.weight_packed", "I32", [8, 8]],
    ]);
    const files = { "model.safetensors": safetensors(packed.header, packed.bytes), "config.json": config };
    const report = await readable(beside(files));
    expect(report.totals).toMatchObject({ parameters: 0, status: "partial" });
  });

  test("one tensor under more names than a call takes arguments", async () => {
    const names = Object.fromEntries(Array.from({ length: 130_000 }, (_, i) => [`n${i}.weight`, "a.weight"]));
    const header = {
      __metadata__: names,
      "a.weight": { dtype: "F32", shape: [2, 2], data_offsets: [0, 16] },
    };
    const { model } = await readModel(safetensors(header, 16));
    expect([model.graph.layers.length, model.tensors.length]).toEqual([130_001, 1]);
  });

  test("an index of nonsense", async () => {
    for (const map of [
      "{}",
      '{"weight_map": []}',
      '{"weight_map": {"a": 1}}',
      '{"weight_map": {"a": ["b.safetensors"]}}',
    ])
      await unreadable(named("x.index.json", map));
    const many = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`t${i}`, `${i}.safetensors`]));
    const error = await unreadable(named("x.index.json", JSON.stringify({ weight_map: many })));
    expect(error).toMatchObject({ kind: "limit-exceeded", limit: "maxShards" });
  });

  test("an index whose shard is the index, a pickle, or empty", async () => {
    const index = { weight_map: { a: "x.index.json", b: "pytorch.bin", c: "empty" } };
    const pickle = new Uint8Array([0x80, 2, 0x7d, 0x2e]);
    const files = { "x.index.json": index, "pytorch.bin": pickle, empty: new Uint8Array(0) };
    const { totals, diagnostics } = await readable(beside(files));
    expect(totals).toMatchObject({ parameters: 0, status: "partial" });
    expect(diagnostics.filter(({ code }) => code === "shard-not-read")).toHaveLength(2);
    // The pickle is read, and has no tensors.
    expect(diagnostics.filter(({ code }) => code === "tensors-missing")).toHaveLength(1);
  });

  test("a damaged shard of a set ends the reading, with its name", async () => {
    const index = { weight_map: { a: "1.safetensors" } };
    const error = await unreadable(
      beside({ "x.index.json": index, "1.safetensors": safetensors({ a: entry() }, 2) }),
    );
    expect(error.message).toMatch(/^1\.safetensors: /);
  });
});

describe("size", () => {
  test("100,000 tensors", async () => {
    const { header, bytes } = layOut(
      Array.from({ length: 100_000 }, (_, i) => [
        `model.layers.${i >> 1}.proj.${i & 1 ? "bias" : "weight"}`,
        "F16",
        [8],
      ]),
    );
    // Printing so many rows in every style takes longer than reading them.
    const { report } = await survive(sparse("many.safetensors", header, bytes), "100,000 tensors", false);
    expect(report?.ledger).toMatchObject({ elements: 800_000 });
  });

  test("names of 64 KB and a hundred thousand steps", async () => {
    const { header, bytes } = layOut([
      [`${"a".repeat(65_000)}.weight`, "F32", [2]],
      ["b.".repeat(50_000), "F32", [2]],
      ["1".repeat(50_000), "F32", [2]],
    ]);
    await readable(safetensors(header, bytes));
  });

  test("any byte of a file damaged", async () => {
    const { header, bytes } = layOut([
      ["a.weight", "F32", [4, 2]],
      ["a.bias", "F32", [4]],
    ]);
    const whole = safetensors({ __metadata__: { format: "pt" }, ...header }, bytes);
    const below = random(11);
    for (let i = 0; i < 600; i++) {
      const damaged = whole.slice();
      damaged[below(whole.length - bytes)] = below(256);
      await survive(memorySource(damaged, "damaged.safetensors"), `damage ${i}`, false);
    }
    for (let size = 0; size < whole.length; size += 7)
      await survive(memorySource(whole.slice(0, size), "cut.safetensors"), `cut at ${size}`, false);
  });
});

test("other names of one tensor cost what they are: four times as many take no more than four times as long", async () => {
  const names = (count: number): object =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`layers.${i}.weight`, "a.weight"]));
  const cost = async (count: number): Promise<number> => {
    const file = safetensors({ __metadata__: names(count), "a.weight": entry() }, 16);
    const start = cpuMilliseconds();
    const report = await inspect(file);
    formatSummary(report);
    expect(report.totals.parameters).toBe(4);
    expect(report.layers).toHaveLength(count + 1);
    return cpuMilliseconds() - start;
  };
  await cost(2000);
  // Quadratic work would take sixteen times as long; garbage and noise take their share.
  expect(await cost(40_000)).toBeLessThan(8 * (await cost(10_000)) + 500);
});
