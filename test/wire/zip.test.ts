import { describe, expect, test } from "vitest";
import type { Diagnostic } from "../../src/diagnostics.ts";
import {
  isModelError,
  LimitExceededError,
  MalformedFileError,
  UnsupportedFeatureError,
} from "../../src/errors.ts";
import { blobSource } from "../../src/io/blob.ts";
import type { ByteSource } from "../../src/io/byte-source.ts";
import { countedSource } from "../../src/io/counted.ts";
import { memorySource } from "../../src/io/memory.ts";
import { openZip } from "../../src/wire/zip.ts";
import { cpuMilliseconds } from "../cpu-time.ts";
import { buildZip, type Part } from "./zip-builder.ts";

const open = (zip: Uint8Array, onDiagnostic?: (d: Diagnostic) => void) =>
  openZip(memorySource(zip, "m.zip"), onDiagnostic);
const textOf = async (source: ByteSource): Promise<string> =>
  Buffer.from(await source.read(0, source.size)).toString();

async function readAll(zip: Uint8Array): Promise<Record<string, string>> {
  const archive = await open(zip);
  const out: Record<string, string> = {};
  for (const entry of archive.entries) out[entry.name] = await textOf(await archive.openEntry(entry));
  return out;
}

const parts: readonly Part[] = [
  { name: "config.json", data: '{"class_name": "Sequential"}' },
  { name: "text.txt", data: "abc ".repeat(1000), deflate: true },
  { name: "folder/" },
  { name: "empty" },
];
const contents = {
  "config.json": '{"class_name": "Sequential"}',
  "text.txt": "abc ".repeat(1000),
  "folder/": "",
  empty: "",
};

describe("archives that are fine", () => {
  test.each([
    ["plain", buildZip(parts)],
    ["junk in front", buildZip(parts, { prefix: "#!/bin/sh\nexit\n" })],
    ["a comment", buildZip(parts, { comment: "PK made by hand PK\x05\x06" })],
    [
      "data descriptors and padding, as PyTorch writes them",
      buildZip(parts.map((p) => ({ ...p, descriptor: true, padding: 20 }))),
    ],
    [
      "a wrong offset of the directory, which is found all the same",
      buildZip(parts, { directoryOffset: 1e9 }),
    ],
    ["a directory that claims 4 GB", buildZip(parts, { directorySize: 0xfffffff0 })],
    [
      "zip64 everywhere",
      buildZip(
        parts.map((p) => ({ ...p, zip64: true })),
        { zip64: true },
      ),
    ],
  ])("%s", async (_name, zip) => {
    expect(await readAll(zip)).toEqual(contents);
  });

  test("facts of an entry", async () => {
    const archive = await open(buildZip(parts));
    expect(archive.entries.map((entry) => entry.name)).toEqual(Object.keys(contents));
    expect(archive.find("text.txt")).toMatchObject({
      method: "deflate",
      methodCode: 8,
      size: 4000,
      encrypted: false,
      duplicate: false,
    });
    expect(archive.find("config.json")).toMatchObject({
      method: "stored",
      size: 28,
      compressedSize: 28,
      headerOffset: 0,
    });
    expect(archive.find("toString")).toBeUndefined();
  });

  test("a stored entry is a window: synchronous where the archive is, and read only on demand", async () => {
    const counted = countedSource(
      memorySource(buildZip([{ name: "w", data: new Uint8Array(1_000_000).fill(7) }])),
    );
    const archive = await openZip(counted);
    const entry = await archive.openEntry(archive.entries[0] as never);
    expect(entry.readSync?.(999_999, 1)).toEqual(Uint8Array.of(7));
    expect(counted.count.reads).toBeLessThanOrEqual(6);
    expect(counted.count.bytes).toBeLessThan(70_000);
    const asynchronous = await openZip(blobSource(new Blob([buildZip(parts)])));
    expect((await asynchronous.openEntry(asynchronous.entries[0] as never)).readSync).toBeUndefined();
  });

  test("names are data: paths that climb are listed, not refused or followed", async () => {
    const names = ["../../etc/passwd", "/absolute", "C:\\x", "a\\b", "__proto__", "Grüße"];
    const archive = await open(buildZip(names.map((name) => ({ name, data: name }))));
    expect(archive.entries.map((entry) => entry.name)).toEqual(names);
    for (const name of names)
      expect(await textOf(await archive.openEntry(archive.find(name) as never))).toBe(name);
  });

  test("of duplicates the last one counts, and each name is reported once", async () => {
    const found: Diagnostic[] = [];
    const archive = await open(buildZip(["1", "2", "3"].map((data) => ({ name: "a", data }))), (d) =>
      found.push(d),
    );
    expect(archive.entries.map((entry) => entry.duplicate)).toEqual([true, true, false]);
    expect(await textOf(await archive.openEntry(archive.find("a") as never))).toBe("3");
    expect(found).toEqual([{ code: "duplicate-entry", args: { entry: "a" }, at: "a" }]);
  });

  test("an archive in an archive", async () => {
    const outer = await open(buildZip([{ name: "inner.zip", data: buildZip(parts) }]));
    const inner = await openZip(await outer.openEntry(outer.entries[0] as never));
    expect(inner.entries.length).toBe(4);
  });
});

