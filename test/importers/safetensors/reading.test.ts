import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { countedSource } from "../../../src/io/counted.ts";
import { inspect, type Report } from "../../../src/public/index.ts";
import { inspectFile } from "../../../src/public/node.ts";
import { beside, layOut, safetensors, sparse } from "./written.ts";

type Tensors = (readonly [string, string, readonly number[]])[];

function file(tensors: Tensors): Uint8Array {
  const { header, bytes } = layOut(tensors);
  return safetensors(header, bytes);
}

function codes(report: Report): string[] {
  return report.diagnostics.map(({ code }) => code);
}

/** Names and shapes of GPT-2 as transformers published it, masks included. */
function gpt2(): Tensors {
  const layer = (i: number): Tensors => [
    [`h.${i}.ln_1.weight`, "F32", [768]],
    [`h.${i}.ln_1.bias`, "F32", [768]],
    [`h.${i}.attn.bias`, "F32", [1, 1, 1024, 1024]],
    [`h.${i}.attn.c_attn.weight`, "F32", [768, 2304]],
    [`h.${i}.attn.c_attn.bias`, "F32", [2304]],
    [`h.${i}.attn.c_proj.weight`, "F32", [768, 768]],
    [`h.${i}.attn.c_proj.bias`, "F32", [768]],
    [`h.${i}.ln_2.weight`, "F32", [768]],
    [`h.${i}.ln_2.bias`, "F32", [768]],
    [`h.${i}.mlp.c_fc.weight`, "F32", [768, 3072]],
    [`h.${i}.mlp.c_fc.bias`, "F32", [3072]],
    [`h.${i}.mlp.c_proj.weight`, "F32", [3072, 768]],
    [`h.${i}.mlp.c_proj.bias`, "F32", [768]],
  ];
  return [
    ["wte.weight", "F32", [50257, 768]],
    ["wpe.weight", "F32", [1024, 768]],
    ...Array.from({ length: 12 }, (_, i) => layer(i)).flat(),
    ["ln_f.weight", "F32", [768]],
    ["ln_f.bias", "F32", [768]],
  ];
}

describe("published models", () => {
  // The file has 137,022,720 elements; the parameters of GPT-2 are 124,439,808 and 12 masks the rest.
  test("GPT-2: masks are no parameters", async () => {
    const { header, bytes } = layOut(gpt2());
    const source = countedSource(
      sparse("gpt2.safetensors", { __metadata__: { format: "pt" }, ...header }, bytes),
    );
    const report = await inspect(source);
    expect(report.ledger.elements).toBe(137_022_720);
    expect(report.totals).toMatchObject({ parameters: 124_439_808, status: "complete" });
    expect(report.ledger.classes.constant).toMatchObject({ tensors: 12, elements: 12 * 1024 * 1024 });
    expect(report.layers.filter(({ type }) => type === "Conv1D")).toHaveLength(48);
    expect(report.producer.framework).toBe("pytorch");
    expect(source.count.bytes).toBeLessThan(40_000);
  });
});

describe("files", () => {
  test.each([0x280, 0x380, 0x480, 0x580, 0x7b20, 0x5b20])(
    "a header of %i bytes starts like a pickle or JSON, and is neither",
    async (length) => {
      const { header, bytes } = layOut([["fc.weight", "F32", [3, 2]]]);
      const report = await inspect(safetensors(JSON.stringify(header).padEnd(length), bytes));
      expect(report.file.format).toBe("safetensors");
      expect(report.totals.parameters).toBe(6);
    },
  );

  test("tensors may be listed in any order", async () => {
    const header = {
      "b.weight": { dtype: "F32", shape: [2, 2], data_offsets: [8, 24] },
      "a.weight": { dtype: "F16", shape: [2, 2], data_offsets: [0, 8] },
    };
    expect((await inspect(safetensors(header, 24))).ledger).toMatchObject({ elements: 8, bytes: 24 });
  });

  test("bytes of no tensor are told", async () => {
    const header = { "a.weight": { dtype: "F32", shape: [2, 2], data_offsets: [4, 20] } };
    const { diagnostics } = await inspect(safetensors(header, 30));
    expect(diagnostics.find(({ code }) => code === "bytes-unclaimed")).toMatchObject({
      severity: "error",
      message: "14 bytes of the data belong to no tensor; the safetensors library refuses such a file",
    });
  });

  test("an element type that is newer than this program is counted", async () => {
    const header = { "a.weight": { dtype: "F3_E1M1", shape: [8, 2], data_offsets: [0, 6] } };
    const report = await inspect(safetensors(header, 6));
    expect(codes(report)).toContain("object-unreadable");
    expect(report.ledger).toMatchObject({ elements: 16, bytes: 6 });
    expect(report.totals.parameters).toBe(16);
  });

  test("a tied name that the writer noted has its row", async () => {
    const { header, bytes } = layOut([["wte.weight", "F32", [5, 2]]]);
    const noted = { __metadata__: { "head.weight": "wte.weight", format: "pt", other: "text" }, ...header };
    const report = await inspect(safetensors(noted, bytes));
    expect(report.layers.map(({ name, params }) => [name, params])).toEqual([
      ["head", 10],
      ["wte", 10],
    ]);
    expect(report.totals.parameters).toBe(10);
  });
});

