/** Pickles made to do harm: each ends as an opaque record or a typed error, in bounded time, with nothing resolved. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Report } from "../../src/report/report.ts";
import { buildZip } from "../wire/zip-builder.ts";
import { named, random, readable, said, survive, unreadable } from "./survive.ts";

const magic = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";
const system = "\x80\x02}(X\x10\x00\x00\x00protocol_versionM\xe9\x03X\x0d\x00\x00\x00little_endian\x88u.";

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (c) => c.charCodeAt(0));
}

/** A stream of torch.save around a pickle. */
function stream(object: string, keys = "]", after = ""): Uint8Array {
  return bytesOf(`${magic}\x80\x02M\xe9\x03.${system}${object}${keys}.${after}`);
}

/** An archive of torch.save around a pickle. */
function archive(object: string, records: Readonly<Record<string, Uint8Array>> = {}): Uint8Array {
  const parts = { "a/data.pkl": bytesOf(object), "a/version": bytesOf("3\n"), ...records };
  return buildZip(Object.entries(parts).map(([name, data]) => ({ name, data })));
}

function globals(report: Report): string[] {
  return (report.globals ?? []).map(({ name, suspicious }) => `${suspicious ? "!" : ""}${name}`);
}

const storage =
  "(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x06tQ";
/** A tensor of 2 x 3 on storage "0". */
const tensor = `ctorch._utils\n_rebuild_tensor_v2\n(${storage}K\x00(K\x02K\x03t(K\x03K\x01t\x89ccollections\nOrderedDict\n)RtR`;

/** Each would run something if Python loaded it. */
const programs: readonly (readonly [what: string, pickle: string, globals: readonly string[]])[] = [
  ["os.system", "cos\nsystem\n(X\x02\x00\x00\x00lstR.", ["!os.system"]],
  ["posix.system", "cposix\nsystem\n(X\x02\x00\x00\x00lstR.", ["!posix.system"]],
  ["eval", "c__builtin__\neval\n(X\x03\x00\x00\x001+1tR.", ["!__builtin__.eval"]],
  ["exec", "cbuiltins\nexec\n(X\x01\x00\x00\x00xtR.", ["!builtins.exec"]],
  [
    "getattr",
    "cbuiltins\ngetattr\n(cbuiltins\n__import__\nX\x01\x00\x00\x00xtR.",
    ["!builtins.getattr", "!builtins.__import__"],
  ],
  [
    "subprocess by a stack global",
    "\x80\x04\x8c\x0asubprocess\x8c\x05Popen\x93]\x8c\x02lsa\x85R.",
    ["!subprocess.Popen"],
  ],
  ["names from the memo", "\x80\x04\x8c\x02os\x940\x8c\x06system\x940h\x00h\x01\x93)R.", ["!os.system"]],
  ["a dotted name", "\x80\x04\x8c\x08builtins\x8c\x0dobject.mro.eq\x93)R.", ["!builtins.object.mro.eq"]],
  ["instance", "(X\x02\x00\x00\x00lsios\nsystem\n.", ["!os.system"]],
  ["object", "(cos\nsystem\nX\x02\x00\x00\x00lso.", ["!os.system"]],
  [
    "nested reduce",
    "cruntime\nouter\n(cos\nsystem\n(X\x02\x00\x00\x00lstRtR.",
    ["!os.system", "runtime.outer"],
  ],
  ["state of an object", "cm\nC\n)\x81}X\x01\x00\x00\x00acshutil\nrmtree\n)Rsb.", ["!shutil.rmtree", "m.C"]],
  ["keys", "}crunpy\n_run_code\n)RK\x01s.", ["!runpy._run_code"]],
  ["extension code", "\x82\x07)R.", ["!extension 7"]],
  ["what follows the end", "K\x01.", []],
  ["dropped from the stack", "cos\nsystem\n)R0K\x01.", ["!os.system"]],
  [
    "a rebuilding function of another",
    "ctorch._utils\n_rebuild_tensor_v2\n(cos\nsystem\n)RtR.",
    ["!os.system"],
  ],
  ["keyword arguments", "\x80\x04cwebbrowser\nopen\n)}\x8c\x03url\x8c\x01xs\x92.", ["!webbrowser.open"]],
  ["numpy's loader", "cnumpy\nload\n)R.", ["!numpy.load"]],
  [
    "a pickle in a pickle",
    "ctorch.storage\n_load_from_bytes\n(B\x04\x00\x00\x00abcdtR.",
    ["!torch.storage._load_from_bytes"],
  ],
];