describe("archives that are not", () => {
  test.each([
    [
      "encrypted",
      buildZip([{ name: "a", data: "x".repeat(20), flags: 1 }]),
      UnsupportedFeatureError,
      /encrypted/,
    ],
    ["bzip2", buildZip([{ name: "a", data: "x", method: 12 }]), UnsupportedFeatureError, /method 12/],
    [
      "overlap",
      buildZip([
        { name: "a", data: "x".repeat(50) },
        { name: "b", data: "y", offset: 10 },
      ]),
      MalformedFileError,
      /overlap/,
    ],
    [
      "the same bytes twice",
      buildZip([
        { name: "a", data: "x".repeat(50) },
        { name: "b", data: "x".repeat(50), offset: 0 },
      ]),
      MalformedFileError,
      /overlap/,
    ],
    ["beyond the end", buildZip([{ name: "a", data: "x", offset: 10_000 }]), MalformedFileError, /./],
    [
      "size beyond the end",
      buildZip([{ name: "a", data: "x", size: 1e6, compressedSize: 1e6 }]),
      MalformedFileError,
      /./,
    ],
    [
      "no local header",
      buildZip([{ name: "aaaaaaaaaa", data: "x".repeat(60), offset: 5 }]),
      MalformedFileError,
      /local header/,
    ],
    [
      "inflates to more",
      buildZip([{ name: "a", data: "x".repeat(500), deflate: true, size: 100 }]),
      MalformedFileError,
      /promises 100 bytes/,
    ],
    [
      "inflates to less",
      buildZip([{ name: "a", data: "x".repeat(500), deflate: true, size: 600 }]),
      MalformedFileError,
      /yields 500/,
    ],
    [
      "not deflated at all",
      buildZip([{ name: "a", data: "\xff\xff\xff\xff\xff", method: 8 }]),
      MalformedFileError,
      /damaged/,
    ],
    ["too few entries", buildZip(parts, { entryCount: 9 }), MalformedFileError, /./],
    [
      "zip64 nonsense",
      buildZip(parts, { zip64: true, entryCount: 2 ** 48, directoryOffset: 2 ** 50 }),
      MalformedFileError,
      /./,
    ],
  ])("%s", async (_name, zip, error, message) => {
    const reading = readAll(zip);
    await expect(reading).rejects.toThrow(error);
    await expect(reading).rejects.toThrow(message);
  });

  test("a bomb that tells its size is refused unopened, one that lies is stopped on the way", async () => {
    const data = new Uint8Array(40_000_000);
    const start = cpuMilliseconds();
    await expect(readAll(buildZip([{ name: "a", data, deflate: true }]))).rejects.toThrow(LimitExceededError);
    await expect(readAll(buildZip([{ name: "a", data, deflate: true, size: 100 }]))).rejects.toThrow(
      MalformedFileError,
    );
    expect(cpuMilliseconds() - start).toBeLessThan(5000);
  });

  test("an entry that claims a terabyte is refused without allocating it", async () => {
    const zip = buildZip([{ name: "a", data: "x", deflate: true, size: 2 ** 40, zip64: true }]);
    await expect(readAll(zip)).rejects.toThrow(LimitExceededError);
  });

  test("wherever it is cut, the error is typed", async () => {
    const zip = buildZip(parts);
    for (let length = 0; length < zip.length; length++) {
      const error = await readAll(zip.subarray(0, length)).catch((cause: unknown) => cause);
      expect(isModelError(error), `cut at ${length}: ${error}`).toBe(true);
    }
    await expect(open(zip.subarray(0, 200))).rejects.toThrow(/m\.zip: .*directory.*truncated/);
  });

  test("whichever bit flips, it is read or the error is typed", async () => {
    const zip = buildZip(parts);
    for (let i = 0; i < zip.length * 8; i += 5) {
      const bent = Buffer.from(zip);
      bent[i >> 3] = (bent[i >> 3] as number) ^ (1 << (i & 7));
      const error = await readAll(bent).then(
        () => null,
        (cause: unknown) => cause,
      );
      expect(error === null || isModelError(error), `bit ${i}: ${error}`).toBe(true);
    }
  });
});
