import { type ExitCode, exitCode } from "./exit-code.ts";
import type { Host } from "./host.ts";

/**
 * Ends the process through `exit` when one of its outputs can be written no more. A reader that has seen enough
 * (`| head`) closes the pipe: that is no failure, and nobody is left to tell. A full disk is one.
 */
export async function endOnOutputError(
  name: "stdout" | "stderr",
  error: NodeJS.ErrnoException,
  host: Host,
  exit: (code: ExitCode) => void,
): Promise<void> {
  if (error.code === "EPIPE") {
    // Without a reader of the notes there may still be one of the summary.
    if (name === "stdout") exit(exitCode.fine);
    return;
  }
  if (name === "stderr") return exit(exitCode.unreadable);
  const { OutputError, reportFailure } = await import("./failure.ts");
  exit(reportFailure(host, new OutputError("standard output", error)));
}
