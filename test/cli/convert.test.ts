import {
  chmodSync,
  copyFileSync,
  cpSync,
  linkSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onnx } from "onnx-proto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { fixture, runCli } from "./run-cli.ts";

const cnn = fixture("k2-mnist-cnn/model.keras");
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "weighbridge-test-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

test("what is written reads back to the same report", async () => {
  const output = join(folder, "model.ir.json");
  expect(await runCli(["convert", cnn, "--output", output])).toEqual({ code: 0, stdout: "", stderr: "" });
  expect(readdirSync(folder)).toEqual(["model.ir.json"]);
  expect(JSON.parse(readFileSync(output, "utf8"))).toMatchObject({ format: "weighbridge-model", version: 1 });

  const again = await runCli(["--json", output]);
  const before = await runCli(["--json", cnn]);
  expect(again).toEqual(before);
});

test("a number without end in an ONNX file does not get into it", async () => {
  const { TensorProto, ModelProto } = onnx;
  const mask = {
    name: "mask",
    dims: [1],
    dataType: TensorProto.DataType.FLOAT,
    floatData: [Number.NEGATIVE_INFINITY],
  };
  const value = (name: string) => ({
    name,
    type: { tensorType: { elemType: 1, shape: { dim: [{ dimValue: 3 }] } } },
  });
  const graph = {
    name: "g",
    initializer: [mask],
    node: [{ opType: "Add", input: ["x", "mask"], output: ["y"] }],
    input: [value("x")],
    output: [value("y")],
  };
  const input = join(folder, "masked.onnx");
  const output = join(folder, "masked.ir.json");
  writeFileSync(
    input,
    ModelProto.encode({ irVersion: 8, opsetImport: [{ domain: "", version: 17 }], graph }).finish(),
  );
  expect((await runCli(["convert", input, "--output", output])).code).toBe(0);
  expect(await runCli(["--json", output])).toEqual(await runCli(["--json", input]));
});

test('"-" is standard output', async () => {
  const output = join(folder, "model.ir.json");
  await runCli(["convert", cnn, "-o", output]);
  const { code, stdout } = await runCli(["convert", cnn, "-o", "-"]);
  expect(code).toBe(0);
  expect(stdout).toBe(readFileSync(output, "utf8"));
});

describe("what is there already", () => {
  test("the input is never overwritten, whatever it is called", async () => {
    const input = join(folder, "m.keras");
    copyFileSync(cnn, input);
    linkSync(input, join(folder, "hard"));
    symlinkSync(input, join(folder, "soft"));
    for (const output of [input, `${folder}/./m.keras`, join(folder, "hard"), join(folder, "soft")]) {
      const { code, stderr } = await runCli(["convert", input, "--output", output]);
      expect(code).toBe(2);
      expect(stderr).toContain("--output is the model itself");
    }
    expect(readFileSync(input).equals(readFileSync(cnn))).toBe(true);
  });

  test("nor is a file of an input that is a folder", async () => {
    const input = join(folder, "model");
    cpSync(fixture("k3-directory/model"), input, { recursive: true });
    const config = readFileSync(join(input, "config.json"), "utf8");
    const { code, stderr } = await runCli(["convert", input, "--output", join(input, "config.json")]);
    expect(code).toBe(2);
    expect(stderr).toContain("--output is the model itself");
    expect(readFileSync(join(input, "config.json"), "utf8")).toBe(config);
    expect((await runCli(["convert", input, "--output", join(input, "model.ir.json")])).code).toBe(0);
  });

  test("another file is replaced, its rights and a link to it kept", async () => {
    const target = join(folder, "real.json");
    writeFileSync(target, "old");
    chmodSync(target, 0o600);
    symlinkSync(target, join(folder, "link.json"));
    expect((await runCli(["convert", cnn, "-o", join(folder, "link.json")])).code).toBe(0);
    expect(lstatSync(join(folder, "link.json")).isSymbolicLink()).toBe(true);
    expect(statSync(target).mode & 0o777).toBe(0o600);
    expect(readFileSync(target, "utf8")).toContain("weighbridge-model");
  });

  test("stays as it is when the input cannot be read", async () => {
    const output = join(folder, "kept.json");
    writeFileSync(output, "old");
    const { code, stdout, stderr } = await runCli(["convert", output, "--output", join(folder, "new.json")]);
    expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
    expect(stderr).toContain(output);
    expect(readdirSync(folder)).toEqual(["kept.json"]);
  });
});

test("an output that cannot be written ends with 3 and leaves nothing behind", async () => {
  const output = join(folder, "none", "model.ir.json");
  const { code, stdout, stderr } = await runCli(["convert", cnn, "--output", output]);
  expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
  expect(stderr).toBe(
    `weighbridge: ${output} could not be written (ENOENT); check its folder, the space and the rights\n`,
  );
  const toFolder = await runCli(["convert", cnn, "--output", folder]);
  expect(toFolder.code).toBe(3);
  expect(readdirSync(folder)).toEqual([]);
});
