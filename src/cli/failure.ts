/** What is said of an error, and the exit code it ends in. */

import { escapeText, isModelError } from "../public/index.ts";
import { type ExitCode, exitCode } from "./exit-code.ts";
import type { Host } from "./host.ts";

/** The output could not be written. */
export class OutputError extends Error {
  override readonly name = "OutputError";

  constructor(path: string, cause: unknown) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
    super(`${path} could not be written${code && ` (${code})`}; check its folder, the space and the rights`, {
      cause,
    });
  }
}

/** Says on standard error what went wrong with `file` (as the user named it; undefined for none); returns the exit code. */
export function reportFailure(host: Host, error: unknown, file?: string): ExitCode {
  const code = exitCodeOf(error);
  const lines = [`weighbridge: ${code === exitCode.bug ? bugText(error, file) : namedText(error, file)}`];
  if (code === exitCode.bug) {
    lines.push("This is a bug in weighbridge. Please report it, with the file if you may share it.");
    if (!wantsStack(host))
      lines.push("Run again with WEIGHBRIDGE_DEBUG=1 for the details to put in the report.");
  }
  host.stderr.write(`${lines.map((line) => escapeText(line)).join("\n")}\n`);
  if (wantsStack(host)) host.stderr.write(`${stackOf(error)}\n`);
  return code;
}

function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof OutputError) return exitCode.unreadable;
  if (!isModelError(error)) return exitCode.bug;
  switch (error.kind) {
    case "invalid-option":
      return exitCode.usage;
    case "invalid-model":
      return exitCode.bug;
    default:
      return exitCode.unreadable;
  }
}

function namedText(error: unknown, file: string | undefined): string {
  const text =
    isModelError(error) && error.kind === "invalid-option" ? withFlags(error.message) : messageOf(error);
  if (file === undefined || text.startsWith(file) || error instanceof OutputError) return text;
  // Sources know a file by its last name only; the user gave a path and finds it again by that.
  const known = isModelError(error) && error.file !== undefined ? `${error.file}: ` : undefined;
  return `${file}: ${known !== undefined && text.startsWith(known) ? text.slice(known.length) : text}`;
}

/** The library speaks of `lineLength`; here it is `--line-length`. */
function withFlags(text: string): string {
  return text.replace(
    /(?<![\w-])(?:(?:style|lineLength|positions|expandNested|showTrainable|layerRange|group|depth|convention|columnNames|varNames)(?= (?:is|are|has|does|do)\b)|layerRange(?=:)|lineLength(?= \(or columns\))|(?<=it goes with )group(?= module$))/g,
    (name) => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
  );
}

function bugText(error: unknown, file: string | undefined): string {
  const name = error instanceof Error ? error.name : typeof error;
  return `${file === undefined ? "" : `${file}: `}${name}: ${messageOf(error)}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function wantsStack(host: Host): boolean {
  const flag = host.env.WEIGHBRIDGE_DEBUG;
  return flag !== undefined && flag !== "" && flag !== "0";
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const lines = (error.stack ?? error.message).split("\n").map((line) => escapeText(line));
  return lines.join("\n") + (error.cause === undefined ? "" : `\ncaused by ${stackOf(error.cause)}`);
}