const getattr = "cbuiltins\ngetattr\n";
const net = "cm\nNet\n";

function text(value: string): string {
  return `X${String.fromCharCode(value.length)}\0\0\0${value}`;
}

/** What `getattr` may stand for without harm is a class in a class; all else that is done with it is told. */
const reached: readonly (readonly [what: string, pickle: string, globals: readonly string[]])[] = [
  ["a class", `${getattr}(${net}${text("Block")}tR)\x81.`, ["builtins.getattr", "m.Net", "m.Net.Block"]],
  ["a module", `${getattr}(cos\npath\n${text("os")}tR.`, ["!builtins.getattr", "!os.path"]],
  ["a module in a class", `${getattr}(${net}${text("os")}tR.`, ["!m.Net.os", "builtins.getattr", "m.Net"]],
  [
    "a module in a module",
    `${getattr}(${getattr}(cnumpy\nlib\n${text("os")}tR${text("system")}tR(${text("ls")}tR.`,
    ["!builtins.getattr", "numpy.lib"],
  ],
  [
    "what a module in a class has",
    `${getattr}(${getattr}(${net}${text("os")}tR${text("system")}tR(${text("ls")}tR.`,
    ["!builtins.getattr", "!m.Net.os", "m.Net"],
  ],
  [
    "a class of a dangerous module",
    `${getattr}(csys\nFlags\n${text("Inner")}tR.`,
    ["!sys.Flags", "!sys.Flags.Inner", "builtins.getattr"],
  ],
  [
    "more of what is harmless by itself",
    `${getattr}(cpathlib\nPath\n${text("unlink")}tR.`,
    ["!pathlib.Path.unlink", "builtins.getattr", "pathlib.Path"],
  ],
  ["the way out of a class", `${getattr}(${net}${text("__init__")}tR.`, ["!builtins.getattr", "m.Net"]],
  ["a path", `${getattr}(${net}${text("Block.Core")}tR.`, ["!builtins.getattr", "m.Net"]],
  [
    "a method that is called",
    `${getattr}(cpandas\nDataFrame\n${text("eval")}tR(${text("x")}tR.`,
    ["!builtins.getattr", "pandas.DataFrame", "pandas.DataFrame.eval"],
  ],
  ["an object", `${getattr}(${net})R${text("Block")}tR.`, ["!builtins.getattr", "m.Net"]],
  ["a text", `${getattr}(${text("Net")}${text("Block")}tR.`, ["!builtins.getattr"]],
  [
    "or something else",
    `${getattr}(${net}${text("Block")}cm\nother\ntR.`,
    ["!builtins.getattr", "m.Net", "m.other"],
  ],
  ["by a list", `${getattr}]${net}a${text("Block")}aR.`, ["!builtins.getattr", "m.Net"]],
  ["as an instance", `(${net}${text("Block")}i${getattr.slice(1)}.`, ["!builtins.getattr", "m.Net"]],
  ["as an object's class", `(${getattr}${net}${text("Block")}o.`, ["!builtins.getattr", "m.Net"]],
  ["as a class made anew", `${getattr}(${net}${text("Block")}t\x81.`, ["!builtins.getattr", "m.Net"]],
  ["handed to another", `cm\napply\n(${getattr}${text("x")}tR.`, ["!builtins.getattr", "m.apply"]],
  ["and dropped", `${getattr}0N.`, ["!builtins.getattr"]],
  [
    "and kept in the memo",
    `${getattr}q\x00(${net}${text("Block")}tR0cm\napply\n(h\x00tR.`,
    ["!builtins.getattr", "m.Net", "m.Net.Block", "m.apply"],
  ],
  ["and doubled", `${getattr}2(${net}${text("Block")}tR0.`, ["!builtins.getattr", "m.Net", "m.Net.Block"]],
  [
    "by both its names",
    `${getattr}(${net}${text("Block")}tR0c__builtin__\ngetattr\n(${net}${text("Block")}tR.`,
    ["!__builtin__.getattr", "builtins.getattr", "m.Net", "m.Net.Block"],
  ],
  [
    "a module by a dotted name",
    `\x80\x04${text("numpy")}${text("lib.os.system")}\x93.`,
    ["!numpy.lib.os.system"],
  ],
  [
    "a function's globals by a dotted name",
    `\x80\x04${text("m")}${text("Net.go.__globals__")}\x93.`,
    ["!m.Net.go.__globals__"],
  ],
  [
    "a module beside classes that are known",
    "ctorch.distributed.checkpoint.filesystem\nos\n.",
    ["!torch.distributed.checkpoint.filesystem.os"],
  ],
];

