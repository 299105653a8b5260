import { expect, test } from "vitest";
import { Progress } from "../../src/cli/progress.ts";
import { fakeHost } from "./run-cli.ts";

function shown(terminal: number | undefined, times: readonly number[]): string {
  let time = 0;
  const host = fakeHost([], { now: () => time, ...(terminal !== undefined && { terminal }) });
  const progress = new Progress(host, "m.h5");
  for (const at of times) {
    time = at;
    progress.report(`step ${at}`);
  }
  progress.end();
  return host.written.stderr;
}

test("says nothing before half a second, nor to a pipe", () => {
  expect(shown(80, [0, 100, 499])).toBe("");
  expect(shown(undefined, [0, 1000, 2000])).toBe("");
});

test("then a line now and then, wiped at the end", () => {
  expect(shown(80, [0, 500, 550, 599, 600])).toBe(
    "\r\u001b[Km.h5: step 500 ...\r\u001b[Km.h5: step 600 ...\r\u001b[K",
  );
});

test("never wraps", () => {
  expect(shown(10, [600])).toBe("\r\u001b[Km.h5: ste\r\u001b[K");
});
