/** Odd forms that the pickle machine has opcodes for: read as data, told, or refused with a typed error. */

import { deflateRawSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import type { Report } from "../../src/report/report.ts";
import { buildZip } from "../wire/zip-builder.ts";
import { random, readable, said, survive, unreadable } from "./survive.ts";

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (c) => c.charCodeAt(0));
}

function archive(pickle: string, records: Readonly<Record<string, Uint8Array>> = {}): Uint8Array {
  const parts = { "a/data.pkl": bytesOf(pickle), ...records };
  return buildZip(Object.entries(parts).map(([name, data]) => ({ name, data })));
}

function globals(report: Report): string[] {
  return (report.globals ?? []).map(({ name, suspicious }) => `${suspicious ? "!" : ""}${name}`);
}

const text = (name: string): string => `X${String.fromCharCode(name.length)}\0\0\0${name}`;
const tensorOn = (id: string): string =>
  `ctorch._utils\n_rebuild_tensor_v2\n(${id}K\0(K\x02K\x03t(K\x03K\x01t\x89)tR`;
const storage = `(${text("storage")}ctorch\nFloatStorage\n${text("0")}${text("cpu")}K\x06tQ`;
const bytes24 = { "a/data/0": new Uint8Array(24) };

describe("names that are numbers", () => {
  test.each([
    ["one byte", "\x82\x07)R.", "!extension 7"],
    ["two bytes", "\x83\x34\x12)R.", "!extension 4660"],
    ["four bytes", "\x84\x01\0\0\x01)R.", "!extension 16777217"],
    ["below zero", "\x84\xff\xff\xff\xff)R.", "!extension -1"],
    ["as a class", "\x82\x01)\x81}b.", "!extension 1"],
    ["in a tuple that nothing uses", "\x83\x01\x000K\x01.", "!extension 1"],
  ])("%s", async (_, pickle, name) => {
    expect(globals(await readable(archive(`\x80\x02${pickle}`)))).toEqual([name]);
  });
});

describe("names that are looked up in odd ways", () => {
  test.each([
    [
      "parts from a tuple's memo",
      "\x80\x04\x8c\x05posix\x94\x8c\x06system\x94\x86\x940h\x00h\x01\x93.",
      "!posix.system",
    ],
    ["a text of protocol 0", "\x80\x04Vos\nVsystem\n\x93.", "!os.system"],
    ["a text with escapes", "\x80\x04V\\u006fs\nVsys\\u0074em\n\x93.", "!os.system"],
    ["a string of Python 2", "\x80\x04U\x02osU\x06system\x93.", "!os.system"],
    ["a long text", "\x80\x04\x8d\x02\0\0\0\0\0\0\0os\x8c\x06system\x93.", "!os.system"],
    ["twice", "\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x02os\x8c\x05popen\x93\x86.", "!os.system !os.popen"],
    ["keyword arguments of a class", "\x80\x04cos\nsystem\n)}\x8c\x01aK\x01s\x92.", "!os.system"],
    ["the class of an instance", "\x80\x02(ipty\nspawn\n.", "!pty.spawn"],
    [
      "reduce of reduce of reduce",
      "\x80\x02cbuiltins\ngetattr\n(cbuiltins\ngetattr\n)RtR)R.",
      "!builtins.getattr",
    ],
  ])("%s", async (_, pickle, names) => {
    const report = await readable(archive(pickle));
    expect(globals(report).sort()).toEqual(names.split(" ").sort());
  });

  test.each([
    ["a number", "\x80\x04K\x01\x8c\x06system\x93."],
    ["a tuple", "\x80\x04)\x8c\x06system\x93."],
    ["nothing", "\x80\x04\x93."],
    ["bytes", "\x80\x04C\x02osC\x06system\x93."],
    ["a mark", "\x80\x04(\x8c\x06system\x93."],
  ])("a module that is %s", async (_, pickle) => {
    expect((await unreadable(archive(pickle))).kind).toBe("malformed-file");
  });
});

