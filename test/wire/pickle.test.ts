import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { countedSource } from "../../src/io/counted.ts";
import { memorySource } from "../../src/io/memory.ts";
import { maxPickleStringBytes } from "../../src/limits/pickle.ts";
import { readPickle } from "../../src/wire/pickle.ts";
import { entriesOf, globalName, isRecord, type PickleValue } from "../../src/wire/pickle-value.ts";

interface Case {
  readonly name: string;
  readonly protocol: number;
  readonly pickle: string;
  readonly value: unknown;
}

/** Made by Python, which also says what they are: fixtures/build/pytorch/pickles.py. */
const cases: readonly Case[] = JSON.parse(
  readFileSync(join(import.meta.dirname, "../../fixtures/pickles/pickles.json"), "utf8"),
);

/** `text` has one byte a character. */
function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (c) => c.charCodeAt(0));
}

async function read(text: string): Promise<PickleValue> {
  return (await readPickle(memorySource(bytesOf(text)))).value;
}

describe("what Python pickles", () => {
  test.each(cases)("$name, protocol $protocol", async ({ pickle, protocol, value }) => {
    const bytes = Buffer.from(pickle, "base64");
    const source = memorySource(Buffer.concat([bytes, new Uint8Array(100)]));
    const found = await readPickle(source);
    expect(found.end).toBe(bytes.length);
    expect(found.protocol).toBe(protocol < 2 ? 0 : protocol);
    compare(found.value, value, new Map(), []);
  });
});

/** Holds a value against its description. Objects that Python would build by a call have no more than their class here. */
function compare(
  ours: PickleValue,
  theirs: unknown,
  seen: Map<PickleValue, number>,
  order: PickleValue[],
): void {
  if (theirs === null || typeof theirs !== "object") return void expect(ours).toBe(theirs);
  const [[kind, content]] = Object.entries(theirs) as [[string, unknown]];
  if (kind === "int") return void expect(String(ours)).toBe(content);
  if (kind === "float") return void expect(ours).toBe(fromHex(content as string));
  if (kind === "text")
    return void expect([...(ours as string)].map((c) => c.codePointAt(0))).toEqual(content);
  if (kind === "same") return void expect(ours).toBe(order[content as number]);
  if (!isRecord(ours)) throw new Error(`${String(ours)} for ${kind}`);
  if (kind === "bytes") {
    expect([ours.kind, "bytes" in ours && Buffer.from(ours.bytes ?? []).toString("hex")]).toEqual([
      kind,
      content,
    ]);
    return;
  }
  if (kind === "tuple" && (content as unknown[]).length === 0)
    return void expect(ours).toEqual({ kind, items: [] });
  order.push(ours);
  if (kind === "global") return void expect(nameOf(ours)).toBe((content as string[]).join("."));
  if (kind === "opaque") return void expect(ours.kind).toBe("object");
  if (kind === "bytearray")
    return void expect("bytes" in ours && Buffer.from(ours.bytes ?? []).toString("hex")).toBe(content);
  expect(ours.kind).toBe(kind);
  if (ours.kind === "dict") {
    expect(ours.keys.length).toBe((content as unknown[]).length);
    for (const [i, [key, value]] of (content as [unknown, unknown][]).entries()) {
      compare(ours.keys[i] ?? null, key, seen, order);
      compare(ours.values[i] ?? null, value, seen, order);
    }
  } else if ("items" in ours) {
    expect(ours.items.length).toBe((content as unknown[]).length);
    for (const [i, item] of (content as unknown[]).entries())
      compare(ours.items[i] ?? null, item, seen, order);
  }
}

/** Python 2 had other homes for what is built in. */
function nameOf(value: PickleValue): string | undefined {
  return globalName(value)?.replace(/^__builtin__\./, "builtins.");
}

function fromHex(text: string): number {
  if (!text.includes("0x")) return Number(text.replace("inf", "Infinity").replace("nan", "NaN"));
  const [, sign, whole, fraction, exponent] = /^(-?)0x(\d)\.([0-9a-f]+)p([+-]\d+)$/.exec(text) ?? [];
  const mantissa = Number.parseInt(`${whole}${fraction}`, 16) / 16 ** (fraction?.length ?? 0);
  return (sign ? -1 : 1) * mantissa * 2 ** Number(exponent);
}

