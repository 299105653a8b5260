/** The reader of ONNX files against onnx-proto, which decodes whole files, and against damage. */

import {
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { onnx } from "onnx-proto";
import protobuf from "protobufjs/minimal.js";
import { describe, expect, it } from "vitest";
import type { OnnxModel } from "../../../importers/onnx/proto.ts";
import { readOnnxModel, readOnnxTensor } from "../../../importers/onnx/read-model.ts";
import { sniffOnnx } from "../../../importers/onnx/sniff.ts";
import { type Diagnostic, formatDiagnostic } from "../../../src/diagnostics.ts";
import { isModelError } from "../../../src/errors.ts";
import { countedSource } from "../../../src/io/counted.ts";
import { memorySource } from "../../../src/io/memory.ts";
import { openFile } from "../../../src/io/node-file.ts";
import { maxDiagnostics } from "../../../src/limits.ts";
import { cpuMilliseconds } from "../../cpu-time.ts";
import { random } from "../../hostile/survive.ts";
import { encode, everything, short, tensors } from "./built-models.ts";
import { ours, theirs } from "./oracle.ts";

const folder = resolve(import.meta.dirname, "../../../fixtures/onnx");
const fixtures = existsSync(folder)
  ? readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".onnx"))
  : [];

async function read(bytes: Uint8Array, found: Diagnostic[] = []): Promise<OnnxModel> {
  return readOnnxModel(memorySource(bytes, "it.onnx"), (diagnostic) => void found.push(diagnostic));
}

const { Writer } = protobuf;
type Field = readonly [number: number, value: Uint8Array | string | number];

/** A message of fields with a length, which is what nearly all fields are. */
function fields(...pairs: readonly Field[]): Uint8Array {
  const writer = Writer.create();
  for (const [number, value] of pairs) {
    if (typeof value === "number") writer.uint32(number << 3).int64(value);
    else if (typeof value === "string") writer.uint32((number << 3) | 2).string(value);
    else writer.uint32((number << 3) | 2).bytes(value);
  }
  return new Uint8Array(writer.finish());
}

/** A model of one initializer, given as fields of TensorProto. */
const withTensor = (...pairs: readonly Field[]): Uint8Array =>
  fields([1, 9], [7, fields([5, fields(...pairs)])]);

describe("what onnx-proto decodes", () => {
  const bytes = encode(everything);

  it("is what is read, of every message and payload field", async () => {
    const found: Diagnostic[] = [];
    expect(ours(await read(bytes, found))).toEqual(theirs(bytes));
    expect(found).toEqual([]);
  });

  it("also without synchronous reads", async () => {
    const { name, size, read: readBytes } = memorySource(bytes);
    const model = await readOnnxModel({ name, size, read: readBytes }, () => undefined);
    expect(ours(model)).toEqual(theirs(bytes));
  });

  // A graph in two pieces is merged by protobuf itself; version 6 of protobufjs, which is in onnx-proto, keeps the last.
  it.each(fixtures.filter((path) => !path.includes("graph-twice")))("is what is read of %s", async (path) => {
    const file = readFileSync(join(folder, path));
    if (sniffOnnx(file.subarray(0, 4096), file.length) !== "model") return;
    expect(ours(await read(file))).toEqual(theirs(file));
  });

  it("does not depend on how lists of numbers are written", async () => {
    const unpacked = withTensor(
      [1, 2],
      [1, 2],
      [2, 7],
      [7, 1],
      [7, -1],
      [7, Writer.create().int64(3).int64(4).finish()],
    );
    const packed = withTensor(
      [1, Writer.create().int64(2).int64(2).finish()],
      [7, Writer.create().int64(1).int64(-1).int64(3).int64(4).finish()],
      [2, 7],
    );
    for (const file of [unpacked, packed]) {
      const [tensor] = (await read(file)).graph?.initializers ?? [];
      expect(tensor).toMatchObject({
        dims: [2, 2],
        dtype: "int64",
        values: [1, -1, 3, 4],
        storedElements: 4,
      });
      expect(ours(await read(file))).toEqual(theirs(file));
    }
  });
});

it("a graph in two pieces is one", async () => {
  const piece = (opType: string): Field => [7, fields([1, fields([4, opType])])];
  const model = await read(fields([1, 9], piece("Relu"), [8, fields([2, 17])], piece("Add")));
  expect(model.graph?.nodes.map(({ opType }) => opType)).toEqual(["Relu", "Add"]);
});

