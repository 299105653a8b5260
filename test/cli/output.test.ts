import { EventEmitter } from "node:events";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { processOutput } from "../../src/cli/output.ts";

const folder = mkdtempSync(join(tmpdir(), "weighbridge-"));
afterAll(() => rmSync(folder, { recursive: true }));

const noStream = (): never => {
  throw new Error("no stream is needed");
};
const noFailure = (error: Error): never => {
  throw error;
};

/** A stream that keeps what it gets, and has written it when it is told. */
class FakeStream extends EventEmitter {
  readonly isTTY = true;
  readonly columns = 66;
  readonly errored = null;
  writableLength = 0;
  text = "";

  write(chunk: string | Uint8Array): void {
    this.text += typeof chunk === "string" ? chunk : Buffer.from(chunk).toString();
    this.writableLength += chunk.length;
  }

  asStream = (): NodeJS.WriteStream => this as unknown as NodeJS.WriteStream;
}

describe.skipIf(process.platform === "win32")("a file", () => {
  test("is written to directly, one text behind the other", () => {
    const path = join(folder, "written");
    const fd = openSync(path, "w");
    const output = processOutput(fd, noStream, noFailure);
    output.write("┃ a\n");
    output.write("b".repeat(100_000));
    expect(output).toMatchObject({ isTTY: false, columns: undefined, isDone: true });
    closeSync(fd);
    expect(readFileSync(path, "utf8")).toBe(`┃ a\n${"b".repeat(100_000)}`);
  });

  test("that takes a part at a time gets all of it", () => {
    const fd = openSync(join(folder, "parts"), "w");
    let got = "";
    const write = (_: number, bytes: Uint8Array, at: number): number => {
      got += Buffer.from(bytes.subarray(at, at + 3)).toString("latin1");
      return Math.min(3, bytes.length - at);
    };
    processOutput(fd, noStream, noFailure, write as never).write("one two three");
    closeSync(fd);
    expect(got).toBe("one two three");
  });

  test("that is full and does not wait is left to a stream", () => {
    const fd = openSync(join(folder, "full"), "w");
    const stream = new FakeStream();
    const written: number[] = [];
    const write = (_: number, bytes: Uint8Array, at: number): number => {
      if (at >= 4) throw Object.assign(new Error("full"), { code: "EAGAIN" });
      written.push(bytes[at] as number);
      return 1;
    };
    const output = processOutput(fd, stream.asStream, noFailure, write as never);
    output.write("one two");
    output.write(" three");
    closeSync(fd);
    expect(Buffer.from(written).toString() + stream.text).toBe("one two three");
    expect(output.isDone).toBe(false);
    stream.writableLength = 0;
    expect(output.isDone).toBe(true);
  });

  test("that cannot be written tells it once, and is never done", () => {
    const fd = openSync(join(folder, "read"), "a+");
    closeSync(fd);
    const closed: string[] = [];
    const fails = (): never => {
      throw Object.assign(new Error("no space"), { code: "ENOSPC" });
    };
    const plain = openSync(join(folder, "read"), "r");
    const output = processOutput(plain, noStream, ({ code }) => void closed.push(code ?? ""), fails);
    output.write("a");
    output.write("b");
    closeSync(plain);
    expect(closed).toEqual(["ENOSPC"]);
    expect(output.isDone).toBe(false);
  });
});

test.runIf(process.platform !== "win32")(
  "a device is left to a stream, which knows whether it is a terminal",
  () => {
    const fd = openSync("/dev/null", "w");
    const stream = new FakeStream();
    const failures: unknown[] = [];
    const output = processOutput(fd, stream.asStream, (error) => void failures.push(error));
    closeSync(fd);
    output.write("a");
    expect(output).toMatchObject({ isTTY: true, columns: 66, isDone: false });
    stream.emit("error", "broken");
    expect(failures).toEqual(["broken"]);
  },
);

test.runIf(process.platform !== "win32")(
  "a stream that has failed is not done, though it forgets why",
  () => {
    const fd = openSync("/dev/null", "w");
    const stream = new FakeStream();
    const told: unknown[] = [];
    const output = processOutput(fd, stream.asStream, (error) => told.push(error));
    stream.emit("error", "ENOSPC");
    expect(told).toEqual(["ENOSPC"]);
    expect(output.isDone).toBe(false);
    closeSync(fd);
  },
);
