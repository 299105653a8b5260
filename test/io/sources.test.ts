import { describe, expect, test } from "vitest";
import { SourceReadError } from "../../src/errors.ts";
import { blobSource } from "../../src/io/blob.ts";
import { bufferedSource } from "../../src/io/buffered.ts";
import type { ByteSource } from "../../src/io/byte-source.ts";
import { refuseCompanionName } from "../../src/io/companions.ts";
import { countedSource } from "../../src/io/counted.ts";
import { memorySource } from "../../src/io/memory.ts";
import { sliceSource } from "../../src/io/slice.ts";

const bytes = Uint8Array.from({ length: 1000 }, (_, i) => (i * 7) % 251);
const { readSync: _, ...asynchronous } = memorySource(bytes);

const sources: readonly (readonly [string, ByteSource])[] = [
  ["memory", memorySource(bytes)],
  ["an ArrayBuffer", memorySource(bytes.slice().buffer)],
  ["a view with an offset", memorySource(Uint8Array.from([9, 9, ...bytes]).subarray(2))],
  ["blob", blobSource(new Blob([bytes]))],
  ["buffered, synchronous", bufferedSource(memorySource(bytes), { blockSize: 64, blocks: 3 })],
  ["buffered, asynchronous", bufferedSource(asynchronous, { blockSize: 64, blocks: 3 })],
  ["slice", sliceSource(memorySource(Uint8Array.from([1, 2, 3, ...bytes, 4])), 3, 1000)],
  ["slice of a blob", sliceSource(blobSource(new Blob([new Uint8Array(5), bytes])), 5, 1000)],
  ["counted", countedSource(memorySource(bytes))],
];

describe.each(sources)("%s", (_name, source) => {
  test("reads what is there", async () => {
    expect(source.size).toBe(1000);
    for (const [offset, length] of [
      [0, 1000],
      [0, 0],
      [1000, 0],
      [63, 2],
      [64, 64],
      [60, 70],
      [999, 1],
      [10, 300],
    ] as const) {
      const expected = bytes.subarray(offset, offset + length);
      expect(await source.read(offset, length)).toEqual(expected);
      if (source.readSync) expect(source.readSync(offset, length)).toEqual(expected);
    }
  });

  test.each([
    [-1, 1],
    [0, 1001],
    [1000, 1],
    [2000, 0],
    [0.5, 1],
    [0, -1],
    [Number.NaN, 1],
    [2 ** 53, 1],
  ])("refuses %d + %d", async (offset, length) => {
    await expect(source.read(offset, length)).rejects.toThrow(SourceReadError);
    if (source.readSync) expect(() => source.readSync?.(offset, length)).toThrow(SourceReadError);
  });
});

describe("bufferedSource", () => {
  test("turns neighbouring reads into one", () => {
    const counted = countedSource(memorySource(bytes));
    const buffered = bufferedSource(counted, { blockSize: 256 });
    for (let at = 0; at < 500; at += 10) buffered.readSync?.(at, 10);
    expect(counted.count).toEqual({ reads: 2, bytes: 512 });
  });

  test("passes large reads through and forgets the oldest block", () => {
    const counted = countedSource(memorySource(bytes));
    const buffered = bufferedSource(counted, { blockSize: 100, blocks: 2 });
    buffered.readSync?.(0, 500);
    expect(counted.count).toEqual({ reads: 1, bytes: 500 });
    for (const at of [0, 100, 200, 0]) buffered.readSync?.(at, 1);
    expect(counted.count.reads).toBe(5);
  });
});

test("a slice may not leave its source", () => {
  expect(() => sliceSource(memorySource(bytes), 900, 101)).toThrow(SourceReadError);
});

test("a slice is synchronous only where the outer source is", () => {
  expect(sliceSource(memorySource(bytes), 0, 1).readSync).toBeDefined();
  expect(sliceSource(asynchronous, 0, 1).readSync).toBeUndefined();
});

test("a blob that fails to read says so", async () => {
  const broken = { size: 10, slice: () => ({ arrayBuffer: () => Promise.reject(new Error("gone")) }) };
  await expect(blobSource(broken as unknown as Blob, "x").read(0, 5)).rejects.toThrow(/x: bytes 0 to 5/);
});

describe("refuseCompanionName", () => {
  test.each(["a.bin", "model-00001-of-00002.safetensors", "weights (1).bin", "Grüße.h5", ".hidden", "a..b"])(
    "takes %j",
    (name) => expect(refuseCompanionName(name)).toBeNull(),
  );
  test.each([
    "",
    ".",
    "..",
    "../a",
    "a/b",
    "/etc/passwd",
    "a\\b",
    "..\\a",
    "C:a",
    "file:x",
    "http://x/y",
    "a\0b",
    "a\nb",
    "con",
    "NUL.txt",
    "com1",
    "a.",
    "a ",
    "x".repeat(256),
  ])("refuses %j", (name) => expect(refuseCompanionName(name)).toEqual(expect.any(String)));
});
