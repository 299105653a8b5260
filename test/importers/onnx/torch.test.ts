/** Networks by both exporters of PyTorch, against PyTorch's own account of them. */

import { describe, expect, test } from "vitest";
import type { Layer } from "../../../src/ir/graph.ts";
import { walkLayers } from "../../../src/ir/model.ts";
import {
  elementsOf,
  expectedOf,
  imbalance,
  moduleSums,
  type Weighed,
  weighFile,
  weighZipped,
} from "./fixture-files.ts";
import { known, strays } from "./torch-differences.ts";

type Shapes = Readonly<Record<string, readonly number[]>>;
/** Class, parameters, buffers. */
type Module = readonly [string, Shapes, Shapes];

interface Network {
  readonly parameters: number;
  /** By name: the parameter that it is another name of. */
  readonly ties: Readonly<Record<string, string>>;
  readonly modules: Readonly<Record<string, Module>>;
  readonly exports: Readonly<Record<string, unknown>>;
}

const networks: Readonly<Record<string, Network>> = expectedOf("torch").networks ?? {};
const cases = Object.entries(networks).flatMap(([name, { exports }]) =>
  Object.keys(exports).map((way) => ({ name, way, file: `${name}.${way}` })),
);
const totals = new Map(known.flatMap(({ files }) => Object.entries(files)));
const lost = new Map(strays.flatMap(({ files }) => Object.entries(files)));

const size = (shape: readonly number[] = []): number => shape.reduce((a, b) => a * b, 1);
const sizes = (shapes: Shapes): number => Object.values(shapes).reduce((sum, shape) => sum + size(shape), 0);

/** Parameters of the batch normalizations of which the file has no statistics any more. */
function folded({ modules }: Network, { imported }: Weighed): number {
  const stored = new Set(imported.model.tensors.map(({ path }) => path));
  return Object.entries(modules)
    .filter(([module, [, , buffers]]) => "running_mean" in buffers && !stored.has(`${module}.running_mean`))
    .reduce((sum, [, [, parameters]]) => sum + sizes(parameters), 0);
}

function isKernelAlone([, { weight, bias }]: Module): boolean {
  return weight !== undefined && weight.length > 2 && bias === undefined;
}

/** Biases in the file of convolutions that have none in the network: what is left of normalizations. */
function madeBiases({ modules }: Network, { imported }: Weighed): number {
  let sum = 0;
  walkLayers(imported.model.graph.layers, (layer: Layer) => {
    const module = modules[layer.modules?.at(-1)?.path ?? ""];
    if (!module || !isKernelAlone(module)) return;
    const biases = new Set(layer.weights.filter(({ role }) => role === "bias").map(({ tensor }) => tensor));
    for (const index of biases) sum += size(imported.model.tensors[index ?? -1]?.shape);
  });
  return sum;
}

const weighed = new Map<string, Promise<readonly Weighed[]>>();

async function weigh(file: string): Promise<Weighed> {
  const found = weighed.get(file) ?? weighZipped("torch", [file]);
  weighed.set(file, found);
  return (await found)[0] as Weighed;
}

describe("parameters of the network", () => {
  test.each(cases)("$file", async ({ name, file }) => {
    const network = networks[name] as Network;
    const found = await weigh(file);
    expect(imbalance(found)).toEqual([]);
    const { parameters, statistics } = found.report.totals;
    const expected = network.parameters - folded(network, found) + madeBiases(network, found);
    expect([parameters - statistics - expected, elementsOf(found, "unclassified")]).toEqual(
      totals.get(file) ?? [0, 0],
    );
  });
});

/** Modules that have parameters and hold no other modules. */
function leaves({ modules }: Network): readonly (readonly [string, Module])[] {
  const parents = new Set(
    Object.keys(modules).flatMap((path) => (path === "" ? [] : [path.slice(0, path.lastIndexOf("."))])),
  );
  return Object.entries(modules).filter(
    ([path, [, parameters]]) => path !== "" && !parents.has(path) && sizes(parameters) > 0,
  );
}

describe("parameters of each module", () => {
  const weights = cases.filter(({ way }) => way !== "script-no-values");
  test.each(weights)("$file", async ({ name, file }) => {
    const network = networks[name] as Network;
    const rows = moduleSums(await weigh(file));
    const wrong = leaves(network).filter(([path, module]) => {
      const [, parameters, buffers] = module;
      const tied = Object.keys(parameters).filter((own) => `${path}.${own}` in network.ties);
      const own = sizes(parameters) - tied.reduce((sum, each) => sum + size(parameters[each]), 0);
      const row = rows.get(path);
      if (row === own || own === 0) return false;
      if (row === undefined) return !("running_mean" in buffers);
      const channels = module[0].includes("Transpose") ? parameters.weight?.[1] : parameters.weight?.[0];
      return !isKernelAlone(module) || row !== own + (channels ?? 0);
    });
    expect([wrong.length, ...wrong.slice(0, 3)]).toEqual(
      lost.has(file) ? expect.arrayContaining([lost.get(file)]) : [0],
    );
  });
});

