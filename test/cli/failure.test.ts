import { describe, expect, test } from "vitest";
import { OutputError, reportFailure } from "../../src/cli/failure.ts";
import {
  InvalidModelError,
  InvalidOptionError,
  LimitExceededError,
  MalformedFileError,
  SourceReadError,
  UnknownFormatError,
  UnsupportedFeatureError,
} from "../../src/public/index.ts";
import { fakeHost } from "./run-cli.ts";

function report(
  error: unknown,
  file?: string,
  env: Record<string, string> = {},
): { code: number; text: string } {
  const host = fakeHost([], { env });
  return { code: reportFailure(host, error, file), text: host.written.stderr };
}

describe("exit codes", () => {
  test.each([
    [new UnknownFormatError("what"), 3],
    [new MalformedFileError("what"), 3],
    [new UnsupportedFeatureError("what"), 3],
    [new LimitExceededError("what", { limit: "l", actual: 2, maximum: 1 }), 3],
    [new SourceReadError("what"), 3],
    [new OutputError("m.json", new Error()), 3],
    [new InvalidOptionError("what"), 2],
    [new InvalidModelError("what"), 70],
    [new TypeError("what"), 70],
    ["what", 70],
  ])("%s: %d", (error, code) => {
    expect(report(error).code).toBe(code);
  });
});

describe("text", () => {
  test("names the file as the user did, once", () => {
    const line = "weighbridge: models/a.h5: is cut short\n";
    expect(report(new MalformedFileError("is cut short", { file: "a.h5" }), "models/a.h5").text).toBe(line);
    expect(report(new MalformedFileError("a.h5: is cut short", { file: "a.h5" }), "models/a.h5").text).toBe(
      line,
    );
    expect(report(new MalformedFileError("models/a.h5: is cut short"), "models/a.h5").text).toBe(line);
    expect(report(new InvalidOptionError("no such thing")).text).toBe("weighbridge: no such thing\n");
  });

  test("speaks of options as they are written on the command line", () => {
    expect(report(new InvalidOptionError("lineLength is 0: give more")).text).toBe(
      "weighbridge: --line-length is 0: give more\n",
    );
    for (const [said, shown] of [
      ["--style is x: give y", "--style is x: give y"],
      ["layerRange: no layer", "--layer-range: no layer"],
      ["give a greater lineLength (or columns)", "give a greater --line-length (or columns)"],
      ["depth is of a tree: it goes with group module", "--depth is of a tree: it goes with --group module"],
      ["the layers are input, depth", "the layers are input, depth"],
    ]) {
      expect(report(new InvalidOptionError(`${said}`)).text).toBe(`weighbridge: ${shown}\n`);
    }
  });

  test("escapes what comes from the file", () => {
    expect(report(new MalformedFileError("layer \u001b[2Jx\nTotal params: 0"), "a.h5").text).toBe(
      "weighbridge: a.h5: layer \\x1b[2Jx\\nTotal params: 0\n",
    );
  });

  test("asks for a report of a bug, and shows the stack only when asked to", () => {
    const quiet = report(new InvalidModelError("layer 3 has no calls"), "a.h5").text;
    expect(quiet).toMatch(
      /^weighbridge: a\.h5: InvalidModelError: layer 3 has no calls\nThis is a bug in weigh/,
    );
    expect(quiet).toContain("WEIGHBRIDGE_DEBUG=1");
    expect(quiet).not.toContain("failure.test.ts");
    const cause = new Error("below");
    const loud = report(new InvalidModelError("x", { cause }), "a.h5", { WEIGHBRIDGE_DEBUG: "1" }).text;
    expect(loud).toContain("failure.test.ts");
    expect(loud).toContain("caused by Error: below");
  });
});
