import { copyFileSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { Report } from "../../src/public/index.ts";
import { fixture, runCli } from "./run-cli.ts";

const scratch = mkdtempSync(join(tmpdir(), "weighbridge-test-"));
afterAll(() => rmSync(scratch, { recursive: true }));

const cnn = fixture("k2-mnist-cnn/model.keras");
const cnn3 = fixture("k3-mnist-cnn/model.keras");
const nested = fixture("k2-nested-functional/model.h5");

function golden(path: string): string {
  return readFileSync(fixture(path), "utf8");
}

describe("one file", () => {
  test.each([
    [["--style", "keras2"], "summary.keras2.txt"],
    [["-s", "keras2", "--show-trainable"], "summary.keras2.trainable.txt"],
    [["--style=keras2", "--line-length", "100", "--expand-nested"], "summary.keras2.w100.nested.txt"],
    [["--style", "keras2", "--positions", "25,50,65"], "summary.keras2.p25-50-65.txt"],
    [["--style", "keras2", "--positions", "25", "50", "65"], "summary.keras2.p25-50-65.txt"],
    [["-s", "keras2", "--layer-range", "conv2d_1", "flatten"], "summary.keras2.range-conv2d_1-flatten.txt"],
  ])("%j prints %s", async (options, expected) => {
    const printed = { code: 0, stdout: golden(`k2-mnist-cnn/${expected}`), stderr: "" };
    expect(await runCli([...options, cnn])).toEqual(printed);
    expect(await runCli(["summary", cnn, ...options])).toEqual(printed);
  });

  test.each([
    [[], "summary.default.txt"],
    [["--show-trainable"], "summary.trainable.txt"],
    [["--line-length=60"], "summary.l60.txt"],
    [["--positions", ".33", ".66", "1"], "summary.p_33-_66-1_0.txt"],
  ])("%j in the default style prints %s", async (options, expected) => {
    const stdout = golden(`k3-mnist-cnn/${expected}`);
    expect(await runCli([...options, cnn3])).toEqual({ code: 0, stdout, stderr: "" });
  });

  test("the width of the terminal and COLUMNS count as they do for Keras", async () => {
    for (const columns of [50, 81, 200]) {
      const printed = golden(`k3-mnist-cnn/summary.c${columns}.txt`);
      expect((await runCli([cnn3], { env: { COLUMNS: `${columns}` } })).stdout).toBe(printed);
      expect((await runCli(["--no-color", cnn3], { terminal: columns })).stdout).toBe(printed);
    }
  });

  test("colours in a terminal only, and not under NO_COLOR", async () => {
    const plain = golden("k3-mnist-cnn/summary.default.txt");
    expect((await runCli([cnn3], { terminal: 80, env: { NO_COLOR: "1" } })).stdout).toBe(plain);
    const coloured = (await runCli([cnn3], { terminal: 80 })).stdout;
    expect(coloured).toContain("\u001b[");
    expect(coloured).not.toBe(plain);
    expect((await runCli(["--color", cnn3])).stdout).toBe(coloured);
    expect((await runCli(["--style", "keras2", cnn], { terminal: 80 })).stdout).not.toContain("\u001b");
  });

  test("--json prints the report", async () => {
    const { code, stdout, stderr } = await runCli(["--json", cnn]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const report: Report = JSON.parse(stdout);
    expect(report.file.name).toBe("model.keras");
    expect(report.totals.parameters).toBe(101_578);
  });

  test("--no-compile leaves the optimizer out", async () => {
    const file = fixture("k2-trained-adam/model.keras");
    const read = async (...options: string[]): Promise<Report> =>
      JSON.parse((await runCli([...options, "--json", file])).stdout);
    expect((await read()).optimizer?.name).toBeTruthy();
    expect((await read("--no-compile")).optimizer).toBeNull();
  });
});

describe("several files", () => {
  test("standard output is that of each alone, standard error names them", async () => {
    const { code, stdout, stderr } = await runCli(["--style", "keras2", cnn, nested]);
    const alone = await runCli(["--style", "keras2", nested]);
    expect(code).toBe(0);
    expect(stdout).toBe(golden("k2-mnist-cnn/summary.keras2.txt") + alone.stdout);
    expect(stderr).toBe(`${cnn}:\n${nested}:\n`);
    expect((await runCli(["--quiet", cnn, nested])).stderr).toBe("");
  });

  test("names of files are shown escaped", async () => {
    const odd = join(scratch, "a\n::error::b\x1b[31m.keras");
    writeFileSync(odd, readFileSync(cnn));
    const { stderr } = await runCli([odd, cnn]);
    expect(stderr).toBe(`${join(scratch, "a\\n::error::b\\x1b[31m.keras")}:\n${cnn}:\n`);
  });

  test("--json prints one array", async () => {
    const { stdout } = await runCli(["--json", cnn, nested]);
    const reports: Report[] = JSON.parse(stdout);
    expect(reports.map(({ file }) => file.name)).toEqual(["model.keras", "model.h5"]);
  });

  test("a failure does not stop the others", async () => {
    const none = join(scratch, "none.h5");
    const { code, stdout, stderr } = await runCli(["--style", "keras2", none, cnn]);
    expect(code).toBe(3);
    expect(stdout).toBe(golden("k2-mnist-cnn/summary.keras2.txt"));
    expect(stderr).toBe(`weighbridge: ${none}: no such file; check the path\n${cnn}:\n`);

    const array = await runCli(["--json", none, cnn]);
    expect(array.code).toBe(3);
    expect(JSON.parse(array.stdout)).toHaveLength(1);
    expect((await runCli(["--json", none, none])).stdout).toBe("[]\n");
  });
});

describe("what cannot be read ends with 3, one line, and nothing on standard output", () => {
  test.each([
    ["empty.h5", Buffer.alloc(0)],
    ["text.h5", Buffer.from("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")],
    ["page.h5", Buffer.from("<!DOCTYPE html><html><body>404</body></html>")],
    ["cut.keras", readFileSync(cnn).subarray(0, 1000)],
    ["cut.h5", readFileSync(nested).subarray(0, 3000)],
  ])("%s", async (name, bytes) => {
    const file = join(scratch, name);
    writeFileSync(file, bytes);
    const { code, stdout, stderr } = await runCli([file]);
    expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
    expect(stderr.startsWith(`weighbridge: ${file}`)).toBe(true);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
  });

  test("a folder", async () => {
    const { code, stderr } = await runCli([scratch]);
    expect({ code, stderr }).toEqual({
      code: 3,
      stderr: `weighbridge: ${scratch} is a folder; pass the model file in it\n`,
    });
  });

  test("a link that leads to itself", async () => {
    const loop = join(scratch, "loop.h5");
    symlinkSync(loop, loop);
    const { code, stderr } = await runCli([loop]);
    expect({ code, stderr }).toEqual({
      code: 3,
      stderr: `weighbridge: ${loop}: symbolic links go round in a circle\n`,
    });
  });

  test("standard input that is a keyboard", async () => {
    const { code, stderr } = await runCli(["-"], { stdinIsTTY: true });
    expect(code).toBe(2);
    expect(stderr).toContain("standard input is a terminal");
  });
});

test("a file may carry any name", async () => {
  const odd = join(scratch, "formats");
  copyFileSync(cnn, odd);
  expect((await runCli(["summary", odd])).code).toBe(0);
  const dashed = join(scratch, "-x.keras");
  copyFileSync(cnn, dashed);
  expect((await runCli(["--", dashed])).code).toBe(0);
});

describe("a graph of nodes", () => {
  const onnx = (path: string): string => fixture(`../onnx/${path}`);
  const resnet = onnx("torch/resnet18-dynamo/model.onnx");

  test("is shown by modules, as deep as asked, in every style", async () => {
    const tree = await runCli(["-q", "--group", "module", "--depth", "2", "--batch", "4", resnet]);
    expect(tree.stdout).toMatch(/layer1 \(Sequential\) +│ \(4, 64, 56, 56\) +│ +147,712/);
    expect(tree.stdout).toMatch(/ {3}└ 0 \(BasicBlock\) +│ \(4, 64, 56, 56\) +│ +73,856/);
    expect(tree.stdout).not.toContain("node_add");
    for (const style of ["keras2", "keras2.7", "keras2.3", "keras2.2", "as-written"]) {
      const { code, stdout } = await runCli(["-q", "--group", "module", "--style", style, resnet]);
      expect([style, code, stdout.includes("layer1 (Sequential)")]).toEqual([style, 0, true]);
      expect([style, stdout.includes("0 (BasicBlock)")]).toEqual([style, !/2.[23]$/.test(style)]);
    }
  });

  test("has no word on what is trainable", async () => {
    const { stdout } = await runCli(["-q", "--show-trainable", resnet]);
    expect(stdout).toContain(" Total params: 11,684,712 (44.57 MB)\n");
    expect(stdout).not.toMatch(/rainable params|│ +[YN] +│/);
    const gathered = await runCli(["-q", onnx("structure/batch-normalization.onnx")]);
    expect(gathered.stdout).toMatch(/Total params: 248 .*\n Learned params: 232 .*\n Statistics: 16 /);
    const early = await runCli(["-q", "-s", "keras2.2", onnx("structure/batch-normalization.onnx")]);
    expect(early.stdout).toContain("Total params: 248\nLearned params: 232\nStatistics: 16\n");
  });

  test("refuses a size for a dimension it does not have", async () => {
    const { code, stdout, stderr } = await runCli(["--dim", "seq=4", resnet]);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain('names no dimension "seq": it names "batch"');
  });
});