describe("nothing is resolved or called", () => {
  test("a call is a record of it, in every form there is", async () => {
    const call = { kind: "object", states: [], items: [], keys: [], values: [] };
    const system = { kind: "global", module: "os", name: "system" };
    const args = { kind: "tuple", items: ["ls"] };
    expect(await read("cos\nsystem\n(S'ls'\ntR.")).toEqual({ ...call, callable: system, args });
    expect(await read("(S'ls'\nios\nsystem\n.")).toEqual({ ...call, callable: system, args });
    expect(await read("(cos\nsystem\nS'ls'\no.")).toEqual({ ...call, callable: system, args });
    expect(await read("\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x02ls\x85\x81.")).toEqual({
      ...call,
      callable: system,
      args,
    });
    expect(await read("cos\nsystem\n)}S'a'\nK\x01s\x92.")).toMatchObject({
      callable: system,
      kwargs: { keys: ["a"], values: [1] },
    });
  });

  test("state, items and keys stay with the record", async () => {
    const value = await read("cm\nC\n)RK\x01b}S'a'\nK\x02sbK\x03a(K\x04K\x05eS'k'\nK\x06s(S'l'\nK\x07u.");
    expect(value).toMatchObject({
      states: [1, { kind: "dict" }],
      items: [3, 4, 5],
      keys: ["k", "l"],
      values: [6, 7],
    });
  });

  test("every name is counted, with the byte of the first", async () => {
    const { imports } = await readPickle(
      memorySource(bytesOf("(cos\nsystem\ncos\nsystem\n\x82\x07c__builtin__\neval\nl.")),
    );
    expect(imports).toEqual([
      { name: "os.system", module: "os", count: 2, at: 1 },
      { name: "extension 7", module: "", count: 1, at: 23 },
      { name: "__builtin__.eval", module: "__builtin__", count: 1, at: 25 },
    ]);
  });

  test("a class in a class is its name by every protocol, and what is built into one", async () => {
    const block = { kind: "global", module: "m", name: "Net.Block" };
    const getattr = "cbuiltins\ngetattr\nq\x00(cm\nNet\nq\x01X\x05\x00\x00\x00BlocktR";
    const dotted = "\x8c\x01m\x8c\x09Net.Block\x93";
    const { value, imports } = await readPickle(memorySource(bytesOf(`\x80\x04(${getattr}${dotted}l.`)));
    expect(value).toEqual({ kind: "list", items: [block, block] });
    expect(imports).toEqual([
      { name: "builtins.getattr", module: "builtins", count: 1, at: 3, nested: true },
      { name: "m.Net", module: "m", count: 1, at: 24 },
      { name: "m.Net.Block", module: "m", count: 2, at: 44 },
    ]);
    expect(await read(`${getattr}0h\x00(h\x01X\x04\x00\x00\x00relutR.`)).toEqual({
      ...block,
      name: "Net.relu",
    });
    expect(await read(`${getattr}q\x020h\x00(h\x02X\x04\x00\x00\x00CoretR.`)).toEqual({
      ...block,
      name: "Net.Block.Core",
    });
  });

  test("persistent ids and extension codes are records", async () => {
    expect(await read("Pabc\n.")).toEqual({ kind: "persistent", id: "abc" });
    expect(await read("(K\x01K\x02tQ.")).toMatchObject({
      kind: "persistent",
      id: { kind: "tuple", items: [1, 2] },
    });
    expect(await read("\x84\xff\xff\xff\x7f.")).toEqual({ kind: "extension", code: 0x7fffffff });
    expect(await read("\x97\x98.")).toEqual({ kind: "buffer" });
  });
});

describe("values", () => {
  test("of equal keys the last counts, at the place of the first", async () => {
    const value = await read("(S'a'\nK\x01S'b'\nK\x02S'a'\nK\x03d.");
    if (!isRecord(value) || value.kind !== "dict") throw new Error("no dictionary");
    expect([...entriesOf(value)]).toEqual([
      ["a", 3],
      ["b", 2],
    ]);
  });

  test("strings of Python 2 and of protocol 0", async () => {
    expect(await read("U\x02\xc3\xa9.")).toBe("é");
    expect(await read("U\x01\xe9.")).toBe("é");
    expect(await read("S'a\\x41\\101\\n\\'\\\\'\n.")).toBe("aAA\n'\\");
    expect(await read("Va\\u0041\\U0001f600\n.")).toBe("aA😀");
    expect(await read("I01\n.")).toBe(true);
    expect(await read("L123L\n.")).toBe(123);
  });

  test("what is too long to keep is passed over unread", async () => {
    const length = maxPickleStringBytes * 8;
    const bytes = new Uint8Array(length + 6);
    bytes.set([0x42, ...new Uint8Array(new Uint32Array([length]).buffer)]);
    bytes[length + 5] = 0x2e;
    const source = countedSource(memorySource(bytes));
    const { value, end } = await readPickle(source);
    expect(value).toEqual({ kind: "bytes", at: 5, length });
    expect(end).toBe(bytes.length);
    expect(source.count.bytes).toBeLessThan(200_000);
  });

  test("a window may end anywhere", async () => {
    const { pickle } = cases.find(({ name, protocol }) => name === "texts" && protocol === 0) as Case;
    const padding = `(${"I1\n".repeat(21_845)}`;
    for (let shift = 0; shift < 40; shift++) {
      const text = `${padding}V${"x".repeat(shift)}\n${Buffer.from(pickle, "base64").toString("latin1")}`;
      const value = await read(`${text.slice(0, -1)}l.`);
      expect(isRecord(value) && "items" in value && value.items.length).toBe(21_847);
    }
  });
});

