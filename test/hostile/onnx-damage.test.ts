/** ONNX files as they are after half a download or a bad disk. */

import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";
import { named, random, survive } from "./survive.ts";

const folder = resolve(import.meta.dirname, "../../fixtures/onnx/structure");
const files = readdirSync(folder)
  .filter((name) => name.endsWith(".onnx"))
  .map((name) => ({ name, bytes: readFileSync(join(folder, name)) }))
  .filter(({ bytes }) => bytes.length <= 20_000);

it("cut at every hundredth byte", async () => {
  let whole = 0;
  for (const { name, bytes } of files) {
    for (let length = 50; length < bytes.length; length += 100) {
      const { error } = await survive(
        named(name, bytes.subarray(0, length)),
        `${name} cut at ${length}`,
        false,
      );
      // Between two fields of the outermost message a file may end: what was read is then the whole of it.
      if (error) expect(error.kind, name).toMatch(/malformed-file|unknown-format|unsupported-feature/);
      else whole += 1;
    }
  }
  expect(whole).toBeLessThan(files.length);
}, 60_000);

it("with a bit flipped, or a byte overwritten", async () => {
  const next = random(2026);
  for (const { name, bytes } of files) {
    for (let round = 0; round < 8; round++) {
      const bent = Buffer.from(bytes);
      const at = next(bent.length);
      bent[at] = round % 2 === 0 ? (bent[at] ?? 0) ^ (1 << next(8)) : ([0, 255, 127, 128][next(4)] ?? 0);
      await survive(named(name, bent), `${name}, byte ${at} is ${bent[at]}`, round === 0);
    }
  }
}, 60_000);
