/**
 * What the command line asks of the process it runs in. Tests hand in one of their own and read what was written;
 * bin.ts hands in the real one.
 */

import { expectLongRun, expectText } from "./engine-flags.ts";
import { type Output, type ProcessOutput, processOutput } from "./output.ts";

export interface Host {
  /** Arguments after the name of the program. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: { readonly isTTY: boolean };
  readonly stdout: Output;
  readonly stderr: Output;
  /** Milliseconds, for telling what takes long. */
  now(): number;
  /** Told once when there turns out to be much to do. */
  expectLongRun?(): void;
  /** Told before a long text is read whole. */
  expectText?(): void;
}

export interface ProcessHost extends Host {
  readonly stdout: ProcessOutput;
  readonly stderr: ProcessOutput;
}

/** The host that a Node process is. `failed` is told when one of its outputs can be written no more. */
export function hostOf(
  process: NodeJS.Process,
  failed: (name: "stdout" | "stderr", error: NodeJS.ErrnoException) => void,
): ProcessHost {
  return {
    argv: process.argv.slice(2),
    env: process.env,
    stdin: {
      // Asked only when it is read: Node takes some milliseconds to set the stream up.
      get isTTY() {
        return process.stdin.isTTY === true;
      },
    },
    stdout: processOutput(
      1,
      () => process.stdout,
      (error) => failed("stdout", error),
    ),
    stderr: processOutput(
      2,
      () => process.stderr,
      (error) => failed("stderr", error),
    ),
    // `performance` would load a module of its own.
    now: () => process.uptime() * 1000,
    expectLongRun,
    expectText,
  };
}
