import { describe, expect, test } from "vitest";
import {
  joinValues,
  parseBatch,
  parseConvention,
  parseDepth,
  parseDim,
  parseGroup,
  parseLayerRange,
  parseLineLength,
  parsePositions,
  parseStyle,
} from "../../src/cli/arguments.ts";

describe("joinValues", () => {
  test.each([
    [
      ["--layer-range", "a", "b", "m.h5"],
      ['--layer-range=["a","b"]', "m.h5"],
    ],
    [
      ["--layer-range=a", "b", "m.h5"],
      ['--layer-range=["a","b"]', "m.h5"],
    ],
    [
      ["m.h5", "--layer-range", "-a", "b c"],
      ["m.h5", '--layer-range=["-a","b c"]'],
    ],
    [
      ["--positions", ".3,.6,1", "m.h5"],
      ["--positions=.3,.6,1", "m.h5"],
    ],
    [
      ["--positions", ".3", ".6", "1.", "m.h5"],
      ["--positions=.3,.6,1.", "m.h5"],
    ],
    [
      ["--positions=.3", ".6,", "1", "--json"],
      ["--positions=.3,.6,,1", "--json"],
    ],
    [
      ["--positions", "abc", "m.h5"],
      ["--positions=abc", "m.h5"],
    ],
    [
      ["m.h5", "--positions"],
      ["m.h5", "--positions="],
    ],
    [
      ["--", "--layer-range"],
      ["--", "--layer-range"],
    ],
    [
      ["--style=keras2", "m.h5"],
      ["--style=keras2", "m.h5"],
    ],
  ])("%j becomes %j", (argv, joined) => {
    expect(joinValues(argv)).toEqual(joined);
  });

  test.each([[["--layer-range"]], [["--layer-range", "a"]], [["--layer-range", "a", "--json", "m.h5"]]])(
    "%j lacks a name",
    (argv) => {
      expect(() => joinValues(argv)).toThrow("takes two layer names");
    },
  );
});

test.each([
  [".45,.85,1", [0.45, 0.85, 1]],
  ["[.3, .6, 1.]", [0.3, 0.6, 1]],
  ["(29,55,65)", [29, 55, 65]],
  [".3,.6,,1", [0.3, 0.6, 1]],
])("positions %s", (text, positions) => {
  expect(parsePositions(text)).toEqual(positions);
});

test.each(["", "abc", ".3,x", "1,Infinity", "[]"])("no positions: %j", (text) => {
  expect(() => parsePositions(text)).toThrow("--positions is");
});

test("line length", () => {
  expect(parseLineLength("100")).toBe(100);
  for (const text of ["", "0", "-1", "1e2", "10.5", "x"])
    expect(() => parseLineLength(text)).toThrow("--line-length");
});

test("style", () => {
  expect(parseStyle("keras2.7")).toBe("keras2.7");
  expect(() => parseStyle("keras")).toThrow("give one of keras3,");
});

test("layer range", () => {
  expect(parseLayerRange('["a","b"]')).toEqual(["a", "b"]);
});

test("sizes are whole numbers from 1, each name has one", () => {
  expect(parseBatch("16")).toBe(16);
  expect(parseDim("seq=128", parseDim("a=b=2"))).toEqual({ "a=b": 2, seq: 128 });
  expect(Object.keys(parseDim("__proto__=3"))).toEqual(["__proto__"]);
  for (const text of ["0", "-1", "1.5", "x", "", "99999999999999999999"]) {
    expect(() => parseBatch(text)).toThrow("--batch");
    expect(() => parseDim(`n=${text}`)).toThrow("--dim");
  }
  expect(() => parseDim("=4")).toThrow("--dim");
  expect(() => parseDim("n=2", { n: 1 })).toThrow("two sizes");
});

test("a group is of modules, a depth counts from 1", () => {
  expect([parseGroup("module"), parseDepth("2")]).toEqual(["module", 2]);
  expect(() => parseGroup("class")).toThrow("--group module");
  for (const text of ["0", "-1", "all", ""]) expect(() => parseDepth(text)).toThrow("--depth");
});

test("a convention is one of those there are", () => {
  expect(parseConvention("pytorch")).toBe("pytorch");
  expect(() => parseConvention("torch")).toThrow('--convention is "torch": give keras or pytorch');
});
