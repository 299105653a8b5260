import { join, resolve } from "node:path";
import type { Host } from "../../src/cli/host.ts";
import { run } from "../../src/cli/main.ts";

const root = resolve(import.meta.dirname, "../..");

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface Surroundings {
  readonly env?: Readonly<Record<string, string>>;
  /** Width of the terminal that all output goes to; none by default. */
  readonly terminal?: number;
  readonly stdinIsTTY?: boolean;
  readonly now?: () => number;
}

export interface FakeHost extends Host {
  readonly written: { stdout: string; stderr: string };
}

/** A process that keeps what is written. */
export function fakeHost(argv: readonly string[], surroundings: Surroundings = {}): FakeHost {
  const written = { stdout: "", stderr: "" };
  const output = (name: "stdout" | "stderr"): Host["stdout"] => ({
    write: (text) => {
      written[name] += text;
    },
    isTTY: surroundings.terminal !== undefined,
    columns: surroundings.terminal,
  });
  return {
    argv,
    env: surroundings.env ?? {},
    stdin: { isTTY: surroundings.stdinIsTTY ?? false },
    stdout: output("stdout"),
    stderr: output("stderr"),
    now: surroundings.now ?? (() => 0),
    written,
  };
}

/** Runs the command line in this process. */
export async function runCli(argv: readonly string[], surroundings: Surroundings = {}): Promise<Ran> {
  const host = fakeHost(argv, surroundings);
  const code = await run(host);
  return { code, ...host.written };
}

/** Path of a file below fixtures/keras. */
export function fixture(path: string): string {
  return join(root, "fixtures/keras", path);
}