/** What onnx of Python says is stored, in models of every element type there is. */
describe("what onnx says is stored", () => {
  interface Expected {
    readonly models: Readonly<Record<string, { readonly stored: readonly (readonly unknown[])[] }>>;
  }
  const home = join(folder, "structure");
  const expected = JSON.parse(readFileSync(join(home, "expected.json"), "utf8")) as Expected;
  const models = Object.entries(expected.models).filter(([path]) => path.endsWith(".onnx"));

  it.each(models)("is in %s", async (path, { stored }) => {
    const file = readFileSync(join(home, path));
    if (path === "tensor.onnx") return;
    expect(sniffOnnx(file.subarray(0, 4096), file.length)).toBe("model");
    const tensors = (await read(file)).graph?.initializers ?? [];
    expect(
      tensors.map(({ name, dtype, dims, external, field, bytes }) => [
        ...["initializer", name, dtype, dims, external !== null],
        field === "raw_data" ? bytes : null,
      ]),
    ).toEqual(stored.filter(([where]) => where === "initializer"));
  });
});

describe("what is newer than onnx-proto", () => {
  const pair = (key: string, value: string): Uint8Array => fields([1, key], [2, value]);
  const small = async (type: number, dims: number, bytes: readonly number[], field = 9): Promise<unknown> => {
    const payload =
      field === 9
        ? new Uint8Array(bytes)
        : bytes.reduce((writer, byte) => writer.int32(byte), Writer.create()).finish();
    const found: Diagnostic[] = [];
    const model = await read(withTensor([1, dims], [2, type], [field, payload]), found);
    expect(found).toEqual([]);
    return model.graph?.initializers[0]?.values;
  };

  // Bytes as onnx 1.23 `helper.make_tensor` and `numpy_helper.from_array` pack them.
  it("has packed and half-precision values", async () => {
    expect(await small(21, 5, [0x11, 0x10, 0x01])).toEqual([1, 1, 0, 1, 1]);
    expect(await small(21, 5, [17, 16, 1], 5)).toEqual([1, 1, 0, 1, 1]);
    expect(await small(22, 3, [0x8f, 0x07])).toEqual([-1, -8, 7]);
    expect(await small(25, 5, [69, 1])).toEqual([1, 1, 0, 1, 1]);
    expect(await small(26, 5, [69, 1], 5)).toEqual([1, 1, 0, 1, 1]);
    expect(await small(26, 4, [0b11_10_01_00])).toEqual([0, 1, -2, -1]);
    expect(await small(10, 3, [15360, 49152, 31744], 5)).toEqual([1, -2, Number.POSITIVE_INFINITY]);
    expect(await small(10, 2, [0x01, 0x00, 0x00, 0x3c])).toEqual([2 ** -24, 1]);
    expect(await small(16, 2, [0x80, 0x3f, 0x20, 0xc0])).toEqual([1, -2.5]);
    expect(await small(16, 1, [16256], 5)).toEqual([1]);
    // Floating point of 8 bits and less has the right size and no values; 5 elements of 6 bits take 4 bytes.
    expect(await small(27, 5, [8, 68, 32, 8])).toBe(null);
    expect(await small(28, 5, [12, 16, 8, 12, 12], 5)).toBe(null);
    expect(await small(23, 5, [34, 32, 2], 5)).toBe(null);
    expect(await small(17, 2, [56, 56])).toBe(null);
  });

  it("has metadata everywhere, overloads and devices", async () => {
    const metadata = pair("k", "v");
    const bytes = fields(
      [1, 11],
      [26, fields([1, "two"], [2, 2], [3, "gpu0"], [3, "gpu1"])],
      [14, metadata],
      [
        7,
        fields(
          [
            1,
            fields([4, "Relu"], [8, "fast"], [9, metadata], [9, pair("pkg.torch.onnx.stack_trace", "File")]),
          ],
          [5, fields([1, 0], [2, 1], [8, "w"], [16, metadata])],
          [13, fields([1, "v"], [4, metadata])],
          [16, pair("long", "x".repeat(70_000))],
        ),
      ],
      [25, fields([1, "f"], [10, "d"], [13, "o"], [11, fields([1, "a"], [20, 2], [3, 7])], [14, metadata])],
    );
    const model = await read(bytes);
    const kv = new Map([["k", "v"]]);
    expect(model.configurations).toEqual([{ name: "two", devices: 2 }]);
    expect(model.metadata).toEqual(kv);
    expect(model.graph?.nodes[0]).toMatchObject({
      overload: "fast",
      metadata: new Map([...kv, ["pkg.torch.onnx.stack_trace", "\u2026"]]),
    });
    expect(model.graph?.initializers[0]?.metadata).toEqual(kv);
    expect(model.graph?.valueInfo[0]?.metadata).toEqual(kv);
    expect(model.graph?.metadata.get("long")).toBe(`${"x".repeat(65_536)}\u2026`);
    expect(model.functions[0]).toMatchObject({
      name: "f",
      domain: "d",
      overload: "o",
      attributeDefaults: [{ name: "a", kind: "int", value: 7 }],
      metadata: kv,
    });
  });
});

