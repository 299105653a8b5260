import { readFileSync } from "node:fs";
import { afterEach, describe, expect, test, vi } from "vitest";
import { isModelError, MalformedFileError } from "../../src/errors.ts";
import type { ByteSource } from "../../src/io/byte-source.ts";
import { memorySource } from "../../src/io/memory.ts";
import { type Hdf5File, openHdf5 } from "../../src/wire/hdf5.ts";
import { refuseMetadata } from "../../src/wire/hdf5-guard.ts";
import { cpuMilliseconds } from "../cpu-time.ts";

const load = (name: string): Buffer => readFileSync(new URL(`./files/${name}.h5`, import.meta.url));

const consoleError = vi.spyOn(console, "error");
afterEach(() => expect(consoleError).not.toHaveBeenCalled());

function readEverything(file: Hdf5File, path: string): void {
  for (const name of file.attributes(path)) file.attribute(path, name);
  for (const link of file.list(path)) {
    const at = `${path === "/" ? "" : path}/${link.name}`;
    if (link.kind === "dataset") file.dataset(at);
    if (link.kind !== "unknown") readEverything(file, at);
  }
}

/** The outcome: "read", or the kind of a typed error. Anything else is a failure, and so is taking long. */
async function survive(source: ByteSource, what: string): Promise<string> {
  const start = cpuMilliseconds();
  let outcome = "read";
  let message = "";
  try {
    const file = await openHdf5(source);
    try {
      readEverything(file, "/");
    } finally {
      file.close();
    }
  } catch (error) {
    if (!isModelError(error)) throw new Error(`${what}: ${error}`, { cause: error });
    outcome = error.kind;
    message = error.message;
  }
  expect(cpuMilliseconds() - start, what).toBeLessThan(5000);
  return `${outcome} ${message}`;
}

function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

describe.each(["small", "small-latest"])("%s.h5", (name) => {
  const whole = load(name);

  test("wherever it is cut, the error says that it is truncated", async () => {
    for (let length = 8; length < whole.length; length += 97) {
      const outcome = await survive(memorySource(whole.subarray(0, length), "cut.h5"), `cut at ${length}`);
      expect(outcome).toMatch(/^malformed-file cut\.h5: .*(truncated|signature)/);
    }
  });

  test("whichever bit flips, it ends well and soon", async () => {
    const next = random(20);
    for (let i = 0; i < 300; i++) {
      const bent = Buffer.from(whole);
      const at = next(bent.length);
      bent[at] = (bent[at] as number) ^ (1 << next(8));
      await survive(memorySource(bent), `bit flipped in byte ${at}`);
    }
  });
});

test.each(["attributes", "links", "datasets", "latest"])("%s.h5 with bytes overwritten", async (name) => {
  const whole = load(name);
  const next = random(21);
  for (let i = 0; i < 150; i++) {
    const bent = Buffer.from(whole);
    for (let count = next(6); count >= 0; count--)
      bent[next(bent.length)] = [0, 255, 1, 127, 128][next(5)] as number;
    await survive(memorySource(bent), `round ${i}`);
  }
});

test("after all that, a good file is read", async () => {
  const file = await openHdf5(memorySource(load("small")));
  expect(file.attribute("/model_weights", "layer_names")).toEqual(["dense", "dropout"]);
});

describe("global heaps that would make the library loop for ever", () => {
  const name = "small-latest";
  const heap = load(name).indexOf("GCOL");

  test("an object larger than its collection, and the zero-sized object it leads to", async () => {
    const bent = load(name);
    const object = bent.indexOf("dense/kernel:0") - 8;
    bent.writeUInt8(0x4e, object);
    const found: string[] = [];
    const file = await openHdf5(memorySource(bent), (d) => found.push(d.code));
    expect(file.attribute("/", "model_config")).toBeNull();
    expect(found).toEqual(["attribute-unreadable"]);
    expect(file.attribute("/model_weights", "layer_names")).toEqual(["dense", "dropout"]);
  });

  test.each([
    ["free space of size zero", 0, 0n],
    ["free space of 4 GB, which is zero in 32 bits", 0, 2n ** 32n],
    ["an object of 2^64 - 1", 1, 2n ** 64n - 1n],
  ])("%s", (_what, index, size) => {
    const block = load(name).subarray(heap, heap + 4096);
    expect(refuseMetadata(block)).toBeNull();
    const bent = Buffer.from(block);
    bent.writeUInt16LE(index, 16);
    bent.writeBigUInt64LE(size, 24);
    expect(refuseMetadata(bent)).toMatch(/impossible size/);
  });
});

test("errors of the library carry its own words", async () => {
  const bent = load("small");
  bent.writeUInt8(99, 8);
  await expect(openHdf5(memorySource(bent, "odd.h5"))).rejects.toThrow(MalformedFileError);
  await expect(openHdf5(memorySource(bent, "odd.h5"))).rejects.toThrow(
    /odd\.h5: HDF5 cannot read the file: .*superblock version/,
  );
});

test("an attribute that is there and cannot be read is told", async () => {
  const bent = load("attributes");
  // The class of the type of the first attribute becomes one that does not exist; the library stops listing there.
  const message = bent.indexOf("bool_true") - 8;
  expect(bent[message]).toBe(1);
  bent[message + 8 + 16] = 0x1f;
  const found: string[] = [];
  const file = await openHdf5(memorySource(bent), (d) => found.push(`${d.code} ${d.at}`));
  expect(file.attribute("/g", "bool_true")).toBeNull();
  expect(found).toEqual(["attribute-unreadable /g"]);
  expect(file.attribute("/g", "int64")).not.toBeNull();
});
