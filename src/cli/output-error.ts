import type { EventEmitter } from "node:events";
import { type ExitCode, exitCode } from "./exit-code.ts";
import type { Host } from "./host.ts";

/**
 * Ends the process through `exit` when one of the two streams can be written no more. A reader that has seen enough
 * (`| head`) closes the pipe: that is no failure, and nobody is left to tell. A full disk is one.
 */
export function endOnOutputError(
  stdout: EventEmitter,
  stderr: EventEmitter,
  host: Host,
  exit: (code: ExitCode) => void,
): void {
  stdout.on("error", async (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") return exit(exitCode.fine);
    const { OutputError, reportFailure } = await import("./failure.ts");
    exit(reportFailure(host, new OutputError("standard output", error)));
  });
  stderr.on("error", (error: NodeJS.ErrnoException) => {
    exit(error.code === "EPIPE" ? exitCode.fine : exitCode.unreadable);
  });
}
