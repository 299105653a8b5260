/** HDF5 that no Keras writes; fixtures/build/hostile_files.py made the files. */

import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { openFile } from "../../src/io/node-file.ts";
import type { Report } from "../../src/report/report.ts";
import { refuseMetadata } from "../../src/wire/hdf5-guard.ts";
import { named, readable, said, survive, unreadable } from "./survive.ts";

const folder = resolve(import.meta.dirname, "../../fixtures/hostile");

async function report(name: string): Promise<Report> {
  return await within(name, readable);
}

async function within<T>(
  name: string,
  use: (source: ReturnType<typeof openFile>, what: string) => Promise<T>,
): Promise<T> {
  const source = openFile(join(folder, `${name}.h5`));
  try {
    return await use(source, name);
  } finally {
    source.close();
  }
}

it.each(readdirSync(folder))("%s ends well", async (file) => {
  await within(file.replace(".h5", ""), survive);
});

describe("links", () => {
  it("soft and external ones in place of groups and datasets are named and not followed", async () => {
    const read = await report("links");
    expect(said(read, "link-not-followed").sort()).toEqual([
      "/model_weights/d1: soft link to /model_weights/d0 was not followed",
      "/model_weights/d2: external link to /etc/passwd:/secret was not followed",
      "/model_weights/d3/kernel:0: soft link to /nowhere was not followed",
    ]);
    expect(said(read, "weight-not-stored")).toHaveLength(3);
    expect(read.ledger.elements).toBe(12);
  });

  it.each(["weights-elsewhere", "weights-are-a-dataset"])(
    "%s: the architecture is read alone",
    async (name) => {
      expect(await report(name)).toMatchObject({
        totals: { parameters: 12 },
        ledger: { elements: name.endsWith("dataset") ? 3 : 0 },
      });
    },
  );

  it("a group that holds itself, or the root", async () => {
    expect(said(await report("cycle"), "link-not-followed")).toEqual([
      "/model_weights/d0/again: hard link to a group above it was not followed",
      "/model_weights/d0/top: hard link to a group above it was not followed",
    ]);
  });

  it("a group in two places is read in one of them, so paths do not double at each level", async () => {
    const read = await report("doubling");
    expect(said(read, "link-not-followed")).toHaveLength(40);
    expect(read.ledger.elements).toBe(3);
  });

  it.each([
    ["virtual", "/layers/dense/vars/0: dataset does not hold its own data: it is put together from 1 others"],
    ["external", "/layers/dense/vars/0: dataset does not hold its own data: its data are in other files"],
  ])("%s datasets are not opened elsewhere", async (name, text) => {
    expect(said(await report(name), "virtual-dataset")).toEqual([text]);
  });
});

describe("claims", () => {
  it("a dataset that several layers or names claim counts once", async () => {
    const { layers, totals, ledger, diagnostics } = await report("claims");
    expect(ledger.elements).toBe(24);
    const stored = new Set(layers.flatMap(({ weights }) => weights.flatMap(({ stored }) => stored ?? [])));
    expect(stored).toEqual(new Set(["model_weights/d0/kernel:0", "model_weights/d2/kernel:0"]));
    // d0 and d1 share one, d2 has one; d3 has what its configuration says.
    expect(totals.parameters).toBeLessThanOrEqual(12 + 12 + 16);
    const dangling = diagnostics
      .filter(({ code }) => code === "graph-dangling")
      .map(({ message }) => message);
    expect(dangling.join()).toContain("refers to dataset ../d0/kernel:0, which does not exist");
    expect(dangling.join()).toContain("refers to dataset /model_weights/d0/kernel:0, which does not exist");
  });

  it("a layer that is listed 2000 times is read once, missing ones are named", async () => {
    const read = await report("repeated-names");
    expect(read.totals.parameters).toBe(12);
    expect(said(read, "graph-dangling")).toHaveLength(200);
  });

  it.each(["number", "list", "empty", "null", "array"])("model_config that is %s", async (name) => {
    const error = await within(`config-${name}`, unreadable);
    expect(error.message).toBe(
      `config-${name}.h5: attribute model_config is not a JSON object; so there is no architecture to read`,
    );
  });

  it("model_config that is bytes, or half a text", async () => {
    expect((await within("config-bytes", unreadable)).message).toMatch(
      /its type \(opaque of 3 bytes\) has no plain value/,
    );
    expect((await within("config-not-json", unreadable)).message).toMatch(/not valid JSON at character 1/);
  });
});

describe("size", () => {
  it("datasets beyond every number are left out, with a word", async () => {
    const read = await report("shapes");
    expect(said(read, "shape-suspicious").filter((text) => text.includes("left out"))).toHaveLength(3);
    expect(read.ledger.elements).toBe(0);
  });

  it.each([
    ["deep", "maxHdf5Depth"],
    ["long-paths", "maxHdf5PathLength"],
    ["backslashes", "maxHdf5PathLength"],
  ])("%s", async (name, limit) => {
    expect(await within(name, unreadable)).toMatchObject({ kind: "limit-exceeded", limit });
  });
});

describe("loops inside the library", () => {
  const whole = readFileSync(join(folder, "claims.h5"));

  it("free blocks of a heap of names that go round", async () => {
    let heaps = 0;
    for (let heap = whole.indexOf("HEAP"); heap >= 0; heap = whole.indexOf("HEAP", heap + 1)) {
      const bent = Buffer.from(whole);
      const data = Number(bent.readBigUInt64LE(heap + 24));
      bent.writeBigUInt64LE(0n, heap + 16);
      bent.writeBigUInt64LE(0n, data);
      bent.writeBigUInt64LE(16n, data + 8);
      const { report: read, error } = await survive(named("bent.h5", bent), `heap at ${heap}`);
      expect(JSON.stringify(read?.diagnostics ?? error?.message), `heap at ${heap}`).toMatch(
        /go round in a circle/,
      );
      heaps += 1;
    }
    expect(heaps).toBeGreaterThan(3);
  });

  it("an object of no size, behind the first 4 kB of a global heap", async () => {
    const collection = Buffer.alloc(8192);
    collection.write("GCOL");
    collection.writeBigUInt64LE(8192n, 8);
    collection.writeUInt16LE(1, 16);
    collection.writeBigUInt64LE(5000n, 24);
    const read = (at: number, length: number): DataView =>
      new DataView(collection.buffer, collection.byteOffset + at, length);
    expect(refuseMetadata(collection.subarray(0, 4096))).toBeNull();
    expect(refuseMetadata(collection.subarray(0, 4096), 0, read)).toMatch(
      /object 0 of a global heap has an impossible size/,
    );
  });
});

describe("HDF5 of others", () => {
  it.each([
    ["foreign", /an HDF5 file, but no Keras model: .*it holds 8 objects \(table/],
    ["nothing", /an HDF5 file, but no Keras model: .*it is empty/],
    ["weights-only-dataset", /it holds 1 object \(model_weights\)/],
  ])("%s", async (name, message) => {
    expect(await within(name, unreadable)).toMatchObject({
      kind: "unknown-format",
      message: expect.stringMatching(message),
    });
  });
});