/** Modules of the nodes of an operator, in order. */
function modulesOf({ imported }: Weighed, type: string): readonly (string | undefined)[] {
  const found: (string | undefined)[] = [];
  walkLayers(imported.model.graph.layers, (layer: Layer) => {
    if (layer.source.type === type) found.push(layer.modules?.at(-1)?.path);
  });
  return found;
}

describe("what the exporter put in place of others stands in the module that it was traced in by the other one", () => {
  const networks = ["timm/res2net50_26w_4s", "timm/cspdarknet53"];
  test.each(networks.filter((name) => cases.some(({ file }) => file === `${name}.dynamo`)))(
    "%s",
    async (name) => {
      const splits = modulesOf(await weigh(`${name}.dynamo`), "Split");
      expect(splits.length).toBeGreaterThan(4);
      expect(splits).toEqual(modulesOf(await weigh(`${name}.script`), "Split"));
    },
  );
});

test("where what is before and what is behind stand in different modules, it is in the one around both", async () => {
  if (!("shufflenet_v2_x0_5" in networks)) return;
  // Each block chunks what the one before it gives.
  const splits = modulesOf(await weigh("shufflenet_v2_x0_5.dynamo"), "Split");
  expect(splits).toEqual(
    [3, 7, 3].flatMap((blocks, i) => Array.from({ length: blocks }, () => `stage${i + 2}`)),
  );
});

describe("what was folded", () => {
  const names = ["resnet18", "mobilenet_v2", "resnet50", "vgg11_bn"].filter((name) => name in networks);
  test.each(names)("%s, with what is left of it", async (name) => {
    const network = networks[name] as Network;
    const norms = Object.values(network.modules).filter(([, , b]) => "running_mean" in b);
    const args = {
      modules: norms.length,
      parameters: norms.reduce((sum, [, p]) => sum + sizes(p), 0),
      statistics: norms.reduce((sum, [, , b]) => sum + size(b.running_mean) + size(b.running_var), 0),
    };
    const script = await weigh(`${name}.script`);
    const dynamo = await weigh(`${name}.dynamo`);
    // The program's signature tells it in files of the newer exporter, names of weights in those of the older one.
    const stated = dynamo.imported.diagnostics.find(({ code }) => code === "normalization-folded");
    expect(stated?.args).toEqual({ ...args, left: madeBiases(network, dynamo) });
    const { parameters, statistics } = dynamo.report.totals;
    expect(parameters - statistics + args.parameters - madeBiases(network, dynamo)).toBe(network.parameters);
    const named = script.imported.diagnostics.find(({ code }) => code === "normalization-likely-folded");
    expect(named?.args).toEqual(args);
  });
});

describe("what was folded of networks whose signature is long", () => {
  const names = ["densenet121", "timm/mobileone_s0", "timm/inception_resnet_v2", "maxvit_t"];
  test.each(names.filter((name) => name in networks))("%s", async (name) => {
    const found = await weigh(`${name}.dynamo`);
    const stated = found.imported.diagnostics.find(({ code }) => code === "normalization-folded");
    expect(stated?.args).toMatchObject({ parameters: folded(networks[name] as Network, found) });
  });
});

const unsettled: readonly (readonly [string, string, object])[] = [
  ["decoder_tied.script", "weight-maybe-tied", { other: "embed.weight", elements: 19200 }],
  ["siamese.script", "class-likely", { tensors: 2, elements: 8, names: "scale, offset" }],
  ["timm/deit_tiny_patch16_224.script", "class-ambiguous", { tensors: 2, elements: 38016 }],
];

describe("what nothing in the file settles is said", () => {
  const present = unsettled.filter(([file]) => cases.some((each) => each.file === file));
  test.each(present)("%s: %s", async (file, code, args) => {
    const said = (await weigh(file)).imported.diagnostics.find((diagnostic) => diagnostic.code === code);
    expect(said?.args).toMatchObject(args);
  });
});

test("a tied matrix that the exporter stored a second time, turned over, counts once", async () => {
  const found = await weighFile("torch", "tied-dynamo/model.onnx");
  // What torch_tied.py prints.
  expect(found.report.totals.parameters).toBe(160);
  expect(found.report.layers.map(({ params }) => params).filter((params) => params > 0)).toEqual([160, 160]);
  expect(elementsOf(found, "unused")).toBe(160);
  expect(imbalance(found)).toEqual([]);
  expect(found.imported.diagnostics.map(({ code }) => code)).toEqual(["weight-copied"]);
});
