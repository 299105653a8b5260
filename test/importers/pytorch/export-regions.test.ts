import { describe, expect, test } from "vitest";
import { placeBetween, placeRegions } from "../../../importers/pytorch/export-regions.ts";
import type { Layer, ModuleRef } from "../../../src/ir/graph.ts";

/** `f.0@1` for the second call of f.0, inside f. */
function modulesOf(text: string): readonly ModuleRef[] {
  return text.split(" ").flatMap((one) => {
    const [path = "", call] = one.split("@");
    return path === "" ? [] : [{ path, type: null, ...(call && { call: Number(call) }) }];
  });
}

function layer(
  modules: string,
  inside?: readonly string[],
): Omit<Layer, "modules"> & { modules?: readonly ModuleRef[] } {
  const layers = inside?.map((one) => layer(one) as Layer);
  return {
    name: "node",
    source: { dialect: "pytorch", type: layers ? "higher_order.wrap_with_autocast" : "aten.relu" },
    kind: "operation",
    operator: "Opaque",
    attributes: {},
    scope: "",
    trainable: null,
    weights: [],
    calls: [],
    ...(modules !== "" && { modules: modulesOf(modules) }),
    ...(layers && {
      subgraphs: [{ name: "body", graph: { topology: "functional", layers, inputs: [], outputs: [] } }],
    }),
  };
}

const shown = (layers: readonly { modules?: readonly ModuleRef[] }[]): readonly string[] =>
  layers.map(({ modules = [] }) =>
    modules.map(({ path, call }) => (call === undefined ? path : `${path}@${call}`)).join(" "),
  );

describe("nodes between those of modules", () => {
  test.each([
    [
      ["f f.0", "", "", "f f.2"],
      ["f f.0", "f", "f", "f f.2"],
    ],
    [
      ["f f.0", "", "f@1 f.0@1"],
      ["f f.0", "", "f@1 f.0@1"],
    ],
    [
      ["", "f f.0", ""],
      ["", "f f.0", ""],
    ],
    [
      ["a", "", "b", "", "b b.0", "", "b"],
      ["a", "", "b", "b", "b b.0", "b", "b"],
    ],
    [
      ["f f.0 f.0.1", "", "f", "f f.0 f.0.2"],
      ["f f.0 f.0.1", "f", "f", "f f.0 f.0.2"],
    ],
    [
      ["f f.0", "g", "f f.1"],
      ["f f.0", "g", "f f.1"],
    ],
  ])("%j", (before, after) => {
    const layers = before.map((one) => layer(one));
    placeBetween(layers);
    expect(shown(layers)).toEqual(after);
  });
});

describe("regions", () => {
  test("are in the modules of all their nodes that go on outside", () => {
    const layers = [layer("", ["a a.0", "a a.0 a.0.1"]), layer("a a.0"), layer("", ["b b.0"]), layer("c")];
    placeRegions(layers);
    expect(shown(layers)).toEqual(["a a.0", "a a.0", "", "c"]);
  });

  test("with nodes of another call stay where they are", () => {
    const layers = [layer("", ["a@1", "a"]), layer("a"), layer("b", ["a"])];
    placeRegions(layers);
    expect(shown(layers)).toEqual(["", "a", "b"]);
  });
});
