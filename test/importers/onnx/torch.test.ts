/** Networks by both exporters of PyTorch, against PyTorch's own account of them. */

import { describe, expect, test } from "vitest";
import { elementsOf, expectedOf, imbalance, type Weighed, weighZipped } from "./fixture-files.ts";

type Shapes = Readonly<Record<string, readonly number[]>>;

interface Network {
  readonly parameters: number;
  /** Class, parameters and buffers of each module. */
  readonly modules: Readonly<Record<string, readonly [string, Shapes, Shapes]>>;
  readonly exports: Readonly<Record<string, unknown>>;
}

const networks: Readonly<Record<string, Network>> = expectedOf("torch").networks ?? {};
const cases = Object.entries(networks).flatMap(([name, { exports }]) =>
  Object.keys(exports).map((way) => ({ name, way, file: `${name}.${way}` })),
);

/** Files in which more counts as learned than the network has, by so many elements. */
const more: readonly { readonly files: RegExp; readonly atMost: number; readonly reason: string }[] = [
  {
    files: /^decoder_tied\.script/,
    atMost: 19200,
    reason: "of the tied matrix the file has a second, transposed copy",
  },
  {
    files: /^siamese\.script/,
    atMost: 4,
    reason: "a buffer that is added to what a layer gives looks like its bias",
  },
  {
    files: /^swin_v2_t\.dynamo/,
    atMost: 4608,
    reason: "biases of keys, which are zeros, are joined with the others",
  },
  {
    files: /^timm\/eva02/,
    atMost: 2304,
    reason: "biases of keys, which are zeros, are joined with the others",
  },
];

/** Files that lack parameters which no class can show. */
const fewer: readonly { readonly files: RegExp; readonly reason: string }[] = [
  { files: /-no-values$/, reason: "weights are inputs of the graph, which nothing tells from data" },
  { files: /^inception_v3_aux\./, reason: "the auxiliary classifier is not exported" },
  { files: /^(mobilenet_v2|resnet18)_fresh\./, reason: "the exporter merges equal tensors" },
  {
    files: /^mixed\.(?!script-(training|unfolded)|dynamo-unopt)/,
    reason: "weight normalization was worked out",
  },
  {
    files: /^(swin_t|timm\/(gcvit|maxvit|coatnet|levit|efficientformer|convit|visformer))|^maxvit/,
    reason: "tables of positions were gathered ahead, or merged",
  },
  { files: /^timm\/xcit/, reason: "temperatures and tokens were worked out ahead" },
];

function elements(shapes: Shapes, names: readonly string[]): number {
  return names.reduce((sum, name) => sum + (shapes[name]?.reduce((a, b) => a * b, 1) ?? 0), 0);
}

/** Parameters of the batch normalizations of which the file has no statistics any more. */
function foldedParameters({ modules }: Network, { imported }: Weighed): number {
  const stored = new Set(imported.model.tensors.map(({ path }) => path));
  return Object.entries(modules)
    .filter(([module, [, , buffers]]) => "running_mean" in buffers && !stored.has(`${module}.running_mean`))
    .reduce((sum, [, [, parameters]]) => sum + elements(parameters, ["weight", "bias"]), 0);
}

describe("parameters of the network", () => {
  test.each(cases)("$file", async ({ name, file }) => {
    const network = networks[name] as Network;
    for (const weighed of await weighZipped("torch", [file])) {
      expect(imbalance(weighed)).toEqual([]);
      const { parameters, statistics } = weighed.report.totals;
      const off = parameters - statistics - network.parameters;
      const folded = foldedParameters(network, weighed);
      expect(off).toBeLessThanOrEqual(more.find(({ files }) => files.test(file))?.atMost ?? 0);
      if (fewer.some(({ files }) => files.test(file))) continue;
      // A bias is left of a folded normalization, or nothing where there was a bias before.
      expect(off).toBeGreaterThanOrEqual(-folded - elementsOf(weighed, "unclassified"));
      if (folded === 0 && elementsOf(weighed, "unclassified") === 0 && off <= 0) expect(off).toBe(0);
    }
  });
});

describe("what was folded", () => {
  test("the program's signature tells it, in files of the newer exporter", async () => {
    for (const name of ["resnet18", "mobilenet_v2", "resnet50"]) {
      const [weighed] = await weighZipped("torch", [`${name}.dynamo`]);
      const norms = Object.values(networks[name]?.modules ?? {}).filter(([, , b]) => "running_mean" in b);
      const found = weighed?.imported.diagnostics.find(({ code }) => code === "normalization-folded");
      expect(found?.args).toEqual({
        modules: norms.length,
        parameters: norms.reduce((sum, [, p]) => sum + elements(p, ["weight", "bias"]), 0),
        statistics: norms.reduce((sum, [, , b]) => sum + elements(b, ["running_mean", "running_var"]), 0),
      });
    }
  });
});
