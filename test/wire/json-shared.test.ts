import { describe, expect, test } from "vitest";
import { LimitExceededError } from "../../src/errors.ts";
import { memorySource } from "../../src/io/memory.ts";
import { getKey, type JsonValue, parseJson } from "../../src/wire/json.ts";
import {
  type Element,
  type Elements,
  parseSharedJson,
  readSharedJson,
  type SharedJson,
  type SharedKeys,
  textIn,
} from "../../src/wire/json-shared.ts";
import { cpuMilliseconds } from "../cpu-time.ts";

const keys: SharedKeys = {
  lists: ["nodes"],
  tables: ["types"],
  texts: ["stack"],
  lastTexts: ["name"],
  unread: ["trace"],
};
const parse = (text: string): SharedJson => parseSharedJson(text, keys);

function listOf(elements: Elements | null): readonly Element[] | null {
  return elements && Array.from({ length: elements.length }, (_, i) => elements.at(i));
}

/** The whole value again, through what a reader asks for; texts that nobody asks for are those of the plain value. */
function whole(shared: SharedJson, text: string): unknown {
  const expand = (value: JsonValue, plain: JsonValue | undefined, node: Element): unknown => {
    if (Array.isArray(value)) return value.map((item, i) => expand(item, (plain as JsonValue[])[i], node));
    if (value === null || typeof value !== "object") return value;
    const member = ([key, item]: [string, JsonValue]): [string, unknown] => {
      const meant = getKey(plain, key);
      if (keys.lists.includes(key))
        return [
          key,
          listOf(shared.elementsAt(value, key))?.map((one, i) =>
            expand(one.pattern, (meant as JsonValue[])[i], one),
          ),
        ];
      if (keys.tables.includes(key)) {
        const names = Object.keys(meant as object);
        return [key, Object.fromEntries(names.map((name) => [name, shared.tableAt(value, key)?.get(name)]))];
      }
      if (keys.unread.includes(key)) return [key, meant];
      const isText = node.pattern !== null && [...keys.texts, ...keys.lastTexts].includes(key);
      return [
        key,
        isText && (item === null || typeof item !== "object")
          ? textIn(node, item)
          : expand(item, meant, node),
      ];
    };
    return Object.fromEntries(Object.entries(value).map(member));
  };
  return expand(shared.json, parseJson(text), { pattern: null, texts: [] });
}

/** Whether values were shared at all: numbers stand for them. */
const isShared = ({ json }: SharedJson): boolean => /"(nodes|types)":\d/.test(JSON.stringify(json));

