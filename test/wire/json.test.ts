import { describe, expect, test } from "vitest";
import { LimitExceededError, MalformedFileError } from "../../src/errors.ts";
import { getKey, parseJson } from "../../src/wire/json.ts";
import { cpuMilliseconds } from "../cpu-time.ts";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("parseJson", () => {
  test.each([
    ['{"a": [1, -2.5e3, true, false, null, "x"]}', { a: [1, -2500, true, false, null, "x"] }],
    ['"\\u00fc\\n\\ud83d\\ude00"', "ü\n😀"],
    [" \n\t[ ] ", []],
    ["{}", {}],
    ["18446744073709551616", 2 ** 64],
    ["1e999", Number.POSITIVE_INFINITY],
    ['{"a": 1, "a": 2}', { a: 2 }],
    ['\ufeff{"a": 1}', { a: 1 }],
  ])("%s", (text, value) => {
    expect(parseJson(text)).toEqual(value);
    expect(parseJson(utf8(text))).toEqual(value);
  });

  test("takes what Python's json.dumps writes for NaN and infinity", () => {
    expect(
      parseJson('{"a": NaN, "b": [Infinity, -Infinity, 1, {"c": []}], "d": "NaN, \\"Infinity\\""}'),
    ).toEqual({
      a: Number.NaN,
      b: [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1, { c: [] }],
      d: 'NaN, "Infinity"',
    });
    expect(parseJson("NaN")).toBeNaN();
  });

  test("both parsers agree on everything that has no NaN", () => {
    const value = { a: [1, [2, { b: ['x\\"]', {}] }], -0.5e-7], "": [[], {}, ""], __proto__x: null };
    const [plain] = parseJson(`[${JSON.stringify(value)}, 0]`) as unknown[];
    const [lenient] = parseJson(`[${JSON.stringify(value, null, 2)}, NaN]`) as unknown[];
    expect(plain).toEqual(value);
    expect(lenient).toEqual(value);
  });

  test.each(["", ", NaN"])("__proto__ is a key like any other (%j)", (rest) => {
    const [value] = parseJson(`[{"__proto__": {"polluted": 1}, "constructor": 2} ${rest}]`) as [object];
    expect(Object.keys(value)).toEqual(["__proto__", "constructor"]);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    expect(getKey(value as never, "__proto__")).toEqual({ polluted: 1 });
    expect(getKey(value as never, "toString")).toBeUndefined();
  });

  test.each([
    ["", 0, "$"],
    ["{", 1, "$"],
    ['{"a": [1, 2,, 3]}', 12, "$.a[2]"],
    ['{"a": {"b": tru}}', 12, "$.a.b"],
    ['{"a" 1}', 5, "$.a"],
    ["{'a': 1}", 1, "$"],
    ['["abc', 1, "$[0]"],
    ['["a\nb"]', 1, "$[0]"],
    ['["\\x"]', 1, "$[0]"],
    ["[1] x", 4, "$"],
    ["[1 2]", 3, "$[1]"],
    ["[01]", 2, "$[1]"],
    ["[nan]", 1, "$[0]"],
    ["[-]", 1, "$[0]"],
    ["]", 0, "$"],
  ])("says where %j is wrong", (text, offset, path) => {
    const parse = (): unknown => parseJson(text, { file: "m.keras", at: "config.json" });
    expect(parse).toThrow(MalformedFileError);
    expect(parse).toThrow(`m.keras: config.json: not valid JSON at character ${offset} (${path})`);
  });

  test("bytes that are not UTF-8", () => {
    expect(() => parseJson(Uint8Array.of(0x22, 0xff, 0x22))).toThrow(/not UTF-8/);
    expect(() => parseJson(Uint8Array.of(0xff, 0xfe, 0x7b, 0))).toThrow(/UTF-16/);
  });

  test("size and depth are checked before parsing", () => {
    expect(() => parseJson("[1,2,3]", { maxBytes: 6 })).toThrow(LimitExceededError);
    expect(() => parseJson("[[[1]]]", { maxDepth: 2 })).toThrow(LimitExceededError);
    expect(parseJson('[["[[[{{{"]]', { maxDepth: 2 })).toEqual([["[[[{{{"]]);
    expect(parseJson('["\\\\",["\\"["]]', { maxDepth: 2 })).toEqual(["\\", ['"[']]);
  });

  test.each(["[", '{"a":', '[{"a":['])("a bomb of %j ends at once", (unit) => {
    const start = cpuMilliseconds();
    expect(() => parseJson(unit.repeat(5_000_000))).toThrow(LimitExceededError);
    expect(cpuMilliseconds() - start).toBeLessThan(4000);
  });

  test("a long flat text with a NaN is no problem", () => {
    const value = parseJson(`[${"1,".repeat(200_000)}NaN]`) as number[];
    expect(value.length).toBe(200_001);
  });

  test("many quotes and backslashes stay linear", () => {
    const start = cpuMilliseconds();
    expect(() => parseJson(`["${"\\\\".repeat(500_000)}`)).toThrow(MalformedFileError);
    expect(() => parseJson(`[${'"\\"",'.repeat(300_000)}x]`)).toThrow(MalformedFileError);
    expect(cpuMilliseconds() - start).toBeLessThan(5000);
  });
});
