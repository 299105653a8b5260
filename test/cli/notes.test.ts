import { expect, test } from "vitest";
import { formatNotes } from "../../src/cli/notes.ts";

type Note = Parameters<typeof formatNotes>[0][number];

function note(severity: Note["severity"], at: string, message = "odd"): Note {
  return { severity, at, message };
}

test("one line each, the serious ones first, otherwise as found", () => {
  const notes = [note("info", ""), note("warning", "b"), note("error", "c"), note("warning", "a")];
  expect(formatNotes(notes)).toBe("error: c: odd\nwarning: b: odd\nwarning: a: odd\ninfo: odd\n");
  expect(formatNotes(notes.slice(1, 2), "m.h5")).toBe("m.h5: warning: b: odd\n");
  expect(formatNotes([])).toBe("");
});

test("ten at most, and how many are left", () => {
  const lines = formatNotes(Array.from({ length: 12 }, (_, i) => note("warning", `layer${i}`))).split("\n");
  expect(lines).toHaveLength(12);
  expect(lines[10]).toBe("and 2 more (see --json)");
});

test("names are escaped", () => {
  expect(formatNotes([note("warning", "a\u001b]0;x\u0007\nerror: b", "line\u202eeldd\r")])).toBe(
    "warning: a\\x1b]0;x\\x07\\nerror: b: line\\u202eeldd\\r\n",
  );
});
