/** `.keras` archives that no Keras writes. */

import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { buildZip, type Part } from "../wire/zip-builder.ts";
import { input, layer, sequential, times } from "./keras-config.ts";
import { named, readable, said, unreadable } from "./survive.ts";

const config = JSON.stringify(sequential([input(), layer("Dense", { units: 3 })]));
const metadata = JSON.stringify({ keras_version: "3.8.0" });
const whole: readonly Part[] = [
  { name: "config.json", data: config, deflate: true },
  { name: "metadata.json", data: metadata },
];
const zip = (...parts: readonly Part[]) => named("m.keras", buildZip(parts));

describe("entries", () => {
  it("no weights: everything is derived, and said to be", async () => {
    const report = await readable(zip(...whole));
    expect(report.totals.parameters).toBe(27);
    expect(said(report, "weights-not-read")).toHaveLength(1);
  });

  it("of one name: the last is read, and said to be", async () => {
    const other = JSON.stringify(sequential([input(), layer("Dense", { units: 1 })]));
    const report = await readable(zip(...whole, { name: "config.json", data: other }));
    expect(report.totals.parameters).toBe(9);
    expect(said(report, "duplicate-entry")).toEqual([
      "config.json: the archive holds config.json more than once; the last one listed was used",
    ]);
  });

  it.each<[string, readonly Part[], RegExp]>([
    [
      "no config.json",
      [{ name: "a\x1b.txt" }, { name: "../b" }],
      /a zip archive that is no model known here \(a/,
    ],
    ["none at all", [], /a zip archive that is no model known here/],
    [
      "a binary config.json",
      [{ name: "config.json", data: new Uint8Array([0, 255, 1]) }],
      /config\.json: the JSON text is not UTF-8/,
    ],
    ["an empty config.json", [{ name: "config.json" }], /config\.json: not valid JSON at character 0/],
    ["a config.json that is a list", [{ name: "config.json", data: "[]" }], /config\.json is no JSON object/],
    ["an encrypted config.json", [{ name: "config.json", data: config, flags: 1 }], /the entry is encrypted/],
    [
      "an unknown method",
      [{ name: "config.json", data: config, method: 93 }],
      /compression method 93 is not handled/,
    ],
    [
      "an archive for weights",
      [...whole, { name: "model.weights.h5", data: buildZip(whole) }],
      /not an HDF5 file/,
    ],
    [
      "half the weights",
      [...whole, { name: "model.weights.h5", data: "\x89HDF\r\n\x1a\n" }],
      /HDF5|truncated/,
    ],
    [
      "metadata that is none",
      [
        { name: "config.json", data: config },
        { name: "metadata.json", data: "{" },
      ],
      /metadata\.json: not valid JSON/,
    ],
    [
      "a size of 2^60",
      [{ name: "config.json", data: config, zip64: true, size: 2 ** 60 }, whole[1] as Part],
      /64-bit value exceeds/,
    ],
    ["an offset of 2^60", [{ name: "config.json", data: config, zip64: true, offset: 2 ** 60 }], /truncated/],
  ])("%s", async (_, parts, message) => {
    expect((await unreadable(zip(...parts))).message).toMatch(message);
  });

  it("npz weights: pickles are listed, whatever sizes they claim", async () => {
    const npz = buildZip([
      { name: "a.npy", data: "x" },
      { name: "b.npy", data: "y", zip64: true, size: 2 ** 50 },
    ]);
    const report = await readable(zip(...whole, { name: "model.weights.npz", data: npz }));
    expect(report.ledger.elements).toBe(1);
    expect(said(report, "shape-suspicious")).toHaveLength(1);
  });
});

describe("bombs", () => {
  it("a config.json that inflates a thousandfold is refused unopened", async () => {
    const bomb = { name: "config.json", data: `{"a":"${" ".repeat(140 * 1024 * 1024)}"}`, deflate: true };
    expect(await unreadable(zip(bomb))).toMatchObject({ kind: "limit-exceeded", limit: "maxJsonBytes" });
  });

  it("weights that inflate a thousandfold, whatever size they claim", async () => {
    const data = new Uint8Array(64 * 1024 * 1024);
    for (const claim of [undefined, 1000]) {
      const bomb: Part = { name: "model.weights.h5", data, deflate: true, ...(claim && { size: claim }) };
      expect((await unreadable(zip(...whole, bomb))).kind).toMatch(/limit-exceeded|malformed-file/);
    }
  });

  it("entries that share bytes", async () => {
    const again = { name: "b", data: "x", offset: 0 };
    expect((await unreadable(zip(...whole, again))).message).toMatch(/overlap/);
  });

  it("twenty thousand entries", async () => {
    const many = times(20_000, (i): Part => ({ name: `e${i}` }));
    expect((await readable(zip(...whole, ...many))).totals.parameters).toBe(27);
  });
});

it("a real archive in an archive is not opened", async () => {
  const path = resolve(import.meta.dirname, "../../fixtures/keras/k3-mnist-cnn");
  const inner = readFileSync(join(path, "model.keras"));
  expect((await unreadable(zip({ name: "model.keras", data: inner }))).kind).toBe("unknown-format");
});
