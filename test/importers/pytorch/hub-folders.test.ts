/** Folders and indexes whose files are pickles, as huggingface_hub writes them (fixtures/build/pytorch/hub_folders.py). */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { ByteSource } from "../../../src/io/byte-source.ts";
import { memorySource } from "../../../src/io/memory.ts";
import { inspect } from "../../../src/public/index.ts";
import { inspectFile } from "../../../src/public/node.ts";
import { checkFigures, said } from "../../hostile/survive.ts";
import { buildZip } from "../../wire/zip-builder.ts";

const base = join(import.meta.dirname, "../../../fixtures/pytorch");

interface Expected {
  readonly class: string;
  readonly parameters: number;
  readonly elements: number;
  readonly tied: readonly string[];
  readonly shapes: Readonly<Record<string, readonly number[]>>;
}

function read(folder: string): Expected {
  return JSON.parse(readFileSync(join(base, folder, "folder.json"), "utf8"));
}

describe.each([
  ["hub-sharded", "", "model-folder"],
  ["hub-sharded", "config.json", "model-folder"],
  ["hub-sharded", "pytorch_model.bin.index.json", "sharded"],
  ["hub-single", "", "model-folder"],
])("%s %s", (folder, file, variant) => {
  test("is what PyTorch counts", async () => {
    const expected = read(folder);
    const report = await inspectFile(join(base, folder, file));
    checkFigures(report, folder);
    expect(report.file).toMatchObject({ format: "pytorch", variant });
    expect(report.model.type).toBe(expected.class);
    expect(report.totals).toMatchObject({ parameters: expected.parameters, status: "complete" });
    expect(report.ledger.elements).toBe(expected.elements);
    const weights = report.layers.flatMap((layer) => layer.weights);
    const shapes = Object.fromEntries(weights.map(({ name, shape }) => [name, shape]));
    // What is saved under a second name stays in the file only where that shares its storage.
    for (const [name, shape] of Object.entries(expected.shapes)) {
      if (!expected.tied.includes(name)) expect(shapes[name], name).toEqual(shape);
    }
    expect(said(report, "index-mismatch")).toEqual([]);
    // In the order of the modules: layer 10 comes last.
    const layers = report.layers.flatMap(({ name }) => /\.(?:h|layer)\.(\d+)\./.exec(name)?.[1] ?? []);
    expect(layers.map(Number)).toEqual([...layers].map(Number).sort((a, b) => a - b));
  });
});

/** The smallest files of torch.save: one tensor of 2 x 3. */
function checkpoint(name: string): Uint8Array {
  const storage = `(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpuK\x06tQ`;
  const tensor = `ctorch._utils\n_rebuild_tensor_v2\n(${storage}K\0(K\x02K\x03t(K\x03K\x01t\x89ccollections\nOrderedDict\n)RtR`;
  const pickle = `\x80\x02}X${String.fromCharCode(name.length)}\0\0\0${name}${tensor}scos\nsystem\n0.`;
  const data = Uint8Array.from(pickle, (c) => c.charCodeAt(0));
  return buildZip([
    { name: "a/data.pkl", data },
    { name: "a/data/0", data: new Uint8Array(24) },
  ]);
}

function index(
  files: Readonly<Record<string, Uint8Array>>,
  map: Readonly<Record<string, string>>,
): ByteSource {
  const text = new TextEncoder().encode(JSON.stringify({ weight_map: map }));
  return {
    ...memorySource(text, "pytorch_model.bin.index.json"),
    companion: async (name) => (files[name] ? memorySource(files[name], name) : null),
  };
}

describe("shards", () => {
  test("names that a shard would import are told with the shard", async () => {
    const files = { "1.bin": checkpoint("a.weight"), "2.bin": checkpoint("b.weight") };
    const report = await inspect(index(files, { "a.weight": "1.bin", "b.weight": "2.bin" }));
    expect(report.totals.parameters).toBe(12);
    expect(report.globals?.map(({ name, at }) => [name, at])).toEqual([
      ["os.system", "1.bin/a/data.pkl"],
      ["os.system", "2.bin/a/data.pkl"],
    ]);
    expect(said(report, "pickle-suspicious")).toHaveLength(2);
  });

  test("one that is missing leaves a lower bound; a copy in a second one is not used", async () => {
    const files = { "1.bin": checkpoint("a.weight"), "2.bin": checkpoint("a.weight") };
    const map = { "a.weight": "1.bin", "b.weight": "2.bin", "c.weight": "3.bin" };
    const report = await inspect(index(files, map));
    expect(report.totals).toMatchObject({ parameters: 6, status: "partial" });
    expect(report.ledger.classes.unused.elements).toBe(6);
    expect(said(report, "shard-not-read")).toHaveLength(1);
  });

  test("of both formats are read side by side", async () => {
    const header = '{"b.weight":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}';
    const tensors = new Uint8Array(8 + header.length + 8);
    tensors[0] = header.length;
    tensors.set(new TextEncoder().encode(header), 8);
    const files = { "1.bin": checkpoint("a.weight"), "2.safetensors": tensors };
    const report = await inspect(index(files, { "a.weight": "1.bin", "b.weight": "2.safetensors" }));
    expect(report.totals).toMatchObject({ parameters: 8, status: "complete" });
  });
});

const pointer = new TextEncoder().encode(
  "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
);

describe("weights that are still to be fetched", () => {
  test("a folder of a Git LFS pointer says so", async () => {
    const config = new TextEncoder().encode('{"architectures": ["Net"], "model_type": "net"}');
    const folder: ByteSource = {
      ...memorySource(config, "config.json"),
      companion: async (name) => (name === "pytorch_model.bin" ? memorySource(pointer, name) : null),
    };
    await expect(inspect(folder)).rejects.toThrow(
      /^config\.json: its weights are a Git LFS pointer, not the model itself/,
    );
  });

  test("a shard that is one is told", async () => {
    const files = { "1.bin": checkpoint("a.weight"), "2.bin": pointer };
    const report = await inspect(index(files, { "a.weight": "1.bin", "b.weight": "2.bin" }));
    expect(report.totals).toMatchObject({ parameters: 6, status: "partial" });
    expect(said(report, "shard-not-read")).toEqual([expect.stringContaining("a Git LFS pointer")]);
  });
});