describe("what is reached inside of something", () => {
  test.each(reached)("%s", async (what, pickle, names) => {
    for (const file of [stream(pickle), archive(pickle)])
      expect(globals(await readable(file, what))).toEqual(names);
  });

  test("a class in a class is no alarm in what torch.save wrote", async () => {
    for (const file of ["zip", "legacy", "zip-p4"]) {
      const path = join(import.meta.dirname, `../../fixtures/pytorch/module-nested/${file}.pt`);
      const report = await readable(readFileSync(path), file);
      expect(said(report, "pickle-suspicious")).toEqual([]);
      // torch.relu is built into a class, by every protocol.
      expect(globals(report)).toContain(file === "zip-p4" ? "builtins.getattr" : "__builtin__.getattr");
      expect(globals(report)).toContain("networks.Nested.Block");
      expect(globals(report)).toContain("torch._C._VariableFunctionsClass.relu");
    }
  });

  test("long names cost what is in the file", async () => {
    const long = (letter: string): string => `X\0\0\x10\0${letter.repeat(1 << 20)}`;
    const pickle = `\x80\x04${long("m")}q\x000${long("C")}q\x010${"h\x00h\x01\x930".repeat(200_000)}N.`;
    expect(await unreadable(archive(pickle))).toMatchObject({ limit: "maxPickleNameLength" });
  });
});

describe("what would run", () => {
  test.each(programs)("%s is told and not run", async (what, pickle, names) => {
    for (const file of [stream(pickle), archive(pickle)]) {
      const report = await readable(file, what);
      expect(globals(report)).toEqual(names);
      expect(said(report, "pickle-suspicious").length).toBe(
        names.filter((name) => name.startsWith("!")).length,
      );
    }
  });

  test("beside honest tensors, which count all the same", async () => {
    const pickle = `\x80\x02}(X\x01\x00\x00\x00w${tensor}X\x01\x00\x00\x00xcos\nsystem\n(X\x02\x00\x00\x00lstRu.`;
    const report = await readable(archive(pickle, { "a/data/0": new Uint8Array(24) }));
    expect(report.totals.parameters).toBe(6);
    expect(said(report, "pickle-suspicious")).toEqual([
      expect.stringMatching(/^a\/data\.pkl: .*os\.system \(1 time\).*nothing was run here/),
    ]);
  });

  test("names that hide do not: control characters are data", async () => {
    const report = await readable(stream("cos\x1b[2K\nsystem\x07\n)R."));
    expect(report.globals?.[0]?.name).toContain("\u001b[2K");
  });

  test("a thousand names are listed, and no more", async () => {
    const names = Array.from({ length: 5000 }, (_, i) => `cm${i}\nf\n0`).join("");
    expect((await readable(stream(`${names}N.`))).globals?.length).toBe(1000);
  });
});

describe("pickles inside a plain pickle", () => {
  const wrapped = (inner: string): Uint8Array =>
    bytesOf(`\x80\x04ctorch.storage\n_load_from_bytes\n(B${size(inner)}${inner}tR.`);
  const size = (text: string): string => String.fromCharCode(text.length & 255, text.length >> 8, 0, 0);
  const before = `${magic}\x80\x02M\xe9\x03.${system}`;

  test("every one of the five is searched for names", async () => {
    const honest = await readable(wrapped(`${before}${storage}.].`));
    expect(globals(honest)).toEqual([]);
    const after = await readable(wrapped(`${before}${storage}.cos\nsystem\n)R.`));
    expect(globals(after)).toEqual(["!os.system"]);
    const instead = await readable(wrapped(`${before}cos\nsystem\n)R.].`));
    expect(globals(instead)).toEqual(["!torch.storage._load_from_bytes", "!os.system"]);
  });

  test("what is no stream is a stranger", async () => {
    expect(globals(await readable(wrapped("cos\nsystem\n)R.")))).toEqual(["!torch.storage._load_from_bytes"]);
    expect((await unreadable(wrapped(before))).kind).toBe("malformed-file");
    expect((await unreadable(wrapped(""))).kind).toBe("malformed-file");
  });

  test("a plain pickle without tensors has its names told", async () => {
    const report = await readable(bytesOf("\x80\x02cos\nsystem\n(X\x02\x00\x00\x00lstR."));
    expect(report.file.variant).toBe("pickle");
    expect(globals(report)).toEqual(["!os.system"]);
  });
});

