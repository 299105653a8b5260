import { execFileSync } from "node:child_process";
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { LimitExceededError, SourceReadError } from "../../src/errors.ts";
import { isSeekable, openDescriptor, openFile, spoolStream } from "../../src/io/node-file.ts";

const folder = mkdtempSync(join(tmpdir(), "node-file-test-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const path = (name: string): string => join(folder, name);
writeFileSync(path("model.bin"), "0123456789");

describe("openFile", () => {
  test("reads by position", async () => {
    const source = openFile(path("model.bin"));
    expect(source).toMatchObject({ name: "model.bin", size: 10 });
    expect(Buffer.from(source.readSync(3, 4)).toString()).toBe("3456");
    expect(Buffer.from(await source.read(0, 10)).toString()).toBe("0123456789");
    expect(() => source.readSync(8, 3)).toThrow(SourceReadError);
    source.close();
    source.close();
    expect(() => source.readSync(0, 1)).toThrow(/after close/);
  });

  test("reads beside this thread, and is closed when that has ended", async () => {
    const source = openFile(path("model.bin"));
    const reading = [source.readAside(3, 4), source.readAside(0, 10)];
    source.close();
    const read = await Promise.all(reading);
    expect(read.map((bytes) => Buffer.from(bytes).toString())).toEqual(["3456", "0123456789"]);
    await expect(source.readAside(0, 1)).rejects.toThrow(/after close/);
    await expect(openFile(path("model.bin")).readAside(8, 3)).rejects.toThrow(SourceReadError);
  });

  test("says so when the file shrinks under it", () => {
    writeFileSync(path("shrinking"), "0123456789");
    const source = openFile(path("shrinking"));
    truncateSync(path("shrinking"), 5);
    expect(() => source.readSync(0, 10)).toThrow(/ended at byte 5/);
    source.close();
  });

  test.each([
    ["missing", /no such file; check the path/],
    ["model.bin/inside", /no such file/],
    ["folder", /is a folder; pass the model file in it/],
    ["circle", /circle/],
  ])("%s", (name, message) => {
    if (name === "folder") mkdirSync(path(name));
    if (name === "circle") symlinkSync(path(name), path(name));
    expect(() => openFile(path(name))).toThrow(SourceReadError);
    expect(() => openFile(path(name))).toThrow(message);
  });

  test("an address is told from a path", () => {
    expect(() => openFile("https://example.org/m.onnx")).toThrow(/nothing is fetched here.*curl -sL/);
  });

  test.skipIf(process.platform === "win32")("a FIFO is refused at once instead of waited for", () => {
    execFileSync("mkfifo", [path("fifo")]);
    expect(() => openFile(path("fifo"))).toThrow(/is a pipe.*standard input/);
  });

  test.skipIf(process.platform === "win32")("a device is refused", () => {
    expect(() => openFile("/dev/zero")).toThrow(/is a device/);
  });
});

describe("companion", () => {
  writeFileSync(path("shard.bin"), "shard");
  const source = openFile(path("model.bin"));

  test("opens a file beside", async () => {
    const sibling = await source.companion?.("shard.bin");
    expect(sibling).toMatchObject({ name: "shard.bin", size: 5 });
  });

  test("null when there is none", async () => {
    expect(await source.companion?.("none.bin")).toBeNull();
  });

  test.each(["../x", "/etc/passwd", "a/b", "..", ""])("refuses %j", async (name) => {
    await expect(source.companion?.(name)).rejects.toThrow(/refused/);
  });

  test("follows a link that stays, refuses one that leaves, and anything but a file", async () => {
    symlinkSync("shard.bin", path("stays"));
    symlinkSync("/etc/hostname", path("leaves"));
    symlinkSync(tmpdir(), path("leaves-to-folder"));
    mkdirSync(path("a-folder"));
    expect(await source.companion?.("stays")).toMatchObject({ size: 5 });
    await expect(source.companion?.("leaves")).rejects.toThrow(/leaves the folder/);
    await expect(source.companion?.("leaves-to-folder")).rejects.toThrow(SourceReadError);
    await expect(source.companion?.("a-folder")).rejects.toThrow(/is a folder/);
  });

  test("a model that is itself a link finds what is beside its target (Hugging Face caches)", async () => {
    mkdirSync(path("snapshot"));
    mkdirSync(path("blobs"));
    writeFileSync(path("blobs/1"), "one");
    writeFileSync(path("blobs/2"), "two");
    symlinkSync("../blobs/1", path("snapshot/model.json"));
    symlinkSync("../blobs/2", path("snapshot/part.bin"));
    const model = openFile(path("snapshot/model.json"));
    expect(await model.companion?.("part.bin")).toMatchObject({ size: 3 });
  });
});

describe("standard input", () => {
  test("a redirected file is read in place", () => {
    const fd = openSync(path("model.bin"), "r");
    expect(isSeekable(fd)).toBe(true);
    const source = openDescriptor(fd);
    expect(source).toMatchObject({ name: "stdin", size: 10 });
    expect(source.companion).toBeUndefined();
    source.close();
    expect(isSeekable(fd)).toBe(false);
  });

  test("a folder on standard input is refused", () => {
    const fd = openSync(folder, "r");
    expect(isSeekable(fd)).toBe(false);
    expect(() => openDescriptor(fd)).toThrow(/is a folder/);
    closeSync(fd);
  });

  const spooled = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith("weighbridge-"));
  async function* chunks(count: number): AsyncGenerator<Uint8Array> {
    for (let i = 0; i < count; i++) yield new Uint8Array(1000).fill(i);
  }

  test("a pipe is spooled to a file that goes when closed, or at once where it can", async () => {
    const before = spooled();
    const source = await spoolStream(chunks(5));
    expect(source.size).toBe(5000);
    expect(source.readSync(2999, 2)).toEqual(Uint8Array.of(2, 3));
    expect(spooled().length).toBe(before.length + (process.platform === "win32" ? 1 : 0));
    source.close();
    expect(spooled()).toEqual(before);
  });

  test("a pipe without end is cut off, and nothing is left", async () => {
    const before = spooled();
    await expect(spoolStream(chunks(1e9), "stdin", { maxBytes: 10_000 })).rejects.toThrow(LimitExceededError);
    expect(spooled()).toEqual(before);
  });

  test("a stream that fails is a read error, and nothing is left", async () => {
    const before = spooled();
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(3);
      throw new Error("EPIPE");
    }
    await expect(spoolStream(failing())).rejects.toThrow(SourceReadError);
    expect(spooled()).toEqual(before);
    expect(existsSync(folder)).toBe(true);
  });
});