describe("a tensor", () => {
  it("says where its payload is", async () => {
    const bytes = encode({ graph: { initializer: tensors.slice(0, 1) } });
    const [tensor] = (await read(bytes)).graph?.initializers ?? [];
    const { offset = null, bytes: length = 0 } = tensor ?? {};
    expect(length).toBe(16);
    expect(bytes.subarray(offset ?? 0, (offset ?? 0) + length)).toEqual(tensors[0]?.rawData);
  });

  it("in another file has what is said of it", async () => {
    const external = (entries: Record<string, string>): Uint8Array =>
      withTensor(
        [1, 10],
        [2, 1],
        [14, 1],
        ...Object.entries(entries).map(([key, value]) => [13, fields([1, key], [2, value])] as const),
      );
    const tensor = (await read(external({ location: "../w", offset: "8", checksum: "c" }))).graph
      ?.initializers[0];
    expect(tensor).toMatchObject({
      bytes: 40,
      offset: null,
      field: null,
      storedElements: null,
      values: null,
    });
    expect(tensor?.external).toEqual({ location: "../w", offset: 8, length: null, checksum: "c" });
    const found: Diagnostic[] = [];
    await read(external({ location: "w", length: "36" }), found);
    expect(found.map(formatDiagnostic)).toEqual([
      "its payload has 36 bytes, its dimensions and type ask for 40; figures use the dimensions",
    ]);
    for (const wrong of ["-1", "1e3", "99999999999999999999", "0x10"]) {
      await expect(read(external({ length: wrong }))).rejects.toThrow(/not a number of bytes/);
    }
  });

  it("whose payload does not fit is told apart", async () => {
    const found: Diagnostic[] = [];
    const model = await read(withTensor([1, 3], [2, 7], [8, "w"], [9, new Uint8Array(20)]), found);
    expect(model.graph?.initializers[0]).toMatchObject({ bytes: 20, storedElements: 2, values: null });
    expect(found.map((d) => `${d.at}: ${formatDiagnostic(d)}`)).toEqual([
      "graph.initializer[0] w: its payload has 20 bytes, its dimensions and type ask for 24; figures use the dimensions",
    ]);
    found.length = 0;
    const none = await read(withTensor([1, 3], [2, 1]), found);
    expect(none.graph?.initializers[0]).toMatchObject({
      bytes: 0,
      field: null,
      storedElements: 0,
      values: null,
    });
    expect(found.map(({ code }) => code)).toEqual(["payload-mismatch"]);
  });

  it("of an unknown type is opaque", async () => {
    for (const type of [0, 29, 1000]) {
      const found: Diagnostic[] = [];
      const model = await read(withTensor([1, 3], [2, type], [9, new Uint8Array(20)]), found);
      expect(model.graph?.initializers[0]).toMatchObject({ dtype: "opaque", bytes: 20, values: null });
      expect(found).toEqual([{ code: "element-type-unknown", args: { type }, at: "graph.initializer[0]" }]);
    }
  });

  it("has dimensions that are exact, or is refused", async () => {
    await expect(read(withTensor([1, -1], [2, 1]))).rejects.toThrow(
      "graph.initializer[0] has a dimension of -1",
    );
    const huge = fields(
      [1, 9],
      [7, fields([5, Writer.create().uint32(8).int64("9223372036854775807").finish()])],
    );
    await expect(read(huge)).rejects.toThrow("dimension of 2^53 or more");
  });

  it("of a hundred thousand odd ones does not fill a report", async () => {
    const empty = new Uint8Array(200_000).map((_, i) => (i % 2 ? 0 : 42));
    const found: Diagnostic[] = [];
    expect((await read(fields([1, 9], [7, empty]), found)).graph?.initializers).toHaveLength(100_000);
    expect(found).toHaveLength(maxDiagnostics + 1);
    expect(found.at(-1)).toMatchObject({ code: "diagnostics-left-out", args: { count: 90_000 } });
  });

  it("can be the whole file", async () => {
    const bytes = new Uint8Array(onnx.TensorProto.encode(tensors[0] ?? {}).finish());
    expect(sniffOnnx(bytes, bytes.length)).toBe("tensor");
    const tensor = await readOnnxTensor(memorySource(bytes), () => undefined);
    expect(tensor).toMatchObject({ name: "float raw", values: [1, -2.5, 3, 4] });
  });
});