describe("bombs", () => {
  test.each([
    ["tuples of two of the last", `)q\x00${"h\x00h\x00\x86q\x00".repeat(100_000)}`],
    [
      "lists of ten of the last",
      `]q\x00${"]q\x01(h\x00h\x00h\x00h\x00h\x00h\x00h\x00h\x00h\x00h\x00eq\x00".repeat(10_000)}`,
    ],
    ["dictionaries of two of the last", `}q\x00${"}(K\x01h\x00K\x02h\x00uq\x00".repeat(10_000)}`],
    [
      "states of two of the last",
      `cm\nC\n)\x81q\x00${"cm\nC\n)\x81}(X\x01\x00\x00\x00ah\x00X\x01\x00\x00\x00bh\x00ubq\x00".repeat(5_000)}`,
    ],
    ["lists inside lists", `${"]".repeat(50_000)}${"a".repeat(49_999)}`],
    ["tuples inside tuples", `)${"\x85".repeat(100_000)}`],
    ["calls inside calls", `cm\nf\nq\x00)R${"\x85q\x01h\x00h\x01R".repeat(30_000)}`],
    ["a list in itself", "]q\x00h\x00a"],
    ["a dictionary in itself", "}q\x00K\x01h\x00s"],
    [
      "parameters inside parameters",
      `ctorch.nn.parameter\nParameter\nq\x00)R${"\x85q\x01h\x00h\x01R".repeat(30_000)}`,
    ],
    ["a million objects", `(${"cm\nf\n)R".repeat(200_000)}l`],
  ])("%s", async (what, pickle) => {
    await survive(stream(`${pickle}.`), what);
  });

  test("a module whose modules are itself", async () => {
    const text = (name: string): string => `X${String.fromCharCode(name.length)}\x00\x00\x00${name}`;
    const module = `cm\nNet\n)\x81q\x00}(${text("_parameters")}}${text("_buffers")}}${text("_modules")}}X\x01\x00\x00\x00ah\x00sub.`;
    expect((await readable(stream(module))).totals.parameters).toBe(0);
  });

  test("one tensor under fifty thousand names counts once", async () => {
    const keys = Array.from({ length: 50_000 }, (_, i) => `I${i}\nh\x05`).join("");
    const pickle = `\x80\x02}(X\x01\x00\x00\x00w${tensor}q\x05${keys}u.`;
    const file = archive(pickle, { "a/data/0": new Uint8Array(24) });
    expect((await survive(file, "names", false)).report?.ledger.elements).toBe(6);
  });

  test("more tensors or modules than any checkpoint has", async () => {
    const names = Array.from({ length: 300_001 }, (_, i) => `I${i}\nh\x05`).join("");
    const many = await unreadable(stream(`\x80\x02}(X\x01\x00\x00\x00w${tensor}q\x05${names}u.`, "]"));
    expect(many).toMatchObject({ kind: "limit-exceeded", limit: "maxTorchTensors" });
    const text = (name: string): string => `X${String.fromCharCode(name.length)}\x00\x00\x00${name}`;
    const module = `cm\nN\n)\x81}(${text("_parameters")}}${text("_modules")}}ub`;
    const modules = Array.from({ length: 100_001 }, (_, i) => `I${i}\n${module}`).join("");
    const root = `cm\nN\n)\x81}(${text("_parameters")}}X\x01\x00\x00\x00w${tensor}s${text("_modules")}}(${modules}uub.`;
    const deep = await unreadable(stream(`\x80\x02${root}`, "]"));
    expect(deep).toMatchObject({ kind: "limit-exceeded", limit: "maxTorchModules" });
  });

  test("a tensor of two tensors of two tensors", async () => {
    const shell =
      "ctorch._tensor\n_rebuild_from_type_v2\n(ctorch._utils\n_rebuild_wrapper_subclass\ncm\nT\n(cm\nT\nctorch\nfloat32\nK\x02K\x03\x86K\x03K\x01\x86K\x00NN\x89t}(X\x01\x00\x00\x00ah\x05X\x01\x00\x00\x00bh\x06utR";
    // Of each level two, that both hold the two before them.
    const level = (i: number): string =>
      [`${shell}q\x07`, `${shell}q\x08`, "h\x07q\x05", "h\x08q\x06"]
        .map((one, j) => `I${4 * i + j}\n${one}`)
        .join("");
    const levels = Array.from({ length: 40 }, (_, i) => level(i)).join("");
    const error = await unreadable(
      stream(`\x80\x02}(X\x01\x00\x00\x00w${tensor}q\x05I-1\n${tensor}q\x06${levels}u.`, "]"),
    );
    expect(error).toMatchObject({ kind: "limit-exceeded", limit: "maxTorchTensors" });
  });

  test("thousands of parameters with one state of thousands of values", async () => {
    const state = Array.from({ length: 20_000 }, (_, i) => `I${i}\n)`).join("");
    const first = `ctorch._utils\n_rebuild_parameter_with_state\nq\x06(h\x05\x89N}(${state}uq\x07tR`;
    const others = Array.from({ length: 20_000 }, (_, i) => `I${i}\nh\x06(h\x05\x89Nh\x07tR`).join("");
    const file = archive(`\x80\x02}(X\x01\x00\x00\x00w${tensor}q\x05I-1\n${first}${others}u.`, {
      "a/data/0": new Uint8Array(24),
    });
    expect((await survive(file, "states", false)).report?.ledger.elements).toBe(6);
  });

  test("windows that overlap by one element each", async () => {
    const window = (offset: number): string =>
      `I${offset}\nctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuJ\x00\x00\x01\x00tQI${offset}\n(K\x02t(K\x01t\x89)tR`;
    const pickle = `\x80\x02}(${Array.from({ length: 20_000 }, (_, i) => window(i)).join("")}u.`;
    const file = archive(pickle, { "a/data/0": new Uint8Array(4 * 65_536) });
    expect((await survive(file, "windows", false)).report?.totals.parameters).toBe(20_001);
  });
});