describe("persistent ids that no PyTorch writes", () => {
  const parts = (kind: string, key: string, count: string): string =>
    `(${text("storage")}${kind}${key}${text("cpu")}${count}tQ`;
  const float = "ctorch\nFloatStorage\n";
  test.each([
    ["a number", "K\x05Q"],
    ["a text", "Pstorage 0\n"],
    ["an empty tuple", ")Q"],
    ["a dictionary", "}Q"],
    ["another persistent id", `${storage}Q`],
    ["a thousand of them", `K\x01${"Q".repeat(1000)}`],
    ["itself", "]q\x01h\x01ah\x01Q"],
    ["of another kind", `(${text("module")}${float}tQ`],
    ["without a class", parts("N", text("0"), "K\x06")],
    ["with a class that is called", parts("cos\nsystem\n)R", text("0"), "K\x06")],
    ["with a key that is a list", parts(float, "]", "K\x06")],
    ["with a key that is a fraction", parts(float, "G\x7f\xf8\0\0\0\0\0\0", "K\x06")],
    ["with a count below zero", parts(float, text("0"), "J\xff\xff\xff\xff")],
    ["with a count that is a text", parts(float, text("0"), text("6"))],
    ["with a count of 2^70", parts(float, text("0"), "\x8a\x09\0\0\0\0\0\0\0\0\x40")],
    ["that leads out of the archive", parts(float, text("../../etc/passwd"), "K\x06")],
    ["with a key of the prototype", parts(float, text("__proto__"), "K\x06")],
  ])("%s", async (what, id) => {
    const { error, report } = await survive(archive(`\x80\x02}${text("w")}${tensorOn(id)}s.`, bytes24), what);
    expect(error).toBe(null);
    // A key that is no record's is a claim: the tensor is counted as the pickle has it, and that is told.
    const told = ["object-unreadable", "weights-not-read"] as const;
    const count = told.reduce((sum, code) => sum + said(report as Report, code).length, 0);
    expect(count + Number(what.includes("fraction"))).toBeGreaterThan(0);
  });
});

describe("states", () => {
  const module = (state: string): string => `cm\nNet\n)\x81${state}b.`;
  const parameters = `${text("_parameters")}}${text("w")}${tensorOn(storage)}s`;
  const modules = `${text("_modules")}}`;
  test.each([
    ["a dictionary", `}(${parameters}${modules}u`],
    ["a dictionary and slots", `(}(${parameters}${modules}u}t`],
    ["no dictionary, and slots", `(N}(${parameters}${modules}ut`],
    ["both", `(}${parameters}s}${modules}st`],
    ["given twice", `}${parameters}sb}${modules}s`],
  ])("%s", async (_, state) => {
    const report = await readable(archive(`\x80\x02${module(state)}`, bytes24));
    expect(report.totals.parameters).toBe(6);
    expect(report.model.type).toBe("Net");
  });

  test.each([
    ["a number", "K\x01"],
    ["a tuple of three", "(}}}t"],
    ["itself", "h\x00"],
    ["a tuple of itself twice", "(h\x00h\x00t"],
    ["parameters that are a list", `}(${text("_parameters")}]${modules}u`],
    ["parameters that are the module", `}(${text("_parameters")}h\x00${modules}u`],
    ["modules that are the module", `}(${text("_parameters")}}${text("_modules")}h\x00u`],
    ["modules with keys that are no texts", `}(${text("_parameters")}}${text("_modules")}}()NK\x01Nuu`],
  ])("%s", async (what, state) => {
    const { error } = await survive(archive(`\x80\x02cm\nNet\n)\x81q\x00${state}b.`), what);
    expect(error).toBe(null);
  });

  test("a state for what is no object is refused", async () => {
    expect((await unreadable(archive("\x80\x02]}b."))).kind).toBe("malformed-file");
  });
});