describe("what is no pickle", () => {
  const broken: readonly (readonly [why: string, text: string, message: RegExp])[] = [
    ["empty", "", /byte 0: it ends in the middle/],
    ["cut", "\x80\x02}q\x00X\x10\x00\x00\x00abc", /byte 5: it ends in the middle, the file has 13 bytes/],
    ["no end", "K\x01", /it ends in the middle/],
    ["line without end", "cos", /it ends in the middle/],
    ["unknown opcode", "\xff.", /byte 0: 0xff is no opcode/],
    ["newer protocol", "\x80\x06.", /protocol 6/],
    ["empty stack", ".", /nothing is left on the stack/],
    ["reduce of nothing", "R.", /nothing is left/],
    ["stack below the mark", "K\x01(R.", /nothing is left/],
    ["no mark", "t.", /there is no mark/],
    ["odd pairs", "(K\x01d.", /a key without a value/],
    ["memo", "h\x05.", /memo 5 was never set/],
    ["name that is no text", "\x80\x04K\x01K\x02\x93.", /a name to import that is no text/],
    ["name made by a call", "\x80\x04cos\ngetcwd\n)R\x8c\x01a\x93.", /a name to import that is no text/],
    ["state of a number", "K\x01}b.", /a state is handed to something that is no object/],
    ["append to a dict", "}K\x01a.", /no list or set/],
    ["keys in a list", "]K\x01K\x02s.", /no dictionary/],
    ["negative size", "T\xff\xff\xff\xff.", /a string of -1 bytes/],
    [
      "size beyond everything",
      "\x8e\xff\xff\xff\xff\xff\xff\xff\xff.",
      /a size of 18446744073709551615 bytes/,
    ],
    ["size beyond the file", "B\x00\x00\x00\x7f.", /bytes are promised up to byte 2130706437/],
    ["text", "X\x01\x00\x00\x00\xff.", /not UTF-8/],
    ["digits", "I1e5\n.", /a whole number that is none/],
    ["float", "F0x1\n.", /a number that is none/],
    ["quotes", "Sabc\n.", /a string without its quotes/],
    ["escape", "V\\Uffffffff\n.", /a character that is none/],
  ];
  test.each(broken)("%s", async (_, text, message) => {
    const error = await read(text).then(
      () => null,
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({ kind: "malformed-file", message: expect.stringMatching(message) });
  });

  test("caps are named", async () => {
    const cases: readonly (readonly [string, string])[] = [
      ["maxPickleIntegerBytes", "\x8b\x00\x00\x01\x00"],
      ["maxPickleIntegerBytes", `L${"9".repeat(20_000)}\n.`],
      ["maxPickleLineBytes", `c${"x".repeat(3_000_000)}`],
      ["maxPickleStack", "N".repeat(2_000_001)],
      ["maxPickleMarks", "(".repeat(100_001)],
      ["maxPickleObjects", "]0".repeat(4_000_001)],
      ["maxPickleOpcodes", "N0".repeat(10_000_001)],
      ["maxPickleNameLength", `c${"m".repeat(1025)}\nC\n.`],
      ["maxPickleNameLength", `(im\n${"C".repeat(1025)}\n.`],
      ["maxPickleNames", Array.from({ length: 100_001 }, (_, i) => `cm\nC${i}\n0`).join("")],
    ];
    for (const [limit, text] of cases)
      await expect(read(text), limit).rejects.toMatchObject({ kind: "limit-exceeded", limit });
  });

  test("doubling references cost no more than their bytes", async () => {
    const value = await read(`(tp0\n${"g0\ng0\n\x86p0\n".repeat(10_000)}.`);
    expect(isRecord(value) && value.kind).toBe("tuple");
  });
});

test("memos out of order are counted as Python counts them", async () => {
  // 5 is set, then 0; what is memoized next is number 2, and then 3.
  const text = "\x80\x04K\x07q\x050K\x08q\x000K\x09\x940K\x0a\x940(h\x05h\x00h\x02h\x03l.";
  const { value } = await readPickle(memorySource(Uint8Array.from(text, (c) => c.charCodeAt(0))));
  expect(value).toEqual({ kind: "list", items: [7, 8, 9, 10] });
  // 1 before 0, and then both again.
  const again = "\x80\x04K\x07q\x010K\x08q\x000K\x09q\x010K\x0a\x940(h\x00h\x01h\x02l.";
  const read = await readPickle(memorySource(Uint8Array.from(again, (c) => c.charCodeAt(0))));
  expect(read.value).toEqual({ kind: "list", items: [8, 9, 10] });
});
