/** Every kind of damage a download or a disk does, to every format of file that real Kerases wrote. */

import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fixtureModels } from "../fixture-models.ts";
import { named, random, survive } from "./survive.ts";

const largest = 60_000;
/** Every file gets every damage once. */
const files = [...fixtureModels(), ...fixtureModels("keras/zoo/stacked")]
  .map((path) => (statSync(path).isDirectory() ? join(path, "config.json") : path))
  .map((path) => ({ path, bytes: readFileSync(path) }))
  .filter(({ bytes }) => bytes.length <= largest);

type Damage = (whole: Buffer, next: (below: number) => number) => Buffer;

const damages: Readonly<Record<string, Damage>> = {
  "cut off": (whole, next) => whole.subarray(0, next(whole.length)),
  "without its first bytes": (whole, next) => whole.subarray(1 + next(Math.min(whole.length - 1, 600))),
  "with one bit flipped": (whole, next) =>
    change(whole, [next(whole.length)], (byte) => byte ^ (1 << next(8))),
  "with bytes overwritten": (whole, next) =>
    change(
      whole,
      Array.from({ length: 1 + next(12) }, () => next(whole.length)),
      () => [0, 255, 1, 127, 128][next(5)] ?? 0,
    ),
  "with a zeroed block": (whole, next) => {
    const at = next(whole.length);
    return Buffer.from(whole).fill(0, at, Math.min(whole.length, at + 1 + next(512)));
  },
  "with two blocks exchanged": (whole, next) => {
    const bent = Buffer.from(whole);
    const [a, b] = [next(whole.length), next(whole.length)];
    whole.copy(bent, a, b, b + 64);
    whole.copy(bent, b, a, a + 64);
    return bent;
  },
  "with a piece twice": (whole, next) => {
    const at = next(whole.length);
    return Buffer.concat([whole.subarray(0, at), whole.subarray(Math.max(0, at - next(2000)))]);
  },
};

function change(whole: Buffer, places: readonly number[], f: (byte: number) => number): Buffer {
  const bent = Buffer.from(whole);
  for (const place of places) bent[place] = f(bent[place] ?? 0);
  return bent;
}

describe.each(Object.entries(damages))("a file %s", (title, damage) => {
  it("gives a typed error or a report whose figures agree", async () => {
    const turn = Object.keys(damages).indexOf(title);
    const next = random(1000 + turn);
    let rounds = 0;
    for (const [index, { path, bytes }] of files.entries()) {
      // Printing is the same whatever was damaged, so only some are printed.
      await survive(named("bent.h5", damage(bytes, next)), `${path}, ${title}`, index % 9 === 0);
      rounds += 1;
    }
    expect(rounds).toBeGreaterThan(50);
  }, 120_000);
});

it("a file cut at any length of its first bytes is no file", async () => {
  for (const { path, bytes } of files.filter((_, index) => index % 40 === 0)) {
    for (let length = 0; length < 64; length++) {
      const { error } = await survive(named("cut", bytes.subarray(0, length)), `${path} cut at ${length}`);
      expect(error?.kind, `${path} cut at ${length}`).toMatch(/unknown-format|malformed-file/);
    }
  }
});
