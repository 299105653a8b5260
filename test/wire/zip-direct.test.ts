/** The two readers of zip directories against each other: what the quick one reads is what the library reads. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { isModelError } from "../../src/errors.ts";
import type { ByteSource } from "../../src/io/byte-source.ts";
import { memorySource } from "../../src/io/memory.ts";
import { readAnyDirectory } from "../../src/wire/zip.ts";
import { type DirectoryEntry, readPlainDirectory } from "../../src/wire/zip-direct.ts";
import { random } from "../hostile/survive.ts";
import { buildZip } from "./zip-builder.ts";

const root = join(import.meta.dirname, "../../fixtures");

const archives = readdirSync(root, { recursive: true, encoding: "utf8" })
  .filter((name) => /\.(keras|pt|pt2|zip|npz|bin)$/.test(name))
  .map((name) => ({ name, bytes: new Uint8Array(readFileSync(join(root, name))) }))
  .filter(({ bytes }) => bytes[0] === 0x50 && bytes[1] === 0x4b);

function plain(entries: readonly DirectoryEntry[]): DirectoryEntry[] {
  return entries.map(
    ({ filename, compressionMethod, compressedSize, uncompressedSize, encrypted, offset }) => ({
      filename,
      compressionMethod,
      compressedSize,
      uncompressedSize,
      encrypted,
      offset,
    }),
  );
}

async function library(source: ByteSource): Promise<DirectoryEntry[] | null> {
  try {
    return plain(await readAnyDirectory(source));
  } catch (error) {
    if (!isModelError(error)) throw error;
    return null;
  }
}

describe("every archive of the fixtures", () => {
  test("is read by both alike, and nearly all by the quick one", async () => {
    let left = 0;
    for (const { name, bytes } of archives) {
      const source = memorySource(bytes, name);
      const direct = await readPlainDirectory(source);
      if (direct === null) left += 1;
      else expect(direct, name).toEqual(await library(source));
    }
    expect(archives.length).toBeGreaterThan(150);
    expect(left).toBeLessThan(5);
  });

  test("with bytes of its directory changed: what the library would refuse, the quick one leaves", async () => {
    const next = random(11);
    let read = 0;
    for (const { name, bytes } of archives.filter(({ bytes }) => bytes.length < 40_000).slice(0, 60)) {
      const directory = new DataView(bytes.buffer).getUint32(bytes.length - 6, true);
      for (let i = 0; i < 40; i++) {
        const copy = bytes.slice();
        const from = i % 2 === 0 ? Math.min(directory, bytes.length - 1) : Math.max(0, bytes.length - 100);
        const at = from + next(bytes.length - from);
        copy[at] = i % 3 === 0 ? next(256) : (copy[at] ?? 0) ^ (1 << next(8));
        const source = memorySource(copy, name);
        const direct = await readPlainDirectory(source);
        if (direct === null) continue;
        read += 1;
        expect(direct, `${name} ${at}`).toEqual(await library(source));
      }
    }
    expect(read).toBeGreaterThan(100);
  });
});

describe("what is left to the library", () => {
  const parts = [{ name: "a.txt", data: "abc" }, { name: "b" }];
  test.each([
    ["a comment", buildZip(parts, { comment: "hello" })],
    ["bytes in front", buildZip(parts, { prefix: "#!/bin/sh\n" })],
    ["a wrong place of the directory", buildZip(parts, { directoryOffset: 7 })],
    ["a wrong size of the directory", buildZip(parts, { directorySize: 9 })],
    ["a name that is not ASCII", buildZip([{ name: "näme", data: "x" }])],
    ["a name with a backslash", buildZip([{ name: "a\\b", data: "x" }])],
    ["a file that is too short", new Uint8Array(10)],
  ])("%s", async (_, zip) => {
    expect(await readPlainDirectory(memorySource(zip, "x.zip"))).toBe(null);
  });

  test("and zip64 is not", async () => {
    const zip = buildZip(
      parts.map((part) => ({ ...part, zip64: true })),
      { zip64: true },
    );
    const source = memorySource(zip, "x.zip");
    const direct = await readPlainDirectory(source);
    expect(direct).toEqual(await library(source));
    expect(direct).toHaveLength(2);
  });
});