it("an attribute has the value its type asks for, or the one there is", async () => {
  const attribute = async (...pairs: readonly Field[]): Promise<unknown> => {
    const model = await read(fields([1, 9], [7, fields([1, fields([5, fields([1, "a"], ...pairs)])])]));
    return model.graph?.nodes[0]?.attributes[0];
  };
  // Of IR 1, without a type.
  expect(await attribute([3, 5])).toEqual({ name: "a", kind: "int", value: 5 });
  // By a writer that writes defaults too.
  expect(await attribute([3, 5], [4, ""], [3, 6], [4, "x"], [20, 2])).toEqual({
    name: "a",
    kind: "int",
    value: 6,
  });
  expect(await attribute([4, "x"], [8, 1], [3, 0], [8, 2], [20, 7])).toEqual({
    ...{ name: "a", kind: "ints" },
    ...{ values: [1, 2], count: 2 },
  });
  expect(await attribute([3, 5], [20, 99])).toEqual({ name: "a", kind: "none" });
  expect(await attribute([4, "y".repeat(20_000)])).toMatchObject({
    value: "y".repeat(16_384),
    bytes: 20_000,
  });
});

it("names that are not UTF-8 stay apart", async () => {
  const found: Diagnostic[] = [];
  const bad = (byte: number): Uint8Array => fields([1, new Uint8Array([0x61, byte])]);
  const model = await read(fields([1, 9], [7, fields([1, bad(0xff)], [1, bad(0xfe)])]), found);
  const names = model.graph?.nodes.map(({ inputs }) => inputs[0]);
  expect(new Set(names).size).toBe(2);
  expect(found).toEqual([{ code: "names-not-utf8", args: { count: 2 }, at: "" }]);
});

describe("only metadata is read", () => {
  it("of a file of 5 GB with three payloads", async () => {
    const home = mkdtempSync(join(tmpdir(), "weighbridge-test-"));
    try {
      const path = join(home, "large.onnx");
      const length = 1.7e9;
      const header = fields([1, length / 4], [2, 1], [8, "w"]);
      const varint = (value: number): Uint8Array => Writer.create().uint64(value).finish();
      const rawHead = Uint8Array.from([(9 << 3) | 2, ...varint(length)]);
      const tensorLength = header.length + rawHead.length + length;
      const tensorHead = Uint8Array.from([(5 << 3) | 2, ...varint(tensorLength), ...header, ...rawHead]);
      const graph = 3 * (tensorHead.length + length);
      const start = Uint8Array.from([...fields([1, 9]), (7 << 3) | 2, ...varint(graph)]);
      const fd = openSync(path, "w");
      writeSync(fd, start);
      for (let i = 0; i < 3; i++)
        writeSync(fd, tensorHead, 0, tensorHead.length, start.length + i * (tensorHead.length + length));
      const end = start.length + graph;
      const opset = fields([8, fields([2, 18])]);
      writeSync(fd, opset, 0, opset.length, end);
      const file = openFile(path);
      const source = countedSource(file);
      const model = await readOnnxModel(source, () => undefined);
      expect(model.opsets).toEqual([{ domain: "", version: 18 }]);
      expect(model.graph?.initializers.map(({ bytes, offset }) => [bytes, (offset ?? 0) > 0])).toEqual([
        [length, true],
        [length, true],
        [length, true],
      ]);
      expect(model.graph?.initializers[2]?.offset).toBe(end - length);
      expect(source.count.bytes).toBeLessThan(80_000);
      expect(source.count.reads).toBeLessThan(6);
      file.close();
      truncateSync(path, end - 1000);
      const cut = openFile(path);
      await expect(readOnnxModel(cut, () => undefined)).rejects.toThrow(
        /graph ends at byte \d+ but the file has \d+ bytes; it is probably truncated/,
      );
      cut.close();
    } finally {
      rmSync(home, { recursive: true });
    }
  });

  it("in a few large blocks", async () => {
    const node = [...Array(20_000).keys()].map((i) => ({
      opType: "Relu",
      input: [`x${i}`],
      output: [`x${i + 1}`],
    }));
    const bytes = encode({ irVersion: 9, graph: { node } });
    const source = countedSource(memorySource(bytes));
    const model = await readOnnxModel(source, () => undefined);
    expect(model.graph?.nodes).toHaveLength(20_000);
    expect(model.graph?.nodes.at(-1)?.outputs).toEqual(["x20000"]);
    expect(source.count.reads).toBeLessThan(8);
    expect(source.count.bytes).toBeLessThan(bytes.length + 1000);
  });
});