const index = (map: Readonly<Record<string, string>>, size?: number): object => ({
  metadata: size === undefined ? {} : { total_size: size },
  weight_map: map,
});

describe("sharded sets", () => {
  const a: Tensors = [["a.weight", "F32", [4, 2]]];
  const b: Tensors = [["b.weight", "F32", [3, 2]]];
  const map = { "a.weight": "1.safetensors", "b.weight": "2.safetensors" };

  test("shards are one model", async () => {
    const report = await inspect(
      beside({
        "model.safetensors.index.json": index(map, 56),
        "1.safetensors": file(a),
        "2.safetensors": file(b),
      }),
    );
    expect(report.totals).toMatchObject({ parameters: 14, status: "complete" });
    expect(report.file.variant).toBe("sharded");
    expect(codes(report)).not.toContain("index-mismatch");
  });

  test("a missing shard is told, and the totals are a lower bound", async () => {
    const report = await inspect(beside({ "x.index.json": index(map, 56), "1.safetensors": file(a) }));
    expect(report.totals).toMatchObject({ parameters: 8, status: "partial" });
    expect(report.diagnostics.find(({ code }) => code === "shard-not-read")?.message).toBe(
      "the shard 2.safetensors was not read: it is missing; its 1 tensor is not counted, and totals are a lower bound",
    );
  });

  test("names that leave the folder are refused", async () => {
    const report = await inspect(
      beside({
        "x.index.json": index({ "a.weight": "../1.safetensors", "b.weight": "2.safetensors" }),
        "2.safetensors": file(b),
      }),
    );
    expect(codes(report)).toEqual(expect.arrayContaining(["companion-refused", "shard-not-read"]));
    expect(report.totals).toMatchObject({ parameters: 6, status: "partial" });
  });

  test("an index that shards contradict is told, copies count once", async () => {
    const report = await inspect(
      beside({
        "x.index.json": index({ ...map, "c.weight": "2.safetensors" }, 1000),
        "1.safetensors": file([...a, ...b]),
        "2.safetensors": file([...b, ["d.weight", "F32", [2, 2]]]),
      }),
    );
    const told = report.diagnostics.filter(({ code }) => code === "index-mismatch");
    expect(told.map(({ message }) => message.replace(/^index and shards disagree: /, ""))).toEqual([
      "1 tensor of the shards is not in it, and counted (d.weight)",
      "1 tensor is in a second shard too; that copy is not used (b.weight)",
      "96 bytes are in the shards, its total_size is 1000 (total_size)",
    ]);
    expect(report.diagnostics.map(({ message }) => message)).toContain(
      "the index names 1 tensor that the shards lack, the first is c.weight; totals go without and are a lower bound",
    );
    expect(report.totals).toMatchObject({ parameters: 8 + 6 + 4, status: "partial" });
    expect(report.ledger.classes.unused.elements).toBe(6);
  });

  test("a config.json stands for its folder", async () => {
    const config = { architectures: ["TinyModel"], model_type: "tiny" };
    const single = await inspect(beside({ "config.json": config, "model.safetensors": file(a) }));
    expect(single.model.type).toBe("TinyModel");
    expect(single.file.variant).toBe("model-folder");
    expect(single.totals.parameters).toBe(8);
    const unweighed = inspect(beside({ "config.json": config }));
    await expect(unweighed).rejects.toMatchObject({ kind: "unknown-format" });
  });
});

