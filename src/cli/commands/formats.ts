import { formats } from "../../public/index.ts";
import { type ExitCode, exitCode } from "../exit-code.ts";
import type { Host } from "../host.ts";

/** Prints what can be read: a block for each format, a line for each of its variants. */
export function listFormats(host: Host, flags: { readonly json?: boolean }): ExitCode {
  if (flags.json) {
    host.stdout.write(`${JSON.stringify(formats, undefined, 2)}\n`);
    return exitCode.fine;
  }
  const variants = formats.flatMap((format) => format.variants);
  const width = Math.max(...variants.map(({ id }) => id.length));
  const filesWidth = Math.max(...variants.map(({ files }) => files.length));
  const blocks = formats.map(({ format, title, variants }) =>
    [
      `${format}: ${title}`,
      ...variants.map((v) => `  ${v.id.padEnd(width)}  ${v.files.padEnd(filesWidth)}  ${v.title}`),
    ].join("\n"),
  );
  host.stdout.write(`${blocks.join("\n\n")}\n`);
  return exitCode.fine;
}