describe("shared values", () => {
  test.each([
    '{"nodes": [{"trace": "a \\"b\\" \\\\", "stack": "x"}]}',
    '{"nodes": [{"stack":"a"},{"stack":"a"},{"stack":"b"},{"stack":"a"},{"stack":"b"},{"stack":"ab"},{"stack":""}]}',
    '{"nodes" \n:\t[ {"stack" : "x"} ,\r{"stack" : "y"} ] , "types":\r{ "p" : {"n": [1, "}\\"{"]} , "q" :{"n": [1, "}\\"{"]}, "": {} } }',
    '{"nodes": [], "types": {}, "inner": {"types": {"p": {"a": 1}}, "nodes": [{}]}}',
    // A name is a part of what is alike, unless it is the last of its object.
    '{"nodes": [{"in": [{"name": "x", "arg": {"name": "a"}}]}, {"in": [{"name": "y", "arg": {"name": "a"}}]}, {"in": [{"name": "x", "arg": {"name": "b" }}]}]}',
    '{"nodes": [{"name": "a", "name": "b"}, {"name": null}, {"name": {"name": "a"}}, {"trace": null}]}',
    // Alike one after another, in turns, and again after others.
    `{"nodes": [${"abcabdabcaabbbccd"
      .split("")
      .map((letter) => `{"${letter}": {"name": "${letter}${letter}"}, "trace": "${letter}", "stack": "s"}`)
      .join(", ")}]}`,
    `{"nodes": [${Array.from({ length: 50 }, (_, i) => `{"k${i % 20}": 0, "stack": "s${i % 7}", "trace": "${i}"}`)}]}`,
    // Graphs in nodes have nodes and types of their own.
    '{"nodes": [{"name": "a"}, {"name": "b", "g": {"name": "c", "nodes": [{"name": "d"}, {"name": "e"}], "types": {"p": {"a": 1}}}}, {"name": "f"}]}',
    '{"nodes": [{"nodes": [{"nodes": [{"stack": "x"}]}, {"stack": "y"}]}], "types": {}}',
    '{"types": {"p": {"a": 1}, "p": {"a": 2}}, "nodes": [{"stack": "x", "stack": "y"}]}',
    '{"types": {"a\\nb": {"a": 1}, "__proto__": {"b": 1}}, "nodes": [{"__proto__": {"name": "x"}}]}',
    // No key: what is in a text, and a text that is a value.
    '{"a": "\\"nodes\\": [{}]", "b": "nodes", "c": ["types", "nodes"], "types": {}, "nodes": [{"a": "\\"stack\\": 1", "b": "stack"}]}',
    '{"nodes": [{"a\\\\": "\\\\", "stack": "ends with \\\\"}]}',
    '\ufeff{"nodes": [{"stack": "x"}]}',
    '{"nodes": [{"stack": "schön"}, {"stack": "sch\\u00f6n"}, {"name": "\\u00f6"}], "types": {"ü": {"é": "😀"}}}',
    // Outside of lists, texts are as ever.
    '{"stack": 7, "name": 8, "trace": null, "types": {"p": {"stack": 3}}}',
  ])("give what the text gives: %s", async (text) => {
    const parsed = await readSharedJson(memorySource(new TextEncoder().encode(text)), keys);
    expect(isShared(parsed)).toBe(true);
    expect(whole(parsed, text)).toEqual(parseJson(text));
  });

  test.each([
    '{"nodes": [{"stack": 7, "trace": "x"}]}',
    '{"nodes": [{"name": 0}]}',
    '{"nodes": [{"name": -1, "a": 0}]}',
    '{"nodes": {"a": 1}}',
    '{"nodes": [1]}',
    '{"nodes": [{}, [{}]]}',
    '{"nodes": [{"nodes": 1}]}',
    '{"nodes": [{"stack": "x"}], "types": 0}',
    '{"types": {"p": 0}}',
    '{"types": ["p"]}',
    // One of the keys, or none, written with escapes.
    '{"nodes": [], "typ\\u0065s": 0}',
    '{"nodes": [{"n\\u0061me": 0, "stack": "x"}]}',
    '{"types": {"p": {"a": NaN}}}',
    '{"nodes": [{"a": NaN}]}',
    '{"types": {}, "a": Infinity}',
  ])("are left alone where one is something else: %s", (text) => {
    const parsed = parse(text);
    expect(parsed.json).toEqual(parseJson(text));
    const nodes = getKey(parsed.json, "nodes");
    const elements = Array.isArray(nodes) ? nodes.map((pattern) => ({ pattern, texts: [] })) : null;
    expect(listOf(parsed.elementsAt(parsed.json, "nodes"))).toEqual(elements);
    const member = getKey(getKey(parsed.json, "types"), "p");
    expect(parsed.tableAt(parsed.json, "types")?.get("p")).toBe(member);
  });

  test("of alike objects are one pattern", () => {
    const shared = parse(
      '{"nodes": [{"a": 1, "in": {"name": "x"}, "trace": "t"}, {"a": 2, "in": {"name": "x"}, "trace": "t"}, {"a": 1, "in": {"name": "y"}, "trace": "u"}]}',
    );
    const [first, second, third] = listOf(shared.elementsAt(shared.json, "nodes")) ?? [];
    expect(third?.pattern).toBe(first?.pattern);
    expect(second?.pattern).not.toBe(first?.pattern);
    expect([first?.texts, second?.texts, third?.texts]).toEqual([["x"], ["x"], ["y"]]);
    expect(shared.elementsAt({}, "nodes")).toBeNull();
  });

  test("are read once", () => {
    const { json, tableAt } = parse('{"types": {"p": {"a": 1}, "q": {"a": 1}, "r": {"a": 2}}}');
    expect(tableAt(json, "types")?.get("p")).toBe(tableAt(json, "types")?.get("q"));
    expect(tableAt(json, "types")?.get("r")).toEqual({ a: 2 });
    expect(tableAt(json, "types")?.get("s")).toBeUndefined();
    expect(tableAt(json, "types")?.get("toString")).toBeUndefined();
    expect(tableAt({}, "types")).toBeNull();
  });

  test.each([
    '{"nodes": [{"a": 1, "trace": "File \\"x',
    '{"nodes": [{"trace": "x\\"',
    '{"nodes": [{"trace": "x',
    '{"nodes": [{"trace": "a\nb"}]}',
    '{"nodes": [{"trace": "\\x"}]}',
    '{"nodes": [{"stack": "a\nb"}]}',
    '{"nodes": [{"name": "\\x"}]}',
    '{"nodes": [{"name": "x"}, {"name": "a\nb"}]}',
    '{"nodes": [{"name": "x"}, {"name": "\\x"}]}',
    '{"nodes": [{"name": "x"}, {"name": "x"]}',
    '{"nodes": [{"name": "x"} {"name": "x"}]}',
    '{"nodes": [{"name": "x"},]}',
    '{"nodes": [{"name": "x",}]}',
    '{"nodes": [{"name": "x"}',
    '{"nodes": [{"trace": "x"}], }',
    '{"nodes": []} {"nodes": []}',
    '{"nodes": [{"trace" "x"}]}',
    '{"nodes": [{"trace": "x" "stack": "y"}]}',
    '{"nodes": [{"a": [1}]}',
    '{"nodes": [{"a": [1}}]}',
    '"\\"nodes": []',
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
    '{"types": {}, "a": tru}',
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

  test.each([
    '{"trace":"x",',
    '{"nodes":[{"trace":"x"},',
    '"nodes" ',
    '{"nodes":[{"nodes":',
    '{"nodes":[{"a":"nodes',
    '{"types":{"a":',
    '{"types":{"a":{}},"b":',
    '\\\\"nodes',
  ])("a bomb of %j ends at once", (unit) => {
    const start = cpuMilliseconds();
    expect(() => parse(unit.repeat(1_000_000))).toThrow();
    expect(cpuMilliseconds() - start).toBeLessThan(4000);
  });

  test("count, and nest, as the text says", async () => {
    const deep = `{"types": {"p": {"a": ${"[".repeat(1001)}${"]".repeat(1001)}}}}`;
    expect(() => parse(deep)).toThrow(/deeper than 1000 levels at character 1019/);
    const many = `{"types": {"p": {"a": [${"0,".repeat(3e6)}0]}}, "b": [${"0,".repeat(3e6)}0]}`;
    expect(() => parse(many)).toThrow(/6\d+ values of JSON, the limit is 5000000/);
    const alike = `{"nodes": [${'{"a": [0,0,0], "name": "x"},'.repeat(1e6)}{}]}`;
    expect(() => parse(alike)).toThrow(/\d+ values of JSON, the limit is 5000000/);
    const source = { ...memorySource(new Uint8Array()), size: 2 ** 40 };
    await expect(readSharedJson(source, keys)).rejects.toThrow(LimitExceededError);
  });
});