describe("tensors that cannot be", () => {
  const claim = (size: string, stride: string, offset = "K\x00", elements = "K\x06"): string =>
    `\x80\x02}(X\x01\x00\x00\x00wctorch._utils\n_rebuild_tensor_v2\n(${storage.replace("K\x06tQ", `${elements}tQ`)}${offset}${size}${stride}\x89)tRu.`;
  test.each([
    ["beyond the storage", claim("(K\x07t", "(K\x01t")],
    ["an offset beyond it", claim("(K\x02t", "(K\x01t", "K\x06")],
    ["negative", claim("(J\xff\xff\xff\xfft", "(K\x01t")],
    ["a fraction", claim("(G?\xe0\x00\x00\x00\x00\x00\x00t", "(K\x01t")],
    ["of 2^60 elements", claim("(L1152921504606846976L\nt", "(K\x00t")],
    ["of 2^62 elements in two dimensions", claim("(L2147483648L\nL2147483648L\nt", "(K\x00K\x00t")],
    ["of a million dimensions", claim(`(${"K\x01".repeat(100_000)}t`, `(${"K\x01".repeat(100_000)}t`)],
    ["size without stride", claim("(K\x02t", ")")],
    ["size that is no tuple", claim("K\x02", "K\x01")],
    [
      "storage that is none",
      "\x80\x02}(X\x01\x00\x00\x00wctorch._utils\n_rebuild_tensor_v2\n(NK\x00))\x89)tRu.",
    ],
    ["storage of an unknown class", claim("(K\x02t", "(K\x01t").replace("FloatStorage", "NoneStorage")],
    [
      "type that is unknown",
      "\x80\x02}(X\x01\x00\x00\x00wctorch._utils\n_rebuild_meta_tensor_no_storage\n(ctorch\nnothing\n(K\x02t(K\x01t\x89tRu.",
    ],
    ["parameter of nothing", "\x80\x02}(X\x01\x00\x00\x00wctorch._utils\n_rebuild_parameter\n(N\x89)tRu."],
  ])("%s: told, and left out", async (what, pickle) => {
    const { report, error } = await survive(stream(pickle), what);
    expect(error).toBeNull();
    expect(report?.totals.parameters).toBe(0);
    expect(said(report as Report, "object-unreadable").length).toBe(1);
  });

  test("storages that together are beyond anything are refused", async () => {
    const huge = claim("(K\x02t", "(K\x01t", "K\x00", "L1152921504606846976L\n");
    await survive(stream(huge), "huge");
    expect((await readable(stream(huge))).totals.parameters).toBe(0);
  });

  test("one storage of two sizes", async () => {
    const other = tensor.replace("K\x06tQ", "K\x07tQ");
    const pickle = `\x80\x02}(X\x01\x00\x00\x00a${tensor}X\x01\x00\x00\x00b${other}u.`;
    const report = await readable(archive(pickle, { "a/data/0": new Uint8Array(24) }));
    expect(said(report, "object-unreadable")).toEqual([
      expect.stringContaining("24 bytes in one place and 28"),
    ]);
  });

  test("records that are missing are told, of another size refused", async () => {
    const pickle = `\x80\x02}X\x01\x00\x00\x00w${tensor}s.`;
    const report = await readable(archive(pickle));
    expect(report.totals.parameters).toBe(6);
    expect(said(report, "weights-not-read")).toEqual([
      expect.stringContaining("1 of 1 storage has no record"),
    ]);
    const error = await unreadable(named("x.pt", archive(pickle, { "a/data/0": new Uint8Array(20) })));
    expect(error.message).toMatch(/^x\.pt: a\/data\/0 has 20 bytes, but the storage .* has 24/);
    const more = archive(pickle, { "a/data/0": new Uint8Array(24), "a/data/1": new Uint8Array(10) });
    expect((await readable(more)).ledger.classes.unclassified).toEqual({
      tensors: 1,
      elements: 10,
      bytes: 10,
    });
  });

  test("a stream without its storages is truncated", async () => {
    const pickle = `\x80\x02}X\x01\x00\x00\x00w${tensor}s.`;
    const keys = "]X\x01\x00\x00\x000a";
    const error = await unreadable(stream(pickle, keys, "\x06\0\0\0\0\0\0\0"));
    expect(error.message).toMatch(
      /1 storage ends at byte \d+ but the file has \d+; it is probably truncated/,
    );
    const whole = await readable(stream(pickle, keys, `\x06${"\0".repeat(31)}`));
    expect(whole.ledger.elements).toBe(6);
    const more = await readable(stream(pickle, keys, `\x06${"\0".repeat(31)}and more`));
    expect(more.ledger.classes.unclassified).toEqual({ tensors: 1, elements: 8, bytes: 8 });
    expect(said(await readable(stream(pickle)), "weights-not-read")).toEqual([
      expect.stringContaining("1 of 1 storage is not in the stream"),
    ]);
  });
});

describe("damage", () => {
  const folder = join(import.meta.dirname, "../../fixtures/pytorch");
  const files = ["trained-adam/legacy.pt", "module/legacy.pt", "views/zip.pt", "script-small/model.pt"];
  test.each(files)("%s with bits turned", async (file) => {
    const original = readFileSync(join(folder, file));
    const next = random(7);
    for (let i = 0; i < 80; i++) {
      const bytes = new Uint8Array(original);
      for (let turns = 0; turns < 1 + (i % 3); turns++) {
        const at = next(Math.min(bytes.length, 6000));
        bytes[at] = (bytes[at] ?? 0) ^ (1 << next(8));
      }
      await survive(bytes, `${file} ${i}`, false);
    }
  });

  test.each(files)("%s cut short", async (file) => {
    const original = readFileSync(join(folder, file));
    const next = random(3);
    for (let i = 0; i < 40; i++) {
      const error = await unreadable(original.subarray(0, next(original.length - 1)), `${file} cut ${i}`);
      expect(error.kind).toMatch(/malformed-file|unknown-format|source-read/);
    }
  });
});
