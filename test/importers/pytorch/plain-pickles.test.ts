/** Pickles without a mark of their own: what is taken for one, and what they turn out to be. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { couldBeModel } from "../../../importers/detect.ts";
import { inspectFile } from "../../../src/public/node.ts";
import { named, readable, said, unreadable } from "../../hostile/survive.ts";

const folder = join(import.meta.dirname, "../../../fixtures/pytorch");

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (c) => c.charCodeAt(0));
}

describe("protocols 0 and 1", () => {
  test.each([
    ["an empty dictionary", "(d."],
    ["an empty list of protocol 1", "]q\x00."],
    ["a name", "ccollections\nOrderedDict\np0\n(tR."],
    ["a list of numbers", "(lp0\nI1\naI2\na."],
    ["a pair", "(I1\nF2.5\ntp0\n."],
    ["an instance", "(icollections\nOrderedDict\np0\n."],
  ])("%s is a pickle", async (_, text) => {
    const report = await readable(bytesOf(text));
    expect(report.file).toMatchObject({ format: "pytorch", variant: "pickle" });
  });

  test("one that runs something is told by its names", async () => {
    const report = await readable(bytesOf("cos\nsystem\np0\n(S'ls'\np1\ntp2\nRp3\n."));
    expect(report.globals?.map(({ name }) => name)).toEqual(["os.system"]);
  });

  test.each([
    ["a word", "config\nname\n(see below)."],
    ["an import", "from os import system\n"],
    ["C", "char\nmain\n(void) { return 0; }\n"],
    ["Lisp", "(defun main () (lambda (x) x))"],
    ["a list in Lisp", "(list 1 2 3)\n"],
    ["a poem", "(dp or not dp)\nThat is the question.\n"],
    ["a memo and then text", "(dp0\nhello world, this is no pickle at all\n."],
    ["what follows a whole pickle", "(d.and more"],
    ["a sum", "(I + 1)."],
    ["CSV", "class\ncount\n1,2\n3,4\n"],
    ["a section", "]\n\n[next]\nkey=1\n"],
    ["nothing", "("],
  ])("%s is none", async (_, text) => {
    expect((await unreadable(bytesOf(text))).kind).toBe("unknown-format");
  });

  test("text that goes on and on is none", async () => {
    const text = `(dp0\n${"V".repeat(10_000)}`;
    // A text without an end may be one: then the fault is named where it is.
    expect((await unreadable(named("x", bytesOf(text)))).kind).toMatch(/unknown-format|malformed-file/);
    const lisp = `(d${"(setq a 1)\n".repeat(1000)}`;
    expect((await unreadable(bytesOf(lisp))).kind).toBe("unknown-format");
  });

  test.each(["pickle-tensors/pickle-p0.pt", "pickle-arrays/pickle-p1.pt"])(
    "%s may come by a pipe",
    (file) => {
      expect(couldBeModel(readFileSync(join(folder, file)))).toBe(true);
    },
  );
});

describe("what is no network", () => {
  test.each([0, 1, 4])("an estimator of protocol %i has its class told", async (protocol) => {
    const path = join(folder, `estimators/pipeline-p${protocol}.pkl`);
    await expect(inspectFile(path)).rejects.toThrow(
      /pipeline-p\d\.pkl: a pickled sklearn\.pipeline\.Pipeline: it is no network of tensors/,
    );
  });

  test.each(["pipeline", "arrays"])("%s.joblib is told for what it is", async (name) => {
    const error = await inspectFile(join(folder, `estimators/${name}.joblib`)).catch((one) => one);
    expect(error).toMatchObject({ kind: "unsupported-feature" });
    expect(error.message).toMatch(/a file of joblib\.dump/);
  });

  test.each([
    ["zlib", "zlib data"],
    ["gzip", "gzip data"],
    ["bz2", "bzip2 data"],
    ["lzma", "LZMA data"],
    ["xz", "LZMA data"],
  ])("joblib compressed by %s", async (name, what) => {
    const error = await inspectFile(join(folder, `estimators/${name}.joblib`)).catch((one) => one);
    expect(error).toMatchObject({ kind: "unknown-format" });
    expect(error.message).toContain(what);
  });

  test("records beside arrays are told, and not counted", async () => {
    const report = await inspectFile(join(folder, "estimators/records.pkl"));
    expect(report.totals.parameters).toBe(3);
    expect(said(report, "object-unreadable")).toEqual([expect.stringMatching(/^nodes: .*records \(V12\)/)]);
  });

  test("an array that holds less than its shape says is told", async () => {
    const array =
      "cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\0tC\x01btR(K\x01(K\x05tcnumpy\ndtype\n(U\x02f4\x89\x88tR\x89C\x04abcdtb";
    const report = await readable(bytesOf(`\x80\x03}U\x01w${array}s.`));
    expect(said(report, "object-unreadable")).toEqual([
      expect.stringMatching(/take 20 bytes, and it holds 4/),
    ]);
  });

  test("one that would run something is reported all the same", async () => {
    const report = await readable(
      bytesOf("\x80\x02csklearn.base\nModel\n)\x81}X\x01\0\0\0acos\nsystem\nsb."),
    );
    expect(report.globals?.[0]).toMatchObject({ name: "os.system", suspicious: true });
  });
});