describe("a damaged file", () => {
  const bytes = encode(short);

  async function survive(bent: Uint8Array, what: string): Promise<boolean> {
    const start = cpuMilliseconds();
    try {
      await read(bent);
      return true;
    } catch (error) {
      if (!isModelError(error)) throw new Error(what, { cause: error });
      expect(error.message, what).toMatch(/^it\.onnx: /);
      return false;
    } finally {
      expect(cpuMilliseconds() - start, what).toBeLessThan(4000);
    }
  }

  it("that is cut off is refused, wherever it is not between two fields", async () => {
    // A head without the graph is a model without one; its fields end at few places.
    let read = 0;
    for (let length = 0; length < bytes.length; length++) {
      if (await survive(bytes.subarray(0, length), `cut at ${length}`)) read += 1;
    }
    expect(read).toBeLessThan(20);
  });

  it("with a bit flipped ends in a model or an error", async () => {
    const next = random(7);
    let refused = 0;
    for (let round = 0; round < 1500; round++) {
      const bent = bytes.slice();
      const at = next(bytes.length);
      bent[at] = (bent[at] ?? 0) ^ (1 << next(8));
      if (!(await survive(bent, `byte ${at}`))) refused += 1;
    }
    expect(refused).toBeGreaterThan(200);
  });

  it("of random bytes is no model", async () => {
    const next = random(11);
    let taken = 0;
    for (let round = 0; round < 3000; round++) {
      const noise = Uint8Array.from({ length: 200 }, () => next(256));
      // The first byte of nearly every ONNX file.
      if (round % 2) noise[0] = 8;
      if (sniffOnnx(noise, noise.length) !== null) taken += 1;
      await survive(noise, `noise ${round}`);
    }
    expect(taken).toBe(0);
  });
});

describe("sniffing", () => {
  const text = (value: string): Uint8Array => new TextEncoder().encode(value);
  const kind = (bytes: Uint8Array): unknown => sniffOnnx(bytes.subarray(0, 4096), bytes.length);

  it("knows models, tensors, text and JSON", () => {
    expect(kind(encode(everything))).toBe("model");
    expect(kind(encode({ irVersion: 3, graph: {} }))).toBe("model");
    expect(kind(encode({ irVersion: 3, docString: "x".repeat(9000), producerName: "p", graph: {} }))).toBe(
      "model",
    );
    // Without a version there has to be a node.
    expect(kind(encode({ graph: { node: [{ opType: "Relu" }] } }))).toBe("model");
    for (const tensor of tensors.filter(({ name }) => name !== "empty")) {
      expect(kind(new Uint8Array(onnx.TensorProto.encode(tensor).finish())), tensor.name ?? "").toBe(
        "tensor",
      );
    }
    expect(kind(text('ir_version: 8\nproducer_name: "x"\ngraph {\n'))).toBe("text");
    expect(kind(text('<\n  ir_version: 7,\n  opset_import: ["" : 10]\n>\nagraph (float[N] x)'))).toBe("text");
    expect(kind(text('{"irVersion": "8", "graph": {}}'))).toBe("json");
  });

  it("knows a model that is cut off", () => {
    const whole = encode(everything);
    expect([40, 100, 1000].map((length) => kind(whole.subarray(0, length)))).toEqual([
      "model",
      "model",
      "model",
    ]);
  });

  it("takes nothing else", () => {
    const others = [
      text('{"class_name": "Sequential"}'),
      text("graph paper"),
      text(":ab\ncd"),
      text("version https://git-lfs.github.com/spec/v1\n"),
      new Uint8Array(100),
      new Uint8Array([8]),
      new Uint8Array([8, 7]),
      new Uint8Array([0x80, 2, 0x8a, 10]),
      fields([1, 5000], [7, fields([2, "g"])]),
      fields([2, "name"], [3, "value"]),
      // A Caffe network: name, then layers.
      fields([1, "CaffeNet"], [100, fields([1, "data"], [2, "Data"])]),
    ];
    expect(others.map(kind)).toEqual(others.map(() => null));
  });
});
