import { describe, expect, test } from "vitest";
import { parseModuleStack } from "../../../importers/pytorch/module-stack.ts";
import { parseSymInt } from "../../../importers/pytorch/sym-int.ts";
import { formatDim } from "../../../src/ir/dim.ts";

describe("sizes", () => {
  const s = "Symbol('s77', positive=True, integer=True)";
  test.each([
    ["12", "12"],
    ["s0", "s0"],
    ["2*s0", "2*s0"],
    ["s0 - 1 + 3", "s0 + 2"],
    ["s0//2", "floor(s0/2)"],
    ["((s0 - 1)//2) + 1", "floor((s0 - 1)/2) + 1"],
    ["(4*s0)//2", "2*s0"],
    ["s0**2//s0", "s0"],
    [s, "s77"],
    [`Mul(Integer(24), ${s})`, "24*s77"],
    [`Add(${s}, Integer(-2))`, "s77 - 2"],
    [`Add(floor(Mul(Rational(1, 2), Add(${s}, Integer(-1)))), Integer(1))`, "floor((s77 - 1)/2) + 1"],
    [`FloorDiv(Mul(Integer(6), ${s}), Integer(3))`, "2*s77"],
    [`Max(Integer(1), ${s})`, "s77"],
    [`Mul(Pow(${s}, Integer(-1)), Mul(Integer(3), ${s}))`, "3"],
    [`CeilToInt(IntTrueDiv(Mul(Integer(4), ${s}), Integer(2)))`, "2*s77"],
  ])("%s", (text, expected) => expect(formatDim(parseSymInt(text))).toBe(expected));

  // s0/2 need not be whole; the others are nothing we know.
  test.each([
    "",
    "s0/2",
    "frobnicate(s0)",
    "s0 +",
    "(s0",
    "s0)",
    "1/0",
    "oo",
    "Symbol(",
    "99999999999999999999",
    "2**s0",
    "constructor(1)",
  ])("%s is unknown", (text) => expect(parseSymInt(text)).toBeNull());

  test("brackets without end", () => {
    expect(parseSymInt("(".repeat(4000))).toBeNull();
    expect(parseSymInt("-".repeat(4000))).toBeNull();
    expect(parseSymInt("s0+".repeat(1_000_000))).toBeNull();
  });
});

describe("modules", () => {
  test.each([
    ["L__self__,,a.Net;L__self___f,f,torch.nn.modules.conv.Conv2d", ["/Net", "f/Conv2d"]],
    ["L__self__act@1,act@1,torch.nn.ReLU", ["act/ReLU"]],
    ["L__self__:(,a.Net);L__self___f:(L['self'].f.0,torch.nn.Linear)", ["/Net", "f.0/Linear"]],
    ["k,getattr(L['self'].layer1, '0'),a.Block", ["layer1.0/Block"]],
    ["k,getattr(getattr(L['self'].layer1, '0').conv, '2'),a.Block", ["layer1.0.conv.2/Block"]],
    ["k,L['self'].a._modules['b'],m.make.<locals>.Inner", ["a.b/Inner"]],
    ["_empty_nn_module_stack_from_metadata_hook,_empty_nn_module_stack_from_metadata_hook,_e", []],
    ["", []],
  ])("%s", (text, expected) =>
    expect(parseModuleStack(text).map(({ path, type }) => `${path}/${type}`)).toEqual(expected),
  );
});
