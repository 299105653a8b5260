import { describe, expect, test } from "vitest";
import { LimitExceededError } from "../../src/errors.ts";
import { memorySource } from "../../src/io/memory.ts";
import { getKey, type JsonValue, parseJson } from "../../src/wire/json.ts";
import { parseSharedJson, readSharedJson, type SharedJson } from "../../src/wire/json-shared.ts";
import { cpuMilliseconds } from "../cpu-time.ts";

const keys = { texts: ["trace", "stack"], tables: ["types"] };
const parse = (text: string): SharedJson => parseSharedJson(text, keys);

/** The whole value again, through what a reader asks for; a text of `trace` is one that nobody has to ask for. */
function whole({ json, textAt, memberAt }: SharedJson, text: string): unknown {
  const expand = (value: JsonValue, plain: JsonValue | undefined): unknown => {
    if (Array.isArray(value)) return value.map((item, i) => expand(item, (plain as JsonValue[])[i]));
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => {
        const meant = getKey(plain, key);
        if (keys.texts.includes(key)) return [key, textAt(value, key)];
        if (!keys.tables.includes(key)) return [key, expand(item, meant)];
        const names = Object.keys(meant as object);
        return [key, Object.fromEntries(names.map((name) => [name, memberAt(value, key, name)]))];
      }),
    );
  };
  return expand(json, parseJson(text));
}

/** Whether values were shared at all: numbers stand for them. */
const isShared = ({ json }: SharedJson): boolean => /"(trace|stack|types)":\d/.test(JSON.stringify(json));

describe("shared values", () => {
  test.each([
    '{"trace": "a \\"b\\" \\\\", "stack": "x"}',
    '[{"trace":"a"},{"trace":"a"},{"trace":"b"},{"trace":"a"},{"trace":"b"},{"trace":"ab"},{"trace":""}]',
    '{"stack" \n:\t"x" , "types":\r{ "p" : {"n": [1, "}\\"{"]} , "q" :{"n": [1, "}\\"{"]}, "": {} } }',
    '{"types": {}, "inner": {"types": {"p": {"types": {"q": {"stack": 3}}}}}}',
    '{"types": {"p": {"a": 1}, "p": {"a": 2}}, "stack": "x", "stack": "y"}',
    '{"types": {"a\\nb": {"a": 1}, "__proto__": {"b": 1}}}',
    // No key: what is in a text, and a text that is a value.
    '{"a": "\\"stack\\": \\"x\\"", "b": "stack", "c": ["trace", "types"], "stack": "\\"stack\\": 1"}',
    '{"a\\\\": "\\\\", "stack": "ends with \\\\"}',
    '\ufeff{"stack": "x"}',
    '{"stack": "schön", "types": {"ü": {"é": "😀"}}}',
  ])("give what the text gives: %s", async (text) => {
    const parsed = await readSharedJson(memorySource(new TextEncoder().encode(text)), keys);
    expect(isShared(parsed)).toBe(true);
    expect(whole(parsed, text)).toEqual(parseJson(text));
  });

  test.each([
    '{"stack": 7, "trace": "x"}',
    '{"stack": "x", "trace": null}',
    '{"trace": "x", "types": 0}',
    '{"trace": "x", "types": {"p": 0}}',
    '{"trace": "x", "types": ["p"]}',
    // One of the keys, or none, written with escapes.
    '{"trace": "x", "st\\u0061ck": 0}',
    '{"trace": "x", "types": {"p": {"a": NaN}}}',
    '{"trace": "x", "a": Infinity}',
  ])("are left alone where one is something else: %s", (text) => {
    const parsed = parse(text);
    expect(parsed.json).toEqual(parseJson(text));
    for (const key of keys.texts) expect(parsed.textAt(parsed.json, key)).toBe(getKey(parsed.json, key));
    const member = getKey(getKey(parsed.json, "types"), "p");
    expect(parsed.memberAt(parsed.json, "types", "p")).toBe(member);
  });

  test("are read once", () => {
    const { json, memberAt } = parse('{"types": {"p": {"a": 1}, "q": {"a": 1}, "r": {"a": 2}}}');
    expect(memberAt(json, "types", "p")).toBe(memberAt(json, "types", "q"));
    expect(memberAt(json, "types", "r")).toEqual({ a: 2 });
    expect(memberAt(json, "types", "s")).toBeUndefined();
    expect(memberAt(json, "types", "toString")).toBeUndefined();
    expect(memberAt({}, "types", "p")).toBeUndefined();
  });

  test.each([
    '{"a": 1, "trace": "File \\"x',
    '{"trace": "x\\"',
    '{"trace": "x',
    '{"trace": "a\nb"}',
    '{"trace": "\\x"}',
    '{"trace": "x"',
    '{"trace": "x", }',
    '{"trace": "x"} {"trace": "x"}',
    '{"trace" "x"}',
    '"\\"trace": "x"',
    '{"types": {"p": {"a": 1}',
    '{"types": {"p": {"a": 1},}}',
    '{"types": {"p": {"a": 1}  "q": {}}}',
    '{"types": {"p" {}}}',
    '{"types": {"p": {"a": [1}]}}',
    '{"types": {"p": {]}, "q": {[}}',
    '{"types": {"p": {"a"',
    '{"types": {"a\nb": {}}}',
    '{"types": {"\\x": {}}}',
    '{"types": {p: {}}}',
    '{"trace": "x", "a": tru}',
  ])("are refused as ever in %j", (text) => {
    const error = (work: () => unknown): unknown => {
      try {
        return work();
      } catch (thrown) {
        return thrown;
      }
    };
    const expected = error(() => parseJson(text, { file: "f", at: "entry" }));
    expect(expected).toMatchObject({ kind: "malformed-file" });
    expect(error(() => parseSharedJson(text, keys, { file: "f", at: "entry" }))).toEqual(expected);
  });

  test.each(['{"trace":"x",', '"trace" ', '{"types":{"a":', '{"types":{"a":{}},"b":', '\\\\"stack'])(
    "a bomb of %j ends at once",
    (unit) => {
      const start = cpuMilliseconds();
      expect(() => parse(unit.repeat(1_000_000))).toThrow();
      expect(cpuMilliseconds() - start).toBeLessThan(4000);
    },
  );

  test("count, and nest, as the text says", async () => {
    const deep = `{"types": {"p": {"a": ${"[".repeat(1001)}${"]".repeat(1001)}}}}`;
    expect(() => parse(deep)).toThrow(/deeper than 1000 levels at character 1019/);
    const many = `{"types": {"p": {"a": [${"0,".repeat(3e6)}0]}}, "b": [${"0,".repeat(3e6)}0]}`;
    expect(() => parse(many)).toThrow(/6\d+ values of JSON, the limit is 5000000/);
    const source = { ...memorySource(new Uint8Array()), size: 2 ** 40 };
    await expect(readSharedJson(source, keys)).rejects.toThrow(LimitExceededError);
  });
});
