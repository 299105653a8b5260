/** Buffers of PyTorch that stand where weights stand (fixtures/onnx/named-buffers). */

import { describe, expect, test } from "vitest";
import { elementsOf, expectedOf, imbalance, type Weighed, weighZipped } from "./fixture-files.ts";

type Shapes = Readonly<Record<string, readonly number[]>>;

interface Network {
  readonly exports: readonly string[];
  readonly parameters: Shapes;
  readonly buffers: Shapes;
}

const networks: Readonly<Record<string, Network>> = expectedOf("named-buffers").networks ?? {};

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
const total = (shapes: Shapes): number =>
  Object.values(shapes).reduce((sum, shape) => sum + sizeOf(shape), 0);

async function weighed(file: string): Promise<Weighed> {
  const [found] = await weighZipped("named-buffers", [file]);
  if (!found) throw new Error(file);
  return found;
}

const namesIn = ({ report }: Weighed, code: string): string | undefined =>
  report.diagnostics.find((found) => found.code === code)?.message.replace(/^.*: /, "");

/** Elements counted as learned beyond the network's: numbers to take a mean with, which a learned vector looks like. */
const more: Readonly<Record<string, number>> = { "image.script": 8 };

describe.each(Object.entries(networks))("%s", (name, { exports, parameters, buffers }) => {
  test.each(exports)("by %s", async (exporter) => {
    const file = `${name}.${exporter}`;
    const found = await weighed(file);
    expect(imbalance(found)).toEqual([]);
    expect(elementsOf(found, "parameter")).toBe(total(parameters) + (more[file] ?? 0));
    // Names that are left in the file.
    const stored = new Set(found.imported.model.tensors.map(({ path }) => path));
    const open = new Set((namesIn(found, "class-ambiguous") ?? "").split(", "));
    const likely = namesIn(found, "class-likely");
    for (const tensor of found.imported.model.tensors.filter(({ path }) => path in buffers))
      expect([tensor.path, tensor.unclaimed]).toEqual([
        tensor.path,
        open.has(tensor.path) ? "unclassified" : likely === tensor.path ? "parameter" : "constant",
      ]);
    expect(Object.keys(parameters).some((path) => stored.has(path))).toBe(true);
  });
});

test("what a name decides is said, and what a name leaves open", async () => {
  const audio = await weighed("audio.script");
  expect(namesIn(audio, "class-by-name")?.split(", ").sort()).toEqual(
    Object.keys(networks.audio?.buffers ?? {}).sort(),
  );
  const image = await weighed("image.script");
  expect(namesIn(image, "class-by-name")).toBe("up.resample_filter");
  expect(namesIn(image, "class-ambiguous")).toBe("blur.filt");
  expect(namesIn(image, "class-likely")).toBe("integral.project");
});

test("where the exporter itself says it, no name does", async () => {
  const audio = await weighed("audio.dynamo");
  expect(audio.report.diagnostics).toEqual([]);
});
