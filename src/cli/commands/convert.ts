import { chmodSync, realpathSync, renameSync, rmSync, type Stats, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { InvalidOptionError, readModel, reportOf, serializeModel } from "../../public/index.ts";
import { type ExitCode, exitCode } from "../exit-code.ts";
import { OutputError, reportFailure } from "../failure.ts";
import type { Host } from "../host.ts";
import { formatNotes } from "../notes.ts";
import { standardStream, withSource } from "../sources.ts";

export interface ConvertFlags {
  readonly output: string;
  readonly compile: boolean;
  readonly quiet?: boolean;
}

/** Writes the model of `file` as JSON. */
export async function convert(host: Host, file: string, flags: ConvertFlags): Promise<ExitCode> {
  const { output, compile } = flags;
  try {
    refuseInput(file, output);
    const imported = await withSource(host, file, (source, onProgress) =>
      readModel(source, { compile, onProgress }),
    );
    const text = serializeModel(imported);
    if (output === standardStream) host.stdout.write(text);
    else writeWhole(output, text);
    if (!flags.quiet) host.stderr.write(formatNotes(reportOf(imported).diagnostics));
    return exitCode.fine;
  } catch (error) {
    return reportFailure(host, error, file);
  }
}

/** The model stands in place of the weights, so writing it over its own file would lose them. */
function refuseInput(file: string, output: string): void {
  if (file === standardStream || output === standardStream) return;
  const [from, to] = [statOf(file), statOf(output)];
  if (!from || !to) return;
  const itself = from.ino === to.ino && from.dev === to.dev;
  // A model may be a folder, as an unzipped .keras file is.
  const inside = from.isDirectory() && !relative(realpathSync(file), realpathSync(output)).startsWith("..");
  if (itself || inside) {
    throw new InvalidOptionError(
      "--output is the model itself, whose weights would be lost; give another name",
    );
  }
}

/** Readers see the old file or the whole new one: it is written beside its place, then moved there. */
function writeWhole(output: string, text: string): void {
  let temporary: string | undefined;
  try {
    const old = statOf(output);
    if (old && !old.isFile()) {
      // A pipe or a device is written to, not replaced.
      writeFileSync(output, text);
      return;
    }
    const target = old ? realpathSync(output) : output;
    temporary = join(dirname(target), `.${basename(target)}.${process.pid}.tmp`);
    writeFileSync(temporary, text, { flag: "wx" });
    if (old) chmodSync(temporary, old.mode);
    renameSync(temporary, target);
  } catch (cause) {
    if (temporary !== undefined) rmSync(temporary, { force: true });
    throw new OutputError(output, cause);
  }
}

/** Undefined when there is nothing to see; why not comes out when it is opened. */
function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}