describe("bytes from beside the pickle, and frames", () => {
  test.each([
    ["a buffer", "\x80\x05\x97."],
    ["a buffer that may not be written", "\x80\x05\x97\x98."],
    [
      "a buffer as elements",
      "\x80\x05cnumpy.core.numeric\n_frombuffer\n(\x97cnumpy\ndtype\n(U\x02f4\x89\x88tR(K\x06tU\x01CtR.",
    ],
    ["a byte array", "\x80\x05\x96\x03\0\0\0\0\0\0\0abc."],
    ["a frame of nothing", "\x80\x04\x95\0\0\0\0\0\0\0\0N."],
    ["a frame that is too short", "\x80\x04\x95\x01\0\0\0\0\0\0\0K\x01."],
    ["a frame beyond the file", "\x80\x04\x95\xff\xff\xff\xff\0\0\0\0N."],
    ["frames in frames", `\x80\x04${"\x95\xff\0\0\0\0\0\0\0".repeat(1000)}N.`],
  ])("%s", async (what, pickle) => {
    expect((await survive(archive(pickle), what)).error).toBe(null);
  });

  test.each([
    ["a frame of 2^63", "\x80\x04\x95\0\0\0\0\0\0\0\x80N."],
    ["a byte array of 2^50", "\x80\x05\x96\0\0\0\0\0\0\x04\0."],
    ["bytes of 2^40", "\x80\x04\x8e\0\0\0\0\0\x01\0\0."],
    ["a text of 2^40", "\x80\x04\x8d\0\0\0\0\0\x01\0\0."],
    ["a text of 4 GB", "\x80\x02X\xff\xff\xff\xff."],
    ["a string below zero", "\x80\x02T\xff\xff\xff\xff."],
    ["a number of 2 GB", "\x80\x02\x8b\xff\xff\xff\x7f."],
    ["a number below zero bytes", "\x80\x02\x8b\xff\xff\xff\xff."],
    ["protocol 6", "\x80\x06N."],
    ["read-only of nothing", "\x80\x05\x98."],
  ])("%s", async (what, pickle) => {
    expect((await unreadable(archive(pickle), what)).kind).toMatch(/malformed-file|limit-exceeded/);
  });
});

describe("archives in archives", () => {
  test("a record that is an archive of a pickle is a record", async () => {
    const inner = archive("\x80\x02cos\nsystem\n)R.");
    const count = `J${String.fromCharCode(inner.length & 255, inner.length >> 8, 0, 0)}`;
    const id = `(${text("storage")}ctorch\nByteStorage\n${text("0")}${text("cpu")}${count}tQ`;
    const report = await readable(archive(`\x80\x02}${text("w")}${id}s.`, { "a/data/0": inner }));
    expect(report.globals).toBe(undefined);
    expect(report.ledger.bytes).toBe(inner.length);
  });

  test("of two pickles the one that PyTorch reads is read", async () => {
    const zip = buildZip([
      { name: "a/data.pkl", data: bytesOf("\x80\x02N.") },
      { name: "b/data.pkl", data: bytesOf("\x80\x02cos\nsystem\n)R.") },
    ]);
    await survive(zip, "two");
  });

  test("a pickle that inflates to more than any", async () => {
    const zeros = deflateRawSync(new Uint8Array(64 * 1024 * 1024));
    expect(zeros.length).toBeLessThan(100_000);
    const bomb = (data: Uint8Array): Uint8Array => buildZip([{ name: "a/data.pkl", data, deflate: true }]);
    const error = await unreadable(bomb(new Uint8Array(64 * 1024 * 1024)), "zeros");
    expect(error.kind).toMatch(/malformed-file|limit-exceeded/);
    const marks = await unreadable(bomb(new Uint8Array(40 * 1024 * 1024).fill(0x28)), "marks");
    expect(marks.kind).toBe("limit-exceeded");
    const dropped = new Uint8Array(40 * 1024 * 1024);
    for (let i = 0; i < dropped.length; i++) dropped[i] = i % 2 === 0 ? 0x4e : 0x30;
    expect((await unreadable(bomb(dropped), "dropped")).kind).toMatch(/limit-exceeded|malformed-file/);
  });
});

test("opcodes at random end as a report or a typed error", async () => {
  const next = random(23);
  const codes =
    "()].}{lduesatpqhjrgRb0122cioQPJKMGIFSVXUTBC\x8c\x8d\x8e\x85\x86\x87\x88\x89\x8a\x8b\x8f\x90\x91\x92\x93\x94\x95\x96\x97\x98\x81\x82\x83\x84";
  for (let i = 0; i < 1500; i++) {
    let pickle = "\x80\x05";
    for (let n = next(60); n >= 0; n--) {
      const pieces = [
        codes[next(codes.length)] ?? "",
        text("w"),
        "cm\nC\n",
        storage,
        "K\x01",
        "}",
        tensorOn(storage),
      ];
      pickle += pieces[next(3) === 0 ? next(pieces.length) : 0] ?? "";
    }
    await survive(archive(`${pickle}.`, bytes24), `${i}`, i % 50 === 0);
  }
});
