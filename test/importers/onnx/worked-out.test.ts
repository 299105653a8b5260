/** Weights that PyTorch's exporters work out of others, leave out or make up (fixtures/onnx/worked-out). */

import { describe, expect, test } from "vitest";
import { elementsOf, expectedOf, imbalance, type Weighed, weighZipped } from "./fixture-files.ts";

interface Network {
  readonly parameters: number;
}

const networks: Readonly<Record<string, Network>> = expectedOf("worked-out").networks ?? {};

async function weighed(file: string): Promise<Weighed> {
  const [found] = await weighZipped("worked-out", [file]);
  if (!found) throw new Error(file);
  expect(imbalance(found)).toEqual([]);
  return found;
}

const codes = ({ report }: Weighed): readonly string[] => report.diagnostics.map(({ code }) => code);

describe("as many as the network has, and nothing to say", () => {
  const files = [
    "conditioned",
    "scaled_elsewhere",
    "groups",
    "tied",
    "both_ways",
    "normalized",
    "projected",
    "homemade",
  ];
  test.each(files)("%s, by the newer exporter", async (name) => {
    const found = await weighed(`${name}.dynamo`);
    expect([elementsOf(found, "parameter"), codes(found)]).toEqual([networks[name]?.parameters, []]);
  });

  test.each(["conditioned", "groups", "tied", "homemade"])("%s, by the older one", async (name) => {
    const found = await weighed(`${name}.script`);
    expect([elementsOf(found, "parameter"), codes(found)]).toEqual([networks[name]?.parameters, []]);
  });
});

describe("how many numbers were learned is not in the file, and a note says so", () => {
  test.each([
    ["quaternion.dynamo", 96, "4 parameters of the program (r, i, j, k), and only 1 weight was made"],
    [
      "weight_norm.dynamo",
      150,
      "2 parameters of the program (conv.parametrizations.weight.original0, conv.parametrizations.weight.original1), and only 1 weight was made",
    ],
    ["unused.dynamo", 48, "2 parameters of the program (spare.weight, spare.bias), and no weight was made"],
    [
      "fresh.dynamo",
      456,
      "4 parameters of the program (1.weight, 1.bias, 4.weight, 4.bias), and no weight was made",
    ],
    [
      "weight_norm.script",
      150,
      "1 weight was computed from others when the network was traced (144 elements:",
    ],
    ["masked.script", 54, "1 weight was computed from others when the network was traced (48 elements:"],
  ])("%s", async (file, parameters, said) => {
    const found = await weighed(file);
    expect(elementsOf(found, "parameter")).toBe(parameters);
    const note = found.report.diagnostics.find(({ code }) => code === "weights-worked-out");
    expect(note?.message).toContain(said);
  });
});

test("a matrix of a module that is stored turned over as well counts once", async () => {
  const found = await weighed("both_ways.script");
  expect(elementsOf(found, "parameter")).toBe(networks.both_ways?.parameters);
  expect(codes(found)).toEqual(["weight-copied"]);
});

test.each(["crossed", "turned"])(
  "%s: a matrix that a module has made of what is stored counts once",
  async (name) => {
    const found = await weighed(`${name}.dynamo`);
    expect(elementsOf(found, "parameter")).toBe(networks[name]?.parameters);
    expect(codes(found)).toEqual(["weight-copied"]);
  },
);

test("attention that a trace calls on one sequence and on two has its projection once", async () => {
  const found = await weighed("crossed.script");
  expect(elementsOf(found, "parameter")).toBe(networks.crossed?.parameters);
  expect(codes(found)).toEqual(["weight-repeated"]);
});

test("where a module has lost one too, which of two was stored twice is not known, and a note says so", async () => {
  const found = await weighed("turned_both.dynamo");
  expect(elementsOf(found, "parameter")).toBe((networks.turned_both?.parameters ?? 0) + 64);
  const note = found.imported.diagnostics.find(({ code }) => code === "weights-in-excess");
  expect(note?.args).toMatchObject({ lost: 2, tensors: 3, elements: 192 });
});

describe("a module that is called again has its weights once, however often they are stored", () => {
  const said: Readonly<Record<string, string>> = {
    repeated:
      "2 modules are called several times, and the exporter stored weights anew for a further call: 4 tensors (6144 elements)",
    sentences:
      "1 module is called several times, and the exporter stored weights anew for a further call: 3 tensors (5184 elements)",
    attention:
      "1 module is called several times, and the exporter stored weights anew for a further call: 1 tensor (1728 elements)",
  };
  test.each(Object.keys(said))("%s", async (name) => {
    const found = await weighed(`${name}.dynamo`);
    expect(elementsOf(found, "parameter")).toBe(networks[name]?.parameters);
    const note = found.report.diagnostics.find(({ code }) => code === "weight-repeated");
    expect(note?.message).toContain(said[name]);
    // The older one stores them once.
    const script = await weighed(`${name}.script`);
    expect([elementsOf(script, "parameter"), codes(script)]).toEqual([networks[name]?.parameters, []]);
  });
});

test("what a tool that optimises renamed was not computed when the network was traced", async () => {
  const [found] = await weighZipped("quantized", ["cnn-ort-all"]);
  expect(found && codes(found)).not.toContain("weights-worked-out");
});

test("the norm that a weight is divided by is not learned", async () => {
  const found = await weighed("normalized.script");
  expect(elementsOf(found, "parameter")).toBe(networks.normalized?.parameters);
});

test("vectors that are worked into something else before it is added are no biases", async () => {
  const found = await weighed("slopes.unfolded");
  expect(elementsOf(found, "parameter")).toBe(networks.slopes?.parameters);
  expect(codes(found)).toEqual(["class-ambiguous"]);
});

test("a matrix that a trace has under a name of its own may be a buffer", async () => {
  expect(codes(await weighed("projected.script"))).toEqual(["class-likely"]);
});
