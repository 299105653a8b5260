/**
 * What the command line asks of the process it runs in. Tests hand in one of their own and read what was written;
 * bin.ts hands in the real one.
 */

import { expectLongRun, expectText } from "./engine-flags.ts";

export interface Output {
  write(text: string): void;
  /** True when a person looks at it. */
  readonly isTTY: boolean;
  /** Width of the terminal; undefined when it is none. */
  readonly columns: number | undefined;
}

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

/** The host that a Node process is. */
export function hostOf(process: NodeJS.Process): Host {
  return {
    argv: process.argv.slice(2),
    env: process.env,
    stdin: {
      // Asked only when it is read: Node takes some milliseconds to set the stream up.
      get isTTY() {
        return process.stdin.isTTY === true;
      },
    },
    stdout: outputOf(process.stdout),
    stderr: outputOf(process.stderr),
    // `performance` would load a module of its own.
    now: () => process.uptime() * 1000,
    expectLongRun,
    expectText,
  };
}

function outputOf(stream: NodeJS.WriteStream): Output {
  return {
    write: (text) => void stream.write(text),
    isTTY: stream.isTTY === true,
    columns: stream.isTTY ? stream.columns : undefined,
  };
}
