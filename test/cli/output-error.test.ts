import { expect, test } from "vitest";
import { endOnOutputError } from "../../src/cli/output-error.ts";
import { fakeHost } from "./run-cli.ts";

async function ending(name: "stdout" | "stderr", code: string): Promise<{ exit: number; text: string }> {
  const host = fakeHost([]);
  const error = Object.assign(new Error("write"), { code });
  const exit = await new Promise<number>((resolve) => {
    void endOnOutputError(name, error, host, resolve);
  });
  return { exit, text: host.written.stderr };
}

test("a reader that left is no failure", async () => {
  expect(await ending("stdout", "EPIPE")).toEqual({ exit: 0, text: "" });
});

test("a reader of the notes that left ends nothing: the summary may have one", async () => {
  const codes: number[] = [];
  const gone = Object.assign(new Error("write"), { code: "EPIPE" });
  await endOnOutputError("stderr", gone, fakeHost([]), (code) => codes.push(code));
  expect(codes).toEqual([]);
});

test("a full disk is one, in a line and without a stack", async () => {
  const { exit, text } = await ending("stdout", "ENOSPC");
  expect(exit).toBe(3);
  expect(text).toMatch(/^weighbridge: standard output could not be written \(ENOSPC\); check .*\n$/);
  expect(await ending("stderr", "ENOSPC")).toEqual({ exit: 3, text: "" });
});
