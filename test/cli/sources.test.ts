import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { Host } from "../../src/cli/host.ts";
import { withSource } from "../../src/cli/sources.ts";

const folder = mkdtempSync(join(tmpdir(), "weighbridge-"));
afterAll(() => rmSync(folder, { recursive: true }));

const path = join(folder, "large");
writeFileSync(path, new Uint8Array(20 * 1024 * 1024));

async function timesTold(reads: number, length: number): Promise<number> {
  return (await told(reads, length)).longRun;
}

async function told(reads: number, length: number, from = 0): Promise<{ longRun: number; text: number }> {
  const told = { longRun: 0, text: 0 };
  const output = { write: () => {}, isTTY: false, columns: undefined };
  const host: Host = {
    argv: [],
    env: {},
    stdin: { isTTY: false },
    stdout: output,
    stderr: output,
    now: () => 0,
    expectLongRun: () => {
      told.longRun += 1;
    },
    expectText: () => {
      told.text += 1;
    },
  };
  await withSource(host, path, async (source) => {
    for (let i = 0; i < reads; i++) {
      if (i % 2 === 0) expect(source.readSync?.(from + i, length).length).toBe(length);
      else expect((await source.read(from + i, length)).length).toBe(length);
    }
  });
  return told;
}

test("the host is told once that much is read of a file, and not of one that is merely large", async () => {
  expect(await timesTold(40, 256 * 1024)).toBe(1);
  expect(await timesTold(8, 1024)).toBe(0);
  // A text of JSON has fewer nodes for its bytes.
  expect(await timesTold(1, 16 * 1024 * 1024)).toBe(0);
  expect(await timesTold(4, 16 * 1024 * 1024)).toBe(1);
});

test("the host is told of a text before it is read", async () => {
  expect(await told(1, 16 * 1024 * 1024)).toEqual({ longRun: 0, text: 1 });
  expect(await told(40, 256 * 1024)).toEqual({ longRun: 1, text: 0 });
  // That of a header of safetensors has very many tensors for its bytes.
  expect(await told(1, 16 * 1024 * 1024, 8)).toEqual({ longRun: 1, text: 0 });
});
