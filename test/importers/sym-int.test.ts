import { describe, expect, test } from "vitest";
import { parseSymInt } from "../../importers/sym-int.ts";
import { formatDim } from "../../src/ir/dim.ts";

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
    ["Max(1, s0)", "s0"],
    ["Symbol('u0', integer=True) + 3", "u0 + 3"],
    ["Max(1, Symbol('u0', positive=True, integer=True))", "u0"],
    [`Mul(Pow(${s}, Integer(-1)), Mul(Integer(3), ${s}))`, "3"],
    ["TruncToInt(0.5*ToFloat(h))", "floor(h/2)"],
    ["TruncToInt(1.25*ToFloat(h))", "h + floor(h/4)"],
    [`TruncToInt(Mul(Float('1.5', precision=53), ToFloat(${s})))`, "s77 + floor(s77/2)"],
    [`CeilToInt(IntTrueDiv(Mul(Integer(4), ${s}), Integer(2)))`, "2*s77"],
  ])("%s", (text, expected) => expect(formatDim(parseSymInt(text))).toBe(expected));

  // What values decide may be 0. s0/2 need not be whole; a tenth is rounded before it is multiplied; the others are nothing we know.
  test.each([
    "Max(1, u0)",
    "Min(Integer(1), Symbol('u0', integer=True))",
    "",
    "s0/2",
    "0.1*s0",
    "TruncToInt(0.1*ToFloat(s0))",
    "TruncToInt(Mul(Float('1.3', precision=53), ToFloat(s0)))",
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
