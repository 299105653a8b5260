/** Rules for ATen operators, held against the shapes that PyTorch wrote into exported programs. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { canonicalNames, operatorNames } from "../../../importers/pytorch/aten/index.ts";
import { memorySource } from "../../../src/io/memory.ts";
import { operators } from "../../../src/operators/index.ts";
import { inferShapes } from "../../../src/passes/infer-shapes.ts";
import { readModel } from "../../../src/public/inspect.ts";
import { openZip, type ZipArchive } from "../../../src/wire/zip.ts";
import { compareWithStated } from "./stated-shapes.ts";

const folder = join(import.meta.dirname, "../../../fixtures/pytorch");

test("an operator is described once", () => {
  const names = operatorNames();
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
});

test("every canonical operator that ATen's become exists", () => {
  expect([...canonicalNames()].filter((name) => !operators.has(name))).toEqual([]);
});

async function programsIn(path: string): Promise<ZipArchive> {
  return openZip(memorySource(readFileSync(join(folder, path))));
}

async function* programs(path: string): AsyncGenerator<readonly [string, Uint8Array]> {
  const zip = await programsIn(path);
  for (const { name } of zip.entries) {
    const entry = name.endsWith("models/model.json") ? zip.find(name) : undefined;
    if (!entry) continue;
    const source = await zip.openEntry(entry);
    yield [name, await source.read(0, source.size)];
  }
}

test.each([
  "programs/programs.zip",
  "program-tied/model.pt2",
  "program-recurrent/model.pt2",
  "program-half/model.pt2",
])("rules give what the programs in %s state", async (path) => {
  const wrong: string[] = [];
  const open: string[] = [];
  for await (const [name, data] of programs(path)) {
    const { model } = await readModel(data);
    const stated = inferShapes(model, operators).diagnostics;
    wrong.push(...stated.map((diagnostic) => `${name} ${JSON.stringify(diagnostic)}`));
    const compared = compareWithStated(model);
    wrong.push(...compared.wrong.map((text) => `${name} ${text}`));
    open.push(...compared.open.map((text) => `${name} ${text}`));
  }
  expect(wrong).toEqual([]);
  expect(open).toEqual([]);
});
