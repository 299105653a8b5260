import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { SourceReadError } from "../../src/errors.ts";
import { readAhead } from "../../src/public/read-ahead.ts";

const folder = mkdtempSync(join(tmpdir(), "weighbridge-"));
afterAll(() => rmSync(folder, { recursive: true }));

const megabyte = 1024 * 1024;

function written(name: string, start: string, size: number): string {
  const path = join(folder, name);
  writeFileSync(path, Buffer.concat([Buffer.from(start, "latin1"), Buffer.alloc(size, " ")]));
  return path;
}

describe("a file of JSON", () => {
  test("is read as it stands, as a whole and in parts, any number of times", async () => {
    const source = readAhead(written("model.json", '{"graph_module": {}}', 2 * megabyte));
    expect(source).not.toBeNull();
    const size = 2 * megabyte + 20;
    expect(source).toMatchObject({ name: "model.json", size });
    for (const _ of ["ahead", "again"]) {
      const bytes = Buffer.from((await source?.read(0, size)) ?? []);
      expect(bytes.length).toBe(size);
      expect(bytes.toString("latin1", 0, 20)).toBe('{"graph_module": {}}');
    }
    expect(Buffer.from((await source?.read(2, 12)) ?? []).toString()).toBe("graph_module");
    source?.close();
  });

  test("that is cut while it is read says so", async () => {
    const path = written("cut.json", '{"graph_module": {}}', 8 * megabyte);
    const source = readAhead(path);
    truncateSync(path, 100);
    // The thread may have been faster.
    const read = await source?.read(0, 8 * megabyte + 20).catch((error: Error) => error.message);
    expect(read).toSatisfy(
      (it: Uint8Array | string) => typeof it !== "string" || /it is being written or was cut/.test(it),
    );
    await expect(source?.read(50, 4 * megabyte)).rejects.toThrow(SourceReadError);
    source?.close();
  });
});

test("no other file is opened: what is small, what only begins with the byte of a brace, what is no file", () => {
  expect(readAhead(written("small.json", "{}", 1000))).toBeNull();
  expect(readAhead(written("length", '{"\0\0\0\0\0\0{"a": ', 2 * megabyte))).toBeNull();
  expect(readAhead(written("list", "[{}]", 2 * megabyte))).toBeNull();
  expect(readAhead(folder)).toBeNull();
  expect(readAhead(join(folder, "missing"))).toBeNull();
});
