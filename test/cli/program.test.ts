import { describe, expect, test } from "vitest";
import { summaryStyles } from "../../src/public/index.ts";
import { fixture, runCli } from "./run-cli.ts";

const manifest: { version: string } = (await import("../../package.json", { with: { type: "json" } }))
  .default;
const model = fixture("k2-mnist-cnn/model.keras");

test.each(["--version", "-V"])("%s", async (flag) => {
  expect(await runCli([flag])).toEqual({ code: 0, stdout: `${manifest.version}\n`, stderr: "" });
});

describe("--help", () => {
  test("teaches: every style, the exit codes, examples", async () => {
    const { code, stdout, stderr } = await runCli(["--help"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    for (const { name, description } of summaryStyles) {
      expect(stdout).toContain(name);
      expect(stdout).toContain(description);
    }
    expect(stdout).toContain("Exit codes:");
    for (const file of ["model.keras", "model.onnx", "model.pt2", "checkpoint.pt", ".safetensors"]) {
      expect(stdout.slice(stdout.indexOf("Examples:"))).toContain(file);
    }
  });

  test.each(["summary", "formats", "convert"])("of %s", async (command) => {
    const { code, stdout } = await runCli([command, "--help"]);
    expect(code).toBe(0);
    expect(stdout).toContain(`Usage: weighbridge ${command}`);
  });

  test("also as a word, of a command too", async () => {
    expect(await runCli(["help"])).toEqual(await runCli(["--help"]));
    expect(await runCli(["help", "convert"])).toEqual(await runCli(["convert", "--help"]));
  });

  test("is pointed to for the command that was not understood", async () => {
    expect((await runCli(["convert", "a.h5"])).stderr).toContain("Run weighbridge convert --help for");
  });

  test("fits the terminal, 90 columns at most", async () => {
    for (const terminal of [70, 200]) {
      const { stdout } = await runCli(["convert", "--help"], { terminal });
      const options = stdout.slice(0, stdout.indexOf("The file holds"));
      expect(Math.max(...options.split("\n").map((line) => line.length))).toBeLessThanOrEqual(
        Math.min(terminal, 90),
      );
    }
  });
});

describe("what is not understood ends with 2, a reason and a next step, and nothing on standard output", () => {
  test.each([
    [[], /^Usage: weighbridge/],
    [["--stlye", "keras2", model], /unknown option '--stlye'\n\(Did you mean --style\?\)/],
    [["summary", "--jsno", model], /Did you mean --json\?/],
    [["summary"], /missing required argument 'file'/],
    [
      ["help", "onnx"],
      /^weighbridge: no command 'onnx' to help with; the commands are summary, formats, convert/,
    ],
    [
      ["-", model, "-"],
      /^weighbridge: standard input is named twice, and can be read once: give "-" once\n$/,
    ],
    [["--json"], /missing required argument 'file'/],
    [["--style", "keras4", model], /--style is "keras4": give one of keras3, /],
    [["--line-length", "wide", model], /--line-length is "wide"/],
    [["--line-length", "3", model], /weighbridge: /],
    [["--positions", "a,b", model], /--positions is "a,b"/],
    [["--positions", ".5", model], /positions/],
    [["--layer-range", "conv2d"], /two layer names/],
    [["--style", "keras2.2", "--expand-nested", model], /--expand-nested does not exist in style keras2\.2/],
    [["--json", "formats"], /put --json after the command: weighbridge formats --json/],
    [["formats", "more"], /too many arguments/],
    [["convert", model], /required option '-o, --output <file>' not specified/],
  ])("%j", async (argv, message) => {
    const { code, stdout, stderr } = await runCli(argv);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(message);
  });
});

test("formats", async () => {
  const text = await runCli(["formats"]);
  const json = await runCli(["formats", "--json"]);
  expect([text.code, json.code, text.stderr, json.stderr]).toEqual([0, 0, "", ""]);
  const formats: { format: string; variants: { id: string }[] }[] = JSON.parse(json.stdout);
  expect(formats.map(({ format }) => format)).toContain("keras");
  for (const { format, variants } of formats) {
    expect(text.stdout).toContain(`${format}: `);
    for (const { id } of variants) expect(text.stdout).toContain(`  ${id} `);
  }
});
