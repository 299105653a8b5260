/** Rules for ATen operators, held against the shapes that PyTorch wrote into exported programs. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { canonicalNames, operatorNames } from "../../../importers/pytorch/aten/index.ts";
import { memorySource } from "../../../src/io/memory.ts";
import { walkLayers } from "../../../src/ir/model.ts";
import { operators } from "../../../src/operators/index.ts";
import { bindSymbols } from "../../../src/passes/bind-symbols.ts";
import { inferShapes } from "../../../src/passes/infer-shapes.ts";
import { readModel } from "../../../src/public/inspect.ts";
import { openZip } from "../../../src/wire/zip.ts";
import { compareWithStated, seenSizes } from "./stated-shapes.ts";

const folder = join(import.meta.dirname, "../../../fixtures/pytorch");

test("an operator is described once", () => {
  const names = operatorNames();
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
});

test("every operator that PyTorch calls core is described", () => {
  const text = readFileSync(join(folder, "core-operators.json"), "utf8");
  const { operators: core } = JSON.parse(text) as { operators: readonly string[] };
  const names = new Set(operatorNames());
  const known = (name: string): boolean => names.has(name) || names.has(name.slice(0, name.lastIndexOf(".")));
  expect(core.length).toBeGreaterThan(180);
  expect(core.filter((name) => !known(name))).toEqual([]);
});

test("every canonical operator that ATen's become exists", () => {
  expect([...canonicalNames()].filter((name) => !operators.has(name))).toEqual([]);
});

const archives = await Promise.all(
  [
    "programs/programs.zip",
    "program-tied/model.pt2",
    "program-recurrent/model.pt2",
    "program-half/model.pt2",
  ].map((path) => openZip(memorySource(readFileSync(join(folder, path))))),
);
const programs = archives.flatMap((zip) =>
  zip.entries.filter(({ name }) => name.endsWith("models/model.json")).map(({ name }) => ({ name, zip })),
);

function linesOf(file: string): readonly string[] {
  return gunzipSync(readFileSync(join(folder, "aten", file)))
    .toString("utf8")
    .trim()
    .split("\n");
}

/** What no rule can tell. */
const untold = [
  // It depends on the device that the program was made for.
  /^aten\.(native_batch_norm|_native_batch_norm_\w+|native_layer_norm|native_group_norm|_batch_norm_with_update_functional) \S+ [123]:/,
  /^aten\.(_?embedding_bag\w*|_scaled_dot_product_efficient_attention) \S+ [123]:/,
  // Sizes that depend on elements have names of their own.
  /"symbol":"u\d+"/,
  // PyTorch's default type, where no other is stated.
  /: null \[.*, the file float32/,
  // A size times a fraction that is no sum of powers of two: the file's expression is not known either.
  /, the file \w+ \[.*null/,
  // PyTorch took for granted that a size was not 1, or not that of a block.
  /^(aten\.squeeze|torchao\.choose_qparams_affine) /,
];

function tellable(text: string): boolean {
  return !untold.some((reason) => reason.test(text));
}

test.each(programs)("rules give what $name states", async ({ name, zip }) => {
  const entry = zip.find(name);
  if (!entry) throw new Error(`${name} is there twice`);
  const source = await zip.openEntry(entry);
  const data = await source.read(0, source.size);
  const { model } = await readModel(data);
  const { wrong, open } = compareWithStated(model, seenSizes(new TextDecoder().decode(data)));
  expect(inferShapes(model, operators).diagnostics).toEqual([]);
  expect(wrong).toEqual([]);
  expect(open.filter(tellable)).toEqual([]);
});

interface Case {
  readonly case: string;
  readonly form: string;
  readonly program: object;
}

/** Where PyTorch states what holds for the sizes it saw: whether a last window fits in, groups leave no rest. */
const guards =
  /^(aten\.((max|avg)_pool|channel_shuffle |view |(convolution|native_group_norm)_backward )|torchvision\.deform_conv2d )/;

test.each(readdirSync(join(folder, "aten")))("rules give what single operators in %s state", async (file) => {
  const wrong: string[] = [];
  const open: string[] = [];
  const guarded: string[] = [];
  for (const line of linesOf(file)) {
    const { case: name, form, program } = JSON.parse(line) as Case;
    const { model } = await readModel(new TextEncoder().encode(JSON.stringify(program)));
    const compared = compareWithStated(model, seenSizes(line));
    guarded.push(...compared.guarded.filter((text) => !guards.test(text)).map((text) => `${name} ${text}`));
    wrong.push(...compared.wrong.map((text) => `${name} ${form} ${text}`));
    open.push(...compared.open.filter(tellable).map((text) => `${name} ${form} ${text}`));
  }
  expect(wrong).toEqual([]);
  expect(open).toEqual([]);
  expect(guarded).toEqual([]);
});

test("sizes that a caller gives reach every shape, also through arithmetic on them", async () => {
  const open: unknown[] = [];
  let bound = 0;
  for (const line of linesOf("numbers.jsonl.gz")) {
    const { model } = await readModel(
      new TextEncoder().encode(JSON.stringify((JSON.parse(line) as Case).program)),
    );
    const dims = Object.fromEntries(seenSizes(line));
    const given = bindSymbols(model, { dims });
    const facts = inferShapes(given, operators);
    open.push(...facts.diagnostics);
    open.push(...compareWithStated(given, new Map()).wrong);
    walkLayers(given.graph.layers, (layer) => {
      for (const { shape } of facts.layers.get(layer)?.calls[0]?.types ?? []) {
        bound += 1;
        if (!shape?.every((dim) => typeof dim === "number")) open.push({ layer: layer.name, shape });
      }
    });
  }
  expect(open).toEqual([]);
  expect(bound).toBeGreaterThan(80);
});
