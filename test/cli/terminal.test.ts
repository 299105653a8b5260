import { describe, expect, test } from "vitest";
import { consoleWidth, wantsColor } from "../../src/cli/terminal.ts";
import { fakeHost } from "./run-cli.ts";

describe("the width, as Python's shutil.get_terminal_size() has it", () => {
  test.each<[string | undefined, number | undefined, number]>([
    [undefined, undefined, 80],
    [undefined, 132, 132],
    ["120", undefined, 120],
    ["120", 132, 120],
    [" +1_20 ", 132, 120],
    ["", 132, 132],
    ["0", 132, 132],
    ["-5", undefined, 80],
    ["12.5", undefined, 80],
    ["wide", 132, 132],
    [undefined, 0, 80],
    ["999999999999", undefined, 100_000],
  ])("COLUMNS=%s, terminal %s: %s", (columns, terminal, width) => {
    const env = columns === undefined ? {} : { COLUMNS: columns };
    expect(consoleWidth(fakeHost([], { env, ...(terminal !== undefined && { terminal }) }))).toBe(width);
  });
});

describe("colour", () => {
  test.each<[Record<string, string>, boolean, boolean | undefined, boolean]>([
    [{}, true, undefined, true],
    [{}, false, undefined, false],
    [{ NO_COLOR: "1" }, true, undefined, false],
    [{ NO_COLOR: "" }, true, undefined, true],
    [{ TERM: "dumb" }, true, undefined, false],
    [{ FORCE_COLOR: "1" }, false, undefined, true],
    [{ FORCE_COLOR: "0" }, true, undefined, false],
    [{ FORCE_COLOR: "false" }, true, undefined, false],
    [{ FORCE_COLOR: "" }, true, undefined, true],
    [{ FORCE_COLOR: "1", NO_COLOR: "1" }, true, undefined, false],
    [{ FORCE_COLOR: "1", TERM: "dumb" }, false, undefined, true],
    [{ NO_COLOR: "1" }, false, true, true],
    [{ FORCE_COLOR: "1" }, true, false, false],
  ])("%j, terminal %s, option %s: %s", (env, terminal, option, colour) => {
    expect(wantsColor(fakeHost([], { env, ...(terminal && { terminal: 80 }) }), option)).toBe(colour);
  });
});
