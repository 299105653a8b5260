import { readAhead } from "../public/read-ahead.ts";
import { type ExitCode, exitCode } from "./exit-code.ts";
import { type Host, hostOf, type ProcessHost } from "./host.ts";
import { endOnOutputError } from "./output-error.ts";
import { version } from "./version.ts";

/** The command line in a process, which it ends. */
export async function runIn(process: NodeJS.Process): Promise<void> {
  const host: ProcessHost = hostOf(process, (name, error) => {
    void endOnOutputError(name, error, host, (code) => process.exit(code));
  });
  process.exitCode = await run(host);
  // A process that ends by itself first sweeps the memory it gives back, for a twentieth of a long run. One that has yet to write
  // to a slow pipe, or to tell that it cannot, ends by itself.
  if (host.stdout.isDone && host.stderr.isDone) process.exit();
}

/** The whole command line: does what the host's arguments say and returns the exit code. */
export async function run(host: Host): Promise<ExitCode> {
  try {
    // Scripts ask for the version often, and it needs nothing of the rest.
    const [only] = host.argv;
    if (host.argv.length === 1 && (only === "--version" || only === "-V")) {
      host.stdout.write(`${version}\n`);
      return exitCode.fine;
    }
    // One file and nothing else is what is called most, and needs no parser: that saves a tenth of the run.
    if (host.argv.length === 1 && only !== undefined && isFile(only)) {
      const opened = readAhead(only);
      const { summary } = await import("./commands/summary.ts");
      return await summary(host, [only], { compile: true }, opened);
    }
    const { runProgram } = await import("./program.ts");
    return await runProgram(host, version);
  } catch (error) {
    const { reportFailure } = await import("./failure.ts");
    return reportFailure(host, error);
  }
}

/** Neither an option nor one of the words that program.ts knows as commands. */
function isFile(word: string): boolean {
  return (
    (word === "-" || !word.startsWith("-")) && !["summary", "formats", "convert", "help", ""].includes(word)
  );
}