describe("packed weights", () => {
  const packed: Tensors = [
    ["fc.qweight", "I32", [8, 96]],
    ["fc.qzeros", "I32", [2, 12]],
    ["fc.scales", "F16", [2, 96]],
    ["norm.weight", "F16", [64]],
  ];
  const withConfig = (quantization_config: object, tensors = packed): Promise<Report> =>
    inspect(
      beside({
        "model.safetensors": file(tensors),
        "config.json": { architectures: ["M"], quantization_config },
      }),
    );

  test("without a configuration they are not counted, and that is told", async () => {
    const report = await inspect(file(packed));
    expect(report.totals).toMatchObject({ parameters: 64, status: "partial" });
    expect(report.diagnostics.find(({ code }) => code === "weights-packed")?.message).toBe(
      "1 stored tensor holds several values in each element (768 elements, the first is fc.qweight), and no config.json beside them says how; the ledger has what is stored, totals leave it out and are a lower bound",
    );
  });

  test("with one they count unpacked, at the width that the zero points tell", async () => {
    for (const bits of [4, 8]) {
      const report = await withConfig({ quant_method: "gptq", bits });
      expect(report.totals).toMatchObject({ parameters: 64 * 96 + 64, status: "complete" });
    }
  });

  test.each<[string, Tensors]>([
    [
      "vptq",
      [
        ["indices", "I32", [1, 96, 8]],
        ["centroids.weight", "F16", [1, 4096]],
        ["weight_scale", "F16", [64]],
      ],
    ],
    [
      "aqlm",
      [
        ["codes", "I32", [96, 8, 1]],
        ["codebooks", "F16", [1, 256, 1, 8]],
        ["scales", "F16", [96, 1]],
      ],
    ],
    [
      "spqr",
      [
        ["dense_weights", "I64", [1000]],
        ["row_offsets", "I32", [97]],
      ],
    ],
    [
      "marlin",
      [
        ["B", "I32", [8, 96]],
        ["s", "F16", [1, 96]],
      ],
    ],
  ])("of %s nothing counts that may be more than what it stands for", async (quant_method, tensors) => {
    const own = tensors.map(([name, ...rest]): Tensors[number] => [`fc.${name}`, ...rest]);
    const { totals } = await withConfig({ quant_method }, [...own, ["norm.weight", "F16", [64]]]);
    expect(totals).toMatchObject({ parameters: 64, status: "partial" });
  });

  test("a layout that the tensors contradict, or that is not known, is not guessed", async () => {
    for (const config of [
      { quant_method: "awq", bits: 4 },
      { quant_method: "new-method", bits: 4 },
    ]) {
      const { totals, diagnostics } = await withConfig(config);
      expect(totals).toMatchObject({ parameters: 64, status: "partial" });
      expect(diagnostics.map(({ code }) => code)).toContain("weights-packed");
    }
    const { totals } = await withConfig({ quant_method: "gptq", bits: 4 }, [
      ...packed,
      ["fc.g_idx", "I32", [65]],
    ]);
    expect(totals.status).toBe("partial");
  });

  test("tables of short numbers under names that nobody knows are not taken for buffers", async () => {
    const report = await inspect(
      file([
        ["fc.W_q", "U8", [64, 64]],
        ["fc.scale", "F16", [64, 1]],
      ]),
    );
    expect(report.totals.status).toBe("partial");
    expect(report.ledger.classes.unclassified.elements).toBe(64 * 64);
  });
});

describe("folders", () => {
  const folder = mkdtempSync(join(tmpdir(), "weighbridge-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  const make = (name: string, files: Readonly<Record<string, Uint8Array | string>>): string => {
    const path = join(folder, name);
    mkdirSync(path);
    for (const [file, content] of Object.entries(files)) writeFileSync(join(path, file), content);
    return path;
  };
  const weights = file([["fc.weight", "F32", [3, 2]]]);
  const config = '{"architectures": ["M"], "model_type": "m"}';

  test("a folder is named after itself, with a configuration or without", async () => {
    for (const files of [
      { "model.safetensors": weights },
      { "model.safetensors": weights, "config.json": config },
    ]) {
      const path = make(`m${Object.keys(files).length}`, files);
      const report = await inspectFile(`${path}/`);
      expect(report.file.name).toBe(basename(path));
      expect(report.totals.parameters).toBe(6);
    }
  });

  test("a cache of links into one folder of blobs is one model", async () => {
    const index = JSON.stringify({ weight_map: { "fc.weight": "model-1.safetensors" } });
    const blobs = make("blobs", { a: config, b: index, c: weights });
    const path = make("snapshot", {});
    symlinkSync(join(blobs, "a"), join(path, "config.json"));
    symlinkSync(join(blobs, "b"), join(path, "model.safetensors.index.json"));
    symlinkSync(join(blobs, "c"), join(path, "model-1.safetensors"));
    expect((await inspectFile(path)).totals).toMatchObject({ parameters: 6, status: "complete" });
  });

  test("a checkpoint stands for its folder when there is nothing else", async () => {
    const checkpoint = readFileSync(
      join(import.meta.dirname, "../../../fixtures/pytorch/trained-adam/zip.pt"),
    );
    const path = make("old", { "config.json": config, "pytorch_model.bin": checkpoint });
    expect((await inspectFile(path)).file.format).toBe("pytorch");
  });

  test("shards of other formats are told", async () => {
    const index = JSON.stringify({ weight_map: { "fc.weight": "pytorch_model-1.bin" } });
    const path = make("pickles", {
      "config.json": config,
      "pytorch_model.bin.index.json": index,
      "pytorch_model-1.bin": new Uint8Array([0x1f, 0x8b, 3, 4]),
    });
    const { totals, diagnostics } = await inspectFile(path);
    expect(totals.status).toBe("partial");
    expect(diagnostics.find(({ code }) => code === "shard-not-read")?.message).toMatch(
      /pytorch_model-1\.bin was not read: it is gzip data; decompress it first/,
    );
  });
});
